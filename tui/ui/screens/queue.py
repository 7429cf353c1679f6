"""The queue as something to work on: what waits to be sent, whole; moved, edited, taken out, sent at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.core.safe_text import safe
from tui.ui.screens.modal import BarredModal
from tui.ui.talk import Talk
from tui.ui.widgets.run_bar import Facts

FOOT = "Enter edit  Shift+↑↓ move  Del take out  ^Z undo  s stop & send now  Esc close"
LINES = 6
"""Lines of one prompt that are shown."""


class QueueScreen(BarredModal):
    """Dismisses with "edit" (the prompt stands in the box then), "sent", or ""."""

    TITLE_TEXT = "Queue"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", show=False, priority=True),
        Binding("shift+up,K", "shift(-1)", show=False, priority=True),
        Binding("shift+down,J", "shift(1)", show=False, priority=True),
        Binding("delete,backspace", "take_out", show=False, priority=True),
        Binding("ctrl+z", "undo", show=False, priority=True),
        Binding("s", "send_now", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    QueueScreen OptionList, QueueScreen OptionList:focus {
        height: auto; max-height: 16; border: none; background: $surface; padding: 0;
    }
    QueueScreen .foot { color: $foreground-muted; margin: 1 1 0 1; height: auto; }
    """

    def __init__(self, facts: Facts, talk: Talk, edit: Callable[[str, int], None]) -> None:
        super().__init__(facts)
        self.talk, self.edit = talk, edit
        self.options = OptionList()
        self._gone: list[tuple[int, str]] = []

    def contents(self) -> list[Widget]:
        return [self.options, Static(FOOT, classes="foot", markup=False)]

    def on_mount(self) -> None:
        super().on_mount()
        self.queue_changed()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(".foot").display = event.size.height >= 16

    def queue_changed(self) -> None:
        """What waits is drawn anew, also when something of it has been sent meanwhile."""
        at = self.options.highlighted or 0
        rows = [Option(Content(_row(n, text))) for n, text in enumerate(self.talk.queue, 1)]
        self.options.clear_options()
        self.options.add_options(rows or [Option(Content("Nothing is queued."), disabled=True)])
        if rows:
            self.options.highlighted = min(at, len(rows) - 1)

    @property
    def at(self) -> int | None:
        """The place in the queue that the cursor stands on."""
        at = self.options.highlighted
        return at if at is not None and at < len(self.talk.queue) else None

    @on(OptionList.OptionSelected)
    def action_edit(self) -> None:
        if self.at is not None:
            place = self.at
            self.dismiss("edit")
            self.edit(self.talk.take_out(place), place)

    def action_shift(self, by: int) -> None:
        if self.at is not None:
            self.options.highlighted = self.talk.shift(self.at, by)
            self.queue_changed()

    def action_take_out(self) -> None:
        if self.at is not None:
            place = self.at
            self._gone.append((place, self.talk.take_out(place)))
            self.queue_changed()

    def action_undo(self) -> None:
        if self._gone:
            place, text = self._gone.pop()
            self.talk.enqueue(text, place)
            self.queue_changed()

    def action_send_now(self) -> None:
        """Stop what runs, and send this one when the stop has settled."""
        if self.at is not None:
            self.dismiss("sent")
            self.talk.stop_and_send(self.talk.take_out(self.at))


def _row(number: int, text: str) -> str:
    lines = safe(text).strip().split("\n")
    more = f"\n   … {len(lines) - LINES} more lines" if len(lines) > LINES else ""
    return f"{number}. " + "\n   ".join(lines[:LINES]) + more
