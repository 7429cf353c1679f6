"""A text area for pastes of any length: a long one is folded into a chip, so that keys stay quick."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import EditResult

from tui.ui.composing.chips import UNFOLDED, Chips, is_long, plain

Location = tuple[int, int]


class PasteArea(TextArea):
    """`written` is what the text stands for, with every paste in full. `text` itself stays short."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"paste-area--chip"}
    DEFAULT_CSS = """
    PasteArea > .paste-area--chip { color: $text-accent; text-style: bold; }
    """

    class Folded(Message):
        """A long paste became a chip (or could not be unfolded, `too_long`)."""

        def __init__(self, too_long: bool = False) -> None:
            super().__init__()
            self.too_long = too_long

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.chips = Chips()

    @property
    def written(self) -> str:
        """What is sent: the text, with what its chips stand for."""
        return self.chips.unfold(self.text)

    async def _on_paste(self, event: events.Paste) -> None:
        """One text, however many lines: it never sends."""
        event.stop()
        event.prevent_default()
        if self.read_only:
            return
        text = plain(event.text)
        folded = is_long(text)
        if folded:
            text = self.chips.fold(text)
            self.chips.forget(f"{self.text}\n{text}")
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)
        if folded:
            self.post_message(self.Folded())

    def unfold_here(self) -> bool:
        """Put the text itself in the place of the chip at the cursor."""
        row, column = self.cursor_location
        for begin, end, chip in self.chips.places(self.document.get_line(row)):
            if begin <= column <= end:
                text = self.chips.unfold(chip)
                if len(text) > UNFOLDED:
                    self.post_message(self.Folded(too_long=True))
                else:
                    self.replace(text, (row, begin), (row, end), maintain_selection_offset=False)
                return True
        return False

    def _replace_via_keyboard(self, insert: str, start: Location, end: Location) -> EditResult | None:
        return super()._replace_via_keyboard(insert, *self._around_chips(start, end))

    def _delete_via_keyboard(self, start: Location, end: Location) -> EditResult | None:
        return super()._delete_via_keyboard(*self._around_chips(start, end))

    def _around_chips(self, start: Location, end: Location) -> tuple[Location, Location]:
        """A chip is edited as a whole: what would cut it takes it all, what would go into it goes behind."""
        if start == end:
            at = self._edge(end, after=True)
            return at, at
        start, end = min(start, end), max(start, end)
        return self._edge(start, after=False), self._edge(end, after=True)

    def _edge(self, at: Location, *, after: bool) -> Location:
        row, column = at
        for begin, end, _ in self.chips.places(self.document.get_line(row)):
            if begin < column < end:
                return row, end if after else begin
        return at

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        for begin, end, _ in self.chips.places(line.plain):
            line.stylize(self.get_component_rich_style("paste-area--chip", partial=True), begin, end)
        return line
