"""Where the thumb of the scroll bar stands. Drawn with the rows: Textual's own makes most of the strips."""

from __future__ import annotations


def thumb(height: int, above: int, total: int, at_end: bool) -> tuple[int, int]:
    """First row and size of the thumb, for `total` rows of which `height` are shown. Size 0: all is shown."""
    if total <= height or height <= 0:
        return 0, 0
    size = max(1, height * height // total)
    free, hidden = height - size, total - height
    if at_end:
        return free, size
    start = min(free, (above * free + hidden // 2) // hidden)
    if above > 0 and free > 1:  # the ends of the bar are kept for the ends of the text
        start = min(max(start, 1), free - 1)
    return start, size


def row_for(y: int, height: int, total: int) -> int:
    """The top row for a thumb that was dragged to `y`."""
    size = max(1, height * height // max(total, 1))
    free = max(1, height - size)
    return max(0, min(y, free)) * max(0, total - height) // free
