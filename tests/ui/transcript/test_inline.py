"""Inline markdown: compared with a reference parser, and every span stands where it says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tui.core.safe_text import safe
from tui.ui.transcript import inks
from tui.ui.transcript.inline import parse
from tui.ui.transcript.rows import Span

REFERENCE = MarkdownIt("commonmark").enable("strikethrough").disable(["html_inline", "backticks", "entity"])
FLAGS = {"em": inks.ITALIC, "strong": inks.BOLD, "s": inks.STRIKE}

emphasis_text = st.text(alphabet="ab *_~.\\。“é", min_size=1, max_size=24)
any_text = st.text(alphabet="ab *_~`[]()!<>&;.\\\nhttps:/é表", max_size=60)


def look(text: str) -> list[tuple[str, int]]:
    """Shown text and flags; neighbours of one look joined."""
    return joined((span.text, span.ink & ~inks.BASE) for span in parse(text))


def joined(pieces: object) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for text, flags in pieces:  # type: ignore[attr-defined]
        if found and found[-1][1] == flags:
            found[-1] = (found[-1][0] + text, flags)
        elif text:
            found.append((text, flags))
    return found


def reference(text: str) -> list[tuple[str, int]]:
    """The same from the reference parser."""
    depth = dict.fromkeys(FLAGS, 0)
    pieces = []
    for token in REFERENCE.parseInline(text)[0].children or []:
        name = token.tag
        if token.nesting:
            depth[name] += token.nesting
        elif token.type in ("text", "text_special"):
            pieces.append((token.content, sum(FLAGS[name] for name, open in depth.items() if open)))
    return joined(pieces)


@given(emphasis_text.filter(lambda text: "~" not in text))
def test_emphasis_is_what_the_reference_says(text: str) -> None:
    assert look(text.strip()) == reference(text.strip())


@given(any_text)
def test_every_span_stands_where_it_says(text: str) -> None:
    last = 0
    for span in parse(text):
        assert last <= span.at
        if span.size == len(span.text) and span.text not in (" ", "\n") and span.ink != inks.TARGET:
            assert text[span.at : span.at + span.size] == span.text
        last = span.at


@given(any_text)
def test_nothing_that_was_written_is_lost(text: str) -> None:
    """Letters survive, in order: what is not shown is marks."""
    shown = "".join(span.text for span in parse(text))
    letters = [c for c in text if c in "abé表"]
    kept = iter(shown if "&" not in text else letters)
    assert all(letter in kept for letter in letters)


def spans(text: str, refs: dict[str, str] | None = None) -> list[tuple[str, int]]:
    return [(span.text, span.ink) for span in parse(text, refs=refs)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**bold** and *it*", [("bold", inks.BOLD), (" and ", 0), ("it", inks.ITALIC)]),
        ("***both***", [("both", inks.BOLD | inks.ITALIC)]),
        ("~~gone~~", [("gone", inks.STRIKE)]),
        ("snake_case_name", [("snake_case_name", 0)]),
        ("2 * 3 * 4", [("2 * 3 * 4", 0)]),
        ("**open", [("**open", 0)]),
        ("`code *x*`", [("code *x*", inks.CODE)]),
        ("`` a`b ``", [("a`b", inks.CODE)]),
        ("`open", [("`open", 0)]),
        (r"\*not\*", [("*not*", 0)]),
        ("&lt;a&gt; &#35; &nope;", [("<a> # &nope;", 0)]),
        ("<b>html</b>", [("<b>html</b>", 0)]),
        ("soft\nbreak", [("soft break", 0)]),
        ("hard  \nbreak", [("hard\nbreak", 0)]),
        ("hard\\\nbreak", [("hard\nbreak", 0)]),
        ("![alt](http://x/i)", [("image: ", inks.DIM), ("alt", inks.LINK), (" (http://x/i)", inks.TARGET)]),
        ("[^1] note", [("[^1] note", 0)]),
    ],
)  # fmt: skip
def test_inline_constructs(text: str, shown: list[tuple[str, int]]) -> None:
    assert joined(spans(text)) == shown


def test_a_link_shows_its_real_target_whatever_its_text_says() -> None:
    found = parse("[https://good.example](https://evil.example)")
    assert "".join(s.text for s in found) == "https://good.example (https://evil.example)"
    assert {s.action for s in found} == {"link:https://evil.example"}


def test_a_bare_address_and_an_autolink_are_links_without_a_second_copy_of_the_target() -> None:
    assert joined(spans("see https://a.b/c?d=1. Then")) == [
        ("see ", 0), ("https://a.b/c?d=1", inks.LINK), (". Then", 0),
    ]  # fmt: skip
    assert joined(spans("<https://a.b>")) == [("https://a.b", inks.LINK)]


def test_a_reference_is_text_until_its_definition_is_known() -> None:
    assert joined(spans("a [b][c] d")) == [("a [b][c] d", 0)]
    linked = parse("a [b][C] d", refs={"c": "https://x.y"})
    assert [s.action for s in linked if s.text == "b"] == ["link:https://x.y"]


def test_text_with_markup_inside_a_link_keeps_both() -> None:
    bold = next(s for s in parse("[a **b** c](https://x.y)") if s.text == "b")
    assert bold.ink == inks.LINK | inks.BOLD
    assert bold.action == "link:https://x.y"


@pytest.mark.parametrize(
    "mark", ["*a ", "**", "[", "[a](", "`", "~~a", "_a*", "![", "<", "&a", "[a][", "\\", "*a_ "]
)
def test_the_time_for_hostile_text_grows_no_faster_than_the_text(mark: str) -> None:
    def cost(size: int) -> float:
        text = mark * (size // len(mark))
        best = 1.0
        for _ in range(4):
            began = time.process_time()
            parse(text)
            best = min(best, time.process_time() - began)
        return best

    assert cost(8_000) < 24 * cost(1_000) + 0.002


@given(st.integers(0, 0x10FFFF), st.sampled_from(["&#{};", "&#x{:x};"]))
def test_no_entity_smuggles_a_character_past_the_door(code: int, form: str) -> None:
    text = "a" + form.format(code) * 8 + "b"
    shown = "".join(span.text for span in parse(text))
    assert safe(shown) == shown


@pytest.mark.parametrize("code", [0x1B, 0x202E, 0x200B, 0x115F, 0x3164, 0x301, 0xE000, 0xAD])
def test_an_entity_that_must_not_come_through_is_shown_as_it_was_written(code: int) -> None:
    assert joined(spans(f"a&#{code};b")) == [(f"a&#{code};b", 0)]


def test_plain_text_is_one_span() -> None:
    assert parse("just words") == [Span("just words", inks.TEXT, 0, 10)]


def test_a_tab_between_words_is_a_space_as_wide_as_it_is_counted() -> None:
    for source in ("a\tb", "**a\tb** `c\td`\te [f\tg](http://x.y)"):
        shown = "".join(span.text for span in parse(source))
        assert "\t" not in shown and "a b" in shown
    assert [span.size for span in parse("a\tb")] == [3], "an offset in the source stays what it was"
