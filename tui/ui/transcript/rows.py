"""Rows of the screen before they get colours: spans of text that know where in the source they come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes

from tui.ui.transcript import inks

# Characters of one cell each that never join with a neighbour: for text of these only, cells are characters.
_NARROW = re.compile(
    "[\x20-\x7e\xa1-\xa8\xaa-\xac\xaf-\u02ff\u0370-\u0377\u0391-\u03a1\u03a3-\u0482\u2010-\u2015\u2018-\u2027"
    "\u2030-\u203b\u20a0-\u20bf\u2190-\u2193\u2200-\u22ff\u2500-\u25a9\u25b8\u25cb]*"
).fullmatch


class Span(NamedTuple):
    """A stretch of one look.

    `at` is the offset in the section's source of its first character, -1 for what is not in the source
    (bullets, borders). `size` is how many source characters it stands for; where that differs from the
    length of `text`, it can only be selected whole. `action` makes it clickable.
    """

    text: str
    ink: int = inks.TEXT
    at: int = -1
    size: int = 0
    action: str = ""


class Row:
    """One row: spans, their width in cells, and the source offset it starts at (-1: nothing of the source).

    `fresh` marks rows whose width was padded to the right with a colour. Rows are never changed once made,
    so that the screen can tell by identity what it has drawn.
    """

    __slots__ = ("at", "spans", "width")

    def __init__(self, spans: Sequence[Span], width: int, at: int = -1) -> None:
        self.spans = spans
        self.width = width
        self.at = at

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)

    @property
    def end(self) -> int:
        """Source offset behind its last source character, -1 if it has none."""
        return max((s.at + s.size for s in self.spans if s.at >= 0), default=-1)


BLANK = Row((), 0)


def source_span(text: str, ink: int, at: int, action: str = "") -> Span:
    """A span that shows the source as it stands."""
    return Span(text, ink, at, len(text), action)


def width_of(spans: Iterable[Span]) -> int:
    return sum(cells(span.text) for span in spans)


def cells(text: str) -> int:
    """Width of `text` on the screen."""
    return len(text) if text.isascii() or _NARROW(text) else cell_len(text)


def one_row(spans: Sequence[Span]) -> Row:
    return Row(spans, width_of(spans), first_at(spans))


def first_at(spans: Iterable[Span]) -> int:
    return next((span.at for span in spans if span.at >= 0), -1)


class Edge(NamedTuple):
    """What stands left of a line: before its first row and before the others, both equally wide."""

    lead: Sequence[Span] = ()
    rest: Sequence[Span] = ()

    @property
    def later(self) -> Edge:
        """The edge of what follows."""
        return Edge(self.rest, self.rest)

    @property
    def width(self) -> int:
        return width_of(self.lead)


NO_EDGE = Edge()


def wrap(spans: Sequence[Span], width: int, edge: Edge = NO_EDGE) -> list[Row]:
    """Break one logical line into rows of at most `width` cells, at spaces where there are any."""
    text = "".join(span.text for span in spans)
    return _rows(spans, text, break_words(text, max(1, width - edge.width)), edge)


def fold(spans: Sequence[Span], width: int, edge: Edge = NO_EDGE) -> list[Row]:
    """Like `wrap`, for code: breaks anywhere, keeps every space."""
    text = "".join(span.text for span in spans)
    return _rows(spans, text, break_hard(text, max(1, width - edge.width)), edge)


def _rows(spans: Sequence[Span], text: str, ranges: list[tuple[int, int]], edge: Edge) -> list[Row]:
    if len(ranges) == 1 and ranges[0] == (0, len(text)):
        return [Row((*edge.lead, *spans), edge.width + width_of(spans), first_at(spans))]
    rows, before, indent = [], edge.lead, edge.width
    for content in _slices(spans, ranges):
        rows.append(Row((*before, *content), indent + width_of(content), first_at(content)))
        before = edge.rest
    return rows


def _slices(spans: Sequence[Span], ranges: list[tuple[int, int]]) -> Iterable[list[Span]]:
    """The spans of each range; ranges ascend."""
    index, begin = 0, 0
    for start, end in ranges:
        found: list[Span] = []
        while index < len(spans) and begin < end:
            span = spans[index]
            stop = begin + len(span.text)
            if stop > start:
                found.append(cut_span(span, max(0, start - begin), min(len(span.text), end - begin)))
            if stop > end:
                break
            index, begin = index + 1, stop
        yield found


def cut_span(span: Span, start: int, end: int) -> Span:
    """Characters `start` to `end` of a span."""
    text, ink, at, size, action = span
    if start == 0 and end == len(text):
        return span
    if at >= 0 and size == len(text):
        return Span(text[start:end], ink, at + start, end - start, action)
    return Span(text[start:end], ink, at, size, action)


def break_words(text: str, width: int) -> list[tuple[int, int]]:
    """Ranges of `text`, each at most `width` cells. The spaces at a break belong to neither row."""
    if text.isascii() or _NARROW(text):
        return _break_narrow(text, width)
    return _break_wide(text, width)


def _break_narrow(text: str, width: int) -> list[tuple[int, int]]:
    ranges, start, size = [], 0, len(text)
    while size - start > width:
        space = text.rfind(" ", start, start + width + 1)
        if space > start:
            end = len(text[start:space].rstrip(" ")) + start
            ranges.append((start, max(end, start + 1)))
            start = space + 1
        else:
            ranges.append((start, start + width))
            start += width
        while start < size and text[start] == " ":
            start += 1
    if start < size or not ranges:
        ranges.append((start, size))
    return ranges


def _break_wide(text: str, width: int) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    start = used = last = last_used = 0  # `last`: where the row could be broken, and the cells up to there
    for begin, end, size in split_graphemes(text)[0]:
        space = text[begin:end] == " "
        while used + size > width and not space and begin > start:
            stop, carried = (last, used - last_used) if last > start else (begin, 0)
            ranges.append((start, len(text[start:stop].rstrip(" ")) + start))
            start, used = stop, carried
            last, last_used = start, 0
        if space and begin == start and ranges:
            start, last = end, end
            continue
        if size == 2 and begin > start:
            last, last_used = begin, used
        used += size
        if space or size == 2:
            last, last_used = end, used
    if start < len(text) or not ranges:
        end = len(text) if used <= width else len(text[start:].rstrip(" ")) + start
        ranges.append((start, end))
    return ranges


def break_hard(text: str, width: int) -> list[tuple[int, int]]:
    """Ranges of `text` of at most `width` cells, cut between graphemes wherever the row is full."""
    if text.isascii() or _NARROW(text):
        return [(i, min(i + width, len(text))) for i in range(0, len(text), width)] or [(0, 0)]
    ranges, start, used = [], 0, 0
    for begin, _end, size in split_graphemes(text)[0]:
        if used + size > width and begin > start:
            ranges.append((start, begin))
            start, used = begin, 0
        used += size
    ranges.append((start, len(text)))
    return ranges
