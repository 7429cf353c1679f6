"""The App's commands for settings: the screen, and what a change does at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.config import Settings

NOT_OVER_A_MODAL = frozenset({"settings"})
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
