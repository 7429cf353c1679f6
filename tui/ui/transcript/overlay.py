"""Marks laid over rows without making them anew: what is selected, what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tui.ui.transcript.rows import Row, Span, cut_span


class Range(NamedTuple):
    """Source offsets `begin` to `end` of a section get `flag` (SELECTED, FOUND, CURRENT)."""

    begin: int
    end: int
    flag: int


def laid_over(row: Row, ranges: Sequence[Range]) -> Iterable[Span]:
    """The row's spans with flags where ranges cover them."""
    spans: Iterable[Span] = row.spans
    for covered in ranges:
        spans = [piece for span in spans for piece in _split(span, covered)]
    return spans


def _split(span: Span, covered: Range) -> list[Span]:
    begin, end = max(covered.begin, span.at), min(covered.end, span.at + span.size)
    if span.at < 0 or begin >= end:
        return [span]
    if span.size != len(span.text):  # stands for source of another length: all of it or nothing
        return [_flagged(span, covered.flag)]
    begin, end = begin - span.at, end - span.at
    pieces = [
        cut_span(span, 0, begin),
        _flagged(cut_span(span, begin, end), covered.flag),
        cut_span(span, end, len(span.text)),
    ]
    return [piece for piece in pieces if piece.text]


def _flagged(span: Span, flag: int) -> Span:
    return span._replace(ink=span.ink | flag)
