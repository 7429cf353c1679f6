"""What a terminal shows, as plain data: spans of one style, rows of spans, and frames with their time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tui.core.safe_text import DANGEROUS

_BAD = re.compile(f"{DANGEROUS.pattern}|[\t\n]")


@dataclass(frozen=True, slots=True)
class Style:
    """How a span looks. Colours are RGB as six hexadecimal digits, without a sign."""

    fg: str
    bg: str
    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False


def clean(text: str) -> str:
    """`text` as one line with nothing in it that acts on a terminal or that XML forbids."""
    return _BAD.sub("\N{REPLACEMENT CHARACTER}", text)


Span = tuple[str, Style]
Row = tuple[Span, ...]
"""One row of the screen from its first cell on. What is missing at its end is empty."""


def row(spans: list[Span]) -> Row:
    """A row of these spans: neighbours of one style joined, and nothing in it that acts on a terminal."""
    joined: list[Span] = []
    for text, style in spans:
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + clean(text), style)
        elif text:
            joined.append((clean(text), style))
    return tuple(joined)


@dataclass(frozen=True, slots=True)
class Frame:
    """The screen from `at` on, in seconds since the beginning."""

    at: float
    rows: tuple[Row, ...]


@dataclass
class Film:
    """Frames in order, on a screen of so many cells. A screen that did not change is no new frame."""

    columns: int
    lines: int
    title: str = "stopkey"
    frames: list[Frame] = field(default_factory=list)
    lasts: float = 0.0  # seconds until the end
    poster: int = -1  # the frame that stands for the whole film where nothing moves
    _known: dict[Row, Row] = field(default_factory=dict, repr=False)

    def add(self, at: float, rows: tuple[Row, ...]) -> None:
        """What the screen shows at `at`, which is never before the frame before it."""
        if not self.frames or rows != self.frames[-1].rows:
            self.frames.append(Frame(at, tuple(self._known.setdefault(row, row) for row in rows)))
        self.lasts = max(self.lasts, at)

    def mark(self) -> None:
        """The newest frame stands for the film."""
        self.poster = len(self.frames) - 1

    def capped(self, longest: float) -> Film:
        """The same with no frame standing for more than so many seconds; the film begins at 0."""
        times = [frame.at for frame in self.frames] + [self.lasts]
        at, moved = 0.0, []
        for frame, until in zip(self.frames, times[1:], strict=True):
            moved.append(Frame(at, frame.rows))
            at += min(longest, until - frame.at)
        return Film(self.columns, self.lines, self.title, moved, at, self.poster)
