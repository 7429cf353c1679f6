"""The AG-UI dialect on the wire, over real sockets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from backend_stub.engine import Engine
from backend_stub.switches import Switches
from tests.stub.serving import eventually, go, kinds, run_input, stub, text_of


def test_a_run_is_told_from_its_start_to_its_outcome_with_numbered_events() -> None:
    async def scenario() -> None:
        async with stub() as s, s.prompt("[[tool]]") as stream:
            assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
            events = [event async for event in stream]
        assert [event["#"] for event in events] == list(range(1, len(events) + 1))
        first, last = events[0], events[-1]
        assert (first["type"], first["threadId"], first["runId"]) == ("RUN_STARTED", "t1", "r1")
        assert (last["type"], last["outcome"]) == ("RUN_FINISHED", {"type": "success"})
        assert last["usage"][0]["totalTokens"] > 0
        calls = [e for e in events if e["type"].startswith("TOOL_CALL")]
        assert set(kinds(calls)) == {f"TOOL_CALL_{word}" for word in ("START", "ARGS", "END", "RESULT")}
        assert len({e["toolCallId"] for e in calls}) == 1
        arguments = "".join(e["delta"] for e in calls if e["type"] == "TOOL_CALL_ARGS")
        assert json.loads(arguments) == {"day": "Thursday", "zone": "Europe/Vienna"}
        assert all(type(e["timestamp"]) is int for e in events)

    go(scenario())


def test_every_message_that_opens_closes_also_when_it_is_cut() -> None:
    async def scenario() -> None:
        async with stub() as s:
            for prompt in ("[[demo]]", "[[demo gates=text:9]]", "[[think]]", "[[parallel gates=tool]]"):
                run = prompt
                async with s.prompt(prompt, run) as stream:
                    cut = asyncio.create_task(_abort_at_gate(s, run)) if "gates" in prompt else None
                    events = [event async for event in stream]
                    if cut:
                        await cut
                for noun in ("TEXT_MESSAGE", "REASONING_MESSAGE", "REASONING"):
                    opened = [e["messageId"] for e in events if e["type"] == f"{noun}_START"]
                    assert opened == [e["messageId"] for e in events if e["type"] == f"{noun}_END"]

    go(scenario())


async def _abort_at_gate(s: Any, run: str) -> None:
    gate = "tool" if "tool" in run else "text"
    assert await s.engine.gates.reached(gate, run)
    assert (await s.engine.abort(run)).verdict == "cancelled"


def test_an_abort_is_answered_when_the_run_is_over_and_the_stream_says_cancelled_with_the_reason() -> None:
    async def scenario() -> None:
        async with stub() as s, s.prompt("[[words gates=text:4]]") as stream:
            await s.engine.gates.reached("text", "r1")
            answer = await s.abort(reason="wrong table")
            assert answer.status_code == 200
            told = answer.json()
            assert (told["status"], told["reason"]) == ("cancelled", "wrong table")
            assert told["text"] == "word1 word2 word3 word4 "
            events = [event async for event in stream]
        assert text_of(events) == told["text"]
        custom, last = events[-2:]
        assert (custom["type"], custom["name"]) == ("CUSTOM", "run.cancelled")
        assert custom["value"] == {"runId": "r1", "reason": "wrong table", "by": "ag-ui abort"}
        assert last["outcome"] == {"type": "cancelled"}

    go(scenario())


def test_unknown_finished_and_second_aborts_are_three_answers() -> None:
    async def scenario() -> None:
        async with stub() as s:
            unknown = await s.abort("nobody")
            assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "run_not_found")
            await s.whole("[[short]]")
            finished = await s.abort()
            assert (finished.status_code, finished.json()["error"]["code"]) == (409, "run_finished")
            assert finished.json()["status"] == "completed"
            async with s.prompt("[[words gates=text]]", "r2") as stream:
                await s.engine.gates.reached("text", "r2")
                assert (await s.abort("r2")).json()["status"] == "cancelled"
                second = await s.abort("r2")
                assert (second.status_code, second.json()["status"]) == (200, "already_cancelled")
                await stream.until("RUN_FINISHED")

    go(scenario())


def test_an_unknown_route_is_told_apart_from_an_unknown_run() -> None:
    async def scenario() -> None:
        async with stub() as s:
            answer = await s.http.post("/run/r1/abort", json={})
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "route_not_found")
            assert (await s.http.get("/runs/r1/abort")).status_code == 405

    go(scenario())


@pytest.mark.parametrize("body", ["", "[]", '"stop"', "{", '{"reason": 7}', "[" * 5000])
def test_an_abort_works_whatever_is_in_its_body(body: str) -> None:
    async def scenario() -> None:
        async with stub() as s, s.prompt("[[words gates=text]]") as stream:
            await s.engine.gates.reached("text", "r1")
            headers = {"content-type": "application/json"}
            answer = await s.http.post("/runs/r1/abort", content=body, headers=headers)
            assert answer.json()["status"] == "cancelled"
            await stream.until("RUN_FINISHED")

    go(scenario())


def test_a_tool_that_was_cut_has_a_result_that_says_so_and_one_that_cannot_be_cut_has_none() -> None:
    async def scenario() -> None:
        async with stub(Engine(switches=Switches(speed=20))) as s:
            async with s.prompt("[[tool gates=tool]]") as stream:
                await s.engine.gates.reached("tool", "r1")
                assert (await s.abort()).json()["openToolCalls"] == []
                result = await stream.until("TOOL_CALL_RESULT")
                assert result["metadata"] == {"outcome": "interrupted"}
            async with s.prompt("[[blocking gates=tool]]", "r2") as stream:
                await s.engine.gates.reached("tool", "r2")
                told = (await s.abort("r2")).json()
                events = [event async for event in stream]
                (call,) = [e["toolCallId"] for e in events if e["type"] == "TOOL_CALL_START"]
                assert told["openToolCalls"] == [call]
                assert "TOOL_CALL_RESULT" not in kinds(events)
                s.engine.gates.open("tool")

    go(scenario())


def test_a_reader_that_left_gets_the_rest_without_a_gap_or_a_repetition() -> None:
    async def scenario() -> None:
        async with stub() as s:
            whole = await s.whole("[[demo]]", "r0")
            seen = []
            async with s.prompt("[[demo gates=text:20]]") as stream:
                async for event in stream:
                    seen.append(event)
                    if len(seen) == 30:
                        break
            s.engine.gates.open("text")
            async with s.attach(after=seen[-1]["#"]) as stream:
                seen += [event async for event in stream]
            assert [e["#"] for e in seen] == list(range(1, len(whole) + 1))
            assert (kinds(seen), text_of(seen)) == (kinds(whole), text_of(whole))
            async with s.attach() as stream:
                assert [event async for event in stream] == seen

    go(scenario())


def test_last_event_id_re_attaches_as_the_parameter_does() -> None:
    async def scenario() -> None:
        async with stub() as s:
            whole = await s.whole("[[short]]")
            headers = {"last-event-id": str(whole[-2]["#"])}
            answer = await s.http.get("/runs/r1/events", headers=headers)
            assert answer.text.count("data: ") == 1
            assert (await s.http.get("/runs/r1/events?after=x")).status_code == 400
            assert (await s.http.get("/runs/nobody/events")).status_code == 404

    go(scenario())


def test_a_run_outlives_its_reader_unless_the_switch_says_otherwise() -> None:
    async def scenario() -> None:
        async with stub() as s:
            for run, switch, phase in (("r1", "runs-on", "completed"), ("r2", "stops", "cancelled")):
                async with s.prompt(f"[[words gates=text disconnect={switch}]]", run) as stream:
                    await stream.until("TEXT_MESSAGE_CONTENT")
                if switch == "runs-on":
                    s.engine.gates.open("text", run)
                await s.engine.runs[run].over.wait()
                assert (await s.http.get(f"/runs/{run}")).json()["status"] == phase
            assert s.engine.runs["r2"].token.reason == "The client went away."

    go(scenario())


def test_a_look_up_tells_the_phase_and_the_reply_so_far() -> None:
    async def scenario() -> None:
        async with stub() as s, s.prompt("[[words gates=text:2]]") as stream:
            await s.engine.gates.reached("text", "r1")
            told = (await s.http.get("/runs/r1")).json()
            assert (told["status"], told["text"], told["threadId"]) == ("running", "word1 word2 ", "t1")
            s.engine.gates.open("text")
            await stream.until("RUN_FINISHED")
            assert (await s.http.get("/runs/r1")).json()["status"] == "completed"
            assert (await s.http.get("/runs/nobody")).status_code == 404

    go(scenario())


@pytest.mark.parametrize(
    ("payload", "status", "end"),
    [
        ({"approved": True}, "resolved", "Version 1.4.2 is live."),
        (True, "resolved", "Version 1.4.2 is live."),
        ({"approved": False}, "resolved", "nothing was deployed."),
        (None, "cancelled", "nothing was deployed."),
    ],
)
def test_a_question_ends_the_run_as_an_interrupt_and_a_new_run_resumes_it(
    payload: Any, status: str, end: str
) -> None:
    async def scenario() -> None:
        async with stub() as s:
            events = await s.whole("[[approve]]")
            (interrupt,) = events[-1]["outcome"]["interrupts"]
            assert interrupt["message"] == "Deploy 1.4.2 to production?"
            assert interrupt["responseSchema"]["properties"] == {"approved": {"type": "boolean"}}
            resume = [{"interruptId": interrupt["id"], "status": status, "payload": payload}]
            resumed = await s.whole("", "r2", resume=resume)
            assert text_of(resumed).endswith(end)
            again = await s.http.post("/agents/demo", json=run_input("", "r3", resume=resume))
            assert (again.status_code, again.json()["error"]["code"]) == (409, "not_asked")

    go(scenario())


def test_a_question_in_an_open_stream_is_answered_by_its_own_route() -> None:
    async def scenario() -> None:
        async with stub() as s, s.prompt("[[choose questions=wait]]") as stream:
            question = (await stream.until("CUSTOM"))["value"]
            assert question["choices"] == ["fast", "thorough", "cheap"]
            assert (await s.http.get("/runs/r1")).json()["status"] == "waiting"
            answer = {"request": question["request"], "reply": "cheap"}
            assert (await s.http.post("/runs/r1/answer", json={"request": "x"})).status_code == 422
            assert (await s.http.post("/runs/nobody/answer", json=answer)).status_code == 404
            assert (await s.http.post("/runs/r1/answer", json=answer)).status_code == 200
            assert text_of([event async for event in stream]).startswith("Then **cheap** it is.")
            assert (await s.http.post("/runs/r1/answer", json=answer)).status_code == 409

    go(scenario())


def test_a_history_keeps_the_partial_reply_as_partial() -> None:
    async def scenario() -> None:
        async with stub() as s:
            await s.whole("[[tool]]", "r1")
            async with s.prompt("[[words gates=text:2]]", "r2") as stream:
                await s.engine.gates.reached("text", "r2")
                await s.abort("r2")
                await stream.until("RUN_FINISHED")
            messages = (await s.http.get("/conversations/t1")).json()["messages"]
            assert [m["role"] for m in messages] == ["user", "assistant", "tool", "user", "assistant"]
            assert messages[1]["toolCalls"][0]["function"]["name"] == "read_calendar"
            assert "partial" not in messages[1]
            assert (messages[4]["content"], messages[4]["partial"]) == ("word1 word2 ", True)
            assert (await s.http.get("/conversations/none")).json()["messages"] == []

    go(scenario())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"threadId": "t", "runId": "r"},
        {"threadId": "t", "runId": "r", "messages": []},
        {"threadId": "t", "runId": "r", "messages": "hello"},
        {"threadId": "t", "runId": "", "messages": [{"role": "user", "content": "x"}]},
        {"threadId": "t", "runId": "r\n", "messages": [{"role": "user", "content": "x"}]},
        {"threadId": "t", "runId": "r" * 257, "messages": [{"role": "user", "content": "x"}]},
        {"threadId": 5, "runId": "r", "messages": [{"role": "user", "content": "x"}]},
        {"threadId": "t", "runId": "r", "messages": [{"role": "assistant", "content": "x"}]},
        {"threadId": "t", "runId": "r", "messages": [None, 3, {"role": "user", "content": 9}]},
    ],
)
def test_a_bad_request_is_refused_with_a_sentence_and_starts_nothing(body: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with stub() as s:
            answer = await s.http.post("/agents/demo", json=body)
            assert answer.status_code == 422
            assert answer.json()["error"]["code"] == "bad_request"
            assert not s.engine.runs

    go(scenario())


def test_a_prompt_may_come_in_parts() -> None:
    async def scenario() -> None:
        async with stub() as s:
            parts = [{"type": "text", "text": "[[short]]"}, {"type": "binary", "data": "x"}, {"type": "text"}]
            body = {**run_input(""), "messages": [{"id": "1", "role": "user", "content": parts}]}
            assert (await s.http.post("/agents/demo", json=body)).status_code == 200
            assert s.engine.runs["r1"].scenario.name == "short"

    go(scenario())


def test_the_same_run_posted_twice_is_played_once() -> None:
    async def scenario() -> None:
        async with stub() as s:
            await s.whole("[[short]]")
            again = await s.http.post("/agents/demo", json=run_input("[[short]]"))
            assert (again.status_code, again.json()["error"]["code"]) == (409, "run_exists")

    go(scenario())


def test_a_run_of_an_earlier_process_can_be_looked_up_but_not_attached_to(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stub(Engine(tmp_path, switches=Switches(speed=0))) as s:
            await s.whole("[[short]]")
        async with stub(Engine(tmp_path)) as s:
            assert (await s.http.get("/runs/r1")).json()["status"] == "completed"
            gone = await s.http.get("/runs/r1/events")
            assert (gone.status_code, gone.json()["error"]["code"]) == (410, "run_gone")
            assert (await s.abort()).status_code == 409

    go(scenario())


def test_an_agent_that_fails_says_so_with_its_code() -> None:
    async def scenario() -> None:
        async with stub() as s:
            last = (await s.whole("[[error]]"))[-1]
            assert (last["type"], last["code"]) == ("RUN_ERROR", "529")
            assert last["message"] == "The model provider is overloaded."

    go(scenario())


def test_the_ledger_the_announcements_and_the_gates_can_be_asked_over_http() -> None:
    async def scenario() -> None:
        async with stub() as s, s.prompt("[[words gates=text]]") as stream:
            assert (await s.http.get("/gates?reached=text&run=r1")).status_code == 200
            assert (await s.http.post("/gates/text/open?run=r1")).status_code == 200
            await stream.until("RUN_FINISHED")
            lines = (await s.http.get("/audit?run=r1")).json()["lines"]
            assert [(li["what"], li["edge"]) for li in lines] == [
                ("run", "began"), ("model", "start"), ("model", "end"), ("run", "completed"),
            ]  # fmt: skip
            after = (await s.http.get(f"/audit?run=r1&after={lines[1]['n']}")).json()["lines"]
            assert after == lines[2:]
            assert (await s.http.get("/audit?run=other")).json()["lines"] == []
            items = (await s.http.get("/news?run=r1&name=run.completed")).json()["items"]
            assert [item["name"] for item in items] == ["run.completed"]
            assert {"name": "demo"}.items() <= (await s.http.get("/scenarios")).json()[0].items()

    go(scenario())


def test_two_conversations_at_once_do_not_mix() -> None:
    async def scenario() -> None:
        async with stub() as s:
            first, second = await asyncio.gather(
                s.whole("[[words]]", "r1", thread="a"), s.whole("[[short]]", "r2", thread="b")
            )
            assert {e["runId"] for e in first if "runId" in e} == {"r1"}
            assert text_of(second).startswith("Here is a short answer.")
            assert len((await s.http.get("/conversations/a")).json()["runs"]) == 1

    go(scenario())


def test_a_slow_reader_holds_up_neither_the_run_nor_an_abort() -> None:
    async def scenario() -> None:
        async with stub() as s, s.prompt("[[flood]]"):
            await eventually(lambda: len(s.engine.runs["r1"].log.entries) > 20_000)
            assert (await s.abort()).json()["status"] == "cancelled"

    go(scenario())
