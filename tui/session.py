"""The driver of one conversation: the only concurrent code. It obeys the table in `core.turn`.

Every happening becomes a numbered record, goes through the core, is handed to the journal, and the effects
that the core answers with are carried out here. `stop()` is synchronous: the text is frozen when it returns.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from tui.backends.base import (
    AbortAnswer,
    Backend,
    BackendError,
    Prompt,
    PromptNotSent,
    PromptRejected,
    RemoteStop,
    RunRef,
    RunStatus,
    Said,
    Scope,
)
from tui.core import events as ev
from tui.core.conversation import Conversation, Turn, stripped
from tui.core.events import Answer, Clock, End, Event, Record
from tui.core.turn import ACTIVE, FINAL, STOPPING, Effect, Outcome, Phase


@dataclass(frozen=True, slots=True)
class Clocks:
    """The driver's deadlines, in seconds. An adapter's capabilities override the first three."""

    abort: float = 5.0  # connect and answer of an abort
    grace: float = 1.5  # how long the stream is read on after the answer
    pending: float = 2.0  # how long a stop waits for the run to become known
    quit: float = 2.0  # how long quitting waits for a stop in flight
    look_up: float = 60.0  # how long a run is looked up with back-off after the turn settled
    poll: float = 0.05  # first pause between two look-ups; doubles
    reattach: tuple[float, ...] = (0.1, 1.0, 2.0, 4.0, 8.0)  # pauses before re-attaching


_FROM_BACKEND = frozenset(ev.BACKEND_EVENTS)
_NO_END = "The connection ended without an end marker; the run may still be alive."


class JournalLike(Protocol):
    """What the driver needs of a journal: `append` never blocks and never raises."""

    def append(self, record: Record, *, urgent: bool = False) -> None: ...


class Forgetful:
    """The journal of `--no-store`."""

    def append(self, record: Record, *, urgent: bool = False) -> None:
        """Keep nothing."""


class Pressed(Enum):
    """What a press of Stop did."""

    STOPPED = auto()  # the text is frozen and the stop is under way
    RETRIED = auto()  # the abort is sent again
    ALREADY_STOPPING = auto()
    NOTHING_RUNNING = auto()


class NotNow(Exception):
    """The request does not fit the moment; `str()` is one sentence that says why and what to do."""


URGENT = (
    ev.Prompted,
    ev.RunStarted,
    ev.StopAsked,
    ev.AbortAnswered,
    ev.RunFinished,
    ev.Settled,
    ev.ClientLeft,
)


@dataclass(slots=True)
class _Live:
    """The running parts of one turn: its tasks and timers. Gone once nothing of it is left to do."""

    ref: RunRef
    reading: asyncio.Task[None] | None = None
    closing: bool = False  # the reading was cancelled, or is about to end by itself
    clock: asyncio.TimerHandle | None = None
    aborting: asyncio.Task[None] | None = None
    checking: asyncio.Task[None] | None = None
    last_late: float = 0.0
    answered: float = 0.0
    aborted_again: bool = False


class Session:
    """One conversation with one backend. All methods must be called on the event loop's thread.

    `on_change(turn)` is called after every record, O(1) work only. `clocks` are in seconds.
    """

    def __init__(
        self,
        backend: Backend,
        journal: JournalLike | None = None,
        *,
        conversation: Conversation | None = None,
        clocks: Clocks | None = None,
        late: str = "keep",
        on_change: Callable[[Turn, Record], None] | None = None,
        mono: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.backend = backend
        self.conversation = conversation or Conversation(uuid.uuid4().hex[:12])
        self.clocks = clocks or Clocks()
        self.late = late
        self.on_change = on_change
        self._journal = journal or Forgetful()
        self._mono, self._wall = mono, wall
        self._live: dict[int, _Live] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._settled: dict[int, asyncio.Event] = {}

    # --- what a person can do -----------------------------------------------------------------------------

    @property
    def turn(self) -> Turn | None:
        """The newest turn."""
        return self.conversation.last

    @property
    def running(self) -> bool:
        """Whether there is something that Stop would stop."""
        return self.turn is not None and self.turn.phase in ACTIVE

    @property
    def stopping(self) -> bool:
        """Whether a stop is under way and not settled."""
        return self.turn is not None and self.turn.phase in STOPPING

    def send(self, text: str, *, key: str = "") -> Turn:
        """Post a prompt as a new turn. `key` repeats an earlier sending's id. Raises NotNow."""
        if self.turn and self.turn.phase in (*ACTIVE, *STOPPING) and self.turn.phase is not Phase.LOST:
            raise NotNow("The last turn is not over yet: stop it first, or wait until it ends.")
        number = len(self.conversation.turns) + 1
        prompted = ev.Prompted(text, key or uuid.uuid4().hex, str(uuid.uuid4()))
        self._live[number] = _Live(RunRef(self.conversation.id, prompted.run_id, prompted.key))
        self._settled[number] = asyncio.Event()
        self._record(number, prompted)
        return self.conversation.turns[-1]

    def stop(self, cause: str, reason: str = "") -> Pressed:
        """Stop the newest turn, or send its abort again where a stop stayed unconfirmed.

        Returns with the text frozen; nothing here waits and nothing here raises.
        """
        turn = self.turn
        if turn is None:
            return Pressed.NOTHING_RUNNING
        if turn.phase in STOPPING:
            return Pressed.ALREADY_STOPPING
        if turn.phase not in ACTIVE:
            return self._retry(turn, cause)
        shown = turn.transcript.chars
        self._record(turn.number, ev.StopAsked(cause, reason, shown, turn.last_number))
        return Pressed.STOPPED

    def _retry(self, turn: Turn, cause: str) -> Pressed:
        if turn.outcome not in (Outcome.UNCONFIRMED, Outcome.ACKNOWLEDGED) or not self.may_retry(turn):
            return Pressed.NOTHING_RUNNING
        live = self._living(turn)
        if live.aborting and not live.aborting.done():
            return Pressed.ALREADY_STOPPING
        self._record(turn.number, ev.RetryAsked(cause))
        return Pressed.RETRIED

    def may_retry(self, turn: Turn) -> bool:
        """Whether another abort could reach this run and no newer one."""
        if self.backend.capabilities.remote_stop is not RemoteStop.ABORT:
            return False
        newer = self.conversation.turns[turn.number :]
        if self.backend.capabilities.scope is Scope.CONVERSATION:
            return not newer
        return all(other.run_id != turn.run_id for other in newer)

    def answer(self, request: str, reply: str) -> None:
        """Answer a question of the backend. Raises NotNow where nothing waits."""
        turn = self.turn
        if turn is None or turn.phase is not Phase.WAITING:
            raise NotNow("The agent does not wait for an answer.")
        self._record(turn.number, ev.QuestionAnswered(request, reply))
        live = self._living(turn)
        if self.backend.capabilities.answer_streams:
            live.reading = self._spawn(
                self._read(turn, live, self.backend.answering(live.ref, request, reply))
            )
        else:
            self._spawn(self._answer(turn, live, request, reply))

    def check_again(self, turn: Turn) -> None:
        """Look the run up once more, for a stop that is not confirmed or a connection that was lost."""
        self._spawn(self._look_up_once(turn))

    async def settled(self, turn: Turn) -> None:
        """Wait until the turn is final or lost or waits for a person."""
        while turn.phase not in (*FINAL, Phase.LOST, Phase.WAITING) or turn.reattaching:
            event = self._settled.setdefault(turn.number, asyncio.Event())
            event.clear()
            await event.wait()

    async def close(self, *, stop_first: bool = False, cause: str = "quit") -> None:
        """Leave. With `stop_first` a running turn is stopped; a stop in flight is awaited `clocks.quit`."""
        if stop_first and self.running:
            self.stop(cause)
        if self.stopping and self.turn:
            await _at_most(self.clocks.quit, self.settled(self.turn))
        turn = self.turn
        if turn and turn.phase not in FINAL and turn.phase is not Phase.LOST:
            self._record(turn.number, ev.ClientLeft("quit"))
        await self._end_tasks()

    # --- records ------------------------------------------------------------------------------------------

    def _record(self, number: int, event: Event) -> None:
        """Number an event, fold it in, hand it to the journal, carry out what follows."""
        turn = self.conversation.turns[number - 1] if number <= len(self.conversation.turns) else None
        late = turn is not None and turn.state.frozen and type(event) in _FROM_BACKEND
        record = Record(self.conversation.number + 1, number, self._wall(), self._mono(), event, late)
        effects = self.conversation.apply(record)
        self._keep(record)
        turn = self.conversation.turns[number - 1]
        for effect in effects:
            self._carry_out(effect, turn)
        if late and number in self._live:
            self._live[number].last_late = record.mono
        self._changed(turn, record)

    def _keep(self, record: Record) -> None:
        if record.late and not isinstance(record.event, ev.RunFinished):
            if self.late == "drop":
                return
            if self.late == "count":
                record = stripped(record)
        self._journal.append(record, urgent=type(record.event) in URGENT)

    def _changed(self, turn: Turn, record: Record) -> None:
        if self.on_change:
            self.on_change(turn, record)
        if turn.phase not in (Phase.SENDING, Phase.STREAMING):
            self._settled.setdefault(turn.number, asyncio.Event()).set()

    def _carry_out(self, effect: Effect, turn: Turn) -> None:
        """One effect. A fault in the stop path itself must still lead to an end (S41)."""
        try:
            _DO[effect](self, turn, self._living(turn))
        except Exception as fault:
            if effect is Effect.ABORT:
                sentence = f"The abort could not be sent: {type(fault).__name__}."
                self._record(turn.number, ev.AbortAnswered(Answer.UNANSWERED, sentence))
            elif effect is Effect.VERIFY:
                self._record(turn.number, ev.RunLookedUp(None, "The look-up could not be made."))
            elif effect is Effect.OPEN:
                self._record(turn.number, ev.StreamBroke("The prompt could not be sent."))

    def _living(self, turn: Turn) -> _Live:
        ref = RunRef(self.conversation.id, turn.run_id or turn.prompt.run_id, turn.prompt.key)
        return self._live.setdefault(turn.number, _Live(ref))

    # --- effects ------------------------------------------------------------------------------------------

    def _open(self, turn: Turn, live: _Live) -> None:
        prompt = Prompt(
            turn.prompt.text, self.conversation.id, turn.prompt.run_id, turn.prompt.key, self._earlier(turn)
        )
        self._note_request(turn, "prompt")
        live.reading = self._spawn(self._read(turn, live, self.backend.run(prompt)))

    def _freeze(self, turn: Turn, live: _Live) -> None:
        """The core has sealed the text. A re-attaching that is under way ends at once (S12, S13)."""
        if turn.reattaching:
            turn.reattaching = None
            self._close(turn, live)

    def _hold(self, turn: Turn, live: _Live) -> None:
        how = self.backend.capabilities.remote_stop
        if how is not RemoteStop.ABORT:
            self._soon(turn, _instead_of_an_abort(how))
            return
        pending = self.backend.capabilities.pending_s or self.clocks.pending
        self._wind(turn, live, pending, lambda: Clock.PENDING)

    def _abort(self, turn: Turn, live: _Live) -> None:
        self._unwind(live)
        how = self.backend.capabilities.remote_stop
        if how is not RemoteStop.ABORT:
            self._soon(turn, _instead_of_an_abort(how))
        elif live.aborting is None or live.aborting.done():
            live.ref.run_id = turn.run_id or live.ref.run_id
            again = turn.phase is Phase.STOPPED
            live.aborting = self._spawn(self._send_abort(turn, live, again))

    def _read_on(self, turn: Turn, live: _Live) -> None:
        live.answered = self._mono()
        if live.reading is None or live.reading.done() or live.closing:
            self._soon(turn, ev.ClockRan(Clock.GRACE))
            return
        grace = self._grace
        self._wind(turn, live, grace, lambda: _how_the_grace_ended(live, grace))

    def _close(self, turn: Turn, live: _Live) -> None:
        """Cancel the reading, exactly once: a second cancel leaks its connection (encode/httpx#3782)."""
        self._unwind(live)
        if live.closing:
            return
        live.closing = True
        reading = live.reading
        if reading and not reading.done() and reading is not asyncio.current_task():
            reading.cancel()

    def _verify(self, turn: Turn, live: _Live) -> None:
        live.checking = self._spawn(self._check(turn, live))

    def _reattach(self, turn: Turn, live: _Live) -> None:
        """Re-attaching happens in the reading task itself, see `_read`."""

    def _settle(self, turn: Turn, live: _Live) -> None:
        self._unwind(live)
        stop = turn.stop
        self._record(
            turn.number,
            ev.Settled(
                turn.phase,
                turn.outcome or "",
                stop.late_events if stop else 0,
                stop.late_chars if stop else 0,
                self.late,
            ),
        )
        if stop and self.backend.capabilities.status and (live.checking is None or live.checking.done()):
            live.checking = self._spawn(self._afterwards(turn, live))

    # --- the reading --------------------------------------------------------------------------------------

    async def _read(self, turn: Turn, live: _Live, events: AsyncGenerator[Event, None]) -> None:
        lost = await self._take_all(turn, live, events)
        tried = 0
        while lost and self._may_reattach(turn, live, tried):
            turn.reattaching = (tried + 1, len(self.clocks.reattach))
            self._note_request(turn, "resume")
            await asyncio.sleep(self.clocks.reattach[tried])
            seen = turn.events
            lost = await self._take_all(turn, live, self.backend.resume(live.ref))
            tried = 0 if turn.events > seen else tried + 1
        turn.reattaching = None
        self._settled.setdefault(turn.number, asyncio.Event()).set()

    def _may_reattach(self, turn: Turn, live: _Live, tried: int) -> bool:
        waits = turn.phase is Phase.LOST and not live.closing
        return waits and self.backend.capabilities.resume and tried < len(self.clocks.reattach)

    async def _take_all(self, turn: Turn, live: _Live, events: AsyncGenerator[Event, None]) -> bool:
        """Record everything a stream yields. True if it ended without the backend's final word."""
        try:
            async with aclosing(events):
                async for event in events:
                    self._record(turn.number, event)
                    if live.closing:
                        break
        except PromptNotSent as error:
            self._record(turn.number, ev.NotSent(str(error)))
        except PromptRejected as error:
            refused = turn.phase in (Phase.SENDING, Phase.STOP_PENDING)
            sort = ev.PromptRefused(str(error), error.status) if refused else ev.StreamBroke(str(error))
            self._record(turn.number, sort)
        except BackendError as error:
            return self._broke(turn, live, str(error))
        except asyncio.CancelledError:
            self._record(turn.number, ev.StreamClosed())
            raise
        except Exception as fault:  # an adapter's own fault must not leave the turn hanging
            return self._broke(turn, live, f"The client could not read the stream: {type(fault).__name__}.")
        else:
            return self._ended(turn, live)
        return False

    def _ended(self, turn: Turn, live: _Live) -> bool:
        if live.closing and turn.stop:
            self._record(turn.number, ev.StreamClosed())
        if live.closing or turn.state.end is not None or turn.phase in (Phase.WAITING, *FINAL):
            return False
        return self._broke(turn, live, _NO_END)

    def _broke(self, turn: Turn, live: _Live, sentence: str) -> bool:
        self._record(turn.number, ev.StreamBroke(sentence))
        return True

    def _earlier(self, turn: Turn) -> tuple[Said, ...]:
        said: list[Said] = []
        for old in self.conversation.turns[: turn.number - 1]:
            if old.outcome is Outcome.NEVER_SENT or (old.phase is Phase.FAILED and not old.run_id):
                continue
            said.append(Said("user", old.prompt.text))
            if reply := old.kept():
                said.append(Said("assistant", reply, partial=old.phase is not Phase.COMPLETED))
        return tuple(said)

    # --- the abort and its proof --------------------------------------------------------------------------

    async def _send_abort(self, turn: Turn, live: _Live, again: bool) -> None:
        if turn.phase is Phase.STOPPED and not again:
            return  # the run ended in this very loop turn: an abort could only hit a newer one (S33)
        self._note_request(turn, "abort")
        began = self._mono()
        answer = await self._ask(turn, live)
        ms = (self._mono() - began) * 1000
        self._record(turn.number, ev.AbortAnswered(answer.answer, answer.detail, answer.status, ms))
        if answer.over:
            self._record(turn.number, ev.RunLookedUp(End.CANCELLED, "The answer to the abort says so."))
        elif turn.phase is Phase.STOPPED and self.backend.capabilities.status:
            await self._look_up_once(turn)

    async def _ask(self, turn: Turn, live: _Live) -> AbortAnswer:
        limit = self.backend.capabilities.abort_s or self.clocks.abort
        try:
            async with asyncio.timeout(limit):
                return await self.backend.abort(live.ref, turn.stop.asked.reason if turn.stop else "")
        except TimeoutError:
            return AbortAnswer(Answer.UNANSWERED, f"No answer to the abort within {limit:g} s.")
        except BackendError as error:
            return AbortAnswer(Answer.UNANSWERED, str(error), error.status)
        except Exception as fault:  # S41: whatever happens here, the turn reaches an end
            return AbortAnswer(Answer.UNANSWERED, f"The abort could not be sent: {type(fault).__name__}.")

    async def _check(self, turn: Turn, live: _Live) -> None:
        """Ask whether the run is over, until it is, says that it lives, or the grace has run out."""
        if live.reading and not live.reading.done():
            await asyncio.wait([live.reading], timeout=self.clocks.grace)
        spent = self._mono() - live.answered if live.answered else 0.0
        seen = await self._poll(turn, live, self._grace - spent)
        self._record(turn.number, _looked_up(seen))

    async def _afterwards(self, turn: Turn, live: _Live) -> None:
        """After the settling: fetch what the backend has saved, and raise the outcome if its end shows."""
        seen = await self._poll(turn, live, self.clocks.look_up)
        if seen is not None:
            self._record(turn.number, _looked_up(seen))

    async def _poll(self, turn: Turn, live: _Live, limit: float) -> RunStatus | None:
        if not self.backend.capabilities.status:
            return None
        pause, seen = self.clocks.poll, None
        until = self._mono() + limit
        while True:
            seen = await self._status(live) or seen
            if (seen and seen.end is not End.ALIVE) or self._mono() + pause > until:
                return seen
            await asyncio.sleep(pause)
            pause = min(pause * 2, 10.0)

    async def _status(self, live: _Live) -> RunStatus | None:
        try:
            async with asyncio.timeout(self.clocks.abort):
                return await self.backend.status(live.ref)
        except (BackendError, TimeoutError):
            return None
        except Exception:
            return None

    async def _look_up_once(self, turn: Turn) -> None:
        self._note_request(turn, "status")
        seen = await self._status(self._living(turn))
        self._record(turn.number, _looked_up(seen))

    async def _answer(self, turn: Turn, live: _Live, request: str, reply: str) -> None:
        try:
            await self.backend.answer(live.ref, request, reply)
        except BackendError as error:
            self._record(turn.number, ev.AnswerFailed(request, str(error)))

    # --- small things -------------------------------------------------------------------------------------

    @property
    def _grace(self) -> float:
        return self.backend.capabilities.grace_s or self.clocks.grace

    def _note_request(self, turn: Turn, purpose: str) -> None:
        self._record(turn.number, ev.Requested(purpose))

    def _soon(self, turn: Turn, event: Event) -> None:
        """Record after the present one is through, still in this loop turn's successor."""
        asyncio.get_running_loop().call_soon(self._record, turn.number, event)

    def _wind(self, turn: Turn, live: _Live, seconds: float, which: Callable[[], Clock]) -> None:
        self._unwind(live)
        loop = asyncio.get_running_loop()
        live.clock = loop.call_later(seconds, lambda: self._record(turn.number, ev.ClockRan(which())))

    def _unwind(self, live: _Live) -> None:
        if live.clock:
            live.clock.cancel()
            live.clock = None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _end_tasks(self) -> None:
        for live in self._live.values():
            self._unwind(live)
            readings = live.reading
            if readings and not readings.done() and not live.closing:
                live.closing = True
                readings.cancel()
        readers = {live.reading for live in self._live.values()}
        for task in self._tasks - readers:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=self.clocks.quit)


def _instead_of_an_abort(how: RemoteStop) -> Event:
    if how is RemoteStop.CLOSE:
        return ev.AbortAnswered(Answer.CLOSED, "Closing the connection is this backend's way to stop.")
    return ev.AbortAnswered(Answer.UNSUPPORTED, "This backend has no abort: only our connection was closed.")


def _how_the_grace_ended(live: _Live, grace: float) -> Clock:
    """Text that still came in the last third of the grace was not merely in flight: the run went on."""
    return Clock.WENT_ON if live.last_late > live.answered + grace * 2 / 3 else Clock.GRACE


def _looked_up(seen: RunStatus | None) -> ev.RunLookedUp:
    if seen is None:
        return ev.RunLookedUp(None, "The backend had no word on this run.")
    return ev.RunLookedUp(seen.end, seen.detail, seen.text)


async def _at_most(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        pass


_DO: dict[Effect, Callable[[Session, Turn, _Live], None]] = {
    Effect.OPEN: Session._open,
    Effect.FREEZE: Session._freeze,
    Effect.HOLD: Session._hold,
    Effect.ABORT: Session._abort,
    Effect.READ_ON: Session._read_on,
    Effect.CLOSE: Session._close,
    Effect.VERIFY: Session._verify,
    Effect.REATTACH: Session._reattach,
    Effect.SETTLE: Session._settle,
}
