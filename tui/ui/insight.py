"""The App's commands for seeing inside: events, statistics, replay, compare.

What they need is imported when they are called: the start does not wait for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand

if TYPE_CHECKING:
    from tui.core.conversation import Turn
    from tui.store.stats import StopLine
    from tui.ui.pane import ChatPane

NOT_OVER_A_MODAL = frozenset({"inspector", "statistics", "replay", "compare"})
"""Actions of this file that do nothing while a dialog is open."""


class Insight:
    """Mixed into the App, which has `pane`, `desk`, `note`, `spawn` and `tabs`."""

    pane: ChatPane
    replay_clock = staticmethod(time.monotonic)

    async def action_inspector(self: Any) -> None:
        """Show or hide the inspector."""
        await self.pane.toggle_inspector()

    def action_compare(self: Any, turn: int = 0) -> None:
        """Show a stopped reply beside the answer after it; the newest, where no turn is named."""
        from tui.ui.compare import pair

        found = pair(self.pane.talk.session.conversation, turn)
        if found:
            self.spawn(self._compare(*found))
        else:
            self.note("There is no stopped reply with an answer after it to compare.")

    async def _compare(self: Any, stopped: Turn, after: Turn) -> None:
        """In a thread: two long replies take seconds, and no key is to wait for them."""
        from tui.ui.compare import compare
        from tui.ui.screens.compare import CompareScreen

        texts = stopped.transcript.reply(), after.transcript.reply()
        compared = await asyncio.to_thread(compare, *texts)
        self.push_screen(CompareScreen(self.pane, compared, stopped, after, self.plain))

    def action_replay(self: Any) -> None:
        """Play this conversation from its beginning, in a tab of its own."""
        if self.pane.talk.busy:
            self.note("A run is active here: stop it first (F8).")
        elif not self.pane.talk.turn or self.pane.talk.opening.reel:
            self.note("There is nothing to replay here.")
        else:
            self.spawn(self._replay())

    async def _replay(self: Any) -> None:
        from tui.session.player import replaying
        from tui.session.reel import Reel
        from tui.store.sound import sound

        talk = self.pane.talk
        stored = await asyncio.to_thread(talk.opening.older, 1, talk.log.last)
        reel = Reel(sound(stored or list(talk.log.newest)), clock=self.replay_clock)
        conversation = talk.opening.conversation
        self.tabs.open(replaying(reel, conversation.id, talk.opening.label))

    def insight_commands(self: Any) -> Iterable[SystemCommand]:
        """What the palette has of these, beside the keys."""
        yield SystemCommand("Replay", "Play this conversation as it was", self.action_replay)
        yield SystemCommand("Compare", "A stopped reply and the answer after it", self.action_compare)

    def action_statistics(self: Any) -> None:
        """Show what the stops so far say."""
        from tui.store.figures import of_conversation
        from tui.ui.screens.statistics import StatisticsScreen

        session, desk = self.pane.talk.session, self.desk
        here = of_conversation(session.conversation, session.backend.name)

        def ask(everything: bool) -> Sequence[StopLine]:
            if desk is None:
                return here
            stops: Sequence[StopLine] = desk.store.stops(None if everything else session.conversation.id)
            return stops or here

        self.push_screen(StatisticsScreen(self.pane, ask, self.plain))
