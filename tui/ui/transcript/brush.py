"""What painting depends on, and text helpers that all kinds of leaves share."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tui.ui.transcript import inks, inline
from tui.ui.transcript.highlight import START, LexState
from tui.ui.transcript.leaves import Run
from tui.ui.transcript.rows import Span, source_span
from tui.ui.transcript.setting import Setting

Spans = Sequence[Span]


@dataclass(slots=True)
class Brush:
    """`refs` are the link definitions known so far; `lex`: where the highlighting of a fence stands."""

    setting: Setting
    base: int = inks.TEXT
    refs: Mapping[str, str] = field(default_factory=dict)
    lex: LexState = START

    def fork(self) -> Brush:
        """For painting what may still change."""
        return replace(self)


def inline_spans(runs: Sequence[Run], base: int, refs: Mapping[str, str]) -> list[Span]:
    """Inline markdown of the joined runs, with offsets of the source."""
    text = "".join(text for _, text in runs).rstrip("\n")
    return located(inline.parse(text, base, refs), runs)


def located(spans: Spans, runs: Sequence[Run]) -> list[Span]:
    """Spans of the joined runs with offsets of the source."""
    if len(runs) == 1:
        shift = runs[0][0]
        return [span._replace(at=span.at + shift) for span in spans]
    starts, total = [], 0
    for _, piece in runs:
        starts.append(total)
        total += len(piece)
    return [span._replace(at=_source_at(runs, starts, span.at)) for span in spans]


def _source_at(runs: Sequence[Run], starts: Sequence[int], at: int) -> int:
    index = bisect_right(starts, at) - 1
    return runs[index][0] + at - starts[index]


def lines_of(spans: Spans) -> list[list[Span]]:
    """Cut at the newlines that stand."""
    lines: list[list[Span]] = [[]]
    for span in spans:
        if span.text == "\n":
            lines.append([])
        else:
            lines[-1].append(span)
    return lines


def without_tabs(spans: Spans) -> list[Span]:
    """Tabs as spaces up to the next multiple of four columns."""
    if not any("\t" in span.text for span in spans):
        return list(spans)
    found: list[Span] = []
    column = 0
    for span in spans:
        at = span.at
        for index, piece in enumerate(span.text.split("\t")):
            if index:
                size = 4 - column % 4
                found.append(Span(" " * size, span.ink, at - 1, 1))
                column += size
            if piece:
                found.append(source_span(piece, span.ink, at))
            column += len(piece)
            at += len(piece) + 1
    return found


def drop(spans: Spans, count: int) -> list[Span]:
    """Without the first `count` characters."""
    found = list(spans)
    while found and count >= len(found[0].text):
        count -= len(found.pop(0).text)
    if found and count:
        first = found[0]
        found[0] = first._replace(text=first.text[count:], at=first.at + count, size=first.size - count)
    return found
