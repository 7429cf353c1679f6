"""Lends the terminal to an editor. A run that streams meanwhile is read and stored as before."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from tui.core.safe_text import safe_line
from tui.core.turn import FINAL
from tui.core.view import short
from tui.ui.composing.editor import NoEditor, Sheet, command, lay_out, told

if TYPE_CHECKING:
    from tui.core.conversation import Turn
    from tui.ui.composing.composer import Composer


class Editing:
    """One editor at a time, for the text of one box."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self.sheet: Sheet | None = None  # while an editor has it

    async def edit(self) -> None:
        """Open the editor, wait for it, bring back what it saved. Nothing is lost, whatever it does."""
        if self.sheet:
            return
        try:
            words = command(os.environ)
            self.sheet = await asyncio.to_thread(lay_out, self.composer.box.written)
        except (NoEditor, OSError) as error:
            self.composer.say(safe_line(str(error), 200))
            return
        running = _running(self.composer.talk.turn)
        try:
            note = await self._lend(words, self.sheet)
        finally:
            sheet, self.sheet = self.sheet, None
            await asyncio.shield(asyncio.to_thread(sheet.remove))
        self.composer.say(note or _ended_meanwhile(running))

    async def _lend(self, words: list[str], sheet: Sheet) -> str:
        app = self.composer.pane.app
        try:
            with app.batch_update(), app.suspend(), _deaf():
                code = await _run([*words, str(sheet.path)])
        except SuspendNotSupported:
            return "An editor needs a terminal of its own, and here is none."
        except OSError as error:
            return safe_line(f"{words[0]} could not be started: {error.strerror}.", 200)
        text = await asyncio.to_thread(sheet.read)
        changed = text != sheet.text
        if changed:
            self.composer.box.put(text)
        self.composer.box.focus()
        return safe_line(told(words, code, changed), 200)


async def _run(words: list[str]) -> int:
    """The editor, in our place at the terminal. If this is cancelled it ends, too."""
    process = await asyncio.create_subprocess_exec(*words)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()


@contextmanager
def _deaf() -> Iterator[None]:
    r"""^C and ^\ are the editor's: the terminal sends their signals to us as well."""
    before = {number: signal.signal(number, _nothing) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _nothing(number: int, frame: object) -> None:
    """A function, not SIG_IGN, which the editor would inherit."""


def _running(turn: Turn | None) -> Turn | None:
    return turn if turn and turn.phase not in FINAL else None


def _ended_meanwhile(turn: Turn | None) -> str:
    if turn is None or turn.phase not in FINAL:
        return ""
    return f"The run ended while you were in the editor: {short(turn)}."
