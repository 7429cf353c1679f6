"""The list of conversations: running ones live, search over everything said, rename, delete, take back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.core.safe_text import safe_line
from tui.store.prompts import Past
from tui.ui.screens.conversation_lines import Kept, Live, Place, conversation_line, place_line
from tui.ui.screens.modal import BarredModal
from tui.ui.widgets.run_bar import Facts

MOST, MOST_PLACES = 200, 50
LIVE_EVERY = 0.5
"""Seconds between two looks at what runs, while something does."""
LOW = 16
"""Rows below which the line of keys gives its place to the list."""
FOOT = "Enter open  ^N new  ^X stop  ^E rename  Del delete  ^Z undo"


class Shelf(Protocol):
    """What the screen needs of the store. Its methods are called in a thread."""

    on_problem: Callable[[str | None], None] | None

    @property
    def problem(self) -> str | None: ...
    def opened(self, timeout_s: float = 15.0) -> bool: ...
    def list(self, limit: int = 200, query: str = "") -> Sequence[Kept]: ...
    def search(self, text: str, limit: int = 50) -> Sequence[Place]: ...
    def rename(self, conversation_id: str, title: str) -> None: ...
    def delete(self, conversation_id: str) -> None: ...
    def undelete(self, conversation_id: str) -> None: ...
    def prompts(self, before: Past | None = None, limit: int = 100, most: int = 20_000) -> Sequence[Past]: ...
    def whole_prompt(self, past: Past) -> str: ...


class Openness(Protocol):
    """What is open in tabs, asked for each drawing."""

    def live(self, conversation_id: str) -> Live | None: ...
    def stop(self, conversation_id: str) -> bool: ...
    def renamed(self, conversation_id: str, title: str) -> None: ...


class ConversationsScreen(BarredModal):
    """Dismisses with the id of the conversation to open ("ID#TURN": at that turn), "new", or "" to stay."""

    TITLE_TEXT = "Conversations"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("enter", "choose", show=False, priority=True),
        Binding("delete", "delete", show=False, priority=True),
        Binding("ctrl+z", "undelete", show=False, priority=True),
        Binding("ctrl+e", "rename", show=False, priority=True),
        Binding("ctrl+x", "stop", show=False, priority=True),
        Binding("ctrl+n", "dismiss('new')", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    ConversationsScreen > .sheet { width: 90; }
    ConversationsScreen OptionList, ConversationsScreen OptionList:focus {
        height: auto; max-height: 14; border: none; background: $surface; padding: 0;
    }
    ConversationsScreen Input { padding: 0 1; margin: 0 0 1 0; }
    ConversationsScreen .foot { color: $foreground-muted; margin: 1 1 0 1; height: auto; }
    ConversationsScreen.-low Input { margin: 0; }
    ConversationsScreen.-low .foot { display: none; }
    """

    def __init__(self, facts: Facts, shelf: Shelf, tabs: Openness) -> None:
        super().__init__(facts)
        self.shelf, self.tabs = shelf, tabs
        self.input = Input(placeholder="search titles and everything that was said", compact=True)
        self.options = OptionList()
        self.foot = Static(FOOT, classes="foot", markup=False)
        self._rows: dict[str, Kept] = {}
        self._deleted: list[str] = []
        self._renaming: tuple[str, str] | None = None  # the conversation, and what was searched for before
        self._ticking: Timer | None = None

    def contents(self) -> list[Widget]:
        return [self.input, self.options, self.foot]

    def on_mount(self) -> None:
        super().on_mount()
        self._ticking = self.set_interval(LIVE_EVERY, self._look_again, pause=True)
        self._fill()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < LOW, "-low")
        self.call_after_refresh(self._draw_rows)

    # --- the rows -----------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _fill(self) -> None:
        if not self._renaming:
            self.run_worker(self._filled(self.input.value), exclusive=True, group="fill")

    async def _filled(self, query: str) -> None:
        """An answer that a later question has overtaken is cancelled with its worker."""
        rows = await asyncio.to_thread(self.shelf.list, MOST, query)
        self._rows = {row.conversation_id: row for row in rows}
        self._show([Option(self._line(row), id=row.conversation_id) for row in rows])
        if query.strip():
            places = await asyncio.to_thread(self.shelf.search, query, MOST_PLACES)
            self._add(places)

    def _show(self, options: list[Option]) -> None:
        at = self._highlighted()
        self.options.clear_options()
        self.options.add_options(options)
        if options:
            ids = [option.id for option in options]
            self.options.highlighted = ids.index(at) if at in ids else 0
        self._tick()

    def _add(self, places: Sequence[Place]) -> None:
        """What was said with these words in it, behind the conversations whose titles have them."""
        width = self.options.size.width or 60
        known = {option.id for option in self.options.options}
        for place in places:
            name = f"{place.conversation_id}#{place.turn}"
            if name not in known:  # a prompt and its reply may both have the words
                known.add(name)
                self.options.add_option(Option(place_line(place, width), id=name))
        if self.options.highlighted is None and places:
            self.options.highlighted = 0

    def _line(self, row: Kept) -> Content:
        width = self.options.size.width or 60
        return conversation_line(row, self.tabs.live(row.conversation_id), width)

    def _draw_rows(self) -> None:
        for name, row in self._rows.items():
            self.options.replace_option_prompt(name, self._line(row))

    def _look_again(self) -> None:
        for name, row in self._rows.items():
            if self.tabs.live(name):
                self.options.replace_option_prompt(name, self._line(row))
        self._tick()

    def _moving(self) -> list[str]:
        lines = ((name, self.tabs.live(name)) for name in self._rows)
        return [name for name, live in lines if live and live.moving]

    def _tick(self) -> None:
        """Nothing ticks while nothing runs."""
        if self._ticking:
            (self._ticking.resume if self._moving() else self._ticking.pause)()

    # --- keys ---------------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        """Esc: out of the renaming first."""
        if self._renaming:
            self._end_renaming()
        else:
            self.dismiss("")

    def action_move(self, rows: int) -> None:
        (self.options.action_cursor_down if rows > 0 else self.options.action_cursor_up)()

    def action_choose(self) -> None:
        if self._renaming:
            self.run_worker(self._rename(self._renaming[0], self.input.value), group="change")
        elif chosen := self._highlighted():
            self.dismiss(chosen)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id or "")

    def action_stop(self) -> None:
        """Stop the run of the conversation under the cursor; its text is frozen when this returns."""
        chosen = self._chosen_row()
        if chosen and not self.tabs.stop(chosen):
            self._say("Nothing is running in this one here.")
        self._draw_rows()

    def action_delete(self) -> None:
        chosen = self._chosen_row()
        if not chosen or self._renaming:
            return
        if self.tabs.live(chosen):
            self._say("This one is open in a tab: close it there first (/close).")
            return
        self._deleted.append(chosen)
        self.run_worker(self._change(self.shelf.delete, chosen), group="change")

    def action_undelete(self) -> None:
        if self._deleted:
            self.run_worker(self._change(self.shelf.undelete, self._deleted.pop()), group="change")

    def action_rename(self) -> None:
        chosen = self._chosen_row()
        if chosen and not self._renaming:
            self._renaming = chosen, self.input.value
            self.input.value = safe_line(self._rows[chosen].title, 200)
            self.input.cursor_position = len(self.input.value)
            self._say("Enter keeps the new name, Esc the old one.")

    async def _rename(self, conversation_id: str, title: str) -> None:
        if not title.strip():
            self._say("A name needs at least one letter; Esc keeps the old one.")
            return
        await asyncio.to_thread(self.shelf.rename, conversation_id, title.strip())
        self.tabs.renamed(conversation_id, title.strip())
        self._end_renaming()

    def _end_renaming(self) -> None:
        assert self._renaming
        before, self._renaming = self._renaming[1], None
        self._say(FOOT)
        if self.input.value == before:
            self._fill()
        self.input.value = before

    async def _change(self, change: Callable[[str], None], conversation_id: str) -> None:
        try:
            await asyncio.to_thread(change, conversation_id)
        except Exception as error:
            self._say(safe_line(str(error), 200))
        self._fill()

    def _say(self, sentence: str) -> None:
        self.foot.update(sentence)

    def _highlighted(self) -> str:
        at = self.options.highlighted
        return "" if at is None else self.options.get_option_at_index(at).id or ""

    def _chosen_row(self) -> str:
        """The conversation under the cursor, also where a place in it is."""
        chosen = self._highlighted().partition("#")[0]
        return chosen if chosen in self._rows else ""
