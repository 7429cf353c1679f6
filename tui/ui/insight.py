"""The App's commands for seeing inside: events and statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tui.store.figures import of_conversation
from tui.store.stats import StopLine
from tui.ui.screens.statistics import StatisticsScreen

if TYPE_CHECKING:
    from tui.ui.pane import ChatPane

NOT_OVER_A_MODAL = frozenset({"inspector", "statistics"})
"""Actions of this file that do nothing while a dialog is open."""


class Insight:
    """Mixed into the App, which has `pane`, `desk` and `note`."""

    pane: ChatPane

    async def action_inspector(self: Any) -> None:
        """Show or hide the inspector."""
        await self.pane.toggle_inspector()

    def action_statistics(self: Any) -> None:
        """Show what the stops so far say."""
        session, desk = self.pane.talk.session, self.desk
        here = of_conversation(session.conversation, session.backend.name)

        def ask(everything: bool) -> Sequence[StopLine]:
            if desk is None:
                return here
            stops: Sequence[StopLine] = desk.store.stops(None if everything else session.conversation.id)
            return stops or here

        self.push_screen(StatisticsScreen(self.pane, ask, self.plain))
