"""What the clickable words of the transcript do, and the keys on its sections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui.ui import browsing
from tui.ui.transcript.items import Acted, CopyAsked


class Cards:
    """Mixed into the App: acts on what the transcript asks for."""

    def on_copy_asked(self: Any, event: CopyAsked) -> None:
        self.copy(event.text)

    def on_acted(self: Any, event: Acted) -> None:
        """A clickable word in the transcript, or a key on one of its sections."""
        if event.action in ("link", "links"):
            browsing.ask_which(self, event.value.split("\n") if event.value else [])
            return
        shown = self.pane.talk.shown[event.turn]
        act = _ACTS.get(event.action)
        if act:
            act(self, event.turn)
        shown.revision += 1
        self.pane.view.touch(event.turn)

    def _ask_for_reason(self: Any, number: int) -> None:
        """The box is where the person types: a draft in it is not touched."""
        self.reason_for = number
        if self.pane.box.text:
            self.note("/reason TEXT says why it was stopped")
            return
        self.pane.box.put("/reason ")
        self.pane.box.focus()


def _details(app: Any, number: int) -> None:
    shown = app.pane.talk.shown[number]
    shown.details = not shown.details


def _late(app: Any, number: int) -> None:
    shown = app.pane.talk.shown[number]
    shown.late_shown = not shown.late_shown


def _copy(app: Any, number: int) -> None:
    app.copy(app.pane.talk.shown[number].source.kept())


def _edit(app: Any, number: int) -> None:
    app.begin_branch(number)


def _check(app: Any, number: int) -> None:
    if number > app.pane.talk.session.conversation.base:
        app.pane.talk.session.check_again(app.pane.talk.shown[number].source)
    app.note("looking it up")


_ACTS: dict[str, Callable[[Any, int], None]] = {
    "details": _details,
    "late": _late,
    "copy": _copy,
    "edit": _edit,
    "reason": lambda app, number: app._ask_for_reason(number),
    "check": _check,
    "resend": lambda app, number: app._resend(quote=False),
    "quote": lambda app, number: app._resend(quote=True),
    "compare": lambda app, number: app.action_compare(number),
}
