"""The App's commands for settings: the screen, and what a change does at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.config import Profile
from tui.core.safe_text import safe_line

if TYPE_CHECKING:
    from tui.config import Settings

NOT_OVER_A_MODAL = frozenset({"settings", "connect"})
"""Actions of this file that do nothing while a dialog is open."""

THEMES = {"dark": "textual-dark", "light": "textual-light"}
"""The short names of two themes."""


class Configuring:
    """Mixed into the App, which has `tabs`, `desk`, `notifier`, `note` and `push_screen`."""

    settings_file: Path | None = None

    def action_settings(self: Any) -> None:
        """Show the settings."""
        if self.settings_file is None:
            self.note("There is no file of settings here.")
            return
        from tui.ui.screens.settings import SettingsScreen

        themes = [*THEMES, *self.available_themes]
        self.push_screen(SettingsScreen(self.pane, self.settings_file, themes, self.apply_settings))

    def action_connect(self: Any) -> None:
        """A form for a backend: try it, keep it as a profile, and open a conversation there."""
        if self.settings_file is None or self.desk is None:
            self.note("There is no file of settings here to keep a backend in.")
            return
        from tui.ui.screens.connect import ConnectScreen

        screen = ConnectScreen(self.pane, lambda values: self.desk.attempt(_profile(values)), self._keep)
        self.push_screen(screen)

    async def _keep(self: Any, values: dict[str, str]) -> str:
        """Write it, and open a conversation with it. What is wrong, or ""."""
        from tui.config.writing import CannotWrite, change

        kept = {name: value for name, value in values.items() if name != "name" and value}
        try:
            await asyncio.to_thread(change, self.settings_file, ("profiles", values["name"]), kept)
            self.tabs.open(self.desk.fresh_with(_profile(values)))
        except CannotWrite as problem:
            return str(problem)
        except Exception as error:  # a target that cannot be right
            return safe_line(str(error), 300)
        self.note(f"kept as a profile: stopkey chat --profile {safe_line(values['name'], 40)}")
        return ""

    def apply_settings(self: Any, settings: Settings, name: str) -> None:
        """A setting was written: what can hold at once does, in every tab; new tabs begin with all of it."""
        if self.desk:
            self.desk.settings = settings
        if name == "theme":
            self.theme = THEMES.get(settings.theme, settings.theme)
        self.double = settings.stop_confirm == "double"
        self.notifier.how = settings.notifications
        for pane in self.tabs.panes:
            pane.talk.opening.queue_on_stop = settings.queue_on_stop
            pane.talk.session.late = settings.late


def _profile(values: dict[str, str]) -> Profile:
    given: dict[str, Any] = {name: value for name, value in values.items() if name != "name"}
    return Profile(**given)
