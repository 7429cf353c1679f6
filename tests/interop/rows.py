"""The table that the interop tests end with: backend, case, what the client said, what really happened."""

from __future__ import annotations

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    server: str
    case: str
    said: str
    happened: str


ROWS: list[Row] = []
_HEADS = Row("backend", "case", "what the client said", "what really happened")


def table(rows: list[Row]) -> str:
    """Columns of equal width, in the order of the tests."""
    lines = [astuple(row) for row in (_HEADS, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
