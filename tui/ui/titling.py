"""The terminal's own title and progress: what runs is seen in a taskbar or a list of tabs, too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.core.safe_text import safe_line
from tui.core.turn import ACTIVE, STOPPING, Phase
from tui.core.view import look

if TYPE_CHECKING:
    from tui.ui.app import StopkeyApp

KEEP_TITLE, BRING_BACK_TITLE = "\x1b[22;0t", "\x1b[23;0t"
"""Push and pop the title that was there before us (xterm, window operations)."""
NO_PROGRESS, BUSY, WAITS = "\x1b]9;4;0;0\x07", "\x1b]9;4;3;0\x07", "\x1b]9;4;4;100\x07"
"""ConEmu's progress: gone, without an end to be seen, paused."""


def shows_progress(environ: Mapping[str, str]) -> bool:
    """Only where it is known: to others OSC 9 is a notification, and "4;3;0" would pop up."""
    named = environ.get("TERM_PROGRAM", "").lower() in ("ghostty", "wezterm")
    return bool(environ.get("WT_SESSION")) or environ.get("ConEmuANSI") == "ON" or named


class Titling:
    """Writes when something has changed, and only then."""

    def __init__(self, app: StopkeyApp, environ: Mapping[str, str] = os.environ) -> None:
        self.app = app
        self._progresses = shows_progress(environ)
        self._title = self._progress = ""

    def begin_anew(self) -> None:
        """The terminal was lent to another program: what it shows now is not ours."""
        self._title = self._progress = ""

    def update(self) -> None:
        """After any change of a state; O(tabs)."""
        driver = self.app._driver
        if driver is None or self.app.is_headless:
            return
        title, progress = self._now()
        if title != self._title:
            self._title = title
            driver.write(f"\x1b]2;{title}\x07")
        if self._progresses and progress != self._progress:
            self._progress = progress
            driver.write(progress)

    def _now(self) -> tuple[str, str]:
        pane = self.app.pane
        shown = look(pane.talk.turn, pane.talk.can_retry)
        sign = shown.plain if self.app.plain else shown.sign
        title = safe_line(f"{sign} {pane.talk.title or pane.talk.opening.label} · stopkey", 80)
        phases = {each.talk.turn.phase for each in self.app.tabs.panes if each.talk.turn}
        if Phase.WAITING in phases:
            return title, WAITS
        return title, BUSY if phases & (ACTIVE | STOPPING) else NO_PROGRESS
