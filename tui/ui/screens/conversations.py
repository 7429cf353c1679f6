"""The list of conversations: find one, go on with it, rename it, delete it and take that back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.core.safe_text import safe_line
from tui.core.turn import Outcome, Phase
from tui.core.view import OUTCOMES, PHASES, SHORT
from tui.store.prompts import Past
from tui.ui.screens.modal import BarredModal
from tui.ui.widgets.run_bar import Facts


class Row(Protocol):
    """A conversation as the store lists it."""

    @property
    def conversation_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def backend(self) -> str: ...
    @property
    def phase(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def chars(self) -> int: ...
    @property
    def touched(self) -> float: ...


class Shelf(Protocol):
    """What the screen needs of the store. Its methods are called in a thread."""

    on_problem: Callable[[str | None], None] | None

    @property
    def problem(self) -> str | None: ...
    def opened(self, timeout_s: float = 15.0) -> bool: ...
    def list(self, limit: int = 200, query: str = "") -> Sequence[Row]: ...
    def delete(self, conversation_id: str) -> None: ...
    def undelete(self, conversation_id: str) -> None: ...
    def prompts(self, before: Past | None = None, limit: int = 100, most: int = 20_000) -> Sequence[Past]: ...
    def whole_prompt(self, past: Past) -> str: ...


class ConversationsScreen(BarredModal):
    """Dismisses with the id of the conversation to open, "new" for a new one, "" to stay."""

    TITLE_TEXT = "Conversations"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("enter", "choose", show=False, priority=True),
        Binding("delete", "delete", show=False),
        Binding("ctrl+z", "undelete", show=False, priority=True),
        Binding("ctrl+n", "dismiss('new')", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    ConversationsScreen OptionList, ConversationsScreen OptionList:focus {
        height: auto; max-height: 14; border: none; background: $surface; padding: 0;
    }
    ConversationsScreen Input, ConversationsScreen Input:focus {
        border: none; height: 1; padding: 0 1; margin: 0 0 1 0;
    }
    ConversationsScreen .foot { color: $foreground-muted; margin: 1 1 0 1; }
    """

    def __init__(self, facts: Facts, shelf: Shelf, here: str) -> None:
        super().__init__(facts)
        self.shelf = shelf
        self.here = here
        self._deleted: list[str] = []

    def contents(self) -> list[Widget]:
        foot = "Enter open   ^N new   Del delete   ^Z undo   Esc close"
        return [Input(placeholder="search titles"), OptionList(), Static(foot, classes="foot", markup=False)]

    def on_mount(self) -> None:
        super().on_mount()
        self._fill()

    @on(Input.Changed)
    def _fill(self) -> None:
        self.run_worker(self._filled(self.query_one(Input).value), exclusive=True)

    async def _filled(self, query: str) -> None:
        rows = await asyncio.to_thread(self.shelf.list, 200, query)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(Content(self._line(row)), id=row.conversation_id) for row in rows])
        if rows:
            options.highlighted = 0

    def _line(self, row: Row) -> str:
        sign, word = state_of(row.phase, row.outcome)
        if row.conversation_id == self.here:
            sign, word = "●", "open here"
        title = safe_line(row.title or "(nothing said yet)", 34)
        return f"{sign} {title:<34} {word:<16} {when(row.touched):<12} {row.chars:>7,} ch"

    def action_move(self, rows: int) -> None:
        options = self.query_one(OptionList)
        if rows > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_choose(self) -> None:
        if chosen := self._highlighted():
            self.dismiss(chosen)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id or "")

    def action_delete(self) -> None:
        chosen = self._highlighted()
        if chosen and chosen != self.here:
            self._deleted.append(chosen)
            self.shelf.delete(chosen)
            self._fill()

    def action_undelete(self) -> None:
        if self._deleted:
            self.shelf.undelete(self._deleted.pop())
            self._fill()

    def _highlighted(self) -> str:
        options = self.query_one(OptionList)
        if options.highlighted is None:
            return ""
        return options.get_option_at_index(options.highlighted).id or ""


def state_of(phase: str, outcome: str) -> tuple[str, str]:
    """Sign and words for a stored conversation's last turn."""
    if outcome:
        kind = Outcome(outcome)
        return OUTCOMES[kind].sign, SHORT[kind]
    if phase in (Phase.SENDING, Phase.STREAMING, Phase.LOST):
        return PHASES[Phase.LOST].sign, "left running"
    known = Phase(phase) if phase in set(Phase) else Phase.IDLE
    return PHASES[known].sign, {"completed": "done", "idle": ""}.get(known, str(known))


def when(wall: float) -> str:
    """A time for a list: today's by the clock, others by the day."""
    then, now = time.localtime(wall), time.localtime()
    same_day = then[:3] == now[:3]
    return time.strftime("%H:%M" if same_day else "%Y-%m-%d", then)
