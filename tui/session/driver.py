"""The session: every happening becomes a numbered record and goes through the core and to the journal; the
effects that the core answers with are carried out. `stop()` is synchronous.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from tui.backends.base import Backend, BackendError, File, Prompt, RemoteStop, RunRef, Said, Scope
from tui.core import events as ev
from tui.core.conversation import Conversation, Turn, stripped
from tui.core.events import Answer, Clock, End, Event, Record
from tui.core.turn import ACTIVE, FINAL, STOPPING, Effect, Outcome, Phase
from tui.session import proof
from tui.session.logged import log
from tui.session.parts import Clocks, Forgetful, JournalLike, Live, NotNow, Pressed, named
from tui.session.reading import read

URGENT = frozenset(
    {
        ev.Prompted,
        ev.RunStarted,
        ev.StopAsked,
        ev.ReasonGiven,
        ev.AbortAnswered,
        ev.RunFinished,
        ev.Settled,
        ev.ClientLeft,
    }
)
JUMP = 5.0
"""Seconds by which wall clock and monotonic clock must part between two records to be worth a record."""
_FROM_BACKEND = frozenset(ev.BACKEND_EVENTS)


class Session:
    """One conversation with one backend. All methods must be called on the event loop's thread.

    `on_change(turn, record)` is called after every record, O(1) work only. `clocks` are in seconds.
    `on_disk`: whether what is recorded is kept on a disk at this moment; the receipt of a stop says so.
    `remote_id` is what the backend calls the conversation; `said_before` what was said in turns left on disk.
    """

    def __init__(
        self,
        backend: Backend,
        journal: JournalLike | None = None,
        *,
        conversation: Conversation | None = None,
        remote_id: str = "",
        said_before: Sequence[Said] = (),
        clocks: Clocks | None = None,
        late: str = "keep",
        on_disk: Callable[[], bool] = lambda: True,
        on_change: Callable[[Turn, Record], None] | None = None,
        mono: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.backend = backend
        self.conversation = conversation or Conversation(uuid.uuid4().hex[:12])
        self.remote_id = remote_id or self.conversation.id
        self._said_before = said_before
        self.clocks = clocks or Clocks()
        self.late, self._on_disk = late, on_disk
        self.on_change = on_change
        self._journal = journal or Forgetful()
        self.mono, self._wall = mono, wall
        self._skew = wall() - mono()
        self._live: dict[int, Live] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._settled: dict[int, asyncio.Event] = {}
        self._files: dict[int, tuple[File, ...]] = {}  # by turn, as far as they are at hand
        self.files_of: Callable[[str], tuple[File, ...]] = lambda text: ()
        """The files that a text to be sent names, where the backend takes them."""

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
        number = self.conversation.count + 1
        files = self.files_of(text)
        prompted = ev.Prompted(text, key or uuid.uuid4().hex, str(uuid.uuid4()), named(files))
        self._files[number] = files
        self._live[number] = Live(RunRef(self.remote_id, prompted.run_id, prompted.key))
        self._settled[number] = asyncio.Event()
        self.record(number, prompted)
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
        self.record(turn.number, ev.StopAsked(cause, reason, shown, turn.last_number))
        return Pressed.STOPPED

    def _retry(self, turn: Turn, cause: str) -> Pressed:
        if turn.outcome not in (Outcome.UNCONFIRMED, Outcome.ACKNOWLEDGED) or not self.may_retry(turn):
            return Pressed.NOTHING_RUNNING
        live = self._living(turn)
        if live.aborting and not live.aborting.done():
            return Pressed.ALREADY_STOPPING
        self.record(turn.number, ev.RetryAsked(cause))
        return Pressed.RETRIED

    def may_retry(self, turn: Turn) -> bool:
        """Whether another abort could reach this run and no newer one."""
        if self.backend.capabilities.remote_stop is not RemoteStop.ABORT:
            return False
        newer = [other for other in self.conversation.turns if other.number > turn.number]
        if self.backend.capabilities.scope is Scope.CONVERSATION:
            return not newer
        return all(other.run_id != turn.run_id for other in newer)

    def answer(self, request: str, reply: str) -> None:
        """Answer a question of the backend. Raises NotNow where nothing waits."""
        turn = self.turn
        if turn is None or turn.phase is not Phase.WAITING:
            raise NotNow("The agent does not wait for an answer.")
        self.record(turn.number, ev.QuestionAnswered(request, reply))
        live = self._living(turn)
        if self.backend.capabilities.answer_streams:
            events = self.backend.answering(live.ref, request, reply)
            live.answering = request
            live.reading = self._spawn(read(self, turn, live, events))
        else:
            self._spawn(self._answer(turn, live, request, reply))

    def check_again(self, turn: Turn) -> None:
        """Look the run up once more, for a stop that is not confirmed or a connection that was lost."""
        self._spawn(proof.look_up_once(self, turn, self._living(turn)))

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
            self.record(turn.number, ev.ClientLeft("quit"))
        await self._end_tasks()

    # --- records ------------------------------------------------------------------------------------------

    def record(self, number: int, event: Event) -> None:
        """Number an event, fold it in, hand it to the journal, carry out what follows."""
        turn = self.conversation.turn(number) if number <= self.conversation.count else None
        late = turn is not None and turn.state.frozen and type(event) in _FROM_BACKEND
        wall, mono = self._wall(), self.mono()
        self._note_a_jump(number, wall, mono)
        record = Record(self.conversation.number + 1, number, wall, mono, event, late)
        effects = self.conversation.apply(record)
        self._keep(record)
        turn = self.conversation.turn(number)
        if late and number in self._live:
            self._live[number].last_late = mono
        self._changed(turn, record)
        for effect in effects:
            self._carry_out(effect, turn)

    def _note_a_jump(self, number: int, wall: float, mono: float) -> None:
        """A machine that slept, or whose clock was set, in the middle of a turn: the record says so (S31)."""
        before, self._skew = self._skew, wall - mono
        if abs(self._skew - before) > JUMP and number in self._settled and number <= self.conversation.count:
            jump = ev.ClockJumped(round(self._skew - before, 3))
            record = Record(self.conversation.number + 1, number, wall, mono, jump)
            self.conversation.apply(record)
            self._keep(record)
            self._changed(self.conversation.turn(number), record)

    def _keep(self, record: Record) -> None:
        log(record)
        if record.late and not isinstance(record.event, ev.RunFinished):
            if self.late == "drop":
                return
            if self.late == "count":
                record = stripped(record)
        self._journal.append(record, urgent=type(record.event) in URGENT)

    def _changed(self, turn: Turn, record: Record) -> None:
        try:
            if self.on_change:
                self.on_change(turn, record)
        except Exception as fault:  # who draws it does not decide what becomes of a run (S41)
            told = {"message": "a listener of the session failed", "exception": fault}
            asyncio.get_running_loop().call_exception_handler(told)
        if turn.phase not in (Phase.SENDING, Phase.STREAMING):
            self.wake(turn)

    def wake(self, turn: Turn) -> None:
        """Let `settled` look again."""
        self._settled.setdefault(turn.number, asyncio.Event()).set()

    def _carry_out(self, effect: Effect, turn: Turn) -> None:
        """One effect. A fault in the stop path itself must still lead to an end (S41)."""
        try:
            _DO[effect](self, turn, self._living(turn))
        except Exception as fault:
            if effect in _INSTEAD:
                self.record(turn.number, _INSTEAD[effect](type(fault).__name__))

    def _living(self, turn: Turn) -> Live:
        ref = RunRef(self.remote_id, turn.run_id or turn.prompt.run_id, turn.prompt.key, seen=turn.pieces)
        return self._live.setdefault(turn.number, Live(ref))

    # --- effects ------------------------------------------------------------------------------------------

    def _open(self, turn: Turn, live: Live) -> None:
        prompt = Prompt(
            turn.prompt.text,
            self.remote_id,
            turn.prompt.run_id,
            turn.prompt.key,
            self._earlier(turn),
            self._files.get(turn.number, ()),
        )
        self.note_request(turn, "prompt")
        live.reading = self._spawn(read(self, turn, live, self.backend.run(prompt)))

    def _freeze(self, turn: Turn, live: Live) -> None:
        """The core has sealed the text. A re-attaching that is under way ends at once (S12, S13)."""
        if turn.reattaching:
            turn.reattaching = None
            live.close()

    def _hold(self, turn: Turn, live: Live) -> None:
        how = self.backend.capabilities.remote_stop
        if how is not RemoteStop.ABORT:
            self._soon(turn, proof.instead_of_an_abort(how))
            return
        pending = self.backend.capabilities.pending_s or self.clocks.pending
        self._wind(turn, live, pending, lambda: Clock.PENDING)

    def _abort(self, turn: Turn, live: Live) -> None:
        live.unwind()
        how = self.backend.capabilities.remote_stop
        if how is not RemoteStop.ABORT:
            self._soon(turn, proof.instead_of_an_abort(how))
        elif live.aborting is None or live.aborting.done():
            live.ref.run_id = turn.run_id or live.ref.run_id
            again = turn.phase is Phase.STOPPED
            live.aborting = self._spawn(proof.send_abort(self, turn, live, again))

    def _read_on(self, turn: Turn, live: Live) -> None:
        live.answered = self.mono()
        if live.deaf:
            self._soon(turn, ev.ClockRan(Clock.GRACE))
            return
        grace = self.grace
        self._wind(turn, live, grace, lambda: proof.how_the_grace_ended(live, grace))

    def _close(self, turn: Turn, live: Live) -> None:
        live.close()

    def _verify(self, turn: Turn, live: Live) -> None:
        live.checking = self._spawn(proof.check(self, turn, live))

    def _reattach(self, turn: Turn, live: Live) -> None:
        """Re-attaching happens in the reading task itself, see `reading.read`."""

    def _settle(self, turn: Turn, live: Live) -> None:
        live.unwind()
        stop = turn.stop
        self.record(
            turn.number,
            ev.Settled(
                turn.phase,
                turn.outcome or "",
                stop.late_events if stop else 0,
                stop.late_chars if stop else 0,
                self.late if self._on_disk() else "off disk",
            ),
        )
        if stop and self.backend.capabilities.status and _may_look_on(turn, live):
            live.checking = self._spawn(proof.afterwards(self, turn, live))

    # --- small things -------------------------------------------------------------------------------------

    def _earlier(self, turn: Turn) -> tuple[Said, ...]:
        said: list[Said] = list(self._said_before)
        for old in self.conversation.turns:
            if (
                old is turn
                or old.outcome is Outcome.NEVER_SENT
                or (old.phase is Phase.FAILED and not old.run_id)
            ):
                continue
            files = self._files.get(old.number, ())
            said.append(Said("user", old.prompt.text, id=old.prompt.key, files=files))
            if reply := old.kept():
                said.append(Said("assistant", reply, partial=old.phase is not Phase.COMPLETED))
        return tuple(said)

    async def _answer(self, turn: Turn, live: Live, request: str, reply: str) -> None:
        try:
            await self.backend.answer(live.ref, request, reply)
        except BackendError as error:
            self.record(turn.number, ev.AnswerFailed(request, str(error)))
            return
        if live.deaf and self.backend.capabilities.resume:  # answered after a reopening: listen again
            live.reading = self._spawn(read(self, turn, live, self.backend.resume(live.ref)))

    @property
    def grace(self) -> float:
        return self.backend.capabilities.grace_s or self.clocks.grace

    def note_request(self, turn: Turn, purpose: str) -> None:
        self.record(turn.number, ev.Requested(purpose))

    def _soon(self, turn: Turn, event: Event) -> None:
        """Record after the present one is through, still in this loop turn's successor."""
        asyncio.get_running_loop().call_soon(self.record, turn.number, event)

    def _wind(self, turn: Turn, live: Live, seconds: float, which: Callable[[], Clock]) -> None:
        live.unwind()
        loop = asyncio.get_running_loop()
        live.clock = loop.call_later(seconds, lambda: self.record(turn.number, ev.ClockRan(which())))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _end_tasks(self) -> None:
        for live in self._live.values():
            live.close()
        readers = {live.reading for live in self._live.values()}
        for task in self._tasks - readers:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=self.clocks.quit)


def _may_look_on(turn: Turn, live: Live) -> bool:
    """Whether a look-up should follow the settling: none is under way, or the one that settled the turn just
    now found no end, which may still come (a Flue run settles 30 s after its server crashed)."""
    if live.checking is None or live.checking.done():
        return True
    return live.checking is asyncio.current_task() and turn.state.end in (None, End.ALIVE)


async def _at_most(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        pass


_INSTEAD: dict[Effect, Callable[[str], Event]] = {
    Effect.OPEN: lambda fault: ev.StreamBroke(f"The prompt could not be sent: {fault}."),
    Effect.HOLD: lambda fault: ev.ClockRan(Clock.PENDING),
    Effect.ABORT: lambda fault: ev.AbortAnswered(Answer.UNANSWERED, f"The abort could not be sent: {fault}."),
    Effect.READ_ON: lambda fault: ev.ClockRan(Clock.GRACE),
    Effect.VERIFY: lambda fault: ev.RunLookedUp(None, f"The look-up could not be made: {fault}."),
}
"""What is recorded where an effect could not be carried out: what was waited for will not come."""

_DO: dict[Effect, Callable[[Session, Turn, Live], None]] = {
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
