"""The base of every screen over the conversation: it keeps the run bar, and Esc closes it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget

from tui.ui.widgets.run_bar import Facts, RunBar


class BarredModal(ModalScreen[str]):
    """A modal with the run bar at its foot. Dismisses with the name of what was chosen, "" for Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Close", show=False)]
    DEFAULT_CSS = """
    BarredModal { align: center middle; background: $background 60%; }
    BarredModal > .sheet {
        width: 72; max-width: 96%; height: auto; max-height: 85%;
        border: round $primary; background: $surface; padding: 0 1;
    }
    BarredModal > RunBar { dock: bottom; }
    """

    TITLE_TEXT = ""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.facts = facts
        self.bar = RunBar(facts)

    def compose(self) -> ComposeResult:
        sheet = Vertical(*self.contents(), classes="sheet")
        sheet.border_title = self.TITLE_TEXT
        yield sheet
        yield self.bar

    def contents(self) -> list[Widget]:
        """The widgets of the sheet."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.app.situation_changed()  # type: ignore[attr-defined]

    def on_unmount(self) -> None:
        self.app.situation_changed()  # type: ignore[attr-defined]
