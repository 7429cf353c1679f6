"""Long pastes as short words in the text box: "[pasted 1,204 lines, 56 kB #1]" stands for the text itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

LINES, CHARS = 30, 4_000
"""More than this is folded: the box shows eight rows, and each key draws it anew."""
KEPT = 32_000_000
"""Characters that are kept for undo; of what is no longer in the box the oldest go first."""
UNFOLDED = 100_000
"""Characters that may be unfolded into the box; more is for an editor."""

_CHIP = re.compile(r"\[pasted [\d,]+ lines?, [\d,.]+ k?B #(\d+)\]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Pasted text as it goes into the box and out: our line ends, and a sign for each control character.

    What is sent is what one can see: an escape sequence comes to nothing on either side.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub(_sign, text) if _CONTROLS.search(text) else text


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def is_long(text: str) -> bool:
    """Whether it is to be folded."""
    return len(text) > CHARS or text.count("\n") >= LINES


class Chips:
    """What the chips of one box stand for."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._number = 0
        self._chars = 0

    def fold(self, text: str) -> str:
        """The chip for a text."""
        self._number += 1
        lines = text.count("\n") + (not text.endswith("\n"))
        size = len(text.encode("utf-8", "replace"))
        many = f"{lines:,} line{'s' if lines != 1 else ''}"
        chip = f"[pasted {many}, {weight(size)} #{self._number}]"
        self._texts[chip] = text
        self._chars += len(text)
        return chip

    def unfold(self, text: str) -> str:
        """The text with everything in it that chips stand for."""
        return _CHIP.sub(lambda found: self._texts.get(found[0], found[0]), text) if self._texts else text

    def of(self, text: str) -> dict[str, str]:
        """The chips that stand in a text, and what they stand for."""
        return {name: self._texts[name] for _, _, name in self.places(text)}

    def places(self, line: str) -> list[tuple[int, int, str]]:
        """Where chips stand in a line: begin, end, chip."""
        if "[pasted " not in line:
            return []
        return [(f.start(), f.end(), f[0]) for f in _CHIP.finditer(line) if f[0] in self._texts]

    def restore(self, kept: Mapping[str, str]) -> None:
        """Take in what an earlier client kept of them."""
        for chip, text in kept.items():
            found = _CHIP.fullmatch(chip)
            if found and isinstance(text, str):
                self._texts[chip] = text
                self._chars += len(text)
                self._number = max(self._number, int(found[1]))

    def forget(self, text: str) -> None:
        """Let go of the oldest that do not stand in `text`, where too much is kept."""
        if self._chars <= KEPT:
            return
        here = self.of(text)
        for chip in [chip for chip in self._texts if chip not in here]:
            self._chars -= len(self._texts.pop(chip))
            if self._chars <= KEPT:
                return


def weight(size: int) -> str:
    """Bytes as people read them."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.1f} kB" if size < 10_000 else f"{size // 1000:,} kB"
