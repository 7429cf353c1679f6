"""The one list of cases that every real server goes through, and what must be true of each.

A case gets a `Stage` and returns what is to be shown in the table; what it asserts is the promise. After
every stop the client's word is held against the log of the model and the tools (`truth.untruths`).
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from tests.interop.truth import (
    BLOCKING,
    SHORT,
    TEXT,
    TOOL,
    Kind,
    Logged,
    Server,
    of_tag,
    untruths,
    what_happened,
)
from tui.backends.base import Backend, Prompt, RemoteStop, RunRef
from tui.core import events as ev
from tui.core.conversation import Turn
from tui.core.events import Answer, End, Record
from tui.core.transcript import ToolBlock, Transcript
from tui.core.turn import Outcome, Phase
from tui.receipt import cautions
from tui.session import Pressed, Session

QUIET_S = 0.6
"""How long nothing new may begin after a stop: a server that goes on starts its next call at once."""


@dataclass
class Stage:
    """One conversation with a real server: a session, and ways to wait for what its turns become."""

    server: Server
    backend: Backend
    tag: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()
        self.session = Session(self.backend, on_change=self._note)

    def _note(self, turn: Turn, record: Record) -> None:
        self._changed.set()

    async def until(self, true: Callable[[], object], seconds: float = 15.0) -> None:
        """Wait until something is true of the session; it is looked at after every change."""
        async with asyncio.timeout(seconds):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    def send(self, kind: Kind, tag: str = "") -> Turn:
        return self.session.send(self.server.prompt(kind, tag or self.tag))

    async def stopped(self, turn: Turn) -> None:
        """Wait for the outcome, then long enough to see what a run that went on would have done."""
        async with asyncio.timeout(20):
            await self.session.settled(turn)
        await asyncio.sleep(QUIET_S)

    def log(self, tag: str = "") -> list[Logged]:
        return of_tag(self.server.read_log(), tag or self.tag)

    async def logged(self, true: Callable[[list[Logged]], object], seconds: float = 10.0) -> None:
        """Wait until the log says something. It is a file of another process: looked at again and again."""
        until = time.monotonic() + seconds
        while not true(self.log()):
            assert time.monotonic() < until, f"never logged: {self.log()}"
            await asyncio.sleep(0.02)

    async def logged_end(self, tag: str) -> None:
        """Wait until the model has ended its reply to a prompt; looked at as often as the machine can."""
        async with asyncio.timeout(10):
            while not any((x.who, x.what) == ("model", "end") for x in self.log(tag)):
                await asyncio.sleep(0)

    def plain_prompt(self, kind: Kind, conversation: str, key: str) -> Prompt:
        """A prompt for the adapter alone, without the driver."""
        return Prompt(self.server.prompt(kind, self.tag), conversation, str(uuid.uuid4()), key)

    def said(self, turn: Turn) -> str:
        """What the client said, for the table."""
        if turn.stop is None:
            return str(turn.phase)
        evidence = f" by {turn.stop.evidence}" if turn.stop.evidence else ""
        return f"{turn.outcome}{evidence}, kept {turn.transcript.chars}"

    def happened(self, tag: str = "") -> str:
        return what_happened(self.server.read_log(), tag or self.tag)

    def held(self, turn: Turn, tag: str = "") -> tuple[str, str]:
        """A row of the table, once the client's word has been held against the log."""
        wrong = untruths(turn, self.server.read_log(), tag or self.tag)
        assert not wrong, wrong
        return self.said(turn), self.happened(tag)


Row = tuple[str, str]
Case = Callable[[Stage], Awaitable[Row]]


async def prompt_and_stream(stage: Stage) -> Row:
    turn = stage.send(TOOL)
    await stage.session.settled(turn)
    assert turn.phase is Phase.COMPLETED
    assert turn.transcript.reply_as_received().strip()
    assert not turn.transcript.open_tools()
    assert [line.what for line in stage.log() if line.who == "tool"] == ["start", "end"]
    return stage.held(turn)


async def stop_mid_text(stage: Stage) -> Row:
    turn = stage.send(TEXT)
    await stage.until(lambda: turn.transcript.chars > 20)
    stage.session.stop("test")
    shown = turn.transcript.reply()
    await stage.stopped(turn)
    assert turn.outcome is Outcome.CONFIRMED
    assert turn.transcript.reply() == shown, "text never moves after a stop"
    assert turn.kept().startswith(turn.transcript.reply_as_received())
    assert [line.what for line in stage.log() if line.who == "model"] == ["start", "cut"]
    return stage.held(turn)


async def stop_mid_tool(stage: Stage) -> Row:
    turn = stage.send(TOOL)
    await stage.until(turn.transcript.open_tools)
    await stage.logged(lambda log: any(line.who == "tool" for line in log))
    stage.session.stop("test")
    await stage.stopped(turn)
    assert turn.outcome is Outcome.CONFIRMED
    assert len([line for line in stage.log() if (line.who, line.what) == ("model", "start")]) == 1
    return stage.held(turn)


async def stop_while_a_tool_cannot_be_stopped(stage: Stage) -> Row:
    turn = stage.send(BLOCKING)
    await stage.until(turn.transcript.open_tools)
    await stage.logged(lambda log: any(line.who == "tool" for line in log))
    stage.session.stop("test")
    await stage.stopped(turn)
    await stage.logged(lambda log: any((line.who, line.what) == ("tool", "end") for line in log))
    await asyncio.sleep(QUIET_S)
    row = stage.held(turn)
    if turn.outcome is Outcome.CONFIRMED and not any(isinstance(b, ToolBlock) for b in turn.late.blocks):
        assert any("may still be finishing" in line for line in cautions(turn)), "its end was not seen"
    return row


async def stop_before_the_first_event(stage: Stage) -> Row:
    turn = stage.send(TEXT)
    stage.session.stop("test")
    assert turn.phase is Phase.STOP_PENDING
    await stage.stopped(turn)
    # Where closing is the stop, the prompt may not have left yet; the log shows whether that is so.
    assert turn.outcome in (Outcome.CONFIRMED, Outcome.NEVER_SENT)
    assert turn.transcript.chars == 0
    return stage.held(turn)


async def stop_right_after_the_run_is_known(stage: Stage) -> Row:
    turn = stage.send(TEXT)
    await stage.until(lambda: turn.run_id)
    stage.session.stop("test")
    await stage.stopped(turn)
    assert turn.outcome is Outcome.CONFIRMED
    return stage.held(turn)


async def stop_twice(stage: Stage) -> Row:
    turn = stage.send(TEXT)
    await stage.until(lambda: turn.transcript.chars > 0)
    pressed = [stage.session.stop("test") for _ in range(3)]
    assert pressed == [Pressed.STOPPED, Pressed.ALREADY_STOPPING, Pressed.ALREADY_STOPPING]
    await stage.stopped(turn)
    assert stage.session.stop("test") is Pressed.NOTHING_RUNNING
    assert turn.outcome is Outcome.CONFIRMED
    assert turn.stop and turn.stop.aborts <= 1
    return stage.held(turn)


async def stop_when_idle(stage: Stage) -> Row:
    """In the client it does nothing; asked from outside, the backend says that there is nothing."""
    assert stage.session.stop("test") is Pressed.NOTHING_RUNNING
    turn = stage.send(SHORT)
    await stage.session.settled(turn)
    assert turn.phase is Phase.COMPLETED, turn.problem
    assert stage.session.stop("test") is Pressed.NOTHING_RUNNING
    if stage.backend.capabilities.remote_stop is not RemoteStop.ABORT:
        return "nothing running", stage.happened()
    outside = stage.server.backend()
    try:
        await outside.connect()
        answers = [
            (await outside.abort(RunRef(stage.session.conversation.id, turn.run_id))).answer,
            (await outside.abort(RunRef(uuid.uuid4().hex[:12], turn.run_id))).answer,
        ]
    finally:
        await outside.aclose()
    assert Answer.ACKNOWLEDGED not in answers, "nothing was running"
    return ", ".join(answers), stage.happened()


async def stop_just_as_the_reply_ends(stage: Stage) -> Row:
    """Whoever wins: the client must say what was, and never both."""
    outcomes = []
    for number in range(4):
        tag = f"{stage.tag}.{number}"
        turn = stage.send(SHORT, tag)
        await stage.logged_end(tag)
        pressed = stage.session.stop("test")
        await stage.stopped(turn)
        outcomes.append(stage.held(turn, tag)[0] if pressed is Pressed.STOPPED else str(turn.phase))
        assert turn.outcome in (None, Outcome.FINISHED_FIRST, Outcome.CONFIRMED)
    return " / ".join(outcomes), stage.happened(f"{stage.tag}.0")


async def resend_at_once(stage: Stage) -> Row:
    """The prompt that follows the stop runs to its end, untouched by the abort of the old one."""
    turn = stage.send(TEXT)
    await stage.until(lambda: turn.transcript.chars > 0)
    stage.session.stop("test")
    await stage.session.settled(turn)
    again = stage.send(SHORT, f"{stage.tag}.again")
    await stage.session.settled(again)
    assert again.phase is Phase.COMPLETED
    assert again.transcript.reply_as_received().strip()
    assert turn.outcome is Outcome.CONFIRMED
    said, happened = stage.held(turn)
    return f"{said}; then {again.phase}", f"{happened}; then {stage.happened(f'{stage.tag}.again')}"


async def drop_and_reattach(stage: Stage) -> Row:
    """A dropped connection is no stop: the run is taken up where it broke, or said to be lost."""
    conversation, key = uuid.uuid4().hex[:12], uuid.uuid4().hex
    shown, run_id = Transcript(), ""
    run = stage.backend.run(stage.plain_prompt(TEXT, conversation, key))
    async for event in run:
        shown.apply(event, 0.0)
        run_id = event.run_id if isinstance(event, ev.RunStarted) else run_id
        if shown.chars > 20:
            break
    await run.aclose()
    before, ref = shown.chars, RunRef(conversation, run_id, key)
    if not stage.backend.capabilities.resume:
        seen = await stage.backend.status(ref) if stage.backend.capabilities.status else None
        return f"cannot re-attach; a look-up says {seen.end if seen else 'nothing'}", stage.happened()
    await asyncio.sleep(0.3)
    async for event in stage.backend.resume(ref):
        shown.apply(event, 0.0)
    assert event == ev.RunFinished(End.COMPLETED)
    assert [x.what for x in stage.log() if x.who == "model"] == ["start", "end"], "it was never stopped"
    saved = await stage.backend.status(ref)
    assert saved and saved.text == shown.reply_as_received(), "nothing lost, nothing twice"
    return f"{before} of {shown.chars} chars, then the rest, completed", stage.happened()


async def what_is_remembered(stage: Stage) -> Row:
    """What the model is given of the stopped reply when the next prompt comes."""
    turn = stage.send(TEXT)
    await stage.until(lambda: turn.transcript.chars > 20)
    stage.session.stop("test")
    await stage.session.settled(turn)
    again = stage.send(SHORT, f"{stage.tag}.again")
    await stage.session.settled(again)
    given = next(line.given for line in stage.log(f"{stage.tag}.again") if line.given)
    partial = turn.transcript.reply_as_received()[:20]
    remembered = any(role != "user" and partial in text for role, text in given)
    declared = stage.backend.capabilities.remembers_partial
    assert declared is None or declared is remembered
    return f"declared: {declared}", f"the model was given {'the' if remembered else 'no'} partial"


CASES: dict[str, Case] = {
    case.__name__.replace("_", " "): case
    for case in (
        prompt_and_stream,
        stop_mid_text,
        stop_mid_tool,
        stop_while_a_tool_cannot_be_stopped,
        stop_before_the_first_event,
        stop_right_after_the_run_is_known,
        stop_twice,
        stop_when_idle,
        stop_just_as_the_reply_ends,
        resend_at_once,
        drop_and_reattach,
        what_is_remembered,
    )
}


async def random_stops(
    server: Server, count: int, seed: int = 0, side_by_side: int = 10
) -> list[tuple[Turn, str]]:
    """Stops at moments uniform over replies of every kind, many conversations at a time: (turn, tag)s."""
    dice, backend, gate = random.Random(seed), server.backend(), asyncio.Semaphore(side_by_side)

    async def one(kind: Kind, after_s: float) -> tuple[Turn, str]:
        async with gate:
            stage = Stage(server, backend)
            turn = stage.send(kind)
            await asyncio.sleep(after_s)
            stage.session.stop("test")
            await stage.stopped(turn)
            with suppress(TimeoutError):  # a server that was held up by another run answers late
                await stage.until(lambda: turn.outcome is not Outcome.UNCONFIRMED, 8.0)
            await stage.session.close()
            return turn, stage.tag

    kinds = getattr(server, "random_kinds", (TEXT, TOOL, BLOCKING))
    plan = [(dice.choice(kinds), dice.uniform(0.0, 3.2)) for _ in range(count)]
    try:
        await backend.connect()
        return await asyncio.gather(*(one(kind, after_s) for kind, after_s in plan))
    finally:
        await backend.aclose()
