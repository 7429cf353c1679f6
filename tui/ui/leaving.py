"""The ways out: quit, quit with a run active, a signal, a closed terminal. None of them loses anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.session import Opening
from tui.ui.screens.choice import Choice, ChoiceScreen

if TYPE_CHECKING:
    from tui.ui.app import StopkeyApp


def may_leave(opening: Opening) -> bool:
    """Whether a run can go on without us: not where it ends with the client, or with the connection."""
    return not opening.embedded and opening.backend.capabilities.disconnect_stops is not True


class Leaving:
    """Ends the app once. A second quit while a stop is awaited forces."""

    def __init__(self, app: StopkeyApp) -> None:
        self.app = app
        self.begun = False

    def quit(self) -> None:
        """^Q: leave, or ask what is to become of the run."""
        if self.begun:
            self.app.exit(0)
        elif self.app.pane.talk.session.running:
            self._ask()
        else:
            self._leave(stop_first=False)

    def signalled(self, number: int) -> None:
        """SIGTERM, SIGHUP, a closed terminal: keep everything, abort with best effort, go."""
        if not self.begun:
            self._begin()
            self.app.spawn(self._close(True, "signal", 128 + number))

    def _ask(self) -> None:
        opening = self.app.pane.talk.opening
        choices = [Choice("stop", "s", "Stop it and quit", "abort, wait a moment, then leave")]
        if may_leave(opening):
            choices.append(Choice("leave", "l", "Leave it running", f"come back: {opening.come_back}"))
        choices.append(Choice("stay", "y", "Stay"))
        screen = ChoiceScreen(self.app.pane, "A run is still going", "What is to become of it?", choices)
        self.app.push_screen(screen, self._chosen)

    def _chosen(self, chosen: str | None) -> None:
        if chosen in ("stop", "leave"):
            self._leave(stop_first=chosen == "stop")

    def _leave(self, *, stop_first: bool) -> None:
        self._begin()
        if stop_first or self.app.pane.talk.session.stopping:
            self.app.note("stopping before leaving … ^Q again leaves at once")
        self.app.spawn(self._close(stop_first, "quit", 0))

    def _begin(self) -> None:
        self.begun = True
        self.app.pane.save_draft()

    async def _close(self, stop_first: bool, cause: str, code: int) -> None:
        try:
            await self.app.pane.talk.leave(stop_first=stop_first, cause=cause)
        finally:
            self.app.exit(code)
