"""From leaves of markdown to rows."""

from __future__ import annotations

from collections.abc import Callable

from tui.ui.transcript import code, grid, inks
from tui.ui.transcript.brush import Brush, drop, inline_spans, lines_of, without_tabs
from tui.ui.transcript.growth import OpenParagraph
from tui.ui.transcript.leaves import Kind, Leaf
from tui.ui.transcript.rows import BLANK, Edge, Row, Span, one_row, source_span, wrap

_HEADINGS = {
    "1": inks.HEADING | inks.BOLD | inks.UNDERLINE,
    "2": inks.HEADING | inks.BOLD,
    "3": inks.HEADING | inks.BOLD | inks.ITALIC,
}


def paint(leaf: Leaf, brush: Brush) -> list[Row]:
    """The rows of one leaf, with the blank row that may stand before it."""
    rows = _PAINT[leaf.kind](leaf, brush, _edge(leaf, brush))
    return [_gap(leaf, brush), *rows] if leaf.gap else rows


def paint_open(leaf: Leaf, brush: Brush, kept: OpenParagraph) -> list[Row]:
    """The rows of a leaf that is still growing; the same as `paint` gives."""
    if leaf.kind is not Kind.PARAGRAPH or _is_task(leaf):
        return paint(leaf, brush)
    rows = kept.paint(leaf, brush, _edge(leaf, brush))
    return [_gap(leaf, brush), *rows] if leaf.gap else rows


# --- containers -------------------------------------------------------------------------------------------


def _edge(leaf: Leaf, brush: Brush) -> Edge:
    """The bars of quotes, and the bullets of items where they are new."""
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
    return Edge(lead, rest)


def _gap(leaf: Leaf, brush: Brush) -> Row:
    """A blank row; inside a quote it keeps the bar."""
    bars = [
        Span(brush.setting.glyphs.quote + " ", inks.QUOTE) for n in leaf.nests[: leaf.fresh] if not n.marker
    ]
    return one_row(bars) if bars else BLANK


# --- kinds of leaves --------------------------------------------------------------------------------------


def _paragraph(leaf: Leaf, brush: Brush, edge: Edge, base: int | None = None) -> list[Row]:
    spans = inline_spans(leaf.runs, brush.base if base is None else base, brush.refs)
    if _is_task(leaf) and edge.lead:
        box = source_span(leaf.text[:4], inks.BULLET, leaf.runs[0][0])
        spans, edge = drop(spans, 4), Edge([*edge.lead[:-1], box], [*edge.rest[:-1], Span("    ")])
    rows: list[Row] = []
    for line in lines_of(spans):
        rows += wrap(line, brush.setting.width, edge)
        edge = edge.later
    return rows


def _is_task(leaf: Leaf) -> bool:
    """Whether a list item begins with "[ ]" or "[x]", which is then shown in place of its bullet."""
    text = leaf.text[:4]
    fresh_item = leaf.fresh < len(leaf.nests) and leaf.nests[-1].marker[:-1] == "" and leaf.nests[-1].marker
    return bool(fresh_item) and text[:1] == "[" and text[1:2] in " xX" and text[2:] == "] "


def _heading(leaf: Leaf, brush: Brush, edge: Edge) -> list[Row]:
    return _paragraph(leaf, brush, edge, _HEADINGS.get(leaf.info, inks.HEADING | inks.ITALIC))


def _rule(leaf: Leaf, brush: Brush, edge: Edge) -> list[Row]:
    at, text = leaf.runs[0]
    size = max(3, brush.setting.width - edge.width)
    return [one_row([*edge.lead, Span(brush.setting.glyphs.rule * size, inks.RULE, at, len(text))])]


def _empty(leaf: Leaf, brush: Brush, edge: Edge) -> list[Row]:
    return [one_row(edge.lead)]


def _reference(leaf: Leaf, brush: Brush, edge: Edge) -> list[Row]:
    at, text = leaf.runs[0]
    return wrap([source_span(text, inks.DIM, at)], brush.setting.width, edge)


def _plain(leaf: Leaf, brush: Brush, edge: Edge) -> list[Row]:
    at, text = leaf.runs[0]
    if not text:
        return [Row((), 0, at)]
    spans = code.highlighted(text, at, leaf.info, brush) if leaf.info else [source_span(text, brush.base, at)]
    return wrap(without_tabs(spans), brush.setting.width)


_PAINT: dict[Kind, Callable[[Leaf, Brush, Edge], list[Row]]] = {
    Kind.PARAGRAPH: _paragraph,
    Kind.HEADING: _heading,
    Kind.RULE: _rule,
    Kind.CODE_OPEN: code.code_open,
    Kind.CODE_LINE: code.code_line,
    Kind.CODE_CLOSE: code.code_close,
    Kind.TABLE: grid.table,
    Kind.TABLE_ROW: grid.row,
    Kind.REFERENCE: _reference,
    Kind.EMPTY: _empty,
    Kind.PLAIN: _plain,
}
