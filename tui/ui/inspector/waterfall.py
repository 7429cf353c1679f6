"""The waterfall: a turn's spans as bars on a time axis, to zoom and pan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.ui.inspector.spans import Span
from tui.ui.inspector.words import apart
from tui.ui.widgets.lines import Piece
from tui.ui.widgets.roll import Roll


class Waterfall(Roll):
    """Rows come from `ask`, anew at each drawing; a turn has few. The first row is the scale."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom(0.5)", show=False),
        Binding("minus", "zoom(2.0)", show=False),
        Binding("0", "whole", show=False),
        Binding("left,h", "pan(-1)", show=False),
        Binding("right,l", "pan(1)", show=False),
    ]

    def __init__(self, ask: Callable[[], list[Span]], plain: bool = False) -> None:
        super().__init__(id="waterfall")
        self.ask, self.plain = ask, plain
        self.rows: list[Span] = []
        self.begin, self.zoomed = 0.0, 1.0  # seconds at the left edge; the part of the whole that is shown
        self.following = False

    def total(self) -> int:
        return len(self.rows) + 1 if self.rows else 0

    def take_in(self) -> None:
        """Ask for the rows anew."""
        self.rows = self.ask()
        self.grown()

    def _settle(self) -> None:
        self.rows = self.ask()
        self.following = False
        super()._settle()
        if self.rows and self.cursor == 0:
            self.cursor = 1

    def span(self, index: int) -> Span | None:
        """The span in this row; None for the scale."""
        return self.rows[index - 1] if 0 < index <= len(self.rows) else None

    # --- zoom ---------------------------------------------------------------------------------------------

    @property
    def whole(self) -> float:
        """Seconds from the prompt to the end of the last span."""
        return max((span.end for span in self.rows), default=0.0) or 0.001

    @property
    def shown(self) -> float:
        """Seconds on the axis."""
        return self.whole * self.zoomed

    def action_zoom(self, factor: float) -> None:
        """Around the beginning of the row under the cursor."""
        span = self.span(self.cursor)
        self.zoomed = min(1.0, max(1e-4, self.zoomed * factor))
        self._show_from(span.begin - self.shown * 0.1 if span and factor < 1 else self.begin)

    def action_whole(self) -> None:
        self.zoomed = 1.0
        self._show_from(0.0)

    def action_pan(self, quarters: int) -> None:
        self._show_from(self.begin + quarters * self.shown / 4)

    def _show_from(self, begin: float) -> None:
        self.begin = max(0.0, min(begin, self.whole - self.shown))
        self.refresh()

    # --- drawing ------------------------------------------------------------------------------------------

    def pieces(self, index: int, width: int) -> Sequence[Piece]:
        label, time = min(22, max(10, width // 3)), 9
        room = max(4, width - label - time - 3)
        if index == 0:
            return [(" " * (label + 1), ""), (self._scale(room), "dim")]
        span = self.rows[index - 1]
        took = apart(span.end - span.begin) if span.end > span.begin else f"+{span.begin:.2f} s"
        name = span.label if len(span.label) <= label - 1 else span.label[: label - 2] + "…"
        tail = ">" if span.open else " "
        return [
            (f" {name:<{label - 1}} ", "strong" if span.tone == "bad" else ""),
            (self._bar(span, room), span.tone),
            (f"{took:>{time}}{tail}", "dim"),
        ]

    def _scale(self, room: int) -> str:
        left, right = f"{self.begin:.2f} s", f"{self.begin + self.shown:.2f} s"
        middle = f"{self.begin + self.shown / 2:.2f} s"
        half = max(0, room // 2 - len(left))
        return f"{left}{middle:>{half}}{right:>{max(0, room - len(left) - half)}}"

    def _bar(self, span: Span, room: int) -> str:
        """The part of the bar in sight; at least one cell for what took no time."""
        scale = room / self.shown
        begin, end = (span.begin - self.begin) * scale, (span.end - self.begin) * scale
        if end < 0 or begin > room:
            return " " * room
        first = max(0, min(room - 1, int(begin)))
        cells = max(1, min(room, round(end)) - first)
        mark = ("#" if self.plain else "█") if span.end > span.begin else ("|" if self.plain else "▎")
        if span.label == "quiet":
            mark = "." if self.plain else "·"
        return (" " * first + mark * cells).ljust(room)[:room]
