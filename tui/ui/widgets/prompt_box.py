"""The text box: Enter sends, ^J breaks the line, Up in an empty box takes back, / starts a command."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea


class PromptBox(TextArea):
    """A `TextArea` that posts what the person means. The draft is its text; only the app clears it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+j,shift+enter", "newline", "Newline", show=False),
    ]

    class Sent(Message):
        """Enter: the box's text is to be sent (or queued)."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class TakeBack(Message):
        """Up in an empty box."""

    class Scroll(Message):
        """Page keys move the conversation, not the box. `pages` is -1, 1; `end` means back to live."""

        def __init__(self, pages: int = 0, end: bool = False) -> None:
            super().__init__()
            self.pages, self.end = pages, end

    def __init__(self) -> None:
        super().__init__(soft_wrap=True, tab_behavior="focus", compact=True, show_line_numbers=False)
        self.cursor_blink = False

    def action_newline(self) -> None:
        self.insert("\n")

    def put(self, text: str) -> None:
        """Replace the draft, undoable, cursor at its end."""
        self.replace(text, (0, 0), self.document.end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)

    def clear_draft(self) -> None:
        """Empty the box in a way that ^Z undoes."""
        self.put("")

    async def _on_key(self, event: events.Key) -> None:
        if self._meant_for_us(event.key):
            event.stop()
            event.prevent_default()
            return
        await super()._on_key(event)

    def _meant_for_us(self, key: str) -> bool:
        if key == "enter":
            self.post_message(self.Sent(self.text))
        elif key == "up" and not self.text:
            self.post_message(self.TakeBack())
        elif key in ("pageup", "pagedown"):
            self.post_message(self.Scroll(-1 if key == "pageup" else 1))
        elif key == "end" and self.cursor_location == self.document.end:
            self.post_message(self.Scroll(end=True))
        else:
            return False
        return True
