"""The open conversations: one is seen, the others go on behind it. Each has its own Stop; a key stops all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tui.core.turn import Phase
from tui.core.view import look
from tui.session import Opening, Pressed
from tui.ui.pane import ChatPane
from tui.ui.widgets.tab_bar import Tab, TabBar

if TYPE_CHECKING:
    from tui.ui.app import StopkeyApp

TITLE = 24
"""Columns of a title in the bar."""


class Tabs:
    """Opens, shows and closes panes. `app.pane` is the one that is seen."""

    def __init__(self, app: StopkeyApp, first: ChatPane) -> None:
        self.app = app
        self.panes = [first]
        self.bar = TabBar(self._tabs, self.go)

    @property
    def running(self) -> list[ChatPane]:
        """Those with something to stop."""
        return [pane for pane in self.panes if pane.talk.session.running]

    @property
    def behind(self) -> int:
        """How many runs are active that are not seen."""
        return sum(pane is not self.app.pane for pane in self.running)

    def of(self, conversation_id: str) -> ChatPane | None:
        """The pane in which this conversation is open. A replay of it is not."""
        for pane in self.panes:
            if pane.talk.opening.conversation.id == conversation_id and not pane.talk.opening.reel:
                return pane
        return None

    def open(self, opening: Opening) -> ChatPane:
        """Show a conversation: in the place of one in which nothing was said, else beside the others."""
        app, before = self.app, self.app.pane
        pane = ChatPane(opening, desk=app.desk, still=app.still, plain=app.plain)
        self.panes.insert(self.panes.index(before) + 1, pane)
        app.mount(pane, after=before)
        app.spawn(app.warm_up(pane))
        self.see(pane)
        if before.untouched:
            self.close(before)
        app.note(opening.note)
        return pane

    def see(self, pane: ChatPane) -> None:
        """Bring a pane before the others."""
        self.app.pane = pane
        for other in self.panes:
            (other.bring_before if other is pane else other.put_behind)()
        self.changed()

    def go(self, index: int) -> None:
        """The pane at this place, if there is one."""
        if 0 <= index < len(self.panes) and self.panes[index] is not self.app.pane:
            self.see(self.panes[index])

    def step(self, by: int) -> None:
        """The next or previous one, around the ends."""
        self.go((self.panes.index(self.app.pane) + by) % len(self.panes))

    def close(self, pane: ChatPane, *, stop_first: bool = False) -> None:
        """Take a pane away. Its connections and its log are closed behind it."""
        at = self.panes.index(pane)
        self.panes.remove(pane)
        if pane is self.app.pane:
            self.see(self.panes[min(at, len(self.panes) - 1)])
        pane.save_draft()
        self.app.spawn(_leave(pane, stop_first))
        pane.remove()
        self.changed()

    def stop_all(self, cause: str) -> int:
        """Stop every run that is active. All texts are frozen when this returns; how many there were."""
        stopped = [pane for pane in self.panes if pane.talk.stop(cause) is Pressed.STOPPED]
        for pane in stopped:
            asyncio.get_running_loop().call_soon(pane.view.draw_now)
        return len(stopped)

    def changed(self) -> None:
        """A state or a title is another one: the bar is drawn anew, and shown while there are several."""
        self.bar.display = len(self.panes) > 1
        self.bar.refresh()

    def _tabs(self) -> Sequence[Tab]:
        return [_tab(pane, pane is self.app.pane, self.app.plain) for pane in self.panes]


def _tab(pane: ChatPane, seen: bool, plain: bool) -> Tab:
    turn = pane.talk.turn
    shown = look(turn, pane.talk.can_retry)
    sign = (shown.plain if plain else shown.sign) if turn else ""
    waits = turn is not None and turn.phase is Phase.WAITING
    return Tab(pane.talk.title[:TITLE] or "new", sign, seen=seen, urgent=waits)


async def _leave(pane: ChatPane, stop_first: bool) -> None:
    await pane.talk.leave(stop_first=stop_first, cause="closed the tab")


class Tabbing:
    """Mixed into the App: what its keys and words do with tabs."""

    tabs: Tabs

    def action_tab(self: Any, by: int) -> None:
        """The next tab, or the previous one."""
        if len(self.tabs.panes) < 2:
            self.note("There is one conversation open; ^N opens another, ^T lists all.")
        else:
            self.tabs.step(by)

    def action_stop_all(self: Any) -> None:
        """Stop what runs, in every tab."""
        stopped = self.tabs.stop_all("stop all")
        runs = f"{stopped} run" + ("s" if stopped > 1 else "")
        self.note(f"stopped {runs}" if stopped else "nothing is running in any tab")

    def action_close_tab(self: Any) -> None:
        """Close the tab that is seen; asks if a run is active in it."""
        from tui.ui.leaving import ask

        pane = self.pane
        if len(self.tabs.panes) < 2:
            self.note("This is the only conversation that is open; ^Q quits.")
        elif pane.talk.session.running:
            ask(self, [pane], lambda stop: self.tabs.close(pane, stop_first=stop), then="close")
        else:
            self.tabs.close(pane)
