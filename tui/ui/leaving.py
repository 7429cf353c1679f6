"""The ways out: quit, quit with a run active, a signal, a closed terminal. None of them loses anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui.session import Opening
from tui.ui.screens.choice import Choice, ChoiceScreen

if TYPE_CHECKING:
    from tui.ui.app import StopkeyApp
    from tui.ui.pane import ChatPane


def may_leave(opening: Opening) -> bool:
    """Whether a run can go on without us: not where it ends with the client, or with the connection."""
    return not opening.embedded and opening.backend.capabilities.disconnect_stops is not True


def ask(app: StopkeyApp, running: Sequence[ChatPane], decided: Callable[[bool], None], then: str) -> None:
    """What is to become of these runs? `decided` hears whether to stop them; `then`: what follows."""
    many = f"{len(running)} runs are" if len(running) > 1 else "A run is"
    it = "them" if len(running) > 1 else "it"
    choices = [Choice("stop", "s", f"Stop {it} and {then}", "abort, wait a moment, then leave")]
    if all(may_leave(pane.talk.opening) for pane in running):
        back = "; ".join(pane.talk.opening.come_back for pane in running)
        choices.append(Choice("leave", "l", f"Leave {it} running", f"come back: {back}"))
    choices.append(Choice("stay", "y", "Stay"))
    screen = ChoiceScreen(app.pane, f"{many} still going", f"What is to become of {it}?", choices)

    def chosen(word: str | None) -> None:
        if word in ("stop", "leave"):
            decided(word == "stop")

    app.push_screen(screen, chosen)


class Leaving:
    """Ends the app once. A second quit while a stop is awaited forces."""

    def __init__(self, app: StopkeyApp) -> None:
        self.app = app
        self.begun = False

    def quit(self) -> None:
        """^Q: leave, or ask what is to become of the runs."""
        if self.begun:
            self.app.exit(0)
        elif running := self.app.tabs.running:
            ask(self.app, running, self._leave, then="quit")
        else:
            self._leave(stop_first=False)

    def signalled(self, number: int) -> None:
        """SIGTERM, SIGHUP, a closed terminal: keep everything, abort with best effort, go."""
        if not self.begun:
            self._begin()
            self.app.spawn(self._close(True, "signal", 128 + number))

    def _leave(self, stop_first: bool) -> None:
        self._begin()
        if stop_first or any(pane.talk.session.stopping for pane in self.app.tabs.panes):
            self.app.note("stopping before leaving … ^Q again leaves at once")
        self.app.spawn(self._close(stop_first, "quit", 0))

    def _begin(self) -> None:
        self.begun = True
        for pane in self.app.tabs.panes:
            pane.save_draft()

    async def _close(self, stop_first: bool, cause: str, code: int) -> None:
        talks = [pane.talk for pane in self.app.tabs.panes]
        try:
            await asyncio.gather(*(talk.leave(stop_first=stop_first, cause=cause) for talk in talks))
        finally:
            self.app.exit(code)
