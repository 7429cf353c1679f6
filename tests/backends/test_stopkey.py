"""What our own backend adds to AG-UI, as the adapter uses it: found, taken up again, looked up, answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from tests.backends.servers import origin, reply
from tests.stub.serving import Stub, eventually, go, stub
from tui.backends.ag_ui import AgUi
from tui.backends.base import (
    Backend,
    BackendError,
    Prompt,
    PromptRejected,
    RemoteStop,
    RunRef,
    StreamLost,
    Target,
)
from tui.backends.registry import connect
from tui.core import events as ev
from tui.core.events import Answer, End, Event

WORDS = " ".join(f"word{n}" for n in range(1, 61))
REF = RunRef("c1", "r1", "k1")


def prompt(text: str, run: str = "r1") -> Prompt:
    return Prompt(text, "c1", run, "k1")


@asynccontextmanager
async def adapter(served: Stub, path: str = "", **target: Any) -> AsyncIterator[AgUi]:
    headers = (("Authorization", f"Bearer {served.running.token}"),)
    options = {"dialect": "stopkey"}
    given = {"agent": "demo", "headers": headers, "options": options} | target
    backend = AgUi(Target("ag-ui", served.running.url + path, **given))  # type: ignore[arg-type]
    try:
        yield backend
    finally:
        await backend.aclose()


async def taken(events: AsyncIterator[Event], into: list[Event]) -> None:
    async with aclosing(events) as stream:  # type: ignore[type-var]
        async for event in stream:
            into.append(event)


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ev.TextDelta))


@pytest.mark.parametrize("path", ["", "/", "/agents/demo"])
def test_our_own_backend_is_recognised_without_being_told(path: str) -> None:
    async def scenario() -> None:
        async with stub() as served:
            headers = (("Authorization", f"Bearer {served.running.token}"),)
            async with connect("ag-ui", served.running.url + path, agent="demo", headers=headers) as backend:
                assert backend.capabilities.remote_stop is RemoteStop.ABORT
                assert backend.capabilities.resume and backend.capabilities.status
                events: list[Event] = []
                await taken(backend.run(prompt("[[short]]")), events)
                assert events[-1] == ev.RunFinished(End.COMPLETED)

    go(scenario())


def test_another_server_is_not_taken_for_ours() -> None:
    async def scenario() -> None:
        for answer in (
            reply(404),
            reply(200, {"status": "ok"}),
            reply(200, "<html>"),
            reply(307, b"", "location: /"),
        ):
            async with origin(answer) as server, connect("ag-ui", server.url) as backend:
                assert backend.capabilities.remote_stop is RemoteStop.NONE
                assert server.arrived[0].target == "/health"
        async with origin(reply(200, {"server": "stopkey"})) as server:
            async with connect("ag-ui", server.url, abort_url="/stop/{run_id}") as backend:
                assert not backend.capabilities.status, "what the user gave is not overruled"
            assert server.arrived == []

    go(scenario())


def test_a_server_that_does_not_answer_is_no_fault_before_the_first_prompt() -> None:
    async def scenario() -> None:
        async with connect("ag-ui", "http://127.0.0.1:1/agent") as backend:
            assert backend.capabilities.remote_stop is RemoteStop.NONE

    go(scenario())


def test_an_answer_is_believed_at_once_only_where_no_stream_can_deny_it() -> None:
    async def scenario() -> None:
        async with stub() as served, adapter(served) as reading, adapter(served) as outside:
            for run, backend, over in (("r1", reading, False), ("r2", outside, True)):
                events: list[Event] = []
                task = asyncio.create_task(taken(reading.run(prompt("[[words gates=text:2]]", run)), events))
                await eventually(lambda events=events: text_of(events))
                answer = await backend.abort(RunRef("c1", run), "enough")
                assert (answer.answer, answer.over) == (Answer.ACKNOWLEDGED, over)
                await task
                assert events[-1] == ev.RunFinished(End.CANCELLED, "enough")

    go(scenario())


def test_an_abort_without_a_run_id_ends_what_runs_in_the_conversation() -> None:
    async def scenario() -> None:
        async with stub() as served, adapter(served) as backend, adapter(served) as outside:
            events: list[Event] = []
            task = asyncio.create_task(taken(backend.run(prompt("[[words gates=text:2]]")), events))
            await eventually(lambda: text_of(events))
            assert (await outside.abort(RunRef("other"))).answer is Answer.NOTHING_RUNNING
            assert (await outside.abort(RunRef("c1"))).answer is Answer.ACKNOWLEDGED
            await task
            assert (await outside.abort(RunRef("c1"))).answer is Answer.NOTHING_RUNNING

    go(scenario())


def test_another_process_goes_on_behind_what_was_recorded() -> None:
    """`seen` counts the pieces of wire data that the journal has."""

    async def scenario() -> None:
        async with stub() as served:
            before: list[Event] = []
            async with adapter(served) as backend:
                with pytest.raises(StreamLost):
                    await taken(backend.run(prompt("[[words end=cut after=20]]")), before)
            recorded = before[:-3]  # a crash lost the newest
            after: list[Event] = []
            async with adapter(served) as backend:
                seen = sum(1 for event in recorded if event.raw)
                await taken(backend.resume(RunRef("c1", "r1", "k1", seen=seen)), after)
            assert text_of(recorded) + text_of(after) == WORDS
            assert after[-1] == ev.RunFinished(End.COMPLETED)

    go(scenario())


def test_what_cannot_be_taken_up_again_says_so_and_is_not_posted_again() -> None:
    async def scenario() -> None:
        async with stub() as served, adapter(served) as backend:
            with pytest.raises(PromptRejected, match="404"):
                await taken(backend.resume(REF), [])
            assert not served.engine.runs
        async with adapter(served) as backend:  # the server is gone now
            with pytest.raises(StreamLost):
                await taken(backend.resume(REF), [])

    go(scenario())


LOOK_UPS = [
    ("[[short]]", End.COMPLETED),
    ("[[error-at-once]]", End.FAILED),
    ("[[approve]]", End.UNSPECIFIED),
]


@pytest.mark.parametrize(("text", "end"), LOOK_UPS)
def test_a_look_up_says_how_a_run_ended(text: str, end: End) -> None:
    async def scenario() -> None:
        async with stub() as served, adapter(served) as backend:
            events: list[Event] = []
            await taken(backend.run(prompt(text)), events)
            seen = await backend.status(REF)
            assert seen and seen.end is end
            assert seen.text == text_of(events)
            assert await backend.status(RunRef("c1", "unknown")) is None

    go(scenario())


def test_a_look_up_that_fails_is_an_error_and_no_word_on_the_run() -> None:
    async def scenario() -> None:
        async with stub() as served, adapter(served) as backend:
            await taken(backend.run(prompt("[[short status=500]]")), [])
            with pytest.raises(BackendError, match="500"):
                await backend.status(REF)

    go(scenario())


def test_a_question_in_the_open_stream_is_answered_beside_it() -> None:
    async def scenario() -> None:
        async with stub() as served, adapter(served) as backend:
            assert backend.capabilities.answer_streams
            events: list[Event] = []
            task = asyncio.create_task(taken(backend.run(prompt("[[approve-live]]")), events))
            await eventually(lambda: any(isinstance(event, ev.QuestionAsked) for event in events))
            asked = events[-1]
            assert isinstance(asked, ev.QuestionAsked) and asked.kind == "approval"
            assert not backend.capabilities.answer_streams, "it goes on in the stream that is open"
            await backend.answer(REF, asked.request, "yes")
            await task
            assert events[-1] == ev.RunFinished(End.COMPLETED)
            assert backend.capabilities.answer_streams
            with pytest.raises(BackendError, match="not open any more"):
                await backend.answer(REF, asked.request, "yes")

    go(scenario())


def test_a_choice_and_a_text_are_answered_in_new_runs() -> None:
    async def scenario() -> None:
        async with stub() as served, adapter(served) as backend:
            for run, name, reply_text in (("r1", "choose", None), ("r2", "ask", "Rosalind")):
                events: list[Event] = []
                await taken(backend.run(prompt(f"[[{name}]]", run)), events)
                asked = events[-1]
                assert isinstance(asked, ev.QuestionAsked)
                assert asked.kind == ("choice" if name == "choose" else "input")
                said = reply_text or asked.choices[1]
                after: list[Event] = []
                await taken(backend.answering(RunRef("c1", run), asked.request, said), after)
                assert after[-1] == ev.RunFinished(End.COMPLETED)
                assert said in text_of(after), "the agent was told the very words"

    go(scenario())


def test_the_library_is_ten_lines() -> None:
    """What the README shows: start a run, read it, end it from outside."""

    async def scenario() -> None:
        async with stub() as served:
            url, token = served.running.url, (("Authorization", f"Bearer {served.running.token}"),)

            async with connect("ag-ui", url=url, agent="demo", headers=token) as agent:
                asked = Prompt("[[words gates=text:3]]", "conversation-1", "run-1", "key-1")
                run = RunRef(asked.conversation_id, asked.run_id)
                said: list[str] = []
                async for event in agent.run(asked):
                    if isinstance(event, ev.TextDelta):
                        said.append(event.text)
                    if len(said) == 3:
                        answer = await agent.abort(run, "that will do")
                assert isinstance(agent, Backend)
            assert event == ev.RunFinished(End.CANCELLED, "that will do")
            assert answer.answer is Answer.ACKNOWLEDGED

    go(scenario())


def numbered(*numbers: int) -> bytes:
    """The events of a run with these numbers: a start, words, and an end as number 6."""
    told = {1: {"type": "RUN_STARTED", "threadId": "c1", "runId": "r1"}}
    told[6] = {"type": "RUN_FINISHED", "threadId": "c1", "runId": "r1", "outcome": {"type": "success"}}  # type: ignore[dict-item]
    told |= {n: {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": f"{n} "} for n in (2, 3, 4, 5)}
    body = "".join(f"id: {n}\ndata: {json.dumps(told[n])}\n\n" for n in numbers).encode()
    return reply(200, body, type="text/event-stream")


async def read_on(answers: tuple[bytes, ...]) -> tuple[list[Event], list[str], int]:
    """What a run gives that is taken up again as the driver does; the paths asked for; how often lost."""
    events: list[Event] = []
    lost = 0
    async with origin(*answers) as server:
        backend = AgUi(Target("ag-ui", server.url, agent="demo", options={"dialect": "stopkey"}))
        stream = backend.run(prompt("go"))
        for _ in range(len(answers)):
            try:
                await taken(stream, events)
                break
            except StreamLost:
                lost += 1
                stream = backend.resume(REF)
        await backend.aclose()
        return events, [arrived.target for arrived in server.arrived], lost


def test_an_event_that_did_not_arrive_is_noticed_by_its_number_and_fetched() -> None:
    async def scenario() -> None:
        events, asked, lost = await read_on((numbered(1, 2, 4, 5, 6), numbered(3, 4, 5, 6)))
        assert text_of(events) == "2 3 4 5 " and isinstance(events[-1], ev.RunFinished)
        assert lost == 1 and asked[1].endswith("/events?after=2")

    go(scenario())


def test_an_event_that_the_backend_itself_does_not_have_is_counted_where_it_is_missing() -> None:
    async def scenario() -> None:
        events, _, lost = await read_on((numbered(1, 2, 5, 6), numbered(5, 6)))
        assert lost == 1, "asked for once, not for ever"
        assert text_of(events) == "2 5 " and isinstance(events[-1], ev.RunFinished)
        assert [e.value for e in events if isinstance(e, ev.DataReceived)] == [2]

    go(scenario())


def test_numbers_that_do_not_count_up_by_one_are_nothing_on_another_server() -> None:
    async def scenario() -> None:
        events: list[Event] = []
        async with origin(numbered(1, 2, 4, 6)) as server, connect("ag-ui", server.url) as backend:
            await taken(backend.run(prompt("go")), events)
        assert text_of(events) == "2 4 " and not any(isinstance(e, ev.DataReceived) for e in events)

    go(scenario())
