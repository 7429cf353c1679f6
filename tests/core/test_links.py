"""Which links may be opened: http and https whose host is plain to see, and nothing else."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.links import look_at, misleads

VECTORS = Path(__file__).parents[1] / "vectors/terminal.jsonl"


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("https://example.org/a/b?c=d&e#f", "https://example.org/a/b?c=d&e#f"),
        ("HTTP://EXAMPLE.org:8080/A", "http://example.org:8080/A"),
        ("http://127.0.0.1:3000/x", "http://127.0.0.1:3000/x"),
        ("http://[::1]:90/x", "http://[::1]:90/x"),
        ("https://e.org/straße?q=ü#é", "https://e.org/stra%C3%9Fe?q=%C3%BC#%C3%A9"),
        ("https://e.org/\"'`<x>", "https://e.org/%22'%60%3Cx%3E"),
        ("https://e.org/100%25", "https://e.org/100%25"),
    ],
)
def test_an_ordinary_link_is_opened_as_it_is_shown(target, url):
    link = look_at(target)
    assert (link.url, link.refusal, link.caution) == (url, "", "")


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "../../etc/passwd", "vscode://x",
        "ssh://-oProxyCommand=x", "--remote-debugging-port=1", "//evil.example", "http:evil.example", "",
        "http://", "http:///x", "https://bank.example@evil.example/", "https://u:p@evil.example/",
        "https://bank.example\\@evil.example", "https://e/\x1b\\\x1b]52;c;eA==\x1b\\", "https://e.org/a b",
        "https://e.org/\n", " https://e.org/", "https://e.org/\u202etxt.exe", "https://exa\u200bmple.org/",
        "https://exa\u200dmple.org/", "http://0x7f.1/", "http://2130706433/", "http://127.1/", "http://[::1",
        "https://e.org:99999/", "https://a..b/", "https://-e.org/", "https://a\u2100b.org/", "https://a%2eb/",
        "https://" + "a" * 300 + ".org/", "https://e.org/" + "a" * 3000, "https://\ud800.org/",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_a_reason(target):
    link = look_at(target)
    assert link.url == ""
    assert link.refusal.startswith("Not opened: ") and link.refusal.endswith(".")


@pytest.mark.parametrize(
    ("target", "ascii_host", "seen"),
    [
        ("https://раураl.example/", "xn--l-7sba6dbr.example", "раураl.example"),
        ("https://xn--80ak6aa92e.com/", "xn--80ak6aa92e.com", "аррӏе.com"),
        ("https://münchen.de/", "xn--mnchen-3ya.de", "münchen.de"),
        ("https://faß.de/", "xn--fa-hia.de", "faß.de"),
        ("https://example.org。evil.example/", "example.org.evil.example", "example.org。evil.example"),
        ("https://ｅｖｉｌ.example/", "evil.example", "ｅｖｉｌ.example"),
    ],
)
def test_a_host_with_foreign_letters_is_shown_both_ways(target, ascii_host, seen):
    link = look_at(target)
    assert link.ascii_host == ascii_host
    assert link.url == f"https://{ascii_host}/", "what is shown is what is opened"
    assert seen in link.caution and ascii_host in link.caution


def test_the_homoglyph_of_the_vectors_is_cautioned_about():
    vectors = map(json.loads, VECTORS.read_text().splitlines())
    payload = next(vector["payload"] for vector in vectors if vector["id"] == "homoglyph-url")
    assert "xn--" in look_at(payload).caution


def test_a_label_that_names_another_host_misleads():
    link = look_at("https://evil.example/x")
    assert misleads("https://bank.example/", link)
    assert misleads(" bank.example ", link)
    assert misleads("https://bank.example:99999/", link)
    assert not misleads("evil.example", link)
    assert not misleads("https://EVIL.example/other", link)
    assert not misleads("click here", link)
    assert not misleads("see e.g. this", link)


@given(st.one_of(st.text(), st.text().map("https://".__add__), st.text().map("https://e.org/".__add__)))
def test_whatever_the_target_the_judgement_is_ascii_http_or_a_refusal(target):
    link = look_at(target)
    assert bool(link.url) != bool(link.refusal)
    if link.url:
        assert link.url.isascii() and link.url.isprintable() and " " not in link.url
        assert link.url.startswith(("http://", "https://"))
        assert look_at(link.url).url == link.url
    misleads(target, link)
