"""What every adapter promises, stated once, and checked against the embedded backend in its dialect.

A promise gets a `Bench` and asserts; `PROMISES` names them all. An adapter takes part by an entry in
`test_contract.ADAPTERS`. Prompts name scenarios and switches of the embedded backend, as in `[[words]]`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest

from backend_stub.events import Phase
from tests.stub.serving import Stub, eventually
from tui.backends.base import (
    AbortAnswer,
    Backend,
    BackendError,
    Prompt,
    PromptNotSent,
    PromptRejected,
    RemoteStop,
    RunRef,
    Said,
    StreamLost,
)
from tui.core import events as ev
from tui.core.events import Answer, End, Event
from tui.core.transcript import Transcript

WORDS = " ".join(f"word{n}" for n in range(1, 61))
"""What the scenario `words` says."""
NOT_OURS = (Answer.NOTHING_RUNNING, Answer.ALREADY_OVER, Answer.REFUSED, Answer.UNSUPPORTED, Answer.CLOSED)
"""Answers that claim no effect of our abort."""


@dataclass
class Turn:
    """One prompt of a test: what it became, and how to name it."""

    prompt: Prompt
    events: list[Event] = field(default_factory=list)
    shown: Transcript = field(default_factory=Transcript)
    fault: BackendError | None = None

    @property
    def ref(self) -> RunRef:
        started = next((e.run_id for e in self.events if isinstance(e, ev.RunStarted)), "")
        return RunRef(self.prompt.conversation_id, started or self.prompt.run_id, self.prompt.key)

    @property
    def text(self) -> str:
        return self.shown.reply_as_received()

    @property
    def end(self) -> End | None:
        last = self.events[-1] if self.events else None
        return last.end if isinstance(last, ev.RunFinished) else None

    def add(self, event: Event) -> None:
        self.events.append(event)
        self.shown.apply(event, 0.0)


@dataclass
class Bench:
    """An adapter, bound to a backend that runs. `make` makes another one, for a URL and with other fields."""

    stub: Stub
    make: Callable[..., Backend]
    backend: Backend

    def turn(self, text: str, *earlier: Said) -> Turn:
        conversation, run = uuid.uuid4().hex[:12], str(uuid.uuid4())
        return Turn(Prompt(text, conversation, run, uuid.uuid4().hex, earlier))

    async def read(self, turn: Turn, events: Any = None) -> Turn:
        """Take everything; a fault is kept."""
        try:
            async with aclosing(events or self.backend.run(turn.prompt)) as stream:
                async for event in stream:
                    turn.add(event)
        except BackendError as fault:
            turn.fault = fault
        return turn

    async def whole(self, text: str) -> Turn:
        return await self.read(self.turn(text))

    async def held(self, text: str, gate: str = "text") -> tuple[Turn, asyncio.Task[Turn]]:
        """A turn that stands at a gate of the backend, and the task that reads it."""
        turn = self.turn(text)
        reading = asyncio.create_task(self.read(turn))
        at_the_gate = asyncio.create_task(self.stub.engine.gates.reached(gate))
        await asyncio.wait([reading, at_the_gate], return_when=asyncio.FIRST_COMPLETED)
        assert not reading.done() and at_the_gate.result(), turn
        await eventually(lambda: turn.shown.chars or gate != "text" or reading.done())
        return turn, reading

    @property
    def run(self) -> Any:
        """The newest run of the backend itself."""
        return list(self.stub.engine.runs.values())[-1]

    async def let_go(self, gate: str = "text") -> None:
        """Open a gate, and wait until the backend's own run is over."""
        self.stub.engine.gates.open(gate)
        await eventually(lambda: self.run.phase.over)

    def calls(self) -> list[str]:
        """The model and tool calls that the backend began, in order."""
        lines = self.stub.engine.ledger.lines(self.run.id, 0)
        return [f"{line.what} {line.name}" for line in lines if line.edge == "start"]


Promise = Callable[[Bench], Awaitable[None]]
PROMISES: dict[str, Promise] = {}


def promise(check: Promise) -> Promise:
    PROMISES[check.__name__.replace("_", " ")] = check
    return check


# --- running ----------------------------------------------------------------------------------------------


@promise
async def the_run_is_known_first_and_its_end_comes_last(bench: Bench) -> None:
    turn = await bench.whole("[[tool]]")
    assert turn.fault is None
    assert isinstance(turn.events[0], ev.RunStarted)
    assert [type(e) for e in turn.events].count(ev.RunFinished) == 1
    assert turn.end in (End.COMPLETED, End.UNSPECIFIED)
    assert not turn.shown.open_tools()


@promise
async def the_text_is_the_backends_text_and_wire_data_is_kept(bench: Bench) -> None:
    turn = await bench.whole("[[words]]")
    assert turn.text == WORDS
    assert any(event.raw for event in turn.events)


@promise
async def an_agent_that_fails_is_a_failed_run_with_its_reason(bench: Bench) -> None:
    turn = await bench.whole("[[error]]")
    last = turn.events[-1]
    assert isinstance(last, ev.RunFinished) and last.end is End.FAILED and last.message


@promise
async def a_tool_that_fails_is_no_failed_run(bench: Bench) -> None:
    turn = await bench.whole("[[failing-tool]]")
    assert turn.end in (End.COMPLETED, End.UNSPECIFIED)
    assert not turn.shown.open_tools()


@promise
async def a_dead_address_means_that_nothing_was_sent(bench: Bench) -> None:
    backend = bench.make("http://127.0.0.1:1")
    turn = bench.turn("hi")
    await bench.read(turn, backend.run(turn.prompt))
    assert type(turn.fault) is PromptNotSent and not turn.events
    await backend.aclose()


@promise
async def a_wrong_token_is_a_refused_prompt_and_the_sentence_does_not_show_it(bench: Bench) -> None:
    backend = bench.make(token="wrong-canary")
    turn = bench.turn("hi")
    await bench.read(turn, backend.run(turn.prompt))
    assert type(turn.fault) is PromptRejected and turn.fault.status == 401
    assert "canary" not in str(turn.fault) + repr(backend)
    assert not turn.events and not bench.stub.engine.runs
    await backend.aclose()


@promise
async def closing_the_reading_closes_its_connection(bench: Bench) -> None:
    turn, reading = await bench.held("[[words gates=text:2]]")
    reading.cancel()
    await asyncio.wait([reading])
    await bench.backend.aclose()
    await eventually(lambda: not bench.stub.running.server.server_state.connections)
    assert turn.text


# --- broken streams ---------------------------------------------------------------------------------------


async def _taken_up(bench: Bench, switch: str) -> None:
    turn = await bench.whole(f"[[words {switch}]]")
    assert turn.end in (None, End.COMPLETED), "a broken stream is no end"
    tries = 0
    while turn.end is None:
        assert isinstance(turn.fault, StreamLost)
        if not bench.backend.capabilities.resume:
            return
        tries += 1
        assert tries < 4
        turn.fault = None
        await bench.read(turn, bench.backend.resume(turn.ref))
    assert turn.text == WORDS, "nothing lost and nothing twice"
    assert len(bench.stub.engine.runs) == 1, "nothing was posted again"


@promise
async def a_stream_that_is_cut_is_lost_or_taken_up_where_it_broke(bench: Bench) -> None:
    await _taken_up(bench, "end=cut after=9")


@promise
async def a_stream_that_is_reset_is_lost_or_taken_up_where_it_broke(bench: Bench) -> None:
    await _taken_up(bench, "end=reset after=9")


@promise
async def a_stream_that_ends_early_is_not_taken_for_a_reply_that_ended(bench: Bench) -> None:
    await _taken_up(bench, "end=eof after=9")


# --- stopping ---------------------------------------------------------------------------------------------


async def _stopped(bench: Bench, turn: Turn, reading: asyncio.Task[Turn]) -> AbortAnswer | None:
    """Stop as this backend is stopped, and read what still comes."""
    if bench.backend.capabilities.remote_stop is RemoteStop.CLOSE:
        reading.cancel()
        await asyncio.wait([reading])
        await eventually(lambda: bench.run.phase.over)
        return None
    answer = await bench.backend.abort(turn.ref, "enough")
    await reading
    return answer


@promise
async def a_stop_in_the_middle_of_the_text_ends_the_run(bench: Bench) -> None:
    turn, reading = await bench.held("[[words gates=text:2]]")
    answer = await _stopped(bench, turn, reading)
    if answer:
        assert answer.answer is Answer.ACKNOWLEDGED
    if bench.backend.capabilities.status:
        seen = await bench.backend.status(turn.ref)
        assert seen and seen.end is End.CANCELLED
    else:
        assert turn.end is End.CANCELLED
    assert bench.run.phase is Phase.CANCELLED
    assert WORDS.startswith(turn.text)


@promise
async def nothing_new_is_started_after_a_stop_inside_a_tool(bench: Bench) -> None:
    turn, reading = await bench.held("[[many-tools gates=tool]]", "tool")
    before = bench.calls()
    await _stopped(bench, turn, reading)
    bench.stub.engine.gates.open("tool")
    assert bench.calls() == before
    assert bench.run.phase is Phase.CANCELLED


@promise
async def a_second_abort_claims_no_second_effect(bench: Bench) -> None:
    if bench.backend.capabilities.remote_stop is not RemoteStop.ABORT:
        return
    turn, reading = await bench.held("[[words gates=text:2]]")
    await _stopped(bench, turn, reading)
    again = await bench.backend.abort(turn.ref)
    assert again.answer in NOT_OURS and not again.over


@promise
async def an_abort_of_a_run_that_completed_claims_nothing(bench: Bench) -> None:
    if bench.backend.capabilities.remote_stop is not RemoteStop.ABORT:
        return
    turn = await bench.whole("[[short]]")
    answer = await bench.backend.abort(turn.ref)
    assert answer.answer in NOT_OURS and not answer.over
    assert bench.run.phase is Phase.COMPLETED


@promise
async def an_abort_of_what_was_never_there_claims_nothing(bench: Bench) -> None:
    if bench.backend.capabilities.remote_stop is not RemoteStop.ABORT:
        return
    answer = await bench.backend.abort(RunRef("no-such-conversation", "no-such-run", "no-such-key"))
    assert answer.answer in NOT_OURS and not answer.over


@promise
async def an_abort_from_outside_ends_the_run(bench: Bench) -> None:
    """Another process of the client, which knows the run by its names only."""
    if bench.backend.capabilities.remote_stop is not RemoteStop.ABORT:
        return
    turn, reading = await bench.held("[[words gates=text:2]]")
    outside = bench.make()
    await outside.connect()
    answer = await outside.abort(turn.ref)
    assert answer.answer is Answer.ACKNOWLEDGED
    await reading
    assert bench.run.phase is Phase.CANCELLED
    await outside.aclose()


async def _faulty(bench: Bench, mode: str, *expected: Answer) -> None:
    if bench.backend.capabilities.remote_stop is not RemoteStop.ABORT:
        return
    turn, reading = await bench.held(f"[[words gates=text:2 abort={mode}]]")
    try:
        answer = await bench.backend.abort(turn.ref)
    except BackendError as fault:
        answer = AbortAnswer(Answer.UNANSWERED, str(fault))  # as the driver has it
    assert answer.answer in expected, answer
    assert not answer.over, "the run goes on"
    await bench.let_go()
    await reading
    assert turn.text == WORDS and turn.end is not End.CANCELLED


@promise
async def a_forbidden_abort_is_refused_and_the_run_goes_on(bench: Bench) -> None:
    await _faulty(bench, "403", Answer.REFUSED)


@promise
async def an_abort_that_the_server_does_not_have_is_no_stop(bench: Bench) -> None:
    await _faulty(bench, "405", Answer.UNSUPPORTED, Answer.REFUSED)


@promise
async def a_redirected_abort_is_not_followed(bench: Bench) -> None:
    await _faulty(bench, "redirect", Answer.REFUSED)


@promise
async def a_dropped_abort_is_unanswered(bench: Bench) -> None:
    await _faulty(bench, "drop", Answer.UNANSWERED)


@promise
async def a_page_of_html_is_acknowledged_at_best(bench: Bench) -> None:
    await _faulty(bench, "html", Answer.ACKNOWLEDGED, Answer.REFUSED, Answer.UNANSWERED)


@promise
async def a_yes_that_is_a_lie_proves_nothing_while_the_run_is_read(bench: Bench) -> None:
    await _faulty(bench, "lie", Answer.ACKNOWLEDGED)


@promise
async def an_abort_that_hangs_can_be_given_up(bench: Bench) -> None:
    if bench.backend.capabilities.remote_stop is not RemoteStop.ABORT:
        return
    turn, reading = await bench.held("[[words gates=text:2 abort=hang]]")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await bench.backend.abort(turn.ref)
    await bench.let_go()
    await reading
    assert turn.text == WORDS


@promise
async def a_hostile_id_becomes_no_path(bench: Bench) -> None:
    for name in ("../admin", "..", "a/b", "x?y#z", "%2e%2e"):
        try:
            answer = await bench.backend.abort(RunRef(name, name, name))
        except BackendError:
            continue
        assert answer.answer in NOT_OURS


# --- questions and looking --------------------------------------------------------------------------------


@promise
async def a_question_is_asked_and_its_answer_lets_the_run_go_on(bench: Bench) -> None:
    if not bench.backend.capabilities.answers_questions:
        return
    turn = bench.turn("[[approve]]")
    await bench.read(turn)
    asked = turn.events[-1]
    assert isinstance(asked, ev.QuestionAsked) and asked.kind == "approval" and asked.text
    await bench.read(turn, bench.backend.answering(turn.ref, asked.request, "yes"))
    assert turn.end in (End.COMPLETED, End.UNSPECIFIED)
    assert "tool deploy" in bench.calls()


@promise
async def a_no_keeps_the_tool_from_running(bench: Bench) -> None:
    if not bench.backend.capabilities.answers_questions:
        return
    turn = await bench.whole("[[approve]]")
    asked = turn.events[-1]
    assert isinstance(asked, ev.QuestionAsked)
    await bench.read(turn, bench.backend.answering(turn.ref, asked.request, "no"))
    assert turn.end is not None
    assert "tool deploy" not in bench.calls()


@promise
async def a_look_up_tells_a_run_that_lives_from_one_that_ended(bench: Bench) -> None:
    if not bench.backend.capabilities.status:
        return
    turn, reading = await bench.held("[[words gates=text:2]]")
    alive = await bench.backend.status(turn.ref)
    assert alive is None or alive.end is End.ALIVE
    await bench.let_go()
    await reading
    ended = await bench.backend.status(turn.ref)
    assert ended and ended.end is End.COMPLETED
    assert ended.text in (None, WORDS)
