"""Going from one conversation to another: what is opened, and from where."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from tui.core.safe_text import safe_line
from tui.session import Opening
from tui.ui.screens.conversations import ConversationsScreen, Shelf

if TYPE_CHECKING:
    from tui.ui.app import StopkeyApp


class DeskLike(Protocol):
    """Where other conversations come from."""

    @property
    def store(self) -> Shelf: ...
    def fresh(self) -> Opening: ...
    def reopen(self, conversation_id: str) -> Opening: ...


class Switching:
    """Opens other conversations, each in a tab of its own."""

    def __init__(self, app: StopkeyApp) -> None:
        self.app = app

    def new(self) -> None:
        """Begin a new conversation with the same backend."""
        if self.app.desk and self.app.pane.untouched:
            self.app.note("Nothing was said in this one yet: it is new.")
        elif self.app.desk:
            self.app.tabs.open(self.app.desk.fresh())

    def ask(self) -> None:
        """Show the list of conversations."""
        if self.app.desk:
            pane = self.app.pane
            screen = ConversationsScreen(pane, self.app.desk.store, pane.talk.opening.conversation.id)
            self.app.push_screen(screen, self._chosen)

    def last(self) -> None:
        """Go on with the conversation of last time."""
        if self.app.pane.last_id:
            self._chosen(self.app.pane.last_id)

    def _chosen(self, chosen: str | None) -> None:
        if chosen == "new":
            self.new()
        elif chosen and (pane := self.app.tabs.of(chosen)):
            self.app.tabs.see(pane)
        elif chosen:
            self.app.spawn(self._load(chosen))

    async def _load(self, conversation_id: str) -> None:
        assert self.app.desk
        try:
            opening = await asyncio.to_thread(self.app.desk.reopen, conversation_id)
        except Exception as error:
            self.app.note(f"That conversation could not be opened: {safe_line(str(error), 120)}")
            return
        self.app.tabs.open(opening)
