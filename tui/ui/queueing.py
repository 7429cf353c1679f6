"""The App's commands for the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.ui.pane import ChatPane

NOT_OVER_A_MODAL = frozenset({"queue"})
"""Actions of this file that do nothing while a dialog is open."""


class Queueing:
    """Mixed into the App, which has `pane`, `note` and `push_screen`."""

    pane: ChatPane

    def action_queue(self: Any) -> None:
        """Show what waits to be sent."""
        if not self.pane.talk.queue:
            self.note("Nothing is queued: Enter queues while a run is active.")
            return
        from tui.ui.screens.queue import QueueScreen

        self.push_screen(QueueScreen(self.pane, self.pane.talk, self._edit_queued))

    def _edit_queued(self: Any, text: str, place: int) -> None:
        """A queued prompt in the box; sent, it goes back to its place. A draft there is queued behind it."""
        pane = self.pane
        if draft := pane.box.text.strip():
            pane.talk.enqueue(draft, place + 1)
            self.note("what stood in the box is queued behind it")
        else:
            self.note(f"Enter queues it again as number {place + 1}")
        pane.box.put(text)
        pane.talk.place = place
        pane.box.focus()
