"""Plays a recorded conversation through the same core and the same screen, stops included. No backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from tui.backends.base import AbortAnswer, BackendError, Capabilities, Prompt, RemoteStop, RunRef, RunStatus
from tui.core.conversation import Conversation, Turn
from tui.core.events import Event
from tui.core.safe_text import safe_line
from tui.session.driver import Session
from tui.session.opening import Opening
from tui.session.parts import Forgetful, Pressed
from tui.session.reel import Reel

AT_ONCE = 200
"""Records that are due together are shown in portions of so many, so that keys act in between."""
RECORDING = "This is a recording: Space pauses it and lets it go on, . steps, + and - change the speed."


class NoBackend:
    """Stands where a backend would: nothing is ever sent."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.capabilities = Capabilities(RemoteStop.ABORT)

    async def connect(self) -> None:
        """Nothing to connect to."""

    async def aclose(self) -> None:
        """Nothing to close."""

    def run(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        raise BackendError(RECORDING)

    async def abort(self, run: RunRef, reason: str = "") -> AbortAnswer:
        raise BackendError(RECORDING)

    async def status(self, run: RunRef) -> RunStatus | None:
        return None

    def resume(self, run: RunRef) -> AsyncGenerator[Event, None]:
        raise BackendError(RECORDING)

    async def answer(self, run: RunRef, request: str, reply: str) -> None:
        raise BackendError(RECORDING)

    def answering(self, run: RunRef, request: str, reply: str) -> AsyncGenerator[Event, None]:
        raise BackendError(RECORDING)


class Player(Session):
    """A `Session` whose records come from a reel. What a person would start or stop is refused in words."""

    def __init__(self, reel: Reel, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reel = reel
        self.say: Callable[[str], None] = lambda sentence: None
        self.on_move: Callable[[], None] = lambda: None
        self._playing: asyncio.Task[None] | None = None
        self._nudged = asyncio.Event()

    # --- playing ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Play, from the event loop's thread."""
        self._playing = asyncio.get_running_loop().create_task(self._play())

    async def ended(self) -> None:
        """Return when everything has been shown."""
        if self._playing:
            await asyncio.wait([self._playing])

    async def _play(self) -> None:
        while not self.reel.over:
            self._nudged.clear()
            wait = self.reel.due_in()
            if wait == 0:
                self._take_portion()
                await asyncio.sleep(0)
            else:
                await self._wait(wait)
        if self.reel.problem:
            self.say(safe_line(f"The recording ends here: {self.reel.problem}"))
        self.on_move()

    async def _wait(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        except TimeoutError:
            pass

    def _take_portion(self) -> None:
        for _ in range(AT_ONCE):
            if self.reel.over or self.reel.due_in() != 0:
                return
            self.step()

    def step(self) -> None:
        """Show the next record now."""
        if self.reel.over:
            return
        record = self.reel.take()
        self.conversation.apply(record)
        if self.on_change:
            self.on_change(self.conversation.turn(record.turn), record)

    def pause(self, paused: bool) -> None:
        """Hold, or go on."""
        self.reel.pause(paused)
        self._nudge()

    def change_speed(self, steps: int) -> None:
        self.reel.change_speed(steps)
        self._nudge()

    def _nudge(self) -> None:
        self._nudged.set()
        self.on_move()

    # --- what a session can do, and a recording cannot -----------------------------------------------------

    @property
    def running(self) -> bool:
        return False

    @property
    def stopping(self) -> bool:
        return False

    def send(self, text: str, *, key: str = "") -> Turn:
        self.say(RECORDING)
        return self.conversation.turns[-1]

    def stop(self, cause: str, reason: str = "") -> Pressed:
        self.pause(True)
        self.say(RECORDING)
        return Pressed.NOTHING_RUNNING

    def may_retry(self, turn: Turn) -> bool:
        return False

    def answer(self, request: str, reply: str) -> None:
        self.say(RECORDING)

    def check_again(self, turn: Turn) -> None:
        self.say(RECORDING)

    async def close(self, *, stop_first: bool = False, cause: str = "quit") -> None:
        if self._playing:
            self._playing.cancel()


def replaying(reel: Reel, conversation_id: str, label: str, backend: str = "recording") -> Opening:
    """What it takes to show a recording where a conversation would be. Nothing of it is written."""
    return Opening(
        NoBackend(backend),
        Conversation(f"{conversation_id}-replay"),
        Forgetful(),
        f"replay: {label}",
        come_back=f"stopkey replay {conversation_id}",
        mono=reel.mono,
        reel=reel,
    )
