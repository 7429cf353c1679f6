"""Places in the source, and the way between them and the screen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import split_graphemes

from tui.ui.transcript.document import Document
from tui.ui.transcript.rows import Row, Span, cells
from tui.ui.transcript.section import Section
from tui.ui.transcript.viewport import Shown

_WORD = re.compile(r"[\w'’.-]+|\s+|.", re.DOTALL)


class Spot(NamedTuple):
    """A character under the pointer: index of turn and section, its offset in the section's source, and the
    offset behind it."""

    turn: int
    section: int
    at: int
    end: int


class Stretch(NamedTuple):
    """From one place of the source to another: (turn, section, offset), in order."""

    begin: tuple[int, int, int]
    end: tuple[int, int, int]

    def in_section(self, turn: int, section: int) -> tuple[int, int] | None:
        """The offsets of a section it covers, if any. The end is open where it goes on behind the section."""
        here = (turn, section)
        if not self.begin[:2] <= here <= self.end[:2]:
            return None
        begin = self.begin[2] if here == self.begin[:2] else 0
        end = self.end[2] if here == self.end[:2] else 1 << 60
        return (begin, end) if begin < end else None


def stretch(one: Spot, other: Spot) -> Stretch:
    """What lies between two spots, both included."""
    first, last = sorted((one, other))
    if first[:2] == last[:2]:
        return Stretch((*first[:2], min(one.at, other.at)), (*first[:2], max(one.end, other.end)))
    return Stretch((*first[:2], first.at), (*last[:2], last.end))


def spot_at(screen: Sequence[Shown], y: int, column: int) -> Spot | None:
    """The source under column `column` of the text in screen row `y`; the nearest there is."""
    y = max(0, min(y, len(screen) - 1))
    while y > 0 and screen[y].section is None:
        y, column = y - 1, 1 << 20
    shown = screen[y]
    if shown.section is None or shown.place is None:
        return None
    at, end = _offset(shown.row, column - shown.indent) if shown.row.at >= 0 else _nearest(screen, y)
    return Spot(shown.place.turn, shown.place.section, at, end)


def span_at(row: Row, column: int) -> tuple[Span, int] | None:
    """The span in a column, and how many cells into it."""
    for span in row.spans:
        size = cells(span.text)
        if 0 <= column < size:
            return span, column
        column -= size
    return None


def _offset(row: Row, column: int) -> tuple[int, int]:
    found = span_at(row, column)
    if found is None:
        return (row.at, row.at) if column < 0 else (row.end, row.end)
    span, into = found
    if span.at < 0:  # a bullet, a border, padding: the next source behind it
        behind = [s for s in row.spans[row.spans.index(span) :] if s.at >= 0]
        return (behind[0].at, behind[0].at) if behind else (row.end, row.end)
    if span.size != len(span.text):
        return span.at, span.at + span.size
    for begin, end, size in split_graphemes(span.text)[0]:
        if into < size:
            return span.at + begin, span.at + end
        into -= size
    return span.at + span.size, span.at + span.size


def _nearest(screen: Sequence[Shown], y: int) -> tuple[int, int]:
    """For a row without source: the end of what stands above it in its section, else the start."""
    section = screen[y].section
    for shown in reversed(screen[:y]):
        if shown.section is not section:
            break
        if shown.row.at >= 0:
            return shown.row.end, shown.row.end
    return 0, 0


def source_of(document: Document, wanted: Stretch) -> str:
    """The source text of a stretch; sections are parted by an empty line, folded ones left out."""
    found: list[str] = []
    for turn in range(wanted.begin[0], wanted.end[0] + 1):
        for index, section in enumerate(document.layout(turn).sections):
            covered = wanted.in_section(turn, index)
            if covered and not section.folded:
                found.append(section.source()[covered[0] : covered[1]].strip("\n"))
    return "\n\n".join(text for text in found if text)


def word_around(section: Section, at: int) -> tuple[int, int]:
    """Begin and end of the word at an offset."""
    source = section.source()
    begin = source.rfind("\n", 0, at) + 1
    for match in _WORD.finditer(source, begin):
        if match.end() > at:
            return match.start(), match.end()
    return at, at


def line_around(section: Section, at: int) -> tuple[int, int]:
    """Begin and end of the source line at an offset."""
    source = section.source()
    end = source.find("\n", at)
    return source.rfind("\n", 0, at) + 1, end if end >= 0 else len(source)
