"""A list of any length drawn by the line API: only rows in sight are made, at most once a frame."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.widgets.lines import Piece

FRAME = 1 / 30
"""Seconds between two drawings, at least."""
TONES = ("dim", "strong", "key", "good", "warn", "bad", "busy", "band", "gone", "new")


class Roll(Widget, can_focus=True):
    """Rows by index, with a cursor. Subclasses say how many there are and what a row is made of.

    While the cursor stands on the last row it stays on the last row: so a growing list is followed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "go(0)", show=False),
        Binding("end", "go(-1)", show=False),
        Binding("enter", "choose", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"roll--cursor", *(f"roll--{tone}" for tone in TONES)}
    DEFAULT_CSS = """
    Roll { height: 1fr; width: 1fr; }
    Roll > .roll--dim { color: $foreground-muted; }
    Roll > .roll--strong { text-style: bold; }
    Roll > .roll--key { color: $accent; text-style: bold; }
    Roll > .roll--good { color: $success; }
    Roll > .roll--warn { color: $warning; }
    Roll > .roll--bad { color: $error; }
    Roll > .roll--busy { color: $primary; }
    Roll > .roll--band { color: $accent; }
    Roll > .roll--gone { color: $error; text-style: strike; }
    Roll > .roll--new { color: $success; text-style: underline; }
    Roll > .roll--cursor { text-style: reverse; }
    """

    class Moved(Message):
        """The person moved the cursor to row `index`."""

        def __init__(self, roll: Roll, index: int) -> None:
            super().__init__()
            self.roll, self.index = roll, index

        @property
        def control(self) -> Roll:
            return self.roll

    class Chosen(Moved):
        """Enter, or a second click, on row `index`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self.top = 0
        self.following = True
        self._due: asyncio.TimerHandle | None = None
        self._next = 0.0
        self.drawings = 0

    # --- what a subclass says -----------------------------------------------------------------------------

    def total(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def pieces(self, index: int, width: int) -> Sequence[Piece]:
        """Row `index` in at most `width` cells. Text from the wire in it must be SafeText."""
        raise NotImplementedError

    # --- feeding ------------------------------------------------------------------------------------------

    def grown(self) -> None:
        """There is more, or something changed. O(1); the next frame shows it."""
        if self._due is None and self.is_running and self.size.height:
            loop = asyncio.get_running_loop()
            self._due = loop.call_at(max(loop.time(), self._next), self._frame)

    def _frame(self) -> None:
        self._due = None
        self._next = asyncio.get_running_loop().time() + FRAME
        self.drawings += 1
        self._settle()
        self.refresh()

    def on_unmount(self) -> None:
        if self._due:
            self._due.cancel()
            self._due = None

    # --- moving -------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Keep the cursor in the list and in sight."""
        last = max(0, self.total() - 1)
        self.cursor = last if self.following else min(self.cursor, last)
        height = max(1, self.size.height)
        self.top = max(0, min(self.top, self.cursor, last - height + 1 if last >= height else 0))
        self.top = max(self.top, self.cursor - height + 1)

    def stand(self, index: int) -> None:
        """Put the cursor on a row, without telling anyone. In the middle, if it was out of sight."""
        total = self.total()
        index = max(0, min(index, total - 1))
        height = max(1, self.size.height)
        if not self.top <= index < self.top + height:
            self.top = max(0, index - height // 2)
        self.cursor, self.following = index, index >= total - 1
        self._settle()
        self.refresh()

    def _moved(self, index: int) -> None:
        self.stand(index)
        self.post_message(self.Moved(self, self.cursor))

    def action_move(self, rows: int) -> None:
        self._moved(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        self._moved(self.cursor + pages * max(1, self.size.height - 1))

    def action_go(self, index: int) -> None:
        self._moved(index if index >= 0 else self.total() - 1)

    def action_choose(self) -> None:
        if self.total():
            self.post_message(self.Chosen(self, self.cursor))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._moved(self.cursor - 3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._moved(self.cursor + 3)

    def on_click(self, event: events.Click) -> None:
        index = self.top + event.y
        if index >= self.total():
            return
        if index == self.cursor:
            self.action_choose()
        else:
            self._moved(index)

    # --- drawing ------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self._settle()

    def render_line(self, y: int) -> Strip:
        if y == 0:
            self._settle()
        width, index = self.size.width, self.top + y
        if index >= self.total():
            return Strip.blank(width, self.rich_style)
        return Strip(self._segments(self.pieces(index, width), width, index == self.cursor), width)

    def _segments(self, pieces: Sequence[Piece], width: int, current: bool) -> list[Segment]:
        segments, used = [], 0
        for text, tone in pieces:
            cut = set_cell_size(text, min(cell_len(text), max(0, width - used)))
            used += cell_len(cut)
            segments.append(Segment(cut, self._style(tone, current)))
        segments.append(Segment(" " * (width - used), self._style("", current)))
        return segments

    def _style(self, tone: str, current: bool) -> Style:
        style = self.rich_style
        if tone:
            style += self.get_component_rich_style(f"roll--{tone}", partial=True)
        if current and self.has_focus:
            style += self.get_component_rich_style("roll--cursor", partial=True)
        return style
