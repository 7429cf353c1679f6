"""Tables on the screen: columns beside each other where they fit, else one line per cell with its name."""

from __future__ import annotations

from typing import NamedTuple

from tui.ui.transcript import inks, tables
from tui.ui.transcript.brush import Brush, inline_spans, lines_of
from tui.ui.transcript.leaves import Leaf, Run, Table
from tui.ui.transcript.rows import Edge, Row, Span, one_row, wrap

NARROWEST = 4  # cells a column is never made narrower than


def table(leaf: Leaf, brush: Brush, edge: Edge) -> list[Row]:
    """The heading, the line under it, and the first rows."""
    grid = _grid(leaf, brush, edge)
    heading, dashes, *body = leaf.runs
    rows: list[Row] = []
    if grid.widths:
        rows += _beside(heading, grid, edge, inks.BOLD)
        rows.append(_line_under(dashes, grid, edge))
    for run in body:
        rows += _row(run, grid, edge.later if rows else edge)
    return rows


def row(leaf: Leaf, brush: Brush, edge: Edge) -> list[Row]:
    """One more row of a table whose columns are settled."""
    return _row(leaf.runs[0], _grid(leaf, brush, edge), edge)


class _Grid(NamedTuple):
    """A table as it fits here. `widths` is empty where columns do not fit beside each other."""

    table: Table
    widths: list[int]
    brush: Brush


def _grid(leaf: Leaf, brush: Brush, edge: Edge) -> _Grid:
    assert leaf.table
    return _Grid(leaf.table, column_widths(leaf.table, brush.setting.width - edge.width), brush)


def column_widths(table: Table, room: int) -> list[int]:
    """Widths that fit into `room`: narrow columns keep theirs, wide ones share the rest. Empty: no way."""
    room -= 3 * (len(table.widths) - 1)
    if room < NARROWEST * len(table.widths):
        return []
    widths = list(table.widths)
    share, wide = room, len(widths)
    for width in sorted(widths):  # narrowest first: each takes what it needs, up to an equal share
        if width > share // wide:
            break
        share, wide = share - width, wide - 1
    if wide:
        widths = [min(width, max(NARROWEST, share // wide)) for width in widths]
    return widths


def _row(run: Run, grid: _Grid, edge: Edge) -> list[Row]:
    return _beside(run, grid, edge) if grid.widths else _below(run, grid, edge)


def _beside(run: Run, grid: _Grid, edge: Edge, flags: int = 0) -> list[Row]:
    """A row of cells beside each other, each wrapped in its column."""
    texts = _cells(run, len(grid.widths))
    columns = [_cell(text, width, grid.brush, flags) for text, width in zip(texts, grid.widths, strict=True)]
    bar = Span(f" {grid.brush.setting.glyphs.code_side} ", inks.BORDER)
    rows: list[Row] = []
    for number in range(max(len(column) for column in columns)):
        spans = list(edge.rest if rows else edge.lead)
        for index, (column, width) in enumerate(zip(columns, grid.widths, strict=True)):
            cell = column[number] if number < len(column) else Row((), 0)
            spans += [bar] if index else []
            spans += _aligned(cell, width, grid.table.aligns[index])
        rows.append(one_row(spans))
    return rows


def _below(run: Run, grid: _Grid, edge: Edge) -> list[Row]:
    """A row as lines "name: cell", for screens too narrow for the columns."""
    rows: list[Row] = []
    brush = grid.brush
    for name, cell in zip(grid.table.heads, _cells(run, len(grid.table.heads)), strict=True):
        spans = inline_spans([cell], brush.base, brush.refs)
        if spans:
            label = Span(f"{name}: ", inks.LABEL | inks.BOLD)
            rows += wrap([label, *lines_of(spans)[0]], brush.setting.width, edge)
            edge = edge.later
    rows.append(one_row([*edge.rest, Span(brush.setting.glyphs.rule * 3, inks.BORDER)]))
    return rows


def _cells(run: Run, count: int) -> list[Run]:
    """Offsets and texts of a row's cells, exactly `count` of them."""
    at, line = run
    found = [(at + offset, text) for offset, text in tables.split(line.rstrip("\n"), count)]
    return found + [(at + len(line), "")] * (count - len(found))


def _cell(cell: Run, width: int, brush: Brush, flags: int) -> list[Row]:
    at, text = cell
    if "\\|" in text:
        text = text.replace("\\|", "|")  # offsets behind it are one too small; a click lands beside, no more
    spans = [
        span._replace(ink=span.ink | flags) for span in inline_spans([(at, text)], brush.base, brush.refs)
    ]
    return wrap(lines_of(spans)[0], width)


def _aligned(cell: Row, width: int, align: str) -> list[Span]:
    free = max(0, width - cell.width)
    left = free if align == ">" else free // 2 if align == "^" else 0
    return [Span(" " * left), *cell.spans, Span(" " * (free - left))]


def _line_under(run: Run, grid: _Grid, edge: Edge) -> Row:
    glyphs = grid.brush.setting.glyphs
    line = f"{glyphs.rule}{glyphs.cross}{glyphs.rule}".join(glyphs.rule * width for width in grid.widths)
    return one_row([*edge.rest, Span(line, inks.BORDER, run[0], len(run[1]))])
