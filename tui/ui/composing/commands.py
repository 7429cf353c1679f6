"""The App's commands for writing prompts, and what the text box asks for.

What they need is imported when they are called: the start does not wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual import events

from tui.session.player import RECORDING
from tui.store.prompts import Past
from tui.ui.widgets.paste_area import PasteArea
from tui.ui.widgets.prompt_box import PromptBox

if TYPE_CHECKING:
    from tui.ui.composing.composer import Composer
    from tui.ui.pane import ChatPane

NOT_OVER_A_MODAL = frozenset({"prompts", "editor"})
"""Actions of this file that do nothing while a dialog is open."""

FOLDED = "Folded; sent in full. Tab unfolds it, ^G edits it."
TOO_LONG = "That is too long for this box: ^G opens it in your editor."


class Composing:
    """Mixed into the App, which has `pane`, `note` and `spawn`."""

    pane: ChatPane

    def on_prompt_box_recall(self: Any, event: PromptBox.Recall) -> None:
        recall = self.pane.composer.recall
        (recall.back if event.back else recall.forward)()

    def on_paste(self: Any, event: events.Paste) -> None:
        """Nothing else here takes a paste: it is meant for the box."""
        if len(self.screen_stack) == 1:
            self.pane.box.focus()
            self.pane.box.post_message(events.Paste(event.text))

    def on_paste_area_folded(self: Any, event: PasteArea.Folded) -> None:
        self.note(TOO_LONG if event.too_long else FOLDED)

    def action_prompts(self: Any) -> None:
        """Look through everything that was ever asked."""
        from tui.ui.screens.prompts import PromptsScreen

        composer = self.pane.composer
        if self.pane.talk.opening.reel:
            self.note(RECORDING)
            return
        shelf = composer.prompts

        def ask(before: Past | None, limit: int, most: int) -> Sequence[Past]:
            return shelf.prompts(before, limit, most) if shelf else composer.said_here() if not before else ()

        screen = PromptsScreen(self.pane, ask)
        self.push_screen(
            screen, lambda how: self.spawn(self._bring(composer, screen.chosen)) if how else None
        )

    def action_editor(self: Any) -> None:
        """Write the prompt in the editor of one's choice."""
        if self.pane.talk.opening.reel:
            self.note(RECORDING)
        else:
            self.spawn(self.pane.composer.editing.edit())

    async def _bring(self: Any, composer: Composer, past: Past) -> None:
        """A prompt that was chosen, into the box. What stood there is one ^Z away."""
        text = past.text
        if past.cut and composer.prompts:
            text = await asyncio.to_thread(composer.prompts.whole_prompt, past)
        if composer.box.text:
            self.note("^Z brings back what stood here")
        composer.box.put(text)
