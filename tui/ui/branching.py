"""An earlier prompt, edited, as the beginning of another branch. The conversation it is from stays as it is.

A backend that keeps the conversation itself cannot unsay a turn: a branch is a conversation of its own, with
what was said before the prompt at its head. Where the protocol lets the client send the history, that goes
along as it was; elsewhere it goes as a quote in the first prompt, and the person is told so before sending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tui.core.conversation import Turn
from tui.core.quoting import retold
from tui.core.safe_text import safe_line

if TYPE_CHECKING:
    from tui.ui.pane import ChatPane


class Branching:
    """Mixed into the App, which has `pane`, `desk`, `tabs`, `note` and `spawn`."""

    pane: ChatPane

    def begin_branch(self: Any, number: int) -> None:
        """Put a prompt into the box; Enter sends it as a branch. The newest prompt is simply edited."""
        pane = self.pane
        shown = pane.talk.shown.get(number)
        if shown is None:
            self.note(f"There is no prompt {number} here.")
            return
        pane.box.put(shown.source.prompt.text)
        pane.box.focus()
        if number == pane.talk.session.conversation.count or not self.desk:
            return
        pane.branch_at = number
        keeps = pane.talk.session.backend.capabilities.takes_history
        quote = "" if keeps else ", the turns before it as a quote"
        self.note(f"prompt {number}: Enter sends it as a branch of its own{quote}; Esc: no branch")
        self.situation_changed()

    def send_branch(self: Any, text: str) -> None:
        """What was typed begins a branch before the chosen turn."""
        pane, number = self.pane, self.pane.branch_at
        pane.branch_at = 0
        pane.box.clear_draft()
        self.spawn(self._branch(pane, number, text))

    async def _branch(self: Any, pane: ChatPane, number: int, text: str) -> None:
        origin = pane.talk.opening.conversation.id
        try:
            opening = await asyncio.to_thread(self.desk.branch, origin, number)
        except Exception as error:
            pane.box.put(text)
            self.note(f"No branch was made: {safe_line(str(error), 160)}")
            return
        branch = self.tabs.open(opening)
        talk = branch.talk
        if not talk.session.backend.capabilities.takes_history:
            text = retold(said(talk.session.conversation.turns), text)
        self.note(talk.submit(text) or f"a branch before turn {number}; the other one stays in its tab")


def said(turns: Sequence[Turn]) -> list[tuple[str, str]]:
    """Who said what in these turns."""
    told = [(("You", turn.prompt.text), ("Agent", turn.kept())) for turn in turns]
    return [line for pair in told for line in pair if line[1].strip()]
