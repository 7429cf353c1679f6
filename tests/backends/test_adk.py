"""The ADK adapter against a small server: sessions, streams, questions, and what each trap becomes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import httpx
import pytest

from tests.backends.fake_adk import FakeAdk, call, play, result, say, whole
from tests.fakes import Gate
from tui.backends import adk
from tui.backends.adk import Adk
from tui.backends.base import (
    Backend,
    BackendError,
    Prompt,
    PromptNotSent,
    PromptRejected,
    RemoteStop,
    RunRef,
    Said,
    Scope,
    StreamLost,
)
from tui.core import events as ev
from tui.core.events import Answer, End, Event

COMPLETED = ev.RunFinished(End.COMPLETED)
SESSIONS = "/apps/agent/users/user/sessions"


def prompt(
    text: str = "hello", conversation: str = "c", key: str = "k1", earlier: tuple[Said, ...] = ()
) -> Prompt:
    return Prompt(text, conversation, "ours", key, earlier)


async def every(backend: Adk, given: Prompt | None = None) -> list[Event]:
    return [event async for event in backend.run(given or prompt())]


def test_the_adapter_is_a_backend() -> None:
    async def scenario() -> None:
        async with aclosing(FakeAdk().backend()) as backend:
            assert isinstance(backend, Backend)

    play(scenario)


def test_a_session_is_made_once_and_every_prompt_is_posted_once_with_its_mark() -> None:
    async def scenario() -> None:
        server = FakeAdk([[say("a"), whole("a b")], [whole("c")]])
        async with aclosing(server.backend()) as backend:
            first = await every(backend)
            second = await every(backend, prompt("again", key="k2"))
        assert first[0] == ev.RunStarted("e-1")
        assert first[-1] == second[-1] == COMPLETED
        assert server.requests == ["GET /list-apps", f"POST {SESSIONS}", "POST /run_sse", "POST /run_sse"]
        assert server.bodies[0] == {
            "appName": "agent",
            "userId": "user",
            "sessionId": "c",
            "streaming": True,
            "newMessage": {"role": "user", "parts": [{"text": "hello"}]},
            "customMetadata": {"stopkey": "k1"},
        }
        assert server.open_streams == 0

    play(scenario)


def test_a_session_that_exists_is_gone_on_with() -> None:
    async def scenario() -> None:
        server = FakeAdk([[whole("a")]], sessions={"c": []})
        async with aclosing(server.backend()) as backend:
            assert (await every(backend))[-1] == COMPLETED

    play(scenario)


def test_a_server_that_does_not_know_an_old_conversation_is_told_about() -> None:
    async def scenario() -> None:
        server = FakeAdk([[whole("a")]])
        async with aclosing(server.backend()) as backend:
            events = await every(backend, prompt(earlier=(Said("user", "before"),)))
        assert isinstance(events[0], ev.RunStarted)
        assert isinstance(events[1], ev.DataReceived) and events[1].name == "session"

    play(scenario)


def test_a_conversation_that_the_server_forgot_is_refused_once_and_then_begun_anew() -> None:
    async def scenario() -> None:
        server = FakeAdk([[whole("a")], [whole("b")]])
        async with aclosing(server.backend()) as backend:
            await every(backend)
            server.sessions.clear()
            with pytest.raises(PromptRejected, match="no longer knows this conversation"):
                await every(backend, prompt(key="k2"))
            assert (await every(backend, prompt(key="k3")))[-1] == COMPLETED

    play(scenario)


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (httpx.ConnectError("no"), PromptNotSent),
        (httpx.ReadError("cut"), PromptNotSent),  # the session may exist, the prompt cannot
        (httpx.Response(502), PromptNotSent),
        (httpx.Response(403), PromptRejected),
        (httpx.Response(500), PromptRejected),
    ],
)
def test_a_session_that_cannot_be_made_leaves_the_prompt_unsent(
    made: httpx.Response | Exception, error: type[BackendError]
) -> None:
    async def scenario() -> None:
        server = FakeAdk(create=made)
        async with aclosing(server.backend()) as backend:
            with pytest.raises(error):
                await every(backend)
        assert server.bodies == []

    play(scenario)


def test_one_of_several_apps_must_be_named() -> None:
    async def scenario() -> None:
        server = FakeAdk([[whole("a")]], apps=["one", "two"])
        async with aclosing(server.backend()) as backend:
            with pytest.raises(PromptRejected, match="2 agents: name one with --agent: one, two"):
                await every(backend)
        async with aclosing(server.backend(agent="two", user="ann")) as backend:
            await every(backend)
        assert "POST /apps/two/users/ann/sessions" in server.requests

    play(scenario)


@pytest.mark.parametrize("bad", ["../admin", "a/b", "", "x:cancel", ".."])
def test_an_id_that_could_become_a_path_is_not_sent(bad: str) -> None:
    async def scenario() -> None:
        server = FakeAdk(listed=True)
        async with aclosing(server.backend(agent="agent")) as backend:
            await backend.connect()
            for asked in (every(backend, prompt(conversation=bad)), backend.abort(RunRef(bad))):
                with pytest.raises(BackendError, match="cannot be put into an address"):
                    await asked
        assert server.requests == ["GET /openapi.json"]

    play(scenario)


# --- how a stream ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        [say("a")],
        [say("a"), say("b")],
        [say("a"), whole("a"), call("look")],
        [call("look"), result("look")],
        [],
    ],
)
def test_a_clean_end_without_the_last_word_is_a_lost_stream(script: list[adk.JSON]) -> None:
    async def scenario() -> None:
        async with aclosing(FakeAdk([list(script)]).backend()) as backend:
            with pytest.raises(StreamLost, match="without the agent's last word"):
                await every(backend)

    play(scenario)


def test_a_cut_connection_is_a_lost_stream() -> None:
    async def scenario() -> None:
        async with aclosing(FakeAdk([[say("a"), httpx.ReadError("cut")]]).backend()) as backend:
            with pytest.raises(StreamLost, match="broke off"):
                await every(backend)

    play(scenario)


def test_closing_the_generator_closes_the_response() -> None:
    async def scenario() -> None:
        server = FakeAdk([[say("a"), Gate()]])
        async with aclosing(server.backend()) as backend:
            async with aclosing(backend.run(prompt())) as events:
                async for event in events:
                    if isinstance(event, ev.TextDelta):
                        break
            assert server.open_streams == 0

    play(scenario)


# --- the cancel route -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"paths": {"/apps/{a}/users/{u}/sessions/{s}": {"post": {}}}}),
        httpx.Response(200, json={"paths": {"/apps/{a}/users/{u}/sessions/{s}:cancel": {"get": {}}}}),
    ],
)
def test_without_a_declared_route_a_stop_is_a_close(answer: httpx.Response) -> None:
    async def scenario() -> None:
        server = FakeAdk(openapi=answer, cancel="works")
        async with aclosing(server.backend()) as backend:
            await backend.connect()
            assert backend.capabilities.remote_stop is RemoteStop.CLOSE
            assert backend.capabilities.scope is Scope.RUN
            answered = await backend.abort(RunRef("c"))
            assert answered.answer is Answer.UNSUPPORTED
        assert not any("cancel" in request for request in server.requests)

    play(scenario)


def test_a_declared_route_is_found_without_trying_it() -> None:
    async def scenario() -> None:
        server = FakeAdk(listed=True, cancel="works")
        async with aclosing(server.backend()) as backend:
            assert backend.capabilities.remote_stop is RemoteStop.CLOSE
            await backend.connect()
            assert backend.capabilities.remote_stop is RemoteStop.ABORT
            assert backend.capabilities.scope is Scope.CONVERSATION
        assert server.requests == ["GET /list-apps", "GET /openapi.json"]

    play(scenario)


@pytest.mark.parametrize("there_before", [False, True])
def test_a_shadowed_route_is_seen_through_and_its_stray_session_deleted(there_before: bool) -> None:
    async def scenario() -> None:
        server = FakeAdk(listed=True)
        if there_before:
            server.sessions["c:cancel"] = []  # of an earlier try: the POST answers 409
        async with aclosing(server.backend()) as backend:
            await backend.connect()
            answered = await backend.abort(RunRef("c"))
            assert answered.answer is Answer.CLOSED and "does not reach it" in answered.detail
            assert backend.capabilities.remote_stop is RemoteStop.CLOSE
        assert server.sessions == {}
        assert server.requests[-2:] == [f"POST {SESSIONS}/c:cancel", f"DELETE {SESSIONS}/c:cancel"]

    play(scenario)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (httpx.Response(200, json={"status": "cancelled", "session_id": "c"}), Answer.ACKNOWLEDGED),
        (httpx.Response(200, json={"status": "ok"}), Answer.REFUSED),
        (httpx.Response(200, text="OK"), Answer.REFUSED),
        (httpx.Response(204), Answer.REFUSED),
        (httpx.Response(404, json={"detail": "No active run found for session 'c'"}), Answer.NOTHING_RUNNING),
        (httpx.Response(404, json={"detail": "Not Found"}), Answer.CLOSED),
        (httpx.Response(405, json={"detail": "Method Not Allowed"}), Answer.CLOSED),
        (httpx.Response(401), Answer.REFUSED),
        (httpx.Response(403, text="Forbidden"), Answer.REFUSED),
        (httpx.Response(500, text="oops"), Answer.REFUSED),
        (httpx.Response(307, headers={"location": "https://elsewhere.example/x"}), Answer.REFUSED),
        (httpx.Response(409, json={"detail": "busy"}), Answer.REFUSED),
    ],
)
def test_only_a_body_that_says_cancelled_is_a_yes(reply: httpx.Response, answer: Answer) -> None:
    async def scenario() -> None:
        async with aclosing(FakeAdk(listed=True, cancel=reply).backend()) as backend:
            await backend.connect()
            answered = await backend.abort(RunRef("c"))
            assert (answered.answer, answered.status) == (answer, reply.status_code)
            assert answered.detail and not answered.over

    play(scenario)


def test_a_cancel_of_whatever_runs_learns_what_that_was_and_can_be_proved() -> None:
    async def scenario() -> None:
        gate = Gate()
        server = FakeAdk([[whole("old")], [say("new"), gate]], listed=True, cancel="works")
        async with aclosing(server.backend()) as backend, aclosing(server.backend()) as outside:
            await every(backend)
            await outside.connect()
            nobody = RunRef("c")
            assert (await outside.abort(nobody)).answer is Answer.NOTHING_RUNNING
            assert await outside.status(nobody) is None
            reading = asyncio.ensure_future(every(backend, prompt(key="k2")))
            await gate.reached.wait()
            whatever = RunRef("c")
            assert (await outside.abort(whatever)).answer is Answer.ACKNOWLEDGED
            assert (await reading)[-1] == ev.RunFinished(End.CANCELLED, "aborted")
            seen = await outside.status(whatever)
            assert whatever.run_id == "e-2" and seen and seen.end is End.CANCELLED

    play(scenario)


def test_on_a_server_with_the_route_a_slow_run_is_known_before_its_first_event() -> None:
    async def scenario() -> None:
        gate = Gate()
        server = FakeAdk([[gate, whole("a")]], listed=True, cancel="works")
        async with aclosing(server.backend()) as backend:
            await backend.connect()
            async with aclosing(backend.run(prompt())) as events:
                assert await anext(events) == ev.RunStarted("e-1")
                gate.open()
                rest = [event async for event in events]
        assert rest[0] == ev.TextDelta("t1", "a") and rest[-1] == COMPLETED
        assert server.requests.count("POST /run_sse") == 1

    play(scenario)


def test_a_stream_closed_while_its_first_event_is_awaited_leaves_nothing_open() -> None:
    async def scenario() -> None:
        gate = Gate()
        server = FakeAdk([[gate]], listed=True, marks=False)
        async with aclosing(server.backend()) as backend:
            await backend.connect()
            reading = asyncio.ensure_future(every(backend))
            await gate.reached.wait()
            reading.cancel()
            await asyncio.wait([reading])
            assert server.open_streams == 0

    play(scenario)


def test_a_stock_server_gets_no_request_beside_the_prompt() -> None:
    async def scenario() -> None:
        gate = Gate()
        server = FakeAdk([[gate, whole("a")]])
        async with aclosing(server.backend(agent="agent")) as backend:
            reading = asyncio.ensure_future(every(backend))
            await gate.reached.wait()
            await asyncio.sleep(0.1)
            gate.open()
            await reading
        assert server.requests == [f"POST {SESSIONS}", "POST /run_sse"]

    play(scenario)


# --- questions --------------------------------------------------------------------------------------------


def confirmation(about: str, key: str) -> list[adk.JSON]:
    args = {"originalFunctionCall": {"id": about, "name": "pay", "args": {}}}
    held = {"functionResponse": {"id": about, "name": "pay", "response": {"error": "requires confirmation"}}}
    asks = {"functionCall": {"id": key, "name": "adk_request_confirmation", "args": args}}
    return [
        call("pay", about),
        {"id": f"ask-{key}", "content": {"parts": [asks]}, "longRunningToolIds": [key]},
        {
            "id": f"held-{key}",
            "content": {"parts": [held]},
            "actions": {"skipSummarization": True, "requestedToolConfirmations": {about: {}}},
        },
    ]


def test_a_question_ends_the_stream_and_its_answer_opens_a_new_one() -> None:
    async def scenario() -> None:
        server = FakeAdk([[*confirmation("c1", "q1")], [result("pay", "c1"), whole("paid", "t2")]])
        async with aclosing(server.backend()) as backend:
            asked = (await every(backend))[-1]
            assert isinstance(asked, ev.QuestionAsked) and (asked.request, asked.call) == ("q1", "c1")
            run = RunRef("c", "e-1", "k1")
            waiting = await backend.status(run)
            assert waiting and waiting.end is End.UNSPECIFIED
            events = [event async for event in backend.answering(run, "q1", "yes")]
        assert ev.ToolFinished("c1", '{"ok":true}') in events and events[-1] == COMPLETED
        part = {"id": "q1", "name": "adk_request_confirmation", "response": {"confirmed": True}}
        assert server.bodies[1]["newMessage"] == {"role": "user", "parts": [{"functionResponse": part}]}
        assert server.bodies[1]["customMetadata"] == {"stopkey": "k1"}

    play(scenario)


def test_several_questions_are_asked_one_by_one_and_answered_together() -> None:
    async def scenario() -> None:
        script = [*confirmation("c1", "q1"), *confirmation("c2", "q2")]
        server = FakeAdk([script, [whole("done", "t2")]])
        run = RunRef("c", "", "k1")
        async with aclosing(server.backend()) as backend:
            asked = [event for event in await every(backend) if isinstance(event, ev.QuestionAsked)]
            assert [question.request for question in asked] == ["q1"]
            (second,) = [event async for event in backend.answering(run, "q1", "no")]
            assert isinstance(second, ev.QuestionAsked) and second.request == "q2"
            assert len(server.bodies) == 1
            assert [event async for event in backend.answering(run, "q2", "yes")][-1] == COMPLETED
        answers = [part["functionResponse"] for part in server.bodies[1]["newMessage"]["parts"]]
        assert [(one["id"], one["response"]["confirmed"]) for one in answers] == [("q1", False), ("q2", True)]

    play(scenario)


def test_a_question_can_be_answered_by_a_client_that_was_started_anew() -> None:
    async def scenario() -> None:
        server = FakeAdk([[*confirmation("c1", "q1")], [result("pay", "c1"), whole("paid", "t2")]])
        run = RunRef("c", "e-1", "k1")
        async with aclosing(server.backend()) as before:
            await every(before)
        async with aclosing(server.backend()) as backend:
            assert [event async for event in backend.answering(run, "q1", "yes")][-1] == COMPLETED
            seen = await backend.status(run)
            assert seen and seen.end is End.COMPLETED
        async with aclosing(server.backend()) as later:
            with pytest.raises(PromptRejected, match="no longer open"):
                _ = [event async for event in later.answering(run, "q1", "yes")]

    play(scenario)


def test_a_question_is_answered_once() -> None:
    async def scenario() -> None:
        server = FakeAdk([[*confirmation("c1", "q1")], [whole("paid", "t2")]])
        run = RunRef("c", "", "k1")
        async with aclosing(server.backend()) as backend:
            await every(backend)
            _ = [event async for event in backend.answering(run, "q1", "yes")]
            with pytest.raises(PromptRejected, match="no longer open"):
                _ = [event async for event in backend.answering(run, "q1", "yes")]

    play(scenario)


# --- looking a run up -------------------------------------------------------------------------------------


def test_a_look_up_fills_in_the_id_of_a_run_that_was_closed_before_its_first_event() -> None:
    async def scenario() -> None:
        gate = Gate()
        server = FakeAdk([[gate, whole("a")]])
        async with aclosing(server.backend()) as backend:
            reading = asyncio.ensure_future(every(backend))
            await gate.reached.wait()
            reading.cancel()
            await asyncio.wait([reading])
            run = RunRef("c", "ours", "k1")
            seen = await backend.status(run)
            assert seen and seen.end is End.CANCELLED and run.run_id == "e-1"

    play(scenario)


def test_a_look_just_after_a_break_waits_for_what_the_server_writes_about_it() -> None:
    async def scenario() -> None:
        server = FakeAdk([[say("a"), httpx.ReadError("cut")]])
        async with aclosing(server.backend()) as backend:
            with pytest.raises(StreamLost):
                await every(backend)
            looking = asyncio.ensure_future(backend.status(RunRef("c", "", "k1")))
            while server.requests.count(f"GET {SESSIONS}/c") < 2:
                await asyncio.sleep(0)
            server.sessions["c"].append(
                server.sessions["c"][0] | {"author": "a", "errorCode": "INVOCATION_ABORTED"}
            )
            seen = await looking
            assert seen and seen.end is End.CANCELLED

    play(scenario)


def test_a_run_of_another_client_is_looked_up_by_its_id() -> None:
    async def scenario() -> None:
        server = FakeAdk([[whole("a")]], marks=False)
        async with aclosing(server.backend()) as backend:
            await every(backend)
        async with aclosing(server.backend()) as other:
            seen = await other.status(RunRef("c", "e-1"))
            assert seen and (seen.end, seen.text) == (End.COMPLETED, "a")
            assert await other.status(RunRef("c", "e-2")) is None
            assert await other.status(RunRef("elsewhere", "e-1")) is None

    play(scenario)


def test_without_marks_and_without_an_id_there_is_no_word() -> None:
    async def scenario() -> None:
        gate = Gate()
        server = FakeAdk([[gate]], marks=False)
        async with aclosing(server.backend()) as backend:
            reading = asyncio.ensure_future(every(backend))
            await gate.reached.wait()
            reading.cancel()
            await asyncio.wait([reading])
            seen = await backend.status(RunRef("c", "ours", "k1"))
            assert seen and seen.end is None and "does not hold our message" in seen.detail

    play(scenario)
