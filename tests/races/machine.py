"""A state machine over core and driver: a backend that may do anything, a person, a network, a disk.

The backend is asked and told by hand, one loop turn at a time, so that any order can happen; what really goes
on there is known, and each claim of the client is held against it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tui.backends.base import (
    AbortAnswer,
    Capabilities,
    Prompt,
    PromptNotSent,
    RemoteStop,
    RunRef,
    RunStatus,
    StreamLost,
)
from tui.core import events as ev
from tui.core.conversation import Turn, replay
from tui.core.events import Answer, End, Event, Record
from tui.core.turn import ACTIVE, FINAL, STOPPING, Outcome, Phase
from tui.session import Clocks, NotNow, Session

SLOW = Clocks(abort=1e6, grace=1e6, pending=1e6, quit=0.01, look_up=0.0, poll=1e6, reattach=())
"""No clock runs by itself: the machine lets them run."""
_EOF = object()


class World:
    """The backend as it really is."""

    name = "world"
    capabilities = Capabilities(RemoteStop.ABORT, status=True)

    def __init__(self) -> None:
        self.wires: dict[str, deque[object]] = {}
        self.rung: dict[str, asyncio.Event] = {}
        self.real: dict[str, str] = {}  # run -> flying, alive, completed, cancelled, failed, unsent
        self.sent: dict[str, str] = {}  # run -> everything it ever said
        self.reading: set[str] = set()
        self.asked: deque[tuple[str, asyncio.Future[AbortAnswer]]] = deque()
        self.aborted: list[str] = []
        self.overlapping: list[str] = []
        self.overtaking: list[str] = []

    async def connect(self) -> None: ...

    async def aclose(self) -> None: ...

    async def run(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        run = f"run{len(self.real) + 1}"
        self.real[run], self.sent[run] = "flying", ""
        wire, bell = self.wires.setdefault(run, deque()), self.rung.setdefault(run, asyncio.Event())
        self.reading.add(run)
        try:
            while True:
                while not wire:
                    bell.clear()
                    await bell.wait()
                item = wire.popleft()
                if item is _EOF:
                    return
                if isinstance(item, BaseException):
                    raise item
                assert isinstance(item, Event)
                yield item
        finally:
            self.reading.discard(run)

    def say(self, run: str, item: object) -> None:
        self.wires[run].append(item)
        self.rung[run].set()

    async def abort(self, run: RunRef, reason: str = "") -> AbortAnswer:
        if not run.run_id.startswith("run") and self.reading:  # named by us, and its prompt is on its way
            self.overtaking.append(run.run_id)
        if any(name == run.run_id and not future.done() for name, future in self.asked):
            self.overlapping.append(run.run_id)
        self.aborted.append(run.run_id)
        future: asyncio.Future[AbortAnswer] = asyncio.get_running_loop().create_future()
        self.asked.append((run.run_id, future))
        return await future

    async def status(self, run: RunRef) -> RunStatus | None:
        ends = {
            "completed": End.COMPLETED,
            "cancelled": End.CANCELLED,
            "failed": End.FAILED,
            "alive": End.ALIVE,
        }
        real = ends.get(self.real.get(run.run_id, ""))
        return RunStatus(real) if real else None


class Kept:
    """The disk."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def append(self, record: Record, *, urgent: bool = False) -> None:
        self.records.append(record)


class StopMachine(RuleBasedStateMachine):
    """Rules are what can happen next; invariants are the promises."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world, self.disk = World(), Kept()
        self.session = self.do(self._new())
        self.stops = 0
        self.shown: dict[int, str] = {}  # turn -> text at its stop
        self.finals: dict[int, tuple[Phase, Outcome | None]] = {}
        self.words = 0

    async def _new(self) -> Session:
        return Session(self.world, self.disk, clocks=SLOW)

    def do(self, work):  # type: ignore[no-untyped-def]
        """Run something and the few loop turns that carry it through."""

        async def whole():  # type: ignore[no-untyped-def]
            result = await work
            for _ in range(12):
                await asyncio.sleep(0)
            return result

        return self.loop.run_until_complete(whole())

    async def _nothing(self) -> None: ...

    def teardown(self) -> None:
        async def end() -> None:
            for _, future in self.world.asked:
                future.cancel()
            await self.session.close()

        self.loop.run_until_complete(end())
        left = asyncio.all_tasks(self.loop)
        self.loop.close()
        assert not left

    @property
    def turn(self) -> Turn | None:
        return self.session.turn

    @property
    def run(self) -> str:
        """The newest run."""
        return list(self.world.real)[-1] if self.world.real else ""

    def real(self, *states: str) -> bool:
        return self.world.real.get(self.run, "none") in states

    # --- the person ---------------------------------------------------------------------------------------

    @rule()
    def send(self) -> None:
        async def send() -> None:
            busy = self.turn is not None and self.turn.phase in (*ACTIVE, *STOPPING)
            lost = self.turn is not None and self.turn.phase is Phase.LOST
            try:
                self.session.send("go")
            except NotNow:
                assert busy and not lost
            else:
                assert not busy or lost

        if len(self.world.real) < 3:
            self.do(send())

    @rule(presses=st.integers(1, 3), spread=st.booleans())
    def stop(self, presses: int, spread: bool) -> None:
        async def press() -> None:
            turn = self.turn
            for _ in range(presses):
                active = turn is not None and turn.phase in ACTIVE
                if active and turn:
                    self.stops += 1
                    self.shown[turn.number] = turn.transcript.reply()
                self.session.stop("esc")
                if active and turn:
                    assert turn.phase not in ACTIVE, "frozen when the key is through"
                if spread:
                    await asyncio.sleep(0)

        self.do(press())

    # --- the backend --------------------------------------------------------------------------------------

    @precondition(lambda self: self.real("flying"))
    @rule(fails=st.booleans())
    def prompt_arrives(self, fails: bool) -> None:
        if fails:
            self.world.real[self.run] = "unsent"
            self.world.say(self.run, PromptNotSent("nobody there"))
        else:
            self.world.real[self.run] = "alive"
            self.world.say(self.run, ev.RunStarted(self.run))
        self.do(self._nothing())

    @precondition(lambda self: self.real("alive"))
    @rule(run_on=st.booleans())
    def says(self, run_on: bool) -> None:
        self.words += 1
        word = f"{self.run}:{self.words} "
        self.world.sent[self.run] += word
        self.world.say(self.run, ev.TextDelta("b", word))
        if not run_on:
            self.do(self._nothing())

    @precondition(lambda self: self.real("alive"))
    @rule(end=st.sampled_from([End.COMPLETED, End.FAILED]))
    def ends_by_itself(self, end: End) -> None:
        self.world.real[self.run] = end.value
        self.world.say(self.run, ev.RunFinished(end))
        self.do(self._nothing())

    @precondition(lambda self: bool(self.run) and bool(self.turn) and self.turn.phase not in FINAL)
    @rule(neat=st.booleans())
    def stream_ends(self, neat: bool) -> None:
        if not self.real("flying"):
            self.world.say(self.run, _EOF if neat else StreamLost("cut"))
            self.do(self._nothing())

    @precondition(lambda self: any(not future.done() for _, future in self.world.asked))
    @rule(
        kind=st.sampled_from([*Answer]).filter(lambda a: a not in (Answer.CLOSED, Answer.UNSUPPORTED)),
        acts=st.booleans(),
    )
    def abort_is_answered(self, kind: Answer, acts: bool) -> None:
        run, future = next((r, f) for r, f in self.world.asked if not f.done())
        if acts and self.world.real.get(run) == "alive":
            self.world.real[run] = "cancelled"
            self.world.say(run, ev.RunFinished(End.CANCELLED))
        over = self.world.real.get(run) in ("completed", "failed", "cancelled")
        if kind is Answer.ALREADY_OVER and not over:
            kind = Answer.REFUSED  # a lie that nobody could find out
        future.set_result(AbortAnswer(kind))
        self.do(self._nothing())

    @precondition(lambda self: any(live.clock for live in self.session._live.values()))
    @rule()
    def a_clock_runs_out(self) -> None:
        for live in self.session._live.values():
            if live.clock and not live.clock.cancelled():
                callback, arguments = live.clock._callback, live.clock._args
                live.clock.cancel()
                live.clock = None
                self.loop.call_soon(callback, *(arguments or ()))
        self.do(self._nothing())

    # --- promises -----------------------------------------------------------------------------------------

    @invariant()
    def text_never_moves_after_a_stop(self) -> None:
        for turn in self.session.conversation.turns:
            if turn.number in self.shown:
                assert turn.transcript.reply() == self.shown[turn.number], "late text"

    @invariant()
    def each_run_has_its_own_text(self) -> None:
        for number, turn in enumerate(self.session.conversation.turns, 1):
            for text in (turn.transcript.reply(), turn.late.reply()):
                assert all(word.startswith(f"run{number}:") for word in text.split()), (
                    "token in the wrong run"
                )

    @invariant()
    def at_most_one_abort_and_none_that_overtakes(self) -> None:
        assert not self.world.overlapping, "two aborts in flight"
        assert not self.world.overtaking, "an abort that can overtake its prompt"
        for turn in self.session.conversation.turns:
            if turn.stop is None:
                assert turn.run_id not in self.world.aborted or not turn.run_id

    @invariant()
    def a_stop_of_a_run_that_is_known_has_sent_its_abort(self) -> None:
        turn = self.turn
        if turn and turn.phase in STOPPING and turn.phase is not Phase.STOP_PENDING:
            assert turn.run_id in self.world.aborted, "the abort is missing"
        if turn and turn.phase is Phase.STOP_PENDING:
            assert not turn.run_id, "the run is known, and its abort is still held"

    @invariant()
    def nothing_is_claimed_that_is_not_so(self) -> None:
        for turn in self.session.conversation.turns:
            real = self.world.real.get(f"run{turn.number}", "none")
            if turn.outcome is Outcome.CONFIRMED:
                assert real in ("cancelled", "failed"), f"confirmed, and it is {real}"
            if turn.outcome is Outcome.FINISHED_FIRST:
                assert real in ("completed", "failed"), f"finished first, and it is {real}"
            if turn.outcome is Outcome.NEVER_SENT:
                assert real == "unsent"
            if turn.phase is Phase.COMPLETED:
                assert real == "completed", f"completed, and it is {real}"

    @invariant()
    def what_is_final_stays(self) -> None:
        for turn in self.session.conversation.turns:
            before = self.finals.get(turn.number)
            assert before is None or before[0] is turn.phase, "a final phase changed"
            if turn.phase in FINAL:
                self.finals[turn.number] = turn.phase, turn.outcome

    @invariant()
    def everything_is_on_disk(self) -> None:
        numbers = [record.number for record in self.disk.records]
        assert (
            numbers == list(range(1, len(numbers) + 1)) and len(numbers) == self.session.conversation.number
        )
        kept = sum(isinstance(record.event, ev.StopAsked) for record in self.disk.records)
        assert kept == self.stops, "a stop record is not saved"
        again = replay("x", self.disk.records)
        for one, other in zip(again.turns, self.session.conversation.turns, strict=True):
            assert (one.phase, one.outcome) == (other.phase, other.outcome)
            assert one.transcript.reply() == other.transcript.reply()
