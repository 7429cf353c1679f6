"""Tells a paste from keys in what the terminal sends: no pasted line is sent as if Enter had been pressed.

With bracketed paste the terminal marks it. Without, a paste is known by its haste: an Enter with more text
right behind it was not pressed by a person. An Enter by itself, an Esc and every other key pass at once.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

BEGIN, END = "\x1b[200~", "\x1b[201~"
HASTE_S = 0.004
"""Nobody presses Enter so soon after another key; a paste that is read byte by byte does."""
HOLD_S = 0.012
"""How long such an Enter waits for what may follow it. Measured between two readings of one paste: 0.02 ms as
the median; at most 7.4 ms, byte by byte and with the interpreter busy."""
RUN = 8
"""So many characters, each within HOLD_S of the one before it, are no typing either."""
GAP_S = 0.030
"""After so long without more, an unmarked paste is over."""
LOST_S = 1.0
"""After so long without more, a marked paste whose end was lost is over: keys are keys again, Stop too."""
TYPED_AHEAD = 16
"""A reading shorter than this that begins with Enter is one who types ahead."""
LONG = 256
"""Characters in one reading that nobody types."""

_PLAIN = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
_ENTER_WITHIN = re.compile(r"[\r\n][^\r\n]")


@dataclass(frozen=True, slots=True)
class Pasted:
    """One paste, whole."""

    text: str


Piece = str | Pasted
"""What comes of it: keys for the parser, or a paste."""


class Pastes:
    """Fed by one thread with what it reads, and ticked at `deadline`. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.deadline: float | None = None
        self._marked = False  # within a marked paste
        self._gathered: list[str] = []  # of the paste that is under way
        self._half = ""  # the beginning of a mark at the end of what was read
        self._enter = ""  # an Enter that waits for what may follow it
        self._last = 0.0  # when plain text was read last
        self._run = 0  # characters that came close behind each other

    def feed(self, text: str, now: float) -> Iterator[Piece]:
        """Take in what was read."""
        text, self._half = self._half + text, ""
        while text:
            if self._marked:
                text = yield from self._within(text, now)
                continue
            keys, mark, rest = text.partition(BEGIN)
            if not mark:
                keys = self._without_half_a_mark(keys, now)
            if keys:
                yield from self._keys(keys, now)
            if mark:
                yield from self._flush()
                self._marked = True
                self.deadline = now + LOST_S
            text = rest

    def tick(self, now: float) -> Iterator[Piece]:
        """Let go of what has waited long enough."""
        if self.deadline is not None and now >= self.deadline:
            yield from self._flush()

    # --- marked -------------------------------------------------------------------------------------------

    def _within(self, text: str, now: float) -> Generator[Piece, None, str]:
        """Text of a marked paste. Returns what comes behind its end."""
        content, mark, rest = text.partition(END)
        if not mark:
            content, self._half = _parted(content, END)
        self._gathered.append(content)
        self.deadline = now + LOST_S
        if mark:
            yield from self._flush()
        return rest

    def _without_half_a_mark(self, keys: str, now: float) -> str:
        """Two characters or more of a mark wait for the rest; a lone Esc is a key and passes."""
        whole, half = _parted(keys, BEGIN)
        if len(half) < 2:
            return keys
        self._half = half
        self.deadline = now + HOLD_S
        return whole

    # --- not marked ---------------------------------------------------------------------------------------

    def _keys(self, keys: str, now: float) -> Iterator[Piece]:
        keys = keys.replace(END, "")  # of a paste that was given up
        hasty = self._hasty(len(keys), now)
        if not hasty and keys[:1] == "\r" and 1 < len(keys) < TYPED_AHEAD and not self.deadline:
            yield "\r"  # a person was faster than the line: Enter, and the next words
            keys = keys[1:]
        if not _PLAIN.fullmatch(keys):
            self._last = 0.0
            yield from self._flush()
            yield keys
        elif self._gathered or self._enter or len(keys) >= LONG or _ENTER_WITHIN.search(keys):
            self._gathered += [self._enter, keys]
            self._enter = ""
            self.deadline = now + GAP_S
        elif keys[-1] in "\r\n" and (len(keys) > 1 or hasty):
            if len(keys) > 1:
                yield keys[:-1]
            self._enter = keys[-1]
            self.deadline = now + HOLD_S
        else:
            yield keys

    def _hasty(self, count: int, now: float) -> bool:
        """Whether this comes sooner behind the last key than anybody types."""
        gap, self._last = now - self._last, now
        before, self._run = self._run, count + (self._run if gap < HOLD_S else 0)
        return gap < HASTE_S or (gap < HOLD_S and before >= RUN)

    def _flush(self) -> Iterator[Piece]:
        """Everything that waits, in order."""
        gathered, enter = "".join(self._gathered), self._enter
        half = "" if self._marked else self._half
        self._gathered, self._enter, self._half = [], "", ""
        self._marked, self.deadline = False, None
        if gathered:
            yield Pasted(gathered)
        if enter + half:
            yield enter + half


def _parted(text: str, mark: str) -> tuple[str, str]:
    """`text` without the beginning of a mark that it may end with, and that beginning."""
    for length in range(len(mark) - 1, 0, -1):
        if text.endswith(mark[:length]):
            return text[:-length], mark[:length]
    return text, ""
