"""A paragraph that is still growing: rows that cannot change any more are kept, only its end is read again.

Without this one endless paragraph would cost three times what other text costs.
"""

from __future__ import annotations

from tui.ui.transcript import inline
from tui.ui.transcript.brush import Brush, lines_of, located
from tui.ui.transcript.leaves import Leaf, Run
from tui.ui.transcript.marks import split_runs
from tui.ui.transcript.rows import Edge, Row, Span, wrap


class OpenParagraph:
    """The rows of `read`, the start of a paragraph. Good for one width and one set of references."""

    __slots__ = ("begin", "read", "rows")

    def __init__(self) -> None:
        self.begin = -1
        self.read = ""
        self.rows: list[Row] = []

    def paint(self, leaf: Leaf, brush: Brush, edge: Edge) -> list[Row]:
        """All rows of the paragraph as it is now."""
        text = leaf.text.rstrip("\n")
        if leaf.runs[0][0] != self.begin or not text.startswith(self.read):
            self.begin, self.read, self.rows = leaf.runs[0][0], "", []
        runs = split_runs(list(leaf.runs), len(self.read))[1] if self.read else list(leaf.runs)
        rest = text[len(self.read) :]
        spans, settled = inline.parse_open(rest, brush.base, brush.refs)
        edge = edge.later if self.rows else edge
        fresh: list[Row] = []
        for line in lines_of(located(spans, runs)):
            fresh += wrap(line, brush.setting.width, edge)
            edge = edge.later
        rows = [*self.rows, *fresh]
        kept, used = _settled_rows(fresh, runs, rest[:settled], brush.base)
        self.rows, self.read = [*self.rows, *fresh[:kept]], text[: len(self.read) + used]
        return rows


def _settled_rows(rows: list[Row], runs: list[Run], text: str, base: int) -> tuple[int, int]:
    """How many rows can be kept, and how many characters they stand for.

    `text` will be read the same whatever follows. Rows are kept up to a break at a space inside of plain
    text: there reading and breaking can begin anew. The row below the break has to be settled as well, for
    its first word is what made the break.
    """
    for index in range(len(rows) - 2, 0, -1):
        below, beyond = rows[index].at, rows[index + 1].at
        if min(below, beyond) < 0 or _offset(runs, beyond) > len(text) or not _is_plain(rows[index], base):
            continue
        above = rows[index - 1].spans[-1]
        begin, end = _offset(runs, below), _offset(runs, above.at) + above.size
        if _plain(above, base) and end < begin and not text[end:begin].strip(" "):
            return index, begin
    return 0, 0


def _is_plain(row: Row, base: int) -> bool:
    """Whether the text of a row begins plain."""
    return _plain(next(span for span in row.spans if span.at >= 0), base)


def _plain(span: Span, base: int) -> bool:
    return span.ink == base and span.at >= 0 and span.size == len(span.text) and not span.action


def _offset(runs: list[Run], at: int) -> int:
    """The place of source offset `at` in the joined text of the runs."""
    before = 0
    for start, text in runs:
        if start <= at < start + len(text):
            return before + at - start
        before += len(text)
    return before
