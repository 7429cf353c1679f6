"""Tables of markdown: their cells, and their rows on the screen."""

from __future__ import annotations

import re

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


def split(line: str) -> list[tuple[int, str]]:
    """The cells of a row: offset in the line, and text without the space around it. `\\|` stays in a cell."""
    begin = len(line) - len(line.lstrip())
    begin += line[begin : begin + 1] == "|"
    stop = len(line.rstrip())
    found: list[tuple[int, str]] = []
    while begin <= stop:
        match = _CELL.match(line, begin, stop)
        end = match.end() if match else stop
        if end >= stop and begin >= stop and found:
            break  # behind the closing bar
        text = line[begin:end]
        found.append((begin + len(text) - len(text.lstrip()), text.strip()))
        begin = end + 1
    return found


def natural_widths(lines: list[str], columns: int) -> tuple[int, ...]:
    from tui.ui.transcript.rows import cells

    widths = [1] * columns
    for index, line in enumerate(lines):
        if index == 1:
            continue  # the dashes
        for column, (_, text) in enumerate(split(line.rstrip("\n"))[:columns]):
            widths[column] = max(widths[column], min(cells(text), 400))
    return tuple(widths)
