"""One event whole: its wire data as it came, or indented."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import chop_cells
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from tui.core.events import Record
from tui.core.safe_text import SafeText
from tui.ui.inspector.words import as_json, direction, kind, pretty, raw, size
from tui.ui.screens.modal import BarredModal
from tui.ui.transcript.items import CopyAsked
from tui.ui.widgets.lines import Piece
from tui.ui.widgets.roll import Roll
from tui.ui.widgets.run_bar import Facts


class TextRoll(Roll):
    """Safe text of any length, wrapped to the width; only the rows in sight are drawn."""

    def __init__(self, text: SafeText) -> None:
        super().__init__()
        self.following = False
        self._made: tuple[int, list[str]] = (0, [])
        self._text: str = text

    def show(self, text: SafeText) -> None:
        """Another text."""
        self._text, self._made, self.cursor, self.top = text, (0, []), 0, 0
        self.refresh()

    @property
    def rows(self) -> list[str]:
        width = max(1, self.size.width)
        if self._made[0] != width:
            lines = self._text.replace("\t", "    ").split("\n")
            self._made = (width, [row for line in lines for row in chop_cells(line, width) or [""]])
        return self._made[1]

    def total(self) -> int:
        return len(self.rows)

    def pieces(self, index: int, width: int) -> Sequence[Piece]:
        return [(self.rows[index], "")]


class RawScreen(BarredModal):
    """Enter on an event. `r` changes between as received and indented, `y` copies the record as JSON."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "raw", show=False),
        Binding("y", "copy", show=False),
    ]
    DEFAULT_CSS = """
    RawScreen > .sheet { width: 96%; height: 85%; }
    RawScreen Static { color: $foreground-muted; height: 1; }
    """

    def __init__(self, facts: Facts, record: Record) -> None:
        super().__init__(facts)
        self.record = record
        self.as_received = False
        event = record.event
        late = ", late" if record.late else ""
        self.TITLE_TEXT = f"{direction(event)} {record.number} {kind(event)}{late}"
        self.text = TextRoll(pretty(event))

    def contents(self) -> list[Widget]:
        count = size(self.record.event) or "no wire data"
        foot = f"{count}   r as received / indented   y copy as JSON   Esc close"
        return [self.text, Static(foot, markup=False)]

    def on_mount(self) -> None:
        super().on_mount()
        self.text.focus()

    def action_raw(self) -> None:
        """The other view."""
        self.as_received = not self.as_received
        self.text.show((raw if self.as_received else pretty)(self.record.event))

    def action_copy(self) -> None:
        self.post_message(CopyAsked(as_json(self.record)))
