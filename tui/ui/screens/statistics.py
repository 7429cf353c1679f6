"""F3: what the stops so far say, of this conversation or of all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from tui.core.safe_text import joined, safe
from tui.store.figures import report
from tui.store.stats import StopLine
from tui.ui.inspector.raw import TextRoll
from tui.ui.screens.modal import BarredModal
from tui.ui.widgets.run_bar import Facts

Ask = Callable[[bool], Sequence[StopLine]]
"""The stops: of all conversations if True, else of this one. Blocks: called in a thread."""


class StatisticsScreen(BarredModal):
    """Figures, a table, a plot. `a` changes between this conversation and all."""

    TITLE_TEXT = "Stops"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("a", "other", show=False)]
    DEFAULT_CSS = """
    StatisticsScreen > .sheet { width: 96%; max-width: 100; height: 85%; max-height: 24; }
    StatisticsScreen Static { color: $foreground-muted; height: 1; }
    """

    def __init__(self, facts: Facts, ask: Ask, plain: bool = False) -> None:
        super().__init__(facts)
        self.ask, self.plain = ask, plain
        self.all = True
        self.text = TextRoll(safe(""))

    def contents(self) -> list[Widget]:
        return [self.text, Static("a this conversation / all   Esc close", markup=False)]

    def on_mount(self) -> None:
        super().on_mount()
        self.text.focus()
        self.call_after_refresh(self.action_other)

    def action_other(self) -> None:
        """This conversation, or all."""
        self.all = not self.all
        self.run_worker(self._show(self.all), exclusive=True)

    async def _show(self, everything: bool) -> None:
        try:
            lines = await asyncio.to_thread(self.ask, everything)
        except Exception as error:
            self.text.show(safe(f"The figures could not be read: {error}"))
            return
        what = "all conversations" if everything else "this conversation"
        width = max(20, self.text.size.width)
        self.text.show(joined(report(lines, what, width, plain=self.plain), "\n"))
