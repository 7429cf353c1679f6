"""Tells a person who looks elsewhere that a run has ended: a bell, or the terminal's own notification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.core.conversation import Turn
from tui.core.view import seconds, short

if TYPE_CHECKING:
    from textual.app import App

LONG = 10.0
"""Seconds that a run must have taken before its end is worth a word."""


class Notifier:
    """Speaks only while the terminal has no focus. `how`: off, bell, or desktop (OSC 9)."""

    def __init__(self, app: App[int], how: str) -> None:
        self.app = app
        self.how = how
        self._told: set[tuple[str, int]] = set()

    def ended(self, conversation_id: str, turn: Turn) -> None:
        """A turn is final. Says so once, if anybody may want to know."""
        key = conversation_id, turn.number
        took = (turn.settled_at or turn.sent_at) - turn.sent_at
        if self.how == "off" or self.app.app_focus or took < LONG or key in self._told:
            return
        self._told.add(key)
        if self.how == "desktop":
            self._write(f"\x1b]9;stopkey: {short(turn)} after {seconds(took)}\x1b\\")
        self.app.bell()

    def _write(self, sequence: str) -> None:
        """Only words of our own are in it: nothing that came over the wire is ever written so."""
        driver = self.app._driver
        if driver is not None and not self.app.is_headless:
            driver.write(sequence)
