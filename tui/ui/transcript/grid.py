"""Tables on the screen: columns beside each other where they fit, else one line per cell with its name."""

from __future__ import annotations

from tui.ui.transcript import inks, tables
from tui.ui.transcript.brush import Brush, Spans, inline_spans, lines_of
from tui.ui.transcript.leaves import Leaf, Run, Table
from tui.ui.transcript.rows import Row, Span, cells, first_at, one_row, width_of, wrap

NARROWEST = 4  # cells a column is never made narrower than


def table(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    """The heading, the line under it, and the first rows."""
    assert leaf.table
    widths = column_widths(leaf.table, brush.setting.width - width_of(lead))
    heading, dashes, *body = leaf.runs
    rows: list[Row] = []
    if widths:
        rows += _beside(heading, leaf.table, widths, brush, lead, rest, inks.BOLD)
        rows.append(_line_under(dashes, widths, brush, rest))
    for run in body:
        rows += _row(run, leaf.table, widths, brush, rest if rows else lead, rest)
    return rows


def row(leaf: Leaf, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    """One more row of a table whose columns are settled."""
    assert leaf.table
    widths = column_widths(leaf.table, brush.setting.width - width_of(lead))
    return _row(leaf.runs[0], leaf.table, widths, brush, lead, rest)


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


def _row(run: Run, table: Table, widths: list[int], brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    if widths:
        return _beside(run, table, widths, brush, lead, rest)
    return _below(run, table, brush, lead, rest)


def _beside(
    run: Run, table: Table, widths: list[int], brush: Brush, lead: Spans, rest: Spans, flags: int = 0
) -> list[Row]:
    """A row of cells beside each other, each wrapped in its column."""
    columns = [
        _cell(cell, width, brush, flags) for cell, width in zip(_cells(run, len(widths)), widths, strict=True)
    ]
    bar = Span(f" {brush.setting.glyphs.code_side} ", inks.BORDER)
    rows: list[Row] = []
    for number in range(max(len(column) for column in columns)):
        spans: list[Span] = list(rest if rows else lead)
        for index, (column, width) in enumerate(zip(columns, widths, strict=True)):
            cell = column[number] if number < len(column) else Row((), 0)
            spans += _aligned(cell, width, table.aligns[index])
            if index + 1 < len(widths):
                spans.append(bar)
        rows.append(one_row(spans))
    return rows


def _below(run: Run, table: Table, brush: Brush, lead: Spans, rest: Spans) -> list[Row]:
    """A row as lines "name: cell", for screens too narrow for the columns."""
    rows: list[Row] = []
    for name, cell in zip(table.heads, _cells(run, len(table.heads)), strict=True):
        spans = inline_spans([cell], brush.base, brush.refs)
        if spans:
            label = Span(f"{name}: ", inks.LABEL | inks.BOLD)
            rows += wrap([label, *lines_of(spans)[0]], brush.setting.width, rest if rows else lead, rest)
    rows.append(one_row([*rest, Span(brush.setting.glyphs.rule * 3, inks.BORDER)]))
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


def _line_under(run: Run, widths: list[int], brush: Brush, rest: Spans) -> Row:
    glyphs = brush.setting.glyphs
    line = f"{glyphs.rule}{glyphs.cross}{glyphs.rule}".join(glyphs.rule * width for width in widths)
    spans = [*rest, Span(line, inks.BORDER, run[0], len(run[1]))]
    return Row(spans, width_of(rest) + cells(line), first_at(spans))
