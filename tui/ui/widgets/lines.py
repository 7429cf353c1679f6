"""One-row widgets that draw themselves: the header, the hint line, the queue, and notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

Piece = tuple[str, str]
"""A text and the component class it is drawn in ("" is the plain style)."""


class Row(Widget):
    """One row made of pieces, asked for anew at each drawing. `right` pieces keep their place at the edge."""

    can_focus = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"row--dim", "row--strong", "row--key", "row--warn"}
    DEFAULT_CSS = """
    Row { height: 1; width: 1fr; }
    Row > .row--dim { color: $foreground-muted; }
    Row > .row--strong { text-style: bold; }
    Row > .row--key { color: $text-accent; text-style: bold; }
    Row > .row--warn { color: $text-warning; text-style: bold; }
    """

    def __init__(
        self, pieces: Callable[[int], tuple[Sequence[Piece], Sequence[Piece]]], *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.pieces = pieces

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        left, right = self.pieces(width)
        taken = sum(cell_len(text) for text, _ in right)
        room = max(0, width - taken)
        segments = [*self._segments(left, room), *self._segments(right, taken)]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _segments(self, pieces: Sequence[Piece], room: int) -> list[Segment]:
        segments, used = [], 0
        for text, name in pieces:
            cut = set_cell_size(text, min(cell_len(text), max(0, room - used)))
            used += cell_len(cut)
            style = self.rich_style if not name else self.rich_style + self.get_component_rich_style(name)
            segments.append(Segment(cut, style))
        segments.append(Segment(" " * (room - used), self.rich_style))
        return segments
