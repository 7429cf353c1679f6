"""What one text box has for writing prompts, put together: one of these belongs to each pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.store.prompts import Past
from tui.ui.composing.attaching import Attaching
from tui.ui.composing.completing import Completing
from tui.ui.composing.editing import Editing
from tui.ui.composing.recall import PromptStore, Recall

if TYPE_CHECKING:
    from tui.ui.pane import ChatPane
    from tui.ui.talk import Talk
    from tui.ui.widgets.prompt_box import PromptBox


class Composer:
    """Holds the helpers of one box, and what they need of the pane."""

    def __init__(self, pane: ChatPane) -> None:
        self.pane = pane
        self.recall = Recall(self)
        self._saved: dict[str, str] = {}  # the pastes that are kept beside the draft
        self.editing = Editing(self)
        self.attaching = Attaching(self)
        pane.talk.session.files_of = self.attaching.of
        self.completing: Completing = Completing(self)
        pane.box.asks_first = self.completing.key
        pane.box.sends = self._send

    @property
    def box(self) -> PromptBox:
        return self.pane.box

    @property
    def talk(self) -> Talk:
        return self.pane.talk

    @property
    def prompts(self) -> PromptStore | None:
        """Where earlier prompts come from."""
        return self.pane.desk.store if self.pane.desk else None

    def said_here(self) -> list[Past]:
        """Where there is no store: the prompts of this conversation, the newest first."""
        turns = self.talk.session.conversation.turns
        return [Past(turn.prompt.text, turn.wall) for turn in reversed(turns)]

    def text_changed(self) -> None:
        """After every change of the text."""
        self.completing.look()
        self.attaching.text_changed()

    def _send(self, written: str, typed: str) -> None:
        self.pane.app.send_typed(written, typed)  # type: ignore[attr-defined]

    def save_draft(self) -> None:
        """Keep what is not sent, also if the client ends now: an editor that is open has the newer text.

        What chips stand for is long, and written only when it has changed.
        """
        save, sheet = self.talk.opening.save_note, self.editing.sheet
        text = sheet.read() if sheet else self.box.text
        pasted = self.box.chips.of(text)
        if list(pasted) != list(self._saved):
            save("pasted", pasted or None)
            self._saved = pasted
        save("draft", text)

    def bring_draft(self) -> None:
        """Put back what was kept."""
        opening = self.talk.opening
        self.box.chips.restore(opening.pasted)
        self._saved = opening.pasted
        if opening.draft:
            self.box.put(opening.draft)

    def say(self, sentence: str) -> None:
        """A note for the person."""
        self.pane.app.note(sentence)  # type: ignore[attr-defined]
