"""The growing text of a section, of which any stretch can be had without copying the rest."""

from __future__ import annotations

from bisect import bisect_right

_BLOCK = 16384  # small additions are joined up to this many characters


class Source:
    """Text that only grows."""

    __slots__ = ("_pieces", "_recent", "_starts", "length")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._starts: list[int] = []
        self._recent: list[str] = []  # what came since the last piece
        self.length = 0

    def append(self, text: str) -> None:
        if not text:
            return
        self._recent.append(text)
        self.length += len(text)
        if self.length - self._joined_end() >= _BLOCK:
            self._join()

    def _joined_end(self) -> int:
        return self._starts[-1] + len(self._pieces[-1]) if self._pieces else 0

    def _join(self) -> None:
        if self._recent:
            start = self._joined_end()
            self._pieces.append("".join(self._recent))
            self._starts.append(start)
            self._recent = []

    def slice(self, begin: int, end: int) -> str:
        """Characters `begin` to `end`."""
        if self._recent and end > self._joined_end():
            self._settle()
        index = max(0, bisect_right(self._starts, begin) - 1)
        found: list[str] = []
        while index < len(self._pieces) and self._starts[index] < end:
            start = self._starts[index]
            found.append(self._pieces[index][max(0, begin - start) : end - start])
            index += 1
        return "".join(found)

    def _settle(self) -> None:
        """Join what is recent with the last piece, as long as that stays small."""
        if self._pieces and len(self._pieces[-1]) < _BLOCK:
            self._recent.insert(0, self._pieces.pop())
            self._starts.pop()
        self._join()

    def adopt(self, text: str) -> None:
        """Use this string, which is the same text, in place of the own copy."""
        if len(text) == self.length:
            self._pieces, self._starts, self._recent = [text], [0], []

    def text(self) -> str:
        return self.slice(0, self.length)
