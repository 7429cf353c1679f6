"""Tables of markdown as source: their cells, alignments and natural widths."""

from __future__ import annotations

import re

from tui.ui.transcript import inline
from tui.ui.transcript.rows import cells

_DELIMITER = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_CELL = re.compile(r"(?:[^|\\`]|\\.|\\$|`+)*")


def delimiter(line: str) -> bool:
    """Whether this is the row of dashes under a table's heading."""
    return bool(_DELIMITER.match(line))


def aligns(line: str) -> tuple[str, ...]:
    """Alignment of each column, from the row of dashes: "", "<", ">" or "^"."""
    found = []
    for _, cell in split(line):
        left, right = cell.startswith(":"), cell.endswith(":")
        found.append("^" if left and right else ">" if right else "<" if left else "")
    return tuple(found)


def split(line: str, count: int = 1000) -> list[tuple[int, str]]:
    """The cells of a row: offset in the line, and text without the space around it. `\\|` stays in a cell.

    The last of `count` cells takes all that is left: nothing of a row is hidden.
    """
    begin = len(line) - len(line.lstrip())
    begin += line[begin : begin + 1] == "|"
    stop = len(line.rstrip())
    found: list[tuple[int, str]] = []
    while begin <= stop:
        match = _CELL.match(line, begin, stop)
        end = match.end() if match else stop
        if end >= stop and begin >= stop and found:
            break  # behind the closing bar
        if len(found) == count - 1 and end < stop - (line[stop - 1] == "|"):
            end = stop - (line[stop - 1] == "|")
        text = line[begin:end]
        found.append((begin + len(text) - len(text.lstrip()), text.strip()))
        begin = end + 1
    return found


def natural_widths(lines: list[str], columns: int) -> tuple[int, ...]:
    """How wide each column would like to be, from the first rows (heading, dashes, cells)."""
    widths = [1] * columns
    for index, line in enumerate(lines):
        if index != 1:
            for column, (_, text) in enumerate(split(line, columns)):
                shown = "".join(span.text for span in inline.parse(text))
                widths[column] = max(widths[column], min(cells(shown), 400))
    return tuple(widths)


def heads(line: str) -> tuple[str, ...]:
    """The names of the columns, as shown before each cell where columns do not fit beside each other."""
    return tuple("".join(span.text for span in inline.parse(text))[:40] for _, text in split(line))
