"""F5: everything that was ever asked; type to find, Enter brings it into the text box."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.core.safe_text import SafeText, safe_line
from tui.store.prompts import Past
from tui.ui.composing.search import distinct, find, marks
from tui.ui.screens.conversation_lines import when
from tui.ui.screens.modal import BarredModal
from tui.ui.widgets.run_bar import Facts

PAGE, BEGINNING = 2000, 1000
"""Prompts read at once, and characters of each that are looked through."""
MOST, MOST_CHARS = 200_000, 24_000_000
"""Prompts, and characters of them, that are looked through at all: the newest."""

Ask = Callable[[Past | None, int, int], Sequence[Past]]
"""A page of prompts older than one, so many at most, of so many characters. Blocks: called in a thread."""


class PromptsScreen(BarredModal):
    """Dismisses with "chosen" (the prompt is `chosen` then), or with "" for Esc."""

    TITLE_TEXT = "Earlier prompts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move('down')", show=False, priority=True),
        Binding("up", "move('up')", show=False, priority=True),
        Binding("pagedown", "move('page_down')", show=False, priority=True),
        Binding("pageup", "move('page_up')", show=False, priority=True),
        Binding("enter", "choose", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    PromptsScreen > .sheet { width: 96%; max-width: 110; }
    PromptsScreen OptionList, PromptsScreen OptionList:focus {
        height: auto; max-height: 14; border: none; background: $surface; padding: 0;
    }
    PromptsScreen Input, PromptsScreen Input:focus { border: none; height: 1; padding: 0 1; margin: 0 0 1 0; }
    PromptsScreen .foot { color: $foreground-muted; margin: 1 1 0 1; height: 1; }
    """

    def __init__(self, facts: Facts, ask: Ask) -> None:
        super().__init__(facts)
        self.ask = ask
        self.chosen: Past | None = None
        self.foot = Static("", classes="foot", markup=False)
        self._all: list[Past] = []
        self._seen: set[str] = set()
        self._reading = True
        self._query = 0  # its number: an answer to an older one is not shown
        self._shown: list[Past] = []

    def contents(self) -> list[Widget]:
        return [Input(placeholder="words, or letters in order"), OptionList(), self.foot]

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._read(), group="read")

    async def _read(self) -> None:
        """Everything, page by page; what is looked for is shown as soon as the first page is there."""
        last, chars = None, 0
        while len(self._all) < MOST and chars < MOST_CHARS:
            try:
                page = await asyncio.to_thread(self.ask, last, PAGE, BEGINNING)
            except Exception as error:
                self.foot.update(safe_line(f"The earlier prompts could not be read: {error}", 200))
                return
            fresh = distinct(page, self._seen)
            self._all += fresh
            chars += sum(len(past.text) for past in fresh)
            self._reading = len(page) == PAGE
            if last is None or not self._reading:
                self._look()
            if not self._reading:
                return
            last = page[-1]
        self._reading = False

    @on(Input.Changed)
    def _look(self) -> None:
        self._query += 1
        self.run_worker(self._looked(self.query_one(Input).value, self._query), group="look", exclusive=True)

    async def _looked(self, query: str, number: int) -> None:
        def outdated() -> bool:
            return number != self._query

        found = await asyncio.to_thread(find, self._all, query, outdated)
        if not outdated():
            self._show(found, query)

    def _show(self, found: list[Past], query: str) -> None:
        options = self.query_one(OptionList)
        width = max(10, options.size.width - 2)
        self._shown = found
        options.clear_options()
        options.add_options([Option(row(past, query, width)) for past in found])
        if found:
            options.highlighted = 0
        self.foot.update(self._words(len(found)))

    def _words(self, count: int) -> str:
        if not self._all:
            return "Nothing was asked yet.   Esc close"
        many = f"{count:,} of {len(self._all):,}" + ("+" if self._reading else "")
        return f"{many}   Enter into the box   Esc close"

    def action_move(self, where: str) -> None:
        move = {"up": "cursor_up", "down": "cursor_down"}.get(where, where)
        getattr(self.query_one(OptionList), f"action_{move}")()

    def action_choose(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._shown):
            self._choose(at)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._choose(event.option_index)

    def _choose(self, at: int) -> None:
        self.chosen = self._shown[at]
        self.dismiss("chosen")


def row(past: Past, query: str, width: int) -> Content:
    """One line: when it was asked, and its beginning, with what was searched for made bold.

    Where the words would be out of sight the line begins a little before them.
    """
    stamp = f"{when(past.wall):<10}  " if width >= 50 else ""
    text = " ".join(past.text.split())
    found = marks(text, query)
    begin = 0
    if found and found[0][1] > width - len(stamp) - 4:
        begin = text.rfind(" ", 0, max(0, found[0][0] - 8)) + 1
    line = fitting(("…" if begin else "") + text[begin : begin + width], width - len(stamp))
    content = Content(stamp + line)
    for at, end in marks(str(content)[len(stamp) :], query):
        content = content.stylize("bold underline", len(stamp) + at, len(stamp) + end)
    return content


def fitting(text: str, cells: int) -> SafeText:
    """The beginning of a text in at most so many cells of the screen."""
    limit = max(2, cells)
    line = safe_line(text, limit)
    while cell_len(line) > max(2, cells) and limit > 2:
        limit -= max(1, (cell_len(line) - cells) // 2)
        line = safe_line(text, max(2, limit))
    return line
