"""Text without markdown, line by line, in the same form as the markdown scanner gives it."""

from __future__ import annotations

from tui.ui.transcript.leaves import Found, Kind, Leaf, State

LONG_LINE = 2048  # a longer line is cut, behind a word of its second half if there is one


class PlainScanner:
    """Gives out every line as a leaf; see `scanner.Scanner` for the meaning of the methods."""

    __slots__ = ("at", "buffer", "language")

    def __init__(self, at: int = 0, language: str = "") -> None:
        self.at, self.language = at, language
        self.buffer = ""

    def feed(self, text: str) -> list[Found]:
        buffer, begin, found = self.buffer + text, 0, []
        while begin < len(buffer):
            end = buffer.find("\n", begin)
            if (len(buffer) if end < 0 else end) - begin > LONG_LINE:
                space = buffer.rfind(" ", begin + LONG_LINE // 2, begin + LONG_LINE)
                stop = rest = space + 1 if space >= 0 else begin + LONG_LINE
            elif end < 0:
                break
            else:
                stop, rest = end, end + 1
            found.append(self._line(self.at + begin, buffer[begin:stop], self.at + rest))
            begin = rest
        self.at, self.buffer = self.at + begin, buffer[begin:]
        return found

    def tail(self) -> list[Leaf]:
        return [self._line(self.at, self.buffer, 0).leaf] if self.buffer else []

    def close(self, cut: bool = False) -> list[Found]:
        found = [self._line(self.at, self.buffer, self.at + len(self.buffer))] if self.buffer else []
        self.at, self.buffer = self.at + len(self.buffer), ""
        return found

    def _line(self, at: int, text: str, end: int) -> Found:
        return Found(Leaf(Kind.PLAIN, ((at, text),), (), 0, False, self.language), end, State())
