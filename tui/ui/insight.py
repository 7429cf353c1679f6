"""The App's commands for seeing inside: events, statistics, compare, replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.ui.pane import ChatPane

NOT_OVER_A_MODAL = frozenset({"inspector"})
"""Actions of this file that do nothing while a dialog is open."""


class Insight:
    """Mixed into the App; all it needs of it is `pane`."""

    pane: ChatPane

    async def action_inspector(self: Any) -> None:
        """Show or hide the inspector."""
        await self.pane.toggle_inspector()
