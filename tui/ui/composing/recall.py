"""Up and Down in the text box: earlier prompts of all conversations come back into it, and the draft."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Protocol

from tui.core.safe_text import safe_line
from tui.store.prompts import Past
from tui.ui.composing.walk import Walk

if TYPE_CHECKING:
    from tui.ui.composing.composer import Composer

PAGE = 100
"""Prompts fetched at once."""


class PromptStore(Protocol):
    """Where earlier prompts come from: a `Store`. It blocks for some milliseconds: called in a thread."""

    def prompts(self, before: Past | None = None, limit: int = 100, most: int = 20_000) -> Sequence[Past]: ...
    def whole_prompt(self, past: Past) -> str: ...


class Recall:
    """One walk at a time. It is over once the box holds something else than what it put there."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self._walk = Walk("")
        self._oldest: Past | None = None  # of those fetched
        self._ended = True  # there are none older
        self._looking: asyncio.Task[None] | None = None
        self._more = 0  # steps that were asked for while the store was being looked into

    def back(self) -> None:
        """Up: what was queued or sent last here, then whatever was sent before, anywhere."""
        if self._busy:
            self._more += 1
        elif self.composer.box.recalled:
            self._step()
        else:
            self._begin()

    def forward(self) -> None:
        """Down: towards the draft."""
        if self._busy or not self.composer.box.recalled:
            return
        past = self._walk.forward()
        if past is None:
            self.composer.box.recall(self._walk.draft)
        else:
            self._show(past, back=False)

    @property
    def _busy(self) -> bool:
        return self._looking is not None and not self._looking.done()

    def _begin(self) -> None:
        """Leave the draft. A prompt taken out of the queue is nowhere else: it is the draft then."""
        talk, draft = self.composer.talk, self.composer.box.text
        queued = bool(talk.queue)
        last = None if draft else talk.take_back()
        self._walk = Walk(last if queued and last is not None else draft)
        self._oldest, self._ended = None, False
        if last is None:
            self._look(self._fetch_and_step())
            return
        self.composer.box.recall(last, back=True)
        if queued:
            self.composer.pane.moved()
        else:
            self._walk.add([Past(last, 0.0)])
            self._walk.back()
        self._look(self._fetch())  # behind the first Up: the second finds it there

    def _step(self) -> None:
        past = self._walk.back()
        if past is not None:
            self._show(past, back=True)
        elif self._ended:
            self.composer.say("That is the oldest prompt.")
        else:
            self._look(self._fetch_and_step())

    def _show(self, past: Past, *, back: bool) -> None:
        if past.cut:
            self._look(self._show_whole(past, back))
        else:
            self.composer.box.recall(past.text, back=back)

    # --- looking into the store ---------------------------------------------------------------------------

    def _look(self, look: Coroutine[None, None, None]) -> None:
        self._more = 0
        self._looking = asyncio.get_running_loop().create_task(self._then_go_on(look))

    async def _then_go_on(self, look: Coroutine[None, None, None]) -> None:
        try:
            await look
        except Exception as error:
            self._ended = True
            self.composer.say(safe_line(f"The earlier prompts could not be read: {error}", 200))
        more, self._more, self._looking = self._more, 0, None
        for _ in range(more):
            self.back()

    async def _fetch(self) -> None:
        shelf, found = self.composer.prompts, self.composer.said_here()
        if shelf:
            found = list(await asyncio.to_thread(shelf.prompts, self._oldest, PAGE))
        self._ended = shelf is None or len(found) < PAGE
        self._oldest = found[-1] if found else None
        self._walk.add(found)

    async def _fetch_and_step(self) -> None:
        before, past = self.composer.box.text, None
        while past is None:
            await self._fetch()
            if self.composer.box.text != before:
                return
            past = self._walk.back()
            if past is None and self._ended:
                self.composer.say("That is the oldest prompt." if before else "There is no earlier prompt.")
                return
        await self._show_whole(past, True)

    async def _show_whole(self, past: Past, back: bool) -> None:
        shelf, before = self.composer.prompts, self.composer.box.text
        text = await asyncio.to_thread(shelf.whole_prompt, past) if shelf and past.cut else past.text
        if self.composer.box.text == before:
            self.composer.box.recall(text, back=back)
