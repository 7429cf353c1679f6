"""The list above the text box that completes what is being typed. No dialog: everything else goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.core.safe_text import safe_line
from tui.ui.composing.offers import Offer
from tui.ui.widgets.run_bar import fitted

ROWS = 8


class Popup(Widget):
    """Some offers, one of them chosen. It never takes the focus: the box asks it for the arrow keys' sake."""

    can_focus = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"popup--name", "popup--help", "popup--chosen"}
    DEFAULT_CSS = """
    Popup { height: auto; display: none; background: $surface; }
    Popup > .popup--name { color: $text-accent; background: $surface; }
    Popup > .popup--help { color: $foreground-muted; background: $surface; }
    Popup > .popup--chosen {
        color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
    }
    """

    class Chosen(Message):
        """A click on an offer."""

    def __init__(self) -> None:
        super().__init__()
        self.offers: Sequence[Offer] = ()
        self.at: int | None = None  # None: a hint, nothing to choose
        self.note = ""
        self._top = 0
        self._names = 0

    def show(self, offers: Sequence[Offer], *, choose: bool = True, note: str = "") -> None:
        """Show these offers; without any the list is closed. The one that was chosen stays chosen."""
        before = self.chosen
        self.offers, self.note = offers, note
        at = list(offers).index(before) if before is not None and before in offers else 0
        self.at = at if choose and offers else None
        self._top = 0
        self._names = max((cell_len(offer.label) for offer in offers), default=0)
        rows = min(len(offers), self._rows)
        self.styles.height = rows
        self.display = rows > 0
        self._follow()

    @property
    def chosen(self) -> Offer | None:
        return self.offers[self.at] if self.at is not None else None

    @property
    def _rows(self) -> int:
        return max(3, min(ROWS, self.app.size.height // 3))

    def move(self, rows: int) -> None:
        """Choose another offer; from the last one goes on to the first."""
        if self.at is not None:
            self.at = (self.at + rows) % len(self.offers)
            self._follow()

    def _follow(self) -> None:
        rows = min(len(self.offers), self._rows)
        if self.at is not None:
            self._top = min(max(self._top, self.at - rows + 1), self.at)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        if self.at is not None and self._top + event.y < len(self.offers):
            self.at = self._top + event.y
            self.post_message(self.Chosen())

    def render_line(self, y: int) -> Strip:
        width, number = self.size.width, self._top + y
        if number >= len(self.offers):
            return Strip.blank(width, self.rich_style)
        offer = self.offers[number]
        count = f" {number + 1}/{len(self.offers)} " if number == self.at and len(self.offers) > 1 else ""
        names = min(self._names + 2, max(10, width * 2 // 3))
        left = fitted(f" {safe_line(offer.label, 400)}", min(names + 1, width))
        room = max(0, width - cell_len(left) - len(count))
        right = fitted(safe_line(offer.help, 200), room) if room else ""
        chosen = number == self.at
        styles = ["popup--chosen"] * 3 if chosen else ["popup--name", "popup--help", "popup--help"]
        texts = (left, right, count)
        return Strip(
            [Segment(t, self.get_component_rich_style(s)) for t, s in zip(texts, styles, strict=True) if t]
        ).adjust_cell_length(width, self.rich_style)
