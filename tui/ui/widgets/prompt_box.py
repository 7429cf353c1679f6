"""The text box: Enter sends, ^J breaks the line, Up brings earlier prompts, / starts a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.ui.composing.chips import is_long
from tui.ui.widgets.paste_area import PasteArea


class PromptBox(PasteArea):
    """A `TextArea` that posts what the person means. The draft is its text; only the app clears it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+j,shift+enter", "newline", "Newline", show=False),
    ]

    class Recall(Message):
        """Up at the very top, Down at the very end of what Up brought: an earlier prompt, or a later one."""

        def __init__(self, back: bool) -> None:
            super().__init__()
            self.back = back

    class Scroll(Message):
        """Page keys move the conversation, not the box. `pages` is -1, 1; `end` means back to live."""

        def __init__(self, pages: int = 0, end: bool = False) -> None:
            super().__init__()
            self.pages, self.end = pages, end

    def __init__(self) -> None:
        super().__init__(soft_wrap=True, tab_behavior="focus", compact=True, show_line_numbers=False)
        self.cursor_blink = False
        self._recalled: str | None = None
        self.sends: Callable[[str, str], None] = lambda text, typed: None
        """Enter: send (or queue) the text; `typed` is the text with its chips. Called and not posted: keys
        that came in one burst with Enter would otherwise stand in the text before it is taken out."""
        self.asks_first: Callable[[str], bool] = lambda key: False
        """A list that may take Enter, Tab, Up and Down; true if it has."""

    # --- the text -----------------------------------------------------------------------------------------

    @property
    def recalled(self) -> bool:
        """Whether the text is what `recall` put here, unchanged."""
        return self.text == self._recalled

    def recall(self, text: str, *, back: bool = False) -> None:
        """Show an earlier prompt (`back`) or a later one. The cursor stands where the next step is near."""
        self.put(text)
        if back:
            self.move_cursor((0, len(self.document.get_line(0))))
        self._recalled = self.text

    def action_newline(self) -> None:
        self.insert("\n")

    def put(self, text: str) -> None:
        """Replace the draft, undoable, cursor at its end. A long text is folded."""
        self._recalled = None
        text = self.chips.fold(text) if is_long(text) else text
        self.chips.forget(f"{self.text}\n{text}")
        self.replace(text, (0, 0), self.document.end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)

    def clear_draft(self) -> None:
        """Empty the box in a way that ^Z undoes."""
        self.put("")

    def take_out(self, typed: str) -> None:
        """`typed` was sent: what has been typed after it, while files were being read, stays."""
        if self.text.startswith(typed):
            self.put(self.text.removeprefix(typed))

    # --- keys ---------------------------------------------------------------------------------------------

    async def _on_key(self, event: events.Key) -> None:
        if self._meant_for_us(event.key):
            event.stop()
            event.prevent_default()
            return
        await super()._on_key(event)

    def _meant_for_us(self, key: str) -> bool:
        if key in ("enter", "tab", "up", "down") and self.asks_first(key):
            return True
        if key == "enter":
            self.sends(self.written, self.text)
        elif key == "tab" and self.unfold_here():
            return True
        elif key == "up" and self._at_top:
            self.post_message(self.Recall(back=True))
        elif key == "down" and self.recalled and self.navigator.is_last_wrapped_line(self.cursor_location):
            self.post_message(self.Recall(back=False))
        elif key in ("pageup", "pagedown"):
            self.post_message(self.Scroll(-1 if key == "pageup" else 1))
        elif key == "end" and self.cursor_location == self.document.end:
            self.post_message(self.Scroll(end=True))
        else:
            return False
        return True

    @property
    def _at_top(self) -> bool:
        """Whether Up leaves the text: it is empty, or unchanged since Up brought it, or nothing is before."""
        at = self.cursor_location
        return at == (0, 0) or (self.navigator.is_first_wrapped_line(at) and self.recalled)
