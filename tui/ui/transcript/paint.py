"""From leaves of markdown to rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tui.ui.transcript import inks, inline
from tui.ui.transcript.leaves import Kind, Leaf, Run
from tui.ui.transcript.rows import BLANK, Row, Span, fold, one_row, source_span, wrap
from tui.ui.transcript.setting import Setting

_HEADINGS = {
    "1": inks.HEADING | inks.BOLD | inks.UNDERLINE,
    "2": inks.HEADING | inks.BOLD,
    "3": inks.HEADING | inks.BOLD | inks.ITALIC,
}


@dataclass(slots=True)
class Brush:
    """What painting depends on. `refs` are the link definitions known so far."""

    setting: Setting
    base: int = inks.TEXT
    refs: Mapping[str, str] = field(default_factory=dict)


Spans = Sequence[Span]


def paint(leaf: Leaf, brush: Brush) -> list[Row]:
    """The rows of one leaf, with the blank row that may stand before it."""
    lead, rest = _prefix(leaf, brush)
    rows = _PAINT[leaf.kind](leaf, brush, lead, rest)
    return [_gap(leaf, brush), *rows] if leaf.gap else rows


# --- containers -------------------------------------------------------------------------------------------


def _prefix(leaf: Leaf, brush: Brush) -> tuple[list[Span], list[Span]]:
    """What stands before the first row and before the others."""
    lead: list[Span] = []
    rest: list[Span] = []
    room = brush.setting.width // 2
    bullets = brush.setting.glyphs.bullets
    depth = 0
    for index, nest in enumerate(leaf.nests):
        if not nest.marker:
            mark = mark_rest = Span(brush.setting.glyphs.quote + " ", inks.QUOTE)
        else:
            ordered = nest.marker[:-1] != ""
            sign = nest.marker if ordered else bullets[min(depth, len(bullets) - 1)]
            depth += 1
            mark_rest = Span(" " * (len(sign) + 1), brush.base)
            mark = Span(sign + " ", inks.BULLET) if index >= leaf.fresh else mark_rest
        room -= len(mark_rest.text)
        if room >= 0:
            lead.append(mark)
            rest.append(mark_rest)
    return lead, rest


def _gap(leaf: Leaf, brush: Brush) -> Row:
    """A blank row; inside a quote it keeps the bar."""
    bars = [
        Span(brush.setting.glyphs.quote + " ", inks.QUOTE) for n in leaf.nests[: leaf.fresh] if not n.marker
    ]
    return one_row(bars) if bars else BLANK


# --- kinds of leaves --------------------------------------------------------------------------------------


def _paragraph(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans, base: int | None = None) -> list[Row]:
    spans = inline_spans(leaf.runs, brush.base if base is None else base, brush.refs)
    spans, lead, rest = _task(leaf, spans, lead, rest)
    rows: list[Row] = []
    for line in lines_of(spans):
        rows += wrap(line, brush.setting.width, lead, rest)
        lead = rest
    return rows


def _task(leaf: Leaf, spans: list[Span], lead: Spans, rest: Spans) -> tuple[list[Span], Spans, Spans]:
    """A list item that begins with "[ ]" or "[x]" shows that in place of its bullet."""
    text = leaf.text[:4]
    fresh_item = leaf.nests and leaf.fresh < len(leaf.nests) and leaf.nests[-1].marker[:-1] == ""
    if not fresh_item or text[:1] != "[" or text[1:2] not in " xX" or text[2:] != "] " or not lead:
        return spans, lead, rest
    box = source_span(text, inks.BULLET, leaf.runs[0][0])
    return drop(spans, 4), [*lead[:-1], box], [*rest[:-1], Span("    ", brush_free(rest))]


def brush_free(rest: Spans) -> int:
    return rest[-1].ink if rest else inks.TEXT


def drop(spans: Sequence[Span], count: int) -> list[Span]:
    """Without the first `count` characters."""
    found = list(spans)
    while found and count >= len(found[0].text):
        count -= len(found.pop(0).text)
    if found and count:
        first = found[0]
        found[0] = first._replace(text=first.text[count:], at=first.at + count, size=first.size - count)
    return found


def _heading(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    return _paragraph(leaf, brush, lead, rest, _HEADINGS.get(leaf.info, inks.HEADING | inks.ITALIC))


def _rule(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    at, text = leaf.runs[0]
    size = max(3, brush.setting.width - sum(len(s.text) for s in lead))
    return [one_row([*lead, Span(brush.setting.glyphs.rule * size, inks.RULE, at, len(text))])]


def _empty(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    return [one_row(lead)]


def _reference(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    at, text = leaf.runs[0]
    return wrap([source_span(text, inks.DIM, at)], brush.setting.width, lead, rest)


def _code_open(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    at, text = leaf.runs[0]
    title = Span(f"{brush.setting.glyphs.code_top} {leaf.info}".rstrip() + " ", inks.BORDER, at, len(text))
    return [one_row([*lead, title, Span("copy", inks.DIM | inks.UNDERLINE, action=f"code:{at}")])]


def _code_line(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    at, text = leaf.runs[0]
    side = Span(brush.setting.glyphs.code_side + " ", inks.BORDER)
    return fold(code_spans(text, at), brush.setting.width, [*lead, side], [*rest, side])


def _code_close(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    at, text = leaf.runs[0] if leaf.runs else (-1, "")
    return [one_row([*lead, Span(brush.setting.glyphs.code_bottom, inks.BORDER, at, len(text))])]


def _plain_table(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    rows: list[Row] = []
    for at, text in leaf.runs:
        rows += fold([source_span(text.rstrip("\n"), inks.TEXT, at)], brush.setting.width, lead, rest)
        lead = rest
    return rows


def _plain(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    at, text = leaf.runs[0]
    return wrap(code_spans(text, at, brush.base), brush.setting.width) if text else [Row((), 0, at)]


_PAINT: dict[Kind, Callable[[Leaf, Brush, Spans, Spans], list[Row]]] = {
    Kind.PARAGRAPH: _paragraph,
    Kind.HEADING: _heading,
    Kind.RULE: _rule,
    Kind.CODE_OPEN: _code_open,
    Kind.CODE_LINE: _code_line,
    Kind.CODE_CLOSE: _code_close,
    Kind.TABLE: _plain_table,
    Kind.TABLE_ROW: _plain_table,
    Kind.REFERENCE: _reference,
    Kind.EMPTY: _empty,
    Kind.PLAIN: _plain,
}


# --- text -------------------------------------------------------------------------------------------------


def inline_spans(runs: Sequence[Run], base: int, refs: Mapping[str, str]) -> list[Span]:
    """Inline markdown of the joined runs, with offsets of the source."""
    text = "".join(text for _, text in runs).rstrip("\n")
    spans = inline.parse(text, base, refs)
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


def lines_of(spans: Sequence[Span]) -> list[list[Span]]:
    """Cut at the newlines that stand."""
    lines: list[list[Span]] = [[]]
    for span in spans:
        if span.text == "\n":
            lines.append([])
        else:
            lines[-1].append(span)
    return lines


def code_spans(text: str, at: int, ink: int = inks.CODE) -> list[Span]:
    """A line of code; tabs go to the next multiple of four."""
    if "\t" not in text:
        return [source_span(text, ink, at)]
    spans: list[Span] = []
    column = 0
    for index, piece in enumerate(text.split("\t")):
        if index:
            size = 4 - column % 4
            spans.append(Span(" " * size, ink, at - 1, 1))
            column += size
        if piece:
            spans.append(source_span(piece, ink, at))
        column += len(piece)
        at += len(piece) + 1
    return spans
