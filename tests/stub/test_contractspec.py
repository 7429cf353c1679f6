"""The ContractSpec dialect: the recorded stateful run, every way its hosts differ, and our adapter on it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from backend_stub.engine import Engine
from backend_stub.gates import Gates
from backend_stub.switches import Switches
from tests.stub.serving import Stub, eventually, go, stub
from tui.backends.base import Prompt, RunRef, Target
from tui.backends.contractspec import ContractSpec, Pace
from tui.core import events as ev
from tui.core.events import Answer, End, Event

BASE = "/contractspec"
REASON = "User requested"
HELD = "[[words gates=text:1]]"
"""A prompt whose run goes on until it is stopped."""


class Host:
    """A ContractSpec host by its base path, spoken to in plain requests."""

    def __init__(self, served: Stub, base: str = BASE) -> None:
        self.served, self.base = served, base

    async def post(self, operation: str, **body: Any) -> httpx.Response:
        return await self.served.http.post(f"{self.base}/agent/run/{operation}/v1.0.0", json=body)

    async def ask(self, operation: str, **given: Any) -> httpx.Response:
        url = f"{self.base}/agent/run/{operation}/v1.0.0"
        return await self.served.http.get(url, params={"input": json.dumps(given)})

    async def execute(self, prompt: str, session: str = "s-1") -> str:
        reply = await self.post("execute", agentId="a", input={"message": prompt}, sessionId=session)
        return str(reply.json()["runId"])

    async def run(self, run_id: str) -> dict[str, Any]:
        return dict((await self.ask("get", runId=run_id, includeSteps=True)).json())

    async def cancel(self, run_id: str) -> httpx.Response:
        return await self.post("cancel", runId=run_id, reason=REASON)

    def adapter(self) -> ContractSpec:
        token = f"Bearer {self.served.running.token}"
        url = self.served.running.url + self.base
        target = Target("contractspec", url, agent="a", headers=(("Authorization", token),))
        return ContractSpec(target, pace=Pace(fast=0.005, slow=0.02))


def test_a_run_goes_as_recorded_from_the_queue_through_a_tool_to_a_cancel_that_keeps_the_partial() -> None:
    async def scenario() -> None:
        async with stub() as served:
            host, gates = Host(served), served.engine.gates
            run_id = await host.execute("[[tool gates=begin,tool,text:9]]")
            assert (await host.run(run_id))["status"] == "QUEUED"
            gates.open("begin", run_id)
            await gates.reached("tool", run_id)
            run = await host.run(run_id)
            assert (run["status"], run["sessionId"], run["input"]["message"][:6]) == (
                "IN_PROGRESS",
                "s-1",
                "[[tool",
            )
            said, call = run["steps"]
            assert (said["type"], said["status"]) == ("MESSAGE_CREATION", "COMPLETED")
            assert said["output"] == {"content": "Let me look at the calendar."}
            assert (call["type"], call["status"], call["toolName"]) == (
                "TOOL_CALL",
                "IN_PROGRESS",
                "read_calendar",
            )
            gates.open("tool", run_id)
            await gates.reached("text", run_id)
            growing = (await host.run(run_id))["steps"][-1]
            assert (growing["status"], "completedAt" in growing) == ("IN_PROGRESS", False)

            answer = await host.cancel(run_id)
            assert (answer.status_code, answer.json()) == (200, {"success": True, "status": "CANCELLED"})
            after = await host.run(run_id)
            assert after["status"] == "CANCELLED"
            assert {"completedAt", "durationMs", "startedAt"} <= after.keys()
            assert [step["status"] for step in after["steps"]] == ["COMPLETED", "COMPLETED", "CANCELLED"]
            assert after["steps"][-1]["output"] == growing["output"]
            assert await host.run(run_id) == after

            again = await host.cancel(run_id)
            assert again.status_code == 400
            assert again.headers["content-type"] == "application/problem+json; charset=utf-8"
            assert again.json() == {
                "type": "https://contractspec.io/problems/run-not-cancellable",
                "title": "Run Not Cancellable",
                "status": 400,
                "code": "RUN_NOT_CANCELLABLE",
                "detail": "The run cannot be cancelled",
                "category": "validation",
                "severity": "warning",
                "retryable": False,
                "gqlCode": "RUN_NOT_CANCELLABLE",
                "operation": {"key": "agent.run.cancel", "version": "1.0.0", "kind": "command"},
                "source": {"channel": "web"},
                "args": {"runId": run_id, "status": "CANCELLED"},
            }

    go(scenario())


def test_a_cancel_publishes_the_runs_summary_once_and_each_cancel_leaves_a_line_in_the_ledger() -> None:
    async def scenario() -> None:
        async with stub() as served:
            host = Host(served)
            run_id = await host.execute(HELD)
            await host.cancel(run_id)
            await host.cancel(run_id)
            await host.cancel("run-0")
            published = (await served.http.get("/contractspec/events", params={"runId": run_id})).json()[
                "events"
            ]
            (event,) = published
            assert (event["key"], event["version"]) == ("run.cancelled", "1.0.0")
            summary = event["payload"]
            assert (summary["id"], summary["agentId"], summary["status"]) == (run_id, "a", "CANCELLED")
            assert {"agentName", "totalTokens", "durationMs", "queuedAt", "completedAt"} <= summary.keys()
            lines = [line for line in served.engine.ledger.lines() if line.what == "audit"]
            assert [(line.run, json.loads(line.detail)["answer"]) for line in lines] == [
                (run_id, "200"),
                (run_id, "RUN_NOT_CANCELLABLE"),
                ("run-0", "RUN_NOT_FOUND"),
            ]
            assert json.loads(lines[0].detail)["reason"] == REASON

    go(scenario())


def test_no_model_or_tool_call_starts_after_a_cancel_was_answered() -> None:
    async def scenario() -> None:
        async with stub() as served:
            host = Host(served)
            run_id = await host.execute("[[many-tools gates=tool]]")
            await served.engine.gates.reached("tool", run_id)
            await host.cancel(run_id)
            served.engine.gates.open("tool")
            lines = served.engine.ledger.lines(run_id)
            answered = next(line.n for line in lines if line.what == "abort" and line.edge == "answered")
            assert not [
                x for x in lines if x.n > answered and x.what in ("model", "tool") and x.edge == "start"
            ]

    go(scenario())


def test_a_queued_run_can_be_cancelled() -> None:
    async def scenario() -> None:
        async with stub() as served:
            host = Host(served)
            run_id = await host.execute("[[short gates=begin]]")
            await host.cancel(run_id)
            run = await host.run(run_id)
            assert (run["status"], run["steps"], "startedAt" in run) == ("CANCELLED", [], False)

    go(scenario())


HOSTS = {
    BASE: (404, "RUN_NOT_FOUND", "CANCELLED"),
    BASE + "+details": (500, "INTERNAL_ERROR", "CANCELLED"),
    BASE + "+envelope": (404, "RUN_NOT_FOUND", "CANCELLED"),
    BASE + "+lower": (404, "RUN_NOT_FOUND", "cancelled"),
    BASE + "+envelope+details+lower": (500, "INTERNAL_ERROR", "cancelled"),
}


def test_hosts_differ_in_envelope_errors_and_case_by_their_base_path() -> None:
    async def scenario() -> None:
        async with stub() as served:
            for base, (status, code, ended) in HOSTS.items():
                host = Host(served, base)
                missing = await host.cancel("run-0")
                assert (missing.status_code, missing.json()["code"]) == (status, code)
                assert missing.json()["detail"] in ("RUN_NOT_FOUND", "The specified run does not exist")
                given = await host.post("execute", agentId="a", input={"message": HELD})
                data = given.json()["data"] if "envelope" in base else given.json()
                answer = (await host.cancel(data["runId"])).json()
                if "envelope" in base:
                    assert (answer["ok"], answer["code"], answer["state"]) == (True, "OK", "completed")
                    answer = answer["data"]
                assert answer == {"success": True, "status": ended}

    go(scenario())


def test_an_unknown_route_is_a_404_with_its_own_code() -> None:
    async def scenario() -> None:
        async with stub() as served:
            for method, path in (
                ("POST", "/contractspec/agent/run/cancel"),
                ("GET", "/contractspec/agent/run/cancel/v1.0.0"),
                ("POST", "/contractspec/agent/run/cancel/v2.0.0"),
                ("POST", "/contractspec+plaid/agent/run/cancel/v1.0.0"),
                ("POST", "/contractspec/api/agent/run/cancel/v1.0.0"),
            ):
                reply = await served.http.request(method, path, json={"runId": "run-1"})
                assert (reply.status_code, reply.json()["code"]) == (404, "NOT_FOUND")
                assert reply.json()["args"] == {"path": path}

    go(scenario())


def test_plain_query_parameters_are_strings_and_refused_where_others_are_wanted() -> None:
    async def scenario() -> None:
        async with stub() as served:
            for operation, query, path, message in (
                ("get", {}, "runId", "expected string, received undefined"),
                (
                    "get",
                    {"runId": "r", "includeSteps": "true"},
                    "includeSteps",
                    "expected boolean, received string",
                ),
                ("list", {"limit": "2"}, "limit", "expected number, received string"),
            ):
                reply = await served.http.get(f"{BASE}/agent/run/{operation}/v1.0.0", params=query)
                assert (reply.status_code, reply.json()["code"]) == (422, "VALIDATION_FAILED")
                issue = reply.json()["issues"][0]
                assert (issue["path"], issue["message"]) == (path, f"Invalid input: {message}")

    go(scenario())


def test_an_execute_that_cannot_be_is_a_problem() -> None:
    async def scenario() -> None:
        async with stub() as served:
            for agent, given, status, code in (
                ("unknown", {"message": "x"}, 404, "AGENT_NOT_FOUND"),
                ("inactive", {"message": "x"}, 400, "AGENT_NOT_ACTIVE"),
                ("a", {"message": ""}, 422, "VALIDATION_FAILED"),
                ("a", "x", 422, "VALIDATION_FAILED"),
                (1, {"message": "x"}, 422, "VALIDATION_FAILED"),
            ):
                reply = await Host(served).post("execute", agentId=agent, input=given)
                assert (reply.status_code, reply.json()["code"]) == (status, code)

    go(scenario())


def test_lists_filter_and_page_and_unbound_queries_say_so() -> None:
    async def scenario() -> None:
        async with stub() as served:
            host = Host(served)
            first = await host.execute(HELD, "s-1")
            await served.engine.gates.reached("text", first)
            second = await host.execute("[[short]]", "s-2")
            await served.engine.runs[second].over.wait()
            of_session = (await host.ask("list", sessionId="s-1")).json()
            assert [item["id"] for item in of_session["items"]] == [first]
            active = (await host.ask("list", status="in_progress")).json()
            assert [item["id"] for item in active["items"]] == [first]
            page = (await host.ask("list", limit=1)).json()
            assert ([item["id"] for item in page["items"]], page["total"], page["hasMore"]) == (
                [second],
                2,
                True,
            )
            assert (await host.ask("getSteps", runId="nope")).json() == {"steps": []}
            assert (await host.ask("getLogs", runId=first)).json()["detail"].startswith("No handler bound")

    go(scenario())


def test_a_question_ends_its_run_and_the_next_message_of_the_session_answers_it() -> None:
    async def scenario() -> None:
        async with stub() as served:
            host = Host(served)
            asking = await host.execute("[[approve]]")
            await served.engine.runs[asking].over.wait()
            run = await host.run(asking)
            assert run["status"] == "COMPLETED"
            assert run["steps"][-1]["output"]["content"] == "Deploy 1.4.2 to production?"
            going_on = await host.execute("no")
            await served.engine.runs[going_on].over.wait()
            assert "nothing was deployed" in str(await host.run(going_on))

    go(scenario())


def test_runs_of_an_earlier_process_are_shown_as_they_were_kept(tmp_path: Any) -> None:
    async def scenario() -> None:
        (tmp_path / "data").mkdir()
        switches = Switches(speed=0)
        async with stub(Engine(tmp_path / "data", switches=switches)) as served:
            host = Host(served)
            done = await host.execute("[[tool]]")
            cut = await host.execute("[[words gates=text:5]]")
            await served.engine.runs[done].over.wait()
            await served.engine.gates.reached("text", cut)
            await host.cancel(cut)
            before = [await host.run(done), await host.run(cut)]
        async with stub(Engine(tmp_path / "data", switches=switches)) as served:
            after = [await Host(served).run(done), await Host(served).run(cut)]
            assert [run["status"] for run in after] == ["COMPLETED", "CANCELLED"]
            for old, new in zip(before, after, strict=True):
                assert [s.get("output") for s in old["steps"]] == [s.get("output") for s in new["steps"]]
            assert (await Host(served).cancel(cut)).json()["code"] == "RUN_NOT_CANCELLABLE"

    go(scenario())


# --- our adapter on it ---


async def played(host: Host, prompt: str, key: str = "k") -> list[Event]:
    backend = host.adapter()
    try:
        return [event async for event in backend.run(Prompt(prompt, "c", "client-id", key))]
    finally:
        await backend.aclose()


def test_the_adapter_reads_a_whole_run_from_every_host() -> None:
    async def scenario() -> None:
        async with stub() as served:
            for base in HOSTS:
                events = await played(Host(served, base), "[[parallel]]")
                assert isinstance(events[0], ev.RunStarted)
                assert events[-1] == ev.RunFinished(End.COMPLETED)
                text = "".join(e.text for e in events if isinstance(e, ev.TextDelta))
                run = served.engine.runs[events[0].run_id]
                assert text == run.reply.text().replace("\n\n", "")
                ends = {e.call: e.status.value for e in events if isinstance(e, ev.ToolFinished)}
                assert sorted(ends.values()) == ["error", "ok", "ok"]

    go(scenario())


@pytest.mark.parametrize(
    ("switch", "answer", "end"),
    [
        ("abort=honest", Answer.ACKNOWLEDGED, End.CANCELLED),
        ("abort=lie", Answer.ACKNOWLEDGED, End.ALIVE),
        ("abort=never-settles", Answer.ACKNOWLEDGED, None),
        ("abort=finishes", Answer.ALREADY_OVER, End.COMPLETED),
        ("abort=403", Answer.REFUSED, End.ALIVE),
        ("abort=503 acts=yes", Answer.REFUSED, End.CANCELLED),
        ("abort=html", Answer.REFUSED, End.ALIVE),
        ("abort=drop acts=yes", Answer.UNANSWERED, End.CANCELLED),
    ],
)
def test_the_adapter_says_of_a_stop_what_is_true(switch: str, answer: Answer, end: End | None) -> None:
    async def stop(host: Host, gates: Gates) -> None:
        backend = host.adapter()
        stream = backend.run(Prompt(f"[[words gates=text:5 {switch}]]", "c", "client-id", host.base))
        started = await anext(stream)
        assert isinstance(started, ev.RunStarted)
        run = RunRef("c", started.run_id, host.base)
        await gates.reached("text", run.run_id)
        assert (await backend.abort(run, REASON)).answer is answer
        found = await backend.status(run)
        assert found is not None and found.end is end
        if end not in (End.ALIVE, None):
            last = [event async for event in stream][-1]
            assert isinstance(last, ev.RunFinished) and last.end is end
            assert found.text == host.served.engine.runs[run.run_id].reply.text()
        if switch == "abort=honest":
            assert host.served.engine.runs[run.run_id].token.reason == REASON
            assert (await backend.abort(run)).answer is Answer.ALREADY_OVER
        await stream.aclose()
        await backend.aclose()

    async def scenario() -> None:
        async with stub() as served:
            await asyncio.gather(*(stop(Host(served, base), served.engine.gates) for base in HOSTS))

    go(scenario())


def test_the_adapter_tells_an_unknown_run_from_a_wrong_base_path() -> None:
    async def scenario() -> None:
        async with stub() as served:
            for base in HOSTS:
                for path, answer in ((base, Answer.NOTHING_RUNNING), (base + "/api", Answer.REFUSED)):
                    backend = Host(served, path).adapter()
                    assert (await backend.abort(RunRef("c", "run-0"))).answer is answer
                    await backend.aclose()

    go(scenario())


def test_the_adapter_stops_whatever_runs_in_a_conversation_and_nothing_else() -> None:
    async def scenario() -> None:
        async with stub() as served:
            host = Host(served)
            mine, other = await host.execute(HELD, "c"), await host.execute(HELD, "d")
            await served.engine.gates.reached("text", other)
            backend = host.adapter()
            assert (await backend.abort(RunRef("c"))).answer is Answer.ACKNOWLEDGED
            assert (await host.run(mine))["status"] == "CANCELLED"
            assert (await host.run(other))["status"] == "IN_PROGRESS"
            found = await backend.status(RunRef("c"))
            assert found is not None and found.end is End.CANCELLED
            assert (await backend.abort(RunRef("c"))).answer is Answer.NOTHING_RUNNING
            assert await backend.status(RunRef("c")) is None
            await backend.aclose()

    go(scenario())


def test_a_client_that_goes_away_stops_nothing_and_finds_its_run_again_by_its_mark() -> None:
    async def scenario() -> None:
        async with stub() as served:
            first = Host(served).adapter()
            stream = first.run(Prompt("[[words gates=text:5]]", "c", "client-id", "k"))
            started = await anext(stream)
            assert isinstance(started, ev.RunStarted)
            run = served.engine.runs[started.run_id]
            await served.engine.gates.reached("text", run.id)
            await stream.aclose()
            await first.aclose()
            assert not run.phase.over
            served.engine.gates.open("text", run.id)
            await eventually(lambda: run.phase.over)
            again = Host(served).adapter()
            events = [event async for event in again.resume(RunRef("c", "client-id", "k"))]
            assert [e.text for e in events if isinstance(e, ev.TextReplaced)] == [run.reply.text()]
            assert events[-1] == ev.RunFinished(End.COMPLETED)
            await again.aclose()

    go(scenario())
