"""What is so on the screen: all that the steps of the tour wait for is asked here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.core.conversation import Turn
from tui.core.turn import FINAL, Outcome
from tui.core.view import running_tool, short

if TYPE_CHECKING:
    from tui.ui.tour.app import TourApp


class Facts:
    """Asked anew each time, of the app itself."""

    def __init__(self, app: TourApp) -> None:
        self.app = app
        self.seen: set[Outcome] = set()  # what the stops of this tour came to

    @property
    def turn(self) -> Turn | None:
        return self.app.pane.talk.turn

    @property
    def turns(self) -> int:
        return self.turn.number if self.turn else 0

    @property
    def chars(self) -> int:
        return self.turn.transcript.chars if self.turn else 0

    @property
    def running(self) -> bool:
        return self.app.pane.talk.session.running

    @property
    def at_a_tool(self) -> bool:
        return self.running and self.turn is not None and running_tool(self.turn) is not None

    @property
    def modal(self) -> bool:
        return len(self.app.screen_stack) > 1

    @property
    def word(self) -> str:
        """How the newest turn stands, in a word or two."""
        return short(self.turn) if self.turn else "nothing was sent"

    def settled(self) -> bool:
        """Whether the newest turn is over, one way or the other. What its stop came to is noted."""
        turn = self.turn
        if turn is None or turn.phase not in FINAL:
            return False
        if turn.outcome:
            self.seen.add(turn.outcome)
        return True

    def longer(self, letters: int) -> bool:
        """Whether more letters than that stand in the box."""
        return len(self.app.pane.box.text) > letters
