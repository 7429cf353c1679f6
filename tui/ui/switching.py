"""Going from one conversation to another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from tui.core.safe_text import safe_line
from tui.session import Opening
from tui.ui.pane import ChatPane
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
    """Opens other conversations in the place of the one on the screen."""

    def __init__(self, app: StopkeyApp) -> None:
        self.app = app

    def new(self) -> None:
        """Begin a new conversation with the same backend."""
        if self.app.desk:
            self._when_free(lambda: self.show(self.app.desk.fresh()))  # type: ignore[union-attr]

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

    def show(self, opening: Opening) -> None:
        """Put another conversation in the place of this one."""
        app, old = self.app, self.app.pane
        app.pane = ChatPane(opening, desk=app.desk, still=app.still, plain=app.plain)
        old.save_draft()
        app.spawn(old.talk.leave())
        app.mount(app.pane, before=old)
        old.remove()
        app.note(opening.note)

    def _chosen(self, chosen: str | None) -> None:
        if chosen == "new":
            self.new()
        elif chosen and chosen != self.app.pane.talk.opening.conversation.id:
            self._when_free(lambda: self.app.spawn(self._load(chosen)))

    def _when_free(self, switch: Callable[[], None]) -> None:
        """A run that nobody watches would go on unseen: it is to be stopped first."""
        if self.app.pane.talk.busy:
            self.app.note("A run is active here: stop it first (F8).")
        else:
            switch()

    async def _load(self, conversation_id: str) -> None:
        assert self.app.desk
        try:
            opening = await asyncio.to_thread(self.app.desk.reopen, conversation_id)
        except Exception as error:
            self.app.note(f"That conversation could not be opened: {safe_line(str(error), 120)}")
            return
        self.show(opening)
