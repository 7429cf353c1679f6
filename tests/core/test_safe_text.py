"""The one door: nothing that acts on a terminal comes through, however it is cut; real writing does."""

import ast
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.core import safe_text
from tui.core.safe_text import CUT, MOST_MARKS, Door, joined, safe, safe_line

ROOT = Path(__file__).parents[2]
VECTORS = [json.loads(line) for line in (ROOT / "tests/vectors/terminal.jsonl").read_text().splitlines()]

REAL_WRITING = {
    "ascii": "plain text,\n\twith a tab",
    "emoji": "👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 ❤️‍🔥 👩🏾‍🚀 ☁️ ⚠︎ 🧑🏻‍❤️‍💋‍🧑🏿",
    "flags": "🇩🇪🇫🇷🇯🇵 🏴‍☠️",
    "keycaps": "#️⃣ 1️⃣ 9️⃣ *️⃣",
    "arabic": "السَّلَامُ عَلَيْكُمْ وَرَحْمَةُ اللّٰهِ",
    "persian": "می‌خواهم کتاب‌ها را",
    "hebrew": "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים",
    "hindi": "नमस्ते, क्‍ष और क़्‍या हिन्दी",
    "thai": "น้ำใจที่ยิ่งใหญ่ กู้ภัย",
    "tamil": "வணக்கம்",
    "tibetan": "བོད་སྐད་བསྒྲུབས",
    "vietnamese, decomposed": unicodedata.normalize("NFD", "Tiếng Việt rất đẹp"),
    "cjk": "日本語と中文和한국어 ㍿",
    "drawing": "┌─┐│▌⠹⏹■✓⚠ ␛ ⟦9B⟧",
}


def joined_by_door(pieces):
    door = Door()
    return "".join([*(door.feed(piece) for piece in pieces), door.close()])


def may_act(char):
    """Written apart from the code under test: by category, with the few that only have a name."""
    if char in "\n\t\u200c\u200d":
        return False
    if unicodedata.category(char) in ("Cc", "Cs", "Co", "Zl", "Zp"):
        return True
    named = (
        "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u3164\ufeff\uffa0\ufff9\ufffa\ufffb"
    )
    spans = (
        "\u202a\u202e",
        "\u2060\u206f",
        "\U0001bca0\U0001bca3",
        "\U0001d173\U0001d17a",
        "\U000e0000\U000e0fff",
    )
    return char in named or any(first <= char <= last for first, last in spans)


def longest_pile(text):
    longest = now = 0
    for char in text:
        now = now + 1 if unicodedata.category(char) in ("Mn", "Me") or char in "\u200c\u200d" else 0
        longest = max(longest, now)
    return longest


def assert_clean(text):
    assert not [hex(ord(char)) for char in text if may_act(char)]
    assert longest_pile(text) <= MOST_MARKS
    text.encode()


PAYLOADS = st.lists(
    st.one_of(
        st.sampled_from([vector["payload"] for vector in VECTORS] + list(REAL_WRITING.values())),
        st.sampled_from(
            ["\r", "\n", "\x1b", "\ud83d", "\ude00", "\udb40", "\udc67", "\u0301" * 3, "\u200d", "e"]
        ),
        st.text(),
        st.integers(0, 0x10FFFF).map(chr),
    ),
    max_size=8,
).map("".join)


@given(PAYLOADS, st.data())
@example("a" + "\u0301" * 9 + "b", None)
def test_any_text_cut_anywhere_joins_to_the_same_clean_text(text, data):
    whole = safe(text)
    assert_clean(whole)
    assert joined_by_door(text) == whole
    if data:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert joined_by_door(pieces) == whole


@given(PAYLOADS)
def test_what_is_safe_already_stays_as_it_is(text):
    once = safe(text)
    assert safe(once) is once
    assert len(once) <= 8 * len(text)


def test_every_single_code_point_comes_out_clean_and_visible():
    for code in range(0x110000):
        char = chr(code)
        shown = safe(char)
        if may_act(char):
            assert shown.strip() and not any(map(may_act, shown)), hex(code)
        else:
            assert shown is char or shown == char or unicodedata.category(char) == "Cn", hex(code)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_hostile_payload_comes_out_clean_whole_and_in_pieces(vector):
    payload = vector["payload"]
    assert_clean(safe(payload))
    assert joined_by_door(payload) == safe(payload)
    assert_clean(safe_line(payload))
    if payload.startswith("A") and payload.endswith("Z"):
        assert safe(payload)[0] + safe(payload)[-1] == "AZ", "nothing is swallowed, only made visible"


@pytest.mark.parametrize("text", REAL_WRITING.values(), ids=REAL_WRITING.keys())
def test_real_writing_comes_back_as_the_same_object(text):
    assert safe(text) is text
    assert Door().feed(text) is text
    assert joined_by_door(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "␛[31m"),
        ("\x00\x07\x08\x7f", "␀␇␈␡"),
        ("\x9b31m", "⟦9B⟧31m"),
        ("a\u202eb\u2067", "a⟦RLO⟧b⟦RLI⟧"),
        ("a\u2028b\u2029", "a⟦LS⟧b⟦PS⟧"),
        ("\ufff9a\ufffab\ufffb", "⟦IAA⟧a⟦IAS⟧b⟦IAT⟧"),
        ("\u200b\u2060\ufeff", "⟦ZWSP⟧⟦WJ⟧⟦BOM⟧"),
        ("\U000e0067\U000e0173", "⟦E0067⟧⟦E0173⟧"),
        ("\u3164\u115f", "⟦HF⟧⟦HCF⟧"),
        ("a\r\nb\rc\r", "a\nb␍c␍"),
        ("\ud800a\udfff", "\ufffda\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("\udb40\udc67", "⟦E0067⟧"),
        ("a" + "\u0301" * 40 + "b", "a" + "\u0301" * 4 + CUT + "b"),
    ],
)
def test_what_is_replaced_says_what_it_was(text, shown):
    assert safe(text) == shown
    assert joined_by_door(text) == shown


def test_a_held_carriage_return_is_not_lost_when_the_text_ends():
    door = Door()
    assert door.feed("a\r") == "a"
    assert door.close() == "␍"
    assert door.close() == ""


def test_a_line_is_one_line_of_the_asked_length():
    assert safe_line("a\nb\tc\r\n") == "a⏎b c⏎"
    assert safe_line("x" * 300, 10) == "x" * 9 + "…"
    assert safe_line("x" * 10, 10) == "x" * 10
    assert safe_line("\r\n" * 10, 10) == "⏎" * 10
    assert len(safe_line("\x9b" * 300, 10)) == 10
    assert safe_line("e" + "\u0301" * 500, 10).endswith("…")


def test_joining_safe_pieces_cleans_the_separator_too():
    assert joined([safe("a"), safe("b")], "\x1b") == "a␛b"


def test_only_the_door_makes_safe_text():
    """SafeText is a NewType: whoever calls it by name goes round the door."""
    offenders = []
    for path in (ROOT / "tui").rglob("*.py"):
        if path == Path(safe_text.__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                names = {n.id for n in (node.func, *node.args) if isinstance(n, ast.Name)}
                if "SafeText" in names:
                    offenders.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not offenders
