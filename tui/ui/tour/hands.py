"""The hands of the guide: they show a text, type, press keys, and wait until something has really happened.

Each verb looks at what is so before it acts: the person may do the same by hand, pause, take the keys, and
give them back in the middle of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from tui.ui.keys import caret
from tui.ui.tour.facts import Facts

if TYPE_CHECKING:
    from tui.ui.tour.app import TourApp

KEY_TIME = 0.045
"""Seconds from one typed letter to the next."""
CAP_TIME = 0.7
"""Seconds for which a key is shown as pressed before it is pressed, and again after."""
READING = 18.0
"""Letters a second that people read."""
BEGIN = 0.8
"""Seconds until they have found the text."""
LOOK = 0.04
"""Seconds between two looks at a run that is active."""
PATIENCE = 40.0
"""Seconds after which something that does not happen is told instead of waited for."""


class Otherwise(Exception):
    """Something that the step needs does not come about. `str()` is said to the person."""


class Mode(Enum):
    """Who has the keys."""

    PLAYING = "playing"
    PAUSED = "paused"
    HANDS = "by hand"  # the person has them; the guide says what to press
    OVER = "over"


class Hands(Facts):
    """The verbs that steps are made of. `sleep` is asked for all time to read and to type."""

    def __init__(
        self, app: TourApp, speed: float = 1.0, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        super().__init__(app)
        self.speed, self._sleep = speed, sleep
        self.mode = Mode.PLAYING
        self.text, self.key, self.down = "", "", False
        self.surprised = False  # the text says that something went otherwise
        self._news = asyncio.Event()
        self._answered = 0  # the newest turn that a step has made use of
        self._typed = ""

    def turn_to(self, mode: Mode) -> None:
        self.mode = mode
        self.tell()

    def tell(self) -> None:
        """Something changed: who waits looks again, and the caption is drawn anew."""
        self._news.set()
        self.app.caption_changed()

    def show(self, text: str, *, surprised: bool = False) -> None:
        """Show a text, and go on."""
        self.text, self.surprised = text, surprised
        self.tell()

    def cap(self, key: str, *, down: bool = False) -> None:
        """Show a key beside the text, as one that is down if it is being pressed. "": none."""
        self.key, self.down = key, down
        self.tell()

    async def say(self, text: str, *, surprised: bool = False) -> None:
        """Show a text for as long as it takes to read it."""
        self.show(text, surprised=surprised)
        await self.dwell(BEGIN + len(text) / READING)

    async def send(self, prompt: str) -> None:
        """Type a prompt and send it. By hand, any prompt will do, and one that was sent already."""
        before = self._answered
        while self.turns <= before:
            if await self._mine():
                await self._type(prompt)
                if self.mode is Mode.PLAYING:
                    await self.press("enter", lambda: self.turns > before or self.modal)
                    if self.modal:  # "Send now?", after a stop that nothing has shown the end of
                        await self.press("s", lambda: self.turns > before)
            else:
                self.show(f"“{prompt}”, or a prompt of your own.")
                self.cap("enter", down=False)
                await self._change(lambda: self.turns > before)
        self._answered = self.turns
        self.cap("")

    async def press(self, key: str, until: Callable[[], bool]) -> None:
        """Press a key, or ask for it, until something is so. Raises Otherwise."""
        while not until():
            if await self._mine():
                await self._pressed(key, until)
            else:
                self.cap(key, down=False)
                await self._change(until)
        self.cap("")

    async def _pressed(self, key: str, until: Callable[[], bool]) -> None:
        """Show it, press it, and wait for what is to come of it."""
        self.cap(key, down=False)
        await self.dwell(CAP_TIME / 2)
        if self.mode is not Mode.PLAYING or until():
            return
        self.cap(key, down=True)
        self.app.press(key)
        await self.until(until, f"{caret(key)} did not do it")
        await self.dwell(CAP_TIME)

    async def until(self, so: Callable[[], bool], otherwise: str) -> None:
        """Wait for something. Raises Otherwise after `PATIENCE`; a person with the keys may take longer."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        while not so():
            if self.mode is not Mode.PLAYING:
                since = loop.time()
            elif loop.time() - since > PATIENCE:
                raise Otherwise(f"{otherwise} within {PATIENCE:.0f} s.")
            await self._change(so, LOOK)

    async def idle(self) -> None:
        """Nothing runs: what still does is stopped."""
        if self.app.pane.talk.busy:
            await self.press("f8", lambda: not self.app.pane.talk.busy)

    async def clear(self) -> None:
        """No dialog is open, the chat is seen, and the box has the focus."""
        while self.modal:
            await self.app.screen.dismiss("")
        if self.app.inspecting:
            await self.app.pane.toggle_inspector()
        box = self.app.pane.box
        if box.text and self._typed.startswith(box.text):
            box.clear_draft()  # what was being typed when the person went to another step
        box.focus()

    # --- small things ---------------------------------------------------------------------------------------

    async def _type(self, text: str) -> None:
        """Letter by letter, from what stands in the box already."""
        box = self.app.pane.box
        if not text.startswith(box.text):
            box.clear_draft()
        self._typed = text
        self.cap("")
        for letter in text[len(box.text) :]:
            if self.mode is not Mode.PLAYING:
                return
            before = len(box.text)
            self.app.press(letter)
            await self.until(partial(self.longer, before), "Nothing could be typed")
            await self._sleep(KEY_TIME / self.speed)

    async def _mine(self) -> bool:
        """Whether the guide has the keys; waits while it is paused."""
        while self.mode is Mode.PAUSED:
            await self._change(lambda: False)
        return self.mode is Mode.PLAYING

    async def dwell(self, seconds: float) -> None:
        """Seconds for the person; a pause does not use them up."""
        left = seconds
        while left > 0:
            if self.mode is Mode.PAUSED:
                await self._change(lambda: False)
                continue
            part = min(left, 0.2)
            await self._sleep(part / self.speed)
            left -= part

    async def _change(self, so: Callable[[], bool], look: float | None = None) -> None:
        """Until something is so, the mode is another one, or `look` seconds have passed."""
        mode = self.mode
        while not so() and self.mode is mode:
            self._news.clear()
            try:
                async with asyncio.timeout(look or (LOOK if self.running else None)):
                    await self._news.wait()
            except TimeoutError:
                pass
            if look:
                return
