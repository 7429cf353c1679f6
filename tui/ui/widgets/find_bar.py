"""The row in which one types what to find in the transcript. No dialog: the reply streams on under it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from tui.ui.transcript import TranscriptView
from tui.ui.transcript.items import Found


class FindBar(Horizontal):
    """Marks every match while one types; Enter and the arrows go from one to the next. Closed by the app."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down,ctrl+f", "next(True)", "Next", show=False, priority=True),
        Binding("up,shift+enter", "next(False)", "Previous", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    FindBar { height: 1; background: $boost; }
    FindBar > .label { width: auto; padding: 0 1; color: $text-accent; text-style: bold; }
    FindBar > Input { width: 1fr; padding: 0; background: $boost; }
    FindBar > .count { width: auto; padding: 0 1; color: $foreground-muted; }
    """

    def __init__(self, view: TranscriptView) -> None:
        super().__init__()
        self.view = view
        self.input = Input(placeholder="find in this conversation", compact=True)
        self.count = Static("Enter ↓ ↑", classes="count", markup=False)

    def compose(self) -> ComposeResult:
        yield Static("find", classes="label", markup=False)
        yield self.input
        yield self.count

    def begin(self) -> None:
        """Show it, with what was looked for last."""
        self.display = True
        self.input.focus()
        self.view.find(self.input.value)

    def end(self) -> None:
        """Hide it, and the marks with it. The view stays where it is."""
        self.display = False
        self.view.find("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.view.find(event.value)
        if not event.value.strip():
            self.count.update("Enter ↓ ↑")

    def action_next(self, forward: bool) -> None:
        self.view.find_next(forward)

    def action_page(self, pages: int) -> None:
        self.view.action_page(pages)

    def told(self, found: Found) -> None:
        """How many there are, as far as has been counted."""
        if not self.display or found.query != self.input.value:
            return
        more = "" if found.done else "+"
        none = "nothing found" if found.done else "looking …"
        self.count.update(f"{found.number:,} of {found.total:,}{more}" if found.total else none)
