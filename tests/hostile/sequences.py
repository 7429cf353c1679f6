"""What a program wrote to its terminal, taken apart: escape sequences, and the characters between them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from tui.core.safe_text import DANGEROUS

_SEQUENCE = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    r"|\x1b[PX^_][^\x1b]*\x1b\\"  # DCS, SOS, PM, APC
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[ -/]+[0-~]"  # charsets and the like
    r"|\x1b[0-Z\\^_`a-~]"
)
_DRAWING = re.compile(r"\x1b\[[0-9;]*[mHK]")


def taken_apart(raw: bytes) -> tuple[Counter[str], str]:
    """Sequences other than colours and cursor places, counted; and the text without any sequence."""
    text = raw.decode("utf-8", "surrogateescape")
    found = Counter(each for each in _SEQUENCE.findall(text) if not _DRAWING.fullmatch(each))
    return found, _SEQUENCE.sub("", text)


def dangerous_in(text: str) -> set[str]:
    """Names of characters that must not be there; line ends are a terminal's own."""
    return {f"U+{ord(char):04X}" for char in DANGEROUS.findall(text.replace("\r\n", "\n"))}


def as_it_came(raw: bytes, payloads: Iterable[str]) -> list[str]:
    """Those payloads with anything dangerous in them that stand in `raw` byte for byte."""
    return [
        each for each in payloads if DANGEROUS.search(each) and each.encode(errors="surrogatepass") in raw
    ]
