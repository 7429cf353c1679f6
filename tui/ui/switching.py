"""Going from one conversation to another: what is opened, and from where."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from tui.config import Profile
from tui.core.safe_text import safe_line
from tui.core.view import look, seconds, short
from tui.session import Opening, Pressed
from tui.ui.screens.conversation_lines import Live
from tui.ui.screens.conversations import ConversationsScreen, Shelf

if TYPE_CHECKING:
    from tui.ui.app import StopkeyApp
    from tui.ui.pane import ChatPane


class DeskLike(Protocol):
    """Where other conversations come from."""

    @property
    def store(self) -> Shelf: ...
    def fresh(self) -> Opening: ...
    def reopen(self, conversation_id: str) -> Opening: ...
    def branch(self, conversation_id: str, before: int) -> Opening: ...
    def fresh_with(self, profile: Profile) -> Opening: ...
    async def attempt(self, profile: Profile) -> tuple[bool, list[str]]: ...


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
            screen = ConversationsScreen(self.app.pane, self.app.desk.store, self)
            self.app.push_screen(screen, self._chosen)

    def last(self) -> None:
        """Go on with the conversation of last time."""
        if self.app.pane.last_id:
            self._chosen(self.app.pane.last_id)

    # --- what the list asks -------------------------------------------------------------------------------

    def live(self, conversation_id: str) -> Live | None:
        """How it is, if it is open in a tab."""
        pane = self.app.tabs.of(conversation_id)
        if pane is None:
            return None
        turn, session = pane.talk.turn, pane.talk.session
        shown = look(turn, pane.talk.can_retry)
        word = "open here" if turn is None else short(turn)
        if turn and session.running:
            word = f"running {seconds(pane.now - turn.sent_at)}"
        sign = shown.plain if self.app.plain else shown.sign
        return Live(sign, word, turn.transcript.chars if turn else 0, session.running or session.stopping)

    def stop(self, conversation_id: str) -> bool:
        """Stop the run in it. False: none is active there."""
        pane = self.app.tabs.of(conversation_id)
        return pane is not None and pane.talk.stop("list") is Pressed.STOPPED

    def renamed(self, conversation_id: str, title: str) -> None:
        """It has another name: its tab shows it."""
        if pane := self.app.tabs.of(conversation_id):
            pane.talk.opening.title = title
            self.app.tabs.changed()

    # --- opening ------------------------------------------------------------------------------------------

    def _chosen(self, chosen: str | None) -> None:
        name, _, turn = (chosen or "").partition("#")
        if name == "new":
            self.new()
        elif pane := self.app.tabs.of(name):
            self.app.tabs.see(pane)
            _go_to(pane, turn)
        elif name:
            self.app.spawn(self._load(name, turn))

    async def _load(self, conversation_id: str, turn: str) -> None:
        assert self.app.desk
        try:
            opening = await asyncio.to_thread(self.app.desk.reopen, conversation_id)
        except Exception as error:
            self.app.note(f"That conversation could not be opened: {safe_line(str(error), 120)}")
            return
        _go_to(self.app.tabs.open(opening), turn)


def _go_to(pane: ChatPane, turn: str) -> None:
    """Show what was found, as soon as there is something to show it on."""
    if turn:
        pane.call_after_refresh(pane.view.go_to, int(turn))
