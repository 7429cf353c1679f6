"""The command palette with the run bar under it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.command import CommandPalette

from tui.ui.widgets.run_bar import Facts, RunBar


class BarredPalette(CommandPalette):
    """Textual's palette; a Stop stays in sight and works while it is open."""

    DEFAULT_CSS = """
    BarredPalette > RunBar { dock: bottom; }
    """

    def __init__(self, facts: Facts) -> None:
        super().__init__(id="--command-palette")
        self.facts = facts

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield RunBar(self.facts)

    def on_mount(self) -> None:
        self.app.situation_changed()  # type: ignore[attr-defined]

    def on_unmount(self) -> None:
        self.app.situation_changed()  # type: ignore[attr-defined]
