"""Finding in the transcript, and going from turn to turn, whatever has the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.ui.transcript.items import Found

if TYPE_CHECKING:
    from tui.ui.pane import ChatPane
    from tui.ui.widgets.find_bar import FindBar

NOT_OVER_A_MODAL = frozenset({"find", "turn"})
"""Actions of this file that do nothing while a dialog is open."""


class Search:
    """The find bar of one pane; made when it is first asked for."""

    def __init__(self, pane: ChatPane) -> None:
        self.pane = pane
        self.bar: FindBar | None = None

    @property
    def open(self) -> bool:
        """Whether Esc closes it before it does anything else."""
        return self.bar is not None and self.bar.display

    async def begin(self) -> None:
        """Show the bar and put the cursor into it."""
        if self.bar is None:
            from tui.ui.widgets.find_bar import FindBar  # the start does not wait for it

            self.bar = FindBar(self.pane.view)
            await self.pane.mount(self.bar, before=self.pane.bar)
        self.bar.begin()
        self.pane.app.situation_changed()  # type: ignore[attr-defined]

    def end(self) -> None:
        """Back to the text box; what was found stays on the screen."""
        if self.bar:
            self.bar.end()
            self.pane.box.focus()
            self.pane.app.situation_changed()  # type: ignore[attr-defined]

    def told(self, found: Found) -> None:
        """The view has counted."""
        if self.bar:
            self.bar.told(found)


class Finding:
    """Mixed into the App, which has `pane`."""

    pane: ChatPane

    async def action_find(self: Any) -> None:
        """Find in this conversation."""
        await self.pane.search.begin()

    def action_turn(self: Any, step: int) -> None:
        """To the next prompt, or the one before; from the last one back to the end."""
        self.pane.view.action_turn(step)
