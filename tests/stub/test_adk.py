"""The ADK dialect in its forms: stream and session as recorded, the cancel route, and our adapter on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend_stub.engine import Engine
from backend_stub.run import Run
from backend_stub.switches import Switches
from backend_stub.websocket_frames import Op
from tests.stub.serving import Stub, eventually, go, stub
from tests.stub.websocket_client import Refused, WebSocketClient
from tui.backends.adk import Adk
from tui.backends.base import Prompt, RemoteStop, RunRef, StreamLost, Target
from tui.core import events as ev
from tui.core.events import Answer, End, Event

HELD = "[[words gates=text:3]]"
SEAL = {"errorCode": "INVOCATION_ABORTED", "errorMessage": "Invocation was aborted by client."}


class Session:
    """One session on one form of the server, spoken to in plain requests."""

    def __init__(self, served: Stub, base: str = "/adk", user: str = "u1", session: str = "s1") -> None:
        self.served, self.base, self.user, self.session = served, base, user, session
        self.url = f"{base}/apps/demo/users/{user}/sessions/{session}"

    async def create(self) -> Session:
        reply = await self.served.http.post(self.url)
        assert reply.status_code == 200
        return self

    def body(self, text: str, **more: Any) -> dict[str, Any]:
        message = {"role": "user", "parts": [{"text": text}]}
        names = {"appName": "demo", "userId": self.user, "sessionId": self.session}
        return {**names, "newMessage": message, "streaming": True, **more}

    @asynccontextmanager
    async def run(self, text: str, **more: Any) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        url, body = self.base + "/run_sse", self.body(text, **more)
        async with self.served.http.stream("POST", url, json=body) as response:
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            yield _frames(response)

    async def whole(self, text: str, **more: Any) -> list[dict[str, Any]]:
        async with self.run(text, **more) as frames:
            return [frame async for frame in frames]

    async def events(self) -> list[dict[str, Any]]:
        return list((await self.served.http.get(self.url)).json()["events"])

    async def cancel(self) -> httpx.Response:
        return await self.served.http.post(self.url + ":cancel")

    async def held(self) -> Run:
        """The newest run, once it stands at its gate."""
        run = next(reversed(self.served.engine.runs.values()))
        await self.served.engine.gates.reached("text", run.id)
        return run

    async def live(self) -> WebSocketClient:
        query = f"app_name=demo&user_id={self.user}&session_id={self.session}&modalities=TEXT"
        headers = {"Authorization": f"Bearer {self.served.running.token}"}
        return await WebSocketClient.open(self.served.port, f"{self.base}/run_live?{query}", headers)

    def adapter(self) -> Adk:
        token = ("Authorization", f"Bearer {self.served.running.token}")
        url = self.served.running.url + self.base
        return Adk(Target("adk", url, headers=(token,), options={"user": self.user}))


async def _frames(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    text = ""
    async for piece in response.aiter_text():
        text += piece
        while "\n\n" in text:
            frame, _, text = text.partition("\n\n")
            yield json.loads(frame.removeprefix("data: "))


def parts(event: dict[str, Any]) -> list[dict[str, Any]]:
    return list(event.get("content", {}).get("parts", []))


def say(text: str) -> dict[str, Any]:
    return {"content": {"role": "user", "parts": [{"text": text}]}}


# --- the stream and the session ---


def test_a_text_comes_in_deltas_and_once_more_whole_under_the_same_id() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            frames = await session.whole("[[short]]", customMetadata={"mark": "k"})
            *deltas, last = frames
            assert {frame["partial"] for frame in deltas} == {True}
            text = "".join(part["text"] for frame in deltas for part in parts(frame))
            assert parts(last) == [{"text": text}]
            assert last["partial"] is False and last["finishReason"] == "STOP"
            usage = last["usageMetadata"]
            assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"]
            assert len({frame["id"] for frame in frames}) == 1
            assert len({frame["invocationId"] for frame in frames}) == 1
            assert {frame["author"] for frame in frames} == {"demo"}
            assert {frame["nodeInfo"]["path"] for frame in frames} == {"demo@1"}
            assert all(frame["customMetadata"] == {"mark": "k"} for frame in frames)
            user, stored = await session.events()
            assert (user["author"], parts(user), user["nodeInfo"]["path"]) == (
                "user",
                [{"text": "[[short]]"}],
                "",
            )
            assert stored == last
            assert user["customMetadata"] == {"mark": "k"}

    go(scenario())


def test_without_streaming_only_whole_events_come_and_run_gives_them_as_a_list() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            frames = await session.whole("[[tool]]", streaming=False)
            assert [frame.get("partial") for frame in frames] == [False, None, False]
            reply = await served.http.post("/adk/run", json=session.body("[[tool]]"))
            assert [[sorted(p) for p in parts(e)] for e in reply.json()] == [
                [["text"], ["functionCall"]],
                [["functionResponse"]],
                [["text"]],
            ]

    go(scenario())


def test_results_of_parallel_calls_come_as_one_event() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            frames = [f for f in await session.whole("[[parallel]]") if not f.get("partial")]
            calls = [p["functionCall"] for p in parts(frames[0]) if "functionCall" in p]
            results = [p["functionResponse"] for p in parts(frames[1])]
            assert [c["id"] for c in calls] == [r["id"] for r in results]
            assert [r["response"] for r in results] == [
                {"result": "4 pages"},
                {"result": "12 matches"},
                {"error": "HTTP 502"},
            ]
            assert "partial" not in frames[1] and frames[0]["longRunningToolIds"] == []

    go(scenario())


def test_an_exception_is_two_frames_and_the_session_holds_the_first() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            failed, second = (await session.whole("[[error]]"))[-2:]
            assert (failed["errorCode"], failed["errorMessage"]) == (
                "529",
                "The model provider is overloaded.",
            )
            assert second["error"] == "529: The model provider is overloaded."
            assert second["error_details"]["error_type"] == "529"
            assert "author" not in second and "id" not in second
            assert (await session.events())[-1] == failed

    go(scenario())


def test_state_is_told_and_kept() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            await session.whole("[[steps]]")
            state = (await served.http.get(session.url)).json()["state"]
            assert state == {"plan": ["gather", "write"], "at": 1, "progress": {"percent": 100}}

    go(scenario())


def test_a_confirmation_ends_the_stream_and_its_answer_goes_on_in_the_same_invocation() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            frames = [f for f in await session.whole("[[approve]]") if not f.get("partial")]
            held, asking, waiting = frames[-3:]
            call = parts(asking)[0]["functionCall"]
            assert (call["name"], asking["longRunningToolIds"]) == ("adk_request_confirmation", [call["id"]])
            original = parts(held)[0]["functionCall"]
            assert call["args"]["originalFunctionCall"] == original
            assert list(waiting["actions"]["requestedToolConfirmations"]) == [original["id"]]
            response = {"id": call["id"], "name": call["name"], "response": {"confirmed": False}}
            answer = {"role": "user", "parts": [{"functionResponse": response}]}
            going_on = await session.whole("", newMessage=answer)
            assert parts(going_on[0])[0]["functionResponse"]["response"] == {"confirmed": False}
            assert "nothing was deployed" in parts(going_on[-1])[0]["text"]
            assert {f["invocationId"] for f in going_on} == {asking["invocationId"]}

    go(scenario())


def test_sessions_are_made_listed_and_deleted_and_bad_requests_refused() -> None:
    async def scenario() -> None:
        async with stub() as served:
            http, session = served.http, Session(served)
            all_of_them = session.url.rpartition("/")[0]
            made = (await http.post(all_of_them, json={"sessionId": "s9", "state": {"a": 1}})).json()
            assert (made["id"], made["appName"], made["userId"], made["state"]) == (
                "s9",
                "demo",
                "u1",
                {"a": 1},
            )
            unnamed = (await http.post(all_of_them)).json()
            twice = await http.post(all_of_them, json={"sessionId": "s9"})
            assert (twice.status_code, twice.json()) == (409, {"detail": "Session already exists: s9"})
            assert [one["id"] for one in (await http.get(all_of_them)).json()] == ["s9", unnamed["id"]]
            missing = await http.get(session.url)
            assert (missing.status_code, missing.json()) == (404, {"detail": "Session not found"})
            nowhere = await http.post("/adk/run_sse", json=session.body("x"))
            assert (nowhere.status_code, nowhere.json()) == (404, {"detail": "Session not found: s1"})
            assert (
                await http.post("/adk/run_sse", json=session.body("x", appName="unknown"))
            ).status_code == 404
            assert (await http.post("/adk/run_sse", json={"appName": "demo"})).status_code == 422
            await session.create()
            snake = {
                "app_name": "demo",
                "user_id": "u1",
                "session_id": "s1",
                "new_message": {"parts": [{"text": "x"}]},
            }
            assert (await http.post("/adk/run", json=snake)).status_code == 200
            empty = await session.whole("", newMessage=None)
            assert [frame["error"][:10] for frame in empty] == ["IndexError"]
            for _ in range(2):
                assert (await http.delete(session.url)).json() is None
            assert (await http.get(session.url)).status_code == 404
            assert (await http.get("/adk+plaid/list-apps")).status_code == 404
            assert (await http.get("/adk/list-apps")).json() == ["demo"]

    go(scenario())


def test_a_restarted_backend_keeps_what_its_sessions_had_stored(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "data").mkdir()

        def engine() -> Engine:
            return Engine(tmp_path / "data", switches=Switches(speed=0))

        async with stub(engine()) as served:
            session = await Session(served).create()
            await session.whole("[[tool]]")
            async with session.run(HELD):
                await session.held()
            run = next(reversed(served.engine.runs.values()))
            await run.over.wait()
            before = [parts(event) for event in await session.events()]
        async with stub(engine()) as served:
            events = await Session(served).events()
            assert [parts(event) for event in events] == before
            assert events[-1]["errorCode"] == "INVOCATION_ABORTED"
            assert (await Session(served).whole("[[short]]"))[-1]["finishReason"] == "STOP"

    go(scenario())


# --- stopping ---


def test_a_client_that_goes_away_ends_its_run_and_the_session_is_sealed_without_the_partial() -> None:
    async def scenario() -> None:
        async with stub() as served:
            for base in ("/adk", "/adk-stock", "/adk-shadowed"):
                session = await Session(served, base).create()
                async with session.run(HELD):
                    run = await session.held()
                await run.over.wait()
                user, seal = await session.events()
                assert seal["invocationId"] == user["invocationId"]
                assert {name: seal[name] for name in SEAL} == SEAL
                assert "content" not in seal and seal["nodeInfo"] == {"path": ""}

    go(scenario())


def test_a_run_that_was_stopped_in_its_tools_is_sealed_with_an_error_for_each() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            async with session.run("[[parallel gates=tool]]"):
                run = next(iter(served.engine.runs.values()))
                await served.engine.gates.reached("tool", run.id)
            await run.over.wait()
            _, called, seal = await session.events()
            calls = [p["functionCall"]["id"] for p in parts(called) if "functionCall" in p]
            results = [p["functionResponse"] for p in parts(seal)]
            assert [r["id"] for r in results] == calls
            assert {r["response"]["error"] for r in results} == {SEAL["errorMessage"]}

    go(scenario())


@pytest.mark.parametrize("moment", ["registration", "headers", "begin"])
def test_a_client_that_leaves_before_the_first_event_leaves_no_run_behind(moment: str) -> None:
    """Once the task was started in the handler and its end lived in a stream that never began: it leaked."""

    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            posting = asyncio.create_task(session.whole(f"[[words gates={moment}]]"))
            assert await served.engine.gates.reached(moment)
            posting.cancel()
            await asyncio.wait({posting})
            served.engine.gates.open(moment)
            await eventually(lambda: served.engine.runs)
            run = next(iter(served.engine.runs.values()))
            await run.over.wait()
            assert run.phase.value == "cancelled"
            assert served.engine.ledger.lines(run.id)[-1].edge == "cancelled"
            assert len(served.engine.runs) == 1

    go(scenario())


def test_a_client_that_does_not_wait_for_run_ends_it() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            posting = asyncio.create_task(served.http.post("/adk/run", json=session.body(HELD)))
            await eventually(lambda: served.engine.runs)
            run = await session.held()
            posting.cancel()
            await asyncio.wait({posting})
            await run.over.wait()
            assert (await session.events())[-1]["errorCode"] == "INVOCATION_ABORTED"

    go(scenario())


def test_a_connection_that_breaks_ends_its_run_too() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            with pytest.raises(httpx.HTTPError):
                await session.whole("[[silence end=cut after=2 speed=1]]")
            run = next(iter(served.engine.runs.values()))
            await run.over.wait()
            assert run.phase.value == "cancelled"

    go(scenario())


def test_the_cancel_route_reaches_runs_however_they_were_started() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            posting = asyncio.create_task(served.http.post("/adk/run", json=session.body(HELD)))
            await eventually(lambda: served.engine.runs)
            await session.held()
            live = await session.live()
            live.send_json(say(HELD))
            await eventually(lambda: len(served.engine.runs) == 2)
            await session.held()
            async with session.run(HELD) as frames:
                await session.held()
                answer = await session.cancel()
                assert (answer.status_code, answer.json()) == (
                    200,
                    {"status": "cancelled", "session_id": "s1"},
                )
                last = [frame async for frame in frames][-1]
            assert {name: last[name] for name in SEAL} == SEAL
            assert (await posting).json()[-1]["errorCode"] == "INVOCATION_ABORTED"
            told = [await live.receive_json() for _ in range(4)]
            assert told[-1]["errorCode"] == "INVOCATION_ABORTED"
            await live.receive()
            assert live.closed == 1000
            live.close()
            again = await session.cancel()
            assert (again.status_code, again.json()) == (
                404,
                {"detail": "No active run found for session 's1'"},
            )
            assert all(run.token.by == "adk :cancel" for run in served.engine.runs.values())

    go(scenario())


def test_the_cancel_route_spares_equal_session_ids_of_other_users() -> None:
    async def scenario() -> None:
        async with stub() as served:
            mine = await Session(served).create()
            other = await Session(served, user="u2").create()
            async with other.run(HELD):
                spared = await other.held()
                assert (await mine.cancel()).status_code == 404
                assert not spared.token.cancelled

    go(scenario())


def test_a_cancel_that_overtakes_its_run_finds_nothing_and_the_run_completes() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            posting = asyncio.create_task(session.whole("[[short gates=registration]]"))
            assert await served.engine.gates.reached("registration")
            assert (await session.cancel()).status_code == 404
            served.engine.gates.open("registration")
            assert (await posting)[-1]["finishReason"] == "STOP"

    go(scenario())


def test_stock_servers_take_a_cancel_for_a_new_session_and_go_on() -> None:
    async def scenario() -> None:
        async with stub() as served:
            for base in ("/adk-stock", "/adk-shadowed"):
                session = await Session(served, base).create()
                async with session.run(HELD):
                    run = await session.held()
                    first, second = await session.cancel(), await session.cancel()
                    assert (first.status_code, first.json()["id"]) == (200, "s1:cancel")
                    assert "status" not in first.json()
                    assert (second.status_code, second.json()["detail"]) == (
                        409,
                        "Session already exists: s1:cancel",
                    )
                    assert not run.token.cancelled
                assert (await served.http.delete(session.url + ":cancel")).json() is None

    go(scenario())


def test_only_the_forms_that_list_the_route_list_it() -> None:
    async def scenario() -> None:
        async with stub() as served:
            listed = {}
            for base in ("/adk", "/adk-stock", "/adk-shadowed"):
                paths = (await served.http.get(base + "/openapi.json")).json()["paths"]
                listed[base] = any(path.endswith(":cancel") for path in paths)
            assert listed == {"/adk": True, "/adk-stock": False, "/adk-shadowed": True}

    go(scenario())


# --- live ---


def test_a_live_turn_comes_in_deltas_of_their_own_ids_and_ends_with_turn_complete() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            live = await session.live()
            for prompt in ("[[short]]", "[[tool]]"):
                live.send_json(say(prompt))
                told = [await live.receive_json()]
                while "turnComplete" not in told[-1]:
                    told.append(await live.receive_json())
                assert len({event["id"] for event in told}) == len(told)
                text = "".join(p.get("text", "") for event in told for p in parts(event))
                run = next(reversed(served.engine.runs.values()))
                assert text == run.reply.text().replace("\n\n", "")
            live.close()
            assert len([e for e in await session.events() if e["author"] == "user"]) == 2

    go(scenario())


def test_a_live_socket_that_closes_or_says_close_ends_its_run() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            live = await session.live()
            live.send_json(say(HELD))
            await eventually(lambda: served.engine.runs)
            run = await session.held()
            live.send_json({"close": True})
            await run.over.wait()
            live.send(Op.TEXT, b"not json")
            live.send_json(say(HELD))
            await eventually(lambda: len(served.engine.runs) == 2)
            run = await session.held()
            live.close()
            await run.over.wait()
            assert {r.phase.value for r in served.engine.runs.values()} == {"cancelled"}
            assert {r.token.by for r in served.engine.runs.values()} == {"disconnect"}

    go(scenario())


def test_a_message_on_a_live_socket_interrupts_the_turn_that_is_on() -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = await Session(served).create()
            live = await session.live()
            live.send_json(say(HELD))
            await eventually(lambda: served.engine.runs)
            first = await session.held()
            live.send_json(say("[[short]]"))
            told = [await live.receive_json()]
            while "turnComplete" not in told[-1]:
                told.append(await live.receive_json())
            assert first.phase.value == "cancelled"
            assert [i for i, e in enumerate(told) if e.get("interrupted")] == [3]
            live.close()

    go(scenario())


def test_a_live_turn_that_fails_tells_why_and_closes() -> None:
    async def scenario() -> None:
        async with stub() as served:
            live = await (await Session(served).create()).live()
            live.send_json(say("[[error-at-once]]"))
            assert (await live.receive_json())["errorCode"] == "billing"
            await live.receive()
            assert live.closed == 1011
            live.close()

    go(scenario())


def test_live_needs_a_session_and_the_token() -> None:
    async def scenario() -> None:
        async with stub() as served:
            live = await Session(served).live()
            await live.receive()
            assert live.closed == 1002
            live.close()
            with pytest.raises(Refused) as refused:
                await WebSocketClient.open(served.port, "/adk/run_live?app_name=demo")
            assert refused.value.status == 403

    go(scenario())


# --- our adapter on it ---


@pytest.mark.parametrize(
    ("base", "how"),
    [("/adk", RemoteStop.ABORT), ("/adk-stock", RemoteStop.CLOSE), ("/adk-shadowed", RemoteStop.ABORT)],
)
def test_the_adapter_reads_runs_and_finds_out_how_to_stop_them(base: str, how: RemoteStop) -> None:
    async def scenario() -> None:
        async with stub() as served:
            agent = Session(served, base).adapter()
            await agent.connect()
            assert agent.capabilities.remote_stop is how
            events = [e async for e in agent.run(Prompt("[[think]]", "s1", "id", "k1"))]
            assert any(isinstance(e, ev.ReasoningDelta) for e in events)
            assert events[-1] == ev.RunFinished(End.COMPLETED)
            events = [e async for e in agent.run(Prompt("[[parallel]]", "s1", "id", "k2"))]
            assert [e.status.value for e in events if isinstance(e, ev.ToolFinished)] == ["ok", "ok", "error"]
            events = [e async for e in agent.run(Prompt("[[error]]", "s1", "id", "k3"))]
            assert events[-1] == ev.RunFinished(End.FAILED, "The model provider is overloaded.", "529")
            await agent.aclose()

    go(scenario())


@pytest.mark.parametrize(
    ("base", "switch", "answer", "end"),
    [
        ("/adk", "", Answer.ACKNOWLEDGED, End.CANCELLED),
        ("/adk", "abort=lie", Answer.ACKNOWLEDGED, End.CANCELLED),  # the close stops it all the same
        ("/adk+runs-on", "abort=lie", Answer.ACKNOWLEDGED, None),
        ("/adk+runs-on", "abort=never-settles", Answer.ACKNOWLEDGED, None),
        ("/adk", "abort=finishes", Answer.NOTHING_RUNNING, End.COMPLETED),
        ("/adk", "abort=503", Answer.REFUSED, End.CANCELLED),
        ("/adk-stock", "", None, End.CANCELLED),
        ("/adk-stock+runs-on", "", None, None),
        ("/adk-stock+unsealed", "", None, None),
        ("/adk-shadowed", "", Answer.CLOSED, End.CANCELLED),
    ],
)
def test_the_adapter_says_of_a_stop_what_is_true(
    base: str, switch: str, answer: Answer | None, end: End | None
) -> None:
    async def scenario() -> None:
        async with stub() as served:
            session = Session(served, base)
            agent = session.adapter()
            await agent.connect()
            stream = agent.run(Prompt(f"[[words gates=text:5 {switch}]]", "s1", "id", "k1"))
            started = await anext(stream)
            assert isinstance(started, ev.RunStarted)
            await session.held()
            run = RunRef("s1", started.run_id, "k1")
            if answer:
                assert (await agent.abort(run)).answer is answer
            await stream.aclose()
            found = await agent.status(run)
            assert (found.end if found else None) is end
            ids = [one["id"] for one in (await served.http.get(session.url.rpartition("/")[0])).json()]
            assert ids == ["s1"]  # no junk session is left
            await agent.aclose()

    go(scenario())


def test_the_adapter_answers_a_question_in_a_new_stream() -> None:
    async def scenario() -> None:
        async with stub() as served:
            agent = Session(served).adapter()
            for prompt, reply, expected in (
                ("[[approve]]", "yes", "Version 1.4.2 is live."),
                ("[[choose]]", "cheap", "Then **cheap** it is."),
            ):
                key = prompt
                events = [e async for e in agent.run(Prompt(prompt, "s1", "id", key))]
                asked = events[-1]
                assert isinstance(asked, ev.QuestionAsked)
                run = RunRef("s1", "", key)
                going_on: list[Event] = [e async for e in agent.answering(run, asked.request, reply)]
                text = "".join(e.text for e in going_on if isinstance(e, ev.TextDelta))
                assert expected in text
                assert going_on[-1] == ev.RunFinished(End.COMPLETED)
            await agent.aclose()

    go(scenario())


def test_the_adapter_takes_a_neat_end_without_the_last_word_for_a_loss() -> None:
    async def scenario() -> None:
        async with stub() as served:
            agent = Session(served).adapter()
            with pytest.raises(StreamLost):
                _ = [e async for e in agent.run(Prompt("[[short end=silent-end]]", "s1", "id", "k"))]
            await agent.aclose()

    go(scenario())
