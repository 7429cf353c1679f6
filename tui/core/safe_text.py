"""The one door for text that came over the wire: what could act on a terminal becomes visible instead.

The rules look at code points, never at escape sequences: a sequence can be split over chunks, nested or left
open, its introducer cannot. So the result does not depend on how the text was cut (reliability.md 2.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NewType
from unicodedata import category

SafeText = NewType("SafeText", str)
"""Text that cannot act on a terminal. Only this module makes it (a test holds that)."""

EMPTY = SafeText("")
CUT = "⟦…⟧"
"""Stands for what was left out of a pile of combining marks."""
MOST_MARKS = 4
"""So many combining marks, joiners and variation selectors in a row are shown; real writing needs no more."""

_NAMES = {
    0xAD: "SHY", 0x34F: "CGJ", 0x61C: "ALM", 0x115F: "HCF", 0x1160: "HJF", 0x180E: "MVS",
    0x200B: "ZWSP", 0x200E: "LRM", 0x200F: "RLM", 0x2028: "LS", 0x2029: "PS", 0x202A: "LRE", 0x202B: "RLE",
    0x202C: "PDF", 0x202D: "LRO", 0x202E: "RLO", 0x2060: "WJ", 0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI",
    0x2069: "PDI", 0x3164: "HF", 0xFEFF: "BOM", 0xFFA0: "HWHF", 0xFFF9: "IAA", 0xFFFA: "IAS", 0xFFFB: "IAT",
}  # fmt: skip
_DANGEROUS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # direction, line and paragraph separators
    "\u200b\u2060-\u2065\u206a-\u206f\ufeff\u180e\xad\u034f"  # zero width, but for ZWJ and ZWNJ
    "\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # fillers
    "\ufdd0-\ufdef\ufff0-\ufffb\ufffe\uffff"  # interlinear annotation, ignorables, non-characters
    "\ud800-\udfff\ue000-\uf8ff"  # surrogates; private use looks like whatever the font makes of it
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff"  # ignorables, tags, selectors, private
)
_MAY_BE_MARK = (
    r"[^\w\x00-\u02ff\u2010-\u20cf\u2100-\u2cee\u2e00-\u3029\u3030-\u3098\ufe10-\ufe1f\ufe30-\uffff"
    "\U0001f000-\U0001faff]"
)
"""Whatever `_is_mark` accepts, and some that it does not: a class that a scan is quick with."""

DANGEROUS = re.compile(f"[{_DANGEROUS}]")
_MARK_RUN = re.compile(f"{_MAY_BE_MARK}{{{MOST_MARKS + 1}}}")
_DANGEROUS_ASCII = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def safe(text: str) -> SafeText:
    """`text` with everything that could act on a terminal made visible. Newlines and tabs stay.

    Clean text comes back as the same object. Never raises; at most eight times as long as `text`.
    """
    return SafeText(text if _is_clean(text) else _cleaned(text, 0)[0])


def safe_line(text: str, limit: int = 200) -> SafeText:
    """One line of at most `limit` characters: newlines as ⏎, tabs as spaces, an ellipsis where it was cut."""
    head = text[: 2 * limit]
    line = safe(head).replace("\n", "⏎").replace("\t", " ")
    whole = len(line) <= limit and len(head) == len(text)
    return SafeText(line if whole else line[: limit - 1] + "…")


def joined(parts: Iterable[SafeText], between: str = "") -> SafeText:
    """Safe pieces as one text, `between` them a separator (which goes through the door too)."""
    return SafeText(safe(between).join(parts))


class Door:
    """`safe` for text that comes in pieces: any cutting of a text gives the same joined result.

    Holds back at most one code point: a carriage return (a newline may follow) or half a surrogate pair
    (servers written in JavaScript do cut emoji in two). `close` lets go of it.
    """

    __slots__ = ("_held", "_marks")

    def __init__(self) -> None:
        self._held = ""
        self._marks = 0  # combining marks at the end of what came so far

    def feed(self, text: str) -> SafeText:
        """The next piece of the text, safe. May be empty; a clean piece comes back as the same object."""
        if self._held:
            text, self._held = self._held + text, ""
        if text and (text[-1] == "\r" or "\ud800" <= text[-1] <= "\udbff"):
            text, self._held = text[:-1], text[-1]
        if not text:
            return EMPTY
        if self._goes_on(text) or not _is_clean(text):
            text, self._marks = _cleaned(text, self._marks)
        else:
            self._marks = _marks_at_end(text)
        return SafeText(text)

    def close(self) -> SafeText:
        """The text is over: what was held back, if anything."""
        held, self._held = self._held, ""
        return safe(held)

    def _goes_on(self, text: str) -> bool:
        """Whether a run of combining marks may go on from the last piece into this one."""
        return self._marks > 0 and text[0] >= "\u0300"


def _is_clean(text: str) -> bool:
    if text.isascii():
        return text.isprintable() or not _DANGEROUS_ASCII.search(text)
    return not DANGEROUS.search(text) and not _MARK_RUN.search(text)


def _cleaned(text: str, marks: int) -> tuple[str, int]:
    """`text`, which follows on `marks` combining marks, made safe; and how many marks it ends with."""
    text = _PAIR.sub(_join_pair, text).replace("\r\n", "\n")
    text = DANGEROUS.sub(lambda found: _shown(ord(found[0])), text)
    if not marks and not _MARK_RUN.search(text):
        return text, _marks_at_end(text)
    shown, longest = [], 0
    for char in text:
        marks = marks + 1 if _is_mark(char) else 0
        if marks <= MOST_MARKS:
            shown.append(char)
        elif marks == MOST_MARKS + 1:
            shown.append(CUT)
        longest = max(longest, marks)
    return "".join(shown) if longest > MOST_MARKS else text, marks


def _marks_at_end(text: str) -> int:
    count = 0
    while count < len(text) and _is_mark(text[-1 - count]):
        count += 1
    return count


def _is_mark(char: str) -> bool:
    """Takes no room of its own: combining marks, variation selectors, the two joiners."""
    return char >= "\u0300" and (char in "\u200c\u200d" or category(char) in ("Mn", "Me"))


def _shown(code: int) -> str:
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"⟦{_NAMES.get(code) or f'{code:02X}'}⟧"


def _join_pair(found: re.Match[str]) -> str:
    return found[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")
