"""The row of open conversations: number, title and state of each; a click goes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events

from tui.core.safe_text import SafeText
from tui.ui.widgets.lines import Piece, Row


@dataclass(frozen=True, slots=True)
class Tab:
    """One open conversation. `urgent`: its agent waits for the person."""

    title: SafeText | str
    sign: str
    seen: bool
    urgent: bool = False


class TabBar(Row):
    """One row; not there while a single conversation is open."""

    DEFAULT_CSS = """
    TabBar { background: $boost; display: none; }
    """

    def __init__(self, tabs: Callable[[], Sequence[Tab]], go: Callable[[int], None]) -> None:
        super().__init__(self._pieces, id="tabs")
        self._ask = tabs
        self._go = go

    def _pieces(self, width: int) -> tuple[list[Piece], list[Piece]]:
        return [piece for _, piece in self._laid_out(width)], []

    def _laid_out(self, width: int) -> list[tuple[int, Piece]]:
        """Each tab's index and text: all titles are shortened alike, so that every tab is to be seen."""
        tabs = self._ask()
        room = max(0, width // max(1, len(tabs)) - 8)
        return [(nth, _piece(nth, tab, room)) for nth, tab in enumerate(tabs)]

    def on_click(self, event: events.Click) -> None:
        at = 0
        for nth, (text, _) in self._laid_out(self.size.width):
            at += cell_len(text)
            if event.x < at:
                event.stop()
                self._go(nth)
                return


def _piece(nth: int, tab: Tab, room: int) -> Piece:
    title = tab.title if cell_len(tab.title) <= room else tab.title[: max(0, room - 1)] + "…" * (room > 0)
    text = f" {nth + 1} {title} {tab.sign} ".replace("  ", " ")
    return text, "row--warn" if tab.urgent else "row--strong" if tab.seen else "row--dim"
