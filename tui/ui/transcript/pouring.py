"""Text on its way into a body, so much at a time: megabytes come in over some frames and freeze none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tui.core.transcript import Grown

AT_ONCE = 400_000
"""Characters that may come in with one frame; markdown of that size is read in some 40 ms."""


class Pouring(Protocol):
    """Where a body's text comes from."""

    def news(self) -> str:
        """What was not given yet, at most `AT_ONCE` characters."""
        ...

    @property
    def behind(self) -> bool:
        """Whether there is more to give."""
        ...


class Growing:
    """Follows a text that grows."""

    __slots__ = ("chars", "epoch", "grown")

    def __init__(self, grown: Grown) -> None:
        self.grown, self.chars, self.epoch = grown, 0, grown.epoch

    def replaced(self) -> bool:
        """Whether the text was exchanged; then it is given from its start."""
        if self.epoch == self.grown.epoch:
            return False
        self.epoch, self.chars = self.grown.epoch, 0
        return True

    def news(self) -> str:
        if not self.behind:
            return ""
        text = self.grown.after(self.chars)[:AT_ONCE]
        self.chars += len(text)
        return text

    @property
    def behind(self) -> bool:
        return self.chars < self.grown.length


class Whole:
    """A text that does not grow; made when it is first wanted."""

    __slots__ = ("_make", "_text", "at")

    def __init__(self, make: Callable[[], str]) -> None:
        self._make, self._text, self.at = make, "", -1

    def news(self) -> str:
        if self.at < 0:
            self._text, self.at = self._make(), 0
        text = self._text[self.at : self.at + AT_ONCE]
        self.at += len(text)
        return text

    @property
    def behind(self) -> bool:
        return self.at < len(self._text)
