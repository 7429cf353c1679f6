"""One conversation of the drill: a session, a moment to press Stop at, and what is counted on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tui.backends.base import AbortAnswer, Backend, BackendError, RunRef, RunStatus
from tui.core import events as ev
from tui.core.conversation import Turn
from tui.core.events import Answer, Clock, Event, Record
from tui.core.turn import FINAL, Outcome, Phase
from tui.session import Clocks, NotNow, Session

Moment = Callable[[Turn, Event], bool]
CAUSE = "probe"
_CONTENT = (ev.TextDelta, ev.TextReplaced, ev.ReasoningDelta, ev.ToolStarted, ev.ToolFinished)
_UNDER_WAY_S = 0.1  # what was sent before the answer may arrive this much after it


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the drill waits, in seconds: for a reply (`patience`), for what comes after a run that was
    declared over (`watch`), for a late end (`rise`). `span`: the latest random stop, in characters."""

    patience: float = 30.0
    watch: float = 1.5
    rise: float = 5.0
    span: int = 200


class Scene:
    """Plays turns of one new conversation. Leave it by `close`, which stops what still runs."""

    def __init__(self, backend: Backend, clocks: Clocks, limits: Limits) -> None:
        self.backend, self.limits = backend, limits
        self.after_answer = 0
        self.went_on = False
        self._moment: Moment | None = None
        self._changed = asyncio.Event()
        self.session = Session(backend, clocks=clocks, on_change=self._note)

    def send(self, text: str, stop_at: Moment | None = None) -> Turn:
        """Post a prompt; Stop will be pressed at the first event for which `stop_at` is true."""
        self._moment = stop_at
        return self.session.send(text)

    def press(self) -> None:
        self._moment = None
        self.session.stop(CAUSE)

    def _note(self, turn: Turn, record: Record) -> None:
        self._changed.set()
        event = record.event
        if isinstance(event, ev.ClockRan) and event.clock is Clock.WENT_ON:
            self.went_on = True
        answered = turn.stop.answered_at if turn.stop else None
        if answered and isinstance(event, _CONTENT) and record.mono > answered + _UNDER_WAY_S:
            self.after_answer += 1
        if self._moment and self.session.running and self._moment(turn, event):
            self.press()

    async def until(self, true: Callable[[], object], seconds: float) -> bool:
        """Wait until something holds; it is looked at after every change. False: it did not in time."""
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def over(self, turn: Turn) -> bool:
        """Wait until the turn has settled. A lost connection, or a question, is stopped at once."""
        try:
            async with asyncio.timeout(self.limits.patience):
                await self.session.settled(turn)
                if turn.phase in (Phase.LOST, Phase.WAITING) and self._moment:
                    self.press()
                    await self.session.settled(turn)
        except TimeoutError:
            self.press()
            await self.until(lambda: turn.phase in FINAL, self.limits.patience)
        return turn.phase in FINAL

    async def risen(self, turn: Turn) -> None:
        """After a stop without evidence: give it the time to show an end after all."""
        unproven = (Outcome.ACKNOWLEDGED, Outcome.UNCONFIRMED)
        if self.backend.capabilities.status and not self.went_on:
            await self.until(lambda: turn.outcome not in unproven, self.limits.rise)

    async def next_turn(self, text: str) -> str:
        """Send again in the same conversation: "works", else what went wrong."""
        try:
            turn = self.send(text)
        except NotNow as not_yet:
            return str(not_yet)
        if not await self.until(lambda: turn.phase in (*FINAL, Phase.WAITING), self.limits.patience):
            return f"no end within {self.limits.patience:g} s ({turn.phase})"
        if turn.phase is not Phase.COMPLETED:
            return str(turn.problem) or str(turn.phase)
        return "works" if turn.transcript.blocks else "completed without a reply"

    def ref(self, turn: Turn) -> RunRef:
        return RunRef(self.session.remote_id, turn.run_id or turn.prompt.run_id, turn.prompt.key)

    async def close(self) -> None:
        await self.session.close(stop_first=True, cause=CAUSE)


async def abort(backend: Backend, ref: RunRef, limit: float) -> AbortAnswer:
    """One abort past the driver, for a run that is over; what went wrong is an answer, too."""
    try:
        async with asyncio.timeout(limit):
            return await backend.abort(ref, CAUSE)
    except TimeoutError:
        return AbortAnswer(Answer.UNANSWERED, f"No answer to the abort within {limit:g} s.")
    except BackendError as error:
        return AbortAnswer(Answer.UNANSWERED, str(error), error.status)


async def look(backend: Backend, ref: RunRef, limit: float) -> RunStatus | None:
    """One look-up; no word is no evidence, whatever the reason."""
    if not backend.capabilities.status:
        return None
    try:
        async with asyncio.timeout(limit):
            return await backend.status(ref)
    except (BackendError, TimeoutError):
        return None


def after_chars(count: int) -> Moment:
    """Once so much of the reply is shown."""
    return lambda turn, event: turn.transcript.chars >= count


def at_a_tool(turn: Turn, event: Event) -> bool:
    """A tool is at work: where the arguments are streamed, only once they are whole."""
    return isinstance(event, ev.ToolRunning) or (isinstance(event, ev.ToolStarted) and bool(event.arguments))


def at_the_end_of(usual: Any) -> Moment:
    """With the last piece of a reply that was heard before, of `usual` characters; or with a block's end."""
    return lambda turn, event: isinstance(event, ev.BlockEnded) or 0 < usual <= turn.transcript.chars
