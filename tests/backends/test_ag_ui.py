"""The AG-UI adapter over real sockets: what it sends, how it reads, and which aborts it knows."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.backends.servers import (
    LAST,
    Arrived,
    Origin,
    frame,
    go,
    never,
    origin,
    reply,
    stream_head,
    streamed,
)
from tui.backends import ag_ui
from tui.backends.ag_ui import AgUi
from tui.backends.base import (
    BackendError,
    Prompt,
    PromptNotSent,
    PromptRejected,
    RemoteStop,
    RunRef,
    Said,
    Scope,
    StreamLost,
    Target,
)
from tui.core.events import (
    Answer,
    DataReceived,
    End,
    Event,
    QuestionAsked,
    RunFinished,
    RunStarted,
    TextDelta,
)

CAPTURES = Path(__file__).parents[1] / "captures/ag-ui"
STARTED = {"type": "RUN_STARTED", "threadId": "c1", "runId": "r1"}
FINISHED = {"type": "RUN_FINISHED", "threadId": "c1", "runId": "r1", "outcome": {"type": "success"}}


def text(block: str, delta: str) -> dict[str, Any]:
    return {"type": "TEXT_MESSAGE_CONTENT", "messageId": block, "delta": delta}


def prompt(text: str = "hi", run_id: str = "r1", *earlier: Said) -> Prompt:
    return Prompt(text, "c1", run_id, f"key-{run_id}", earlier)


@asynccontextmanager
async def agent(url: str, **target: Any) -> AsyncIterator[AgUi]:
    backend = AgUi(Target("ag-ui", url, **target))
    try:
        yield backend
    finally:
        await backend.aclose()


async def all_of(backend: AgUi, asked: Prompt) -> list[Event]:
    async with aclosing(backend.run(asked)) as events:
        return [event async for event in events]


# --- the prompt -------------------------------------------------------------------------------------------


def test_a_prompt_is_a_run_with_our_own_id_and_the_whole_history() -> None:
    async def scenario() -> None:
        earlier = (Said("user", "one", id="key-1"), Said("assistant", "two", partial=True))
        async with origin(streamed(STARTED, FINISHED)) as server, agent(server.url + "/agent?v=1") as backend:
            await all_of(backend, prompt("three", "r1", *earlier))
            (arrived,) = server.arrived
            assert (arrived.method, arrived.target) == ("POST", "/agent?v=1")
            body = arrived.json
            messages = body.pop("messages")
            assert body == {
                "threadId": "c1", "runId": "r1", "protocolVersion": "1.0", "state": {}, "tools": [],
                "context": [], "forwardedProps": {},
            }  # fmt: skip
            assert [(m["role"], m["content"]) for m in messages] == [
                ("user", "one"), ("assistant", "two"), ("user", "three"),
            ]  # fmt: skip
            assert (messages[0]["id"], messages[2]["id"]) == ("key-1", "key-r1")

    go(scenario())


def test_what_was_said_before_this_process_has_the_same_ids_each_time() -> None:
    async def scenario() -> None:
        earlier = (Said("user", "one"), Said("assistant", "two"), Said("user", "one"))
        async with origin(streamed(STARTED, FINISHED)) as server, agent(server.url) as backend:
            for run in ("r1", "r2"):
                await all_of(backend, prompt("x", run, *earlier))
            first, second = ([m["id"] for m in a.json["messages"][:3]] for a in server.arrived)
            assert first == second and len(set(first)) == 3

    go(scenario())


REPLY = [
    STARTED,
    text("m1", "Let me "),
    text("m1", "look."),
    {"type": "TOOL_CALL_START", "toolCallId": "t1", "toolCallName": "look"},
    {"type": "TOOL_CALL_ARGS", "toolCallId": "t1", "delta": '{"a"'},
    {"type": "TOOL_CALL_ARGS", "toolCallId": "t1", "delta": ":1}"},
    {"type": "TOOL_CALL_RESULT", "messageId": "x", "toolCallId": "t1", "content": "found"},
    {"type": "TOOL_CALL_START", "toolCallId": "t2", "toolCallName": "open"},
    text("m2", "There."),
    FINISHED,
]


def test_a_reply_goes_back_as_the_messages_it_was() -> None:
    """Servers tell messages apart by id: a reply under a new id would be a second reply to them."""

    async def scenario() -> None:
        async with origin(streamed(*REPLY)) as server, agent(server.url) as backend:
            await all_of(backend, prompt("go"))
            said = Said("assistant", "Let me look.\n\nThere.")
            await all_of(backend, prompt("on", "r2", Said("user", "go", id="key-r1"), said))
            call = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
            assert server.arrived[1].json["messages"][1:3] == [
                {"id": "m1", "role": "assistant", "content": "Let me look.", "toolCalls": [call]},
                {"id": "result-t1", "role": "tool", "toolCallId": "t1", "content": "found"},
            ]
            assert server.arrived[1].json["messages"][3]["id"] == "m2"

    go(scenario())


def test_of_a_stopped_reply_the_server_gets_what_the_person_saw() -> None:
    async def scenario() -> None:
        async with origin(streamed(*REPLY)) as server, agent(server.url) as backend:
            await all_of(backend, prompt("go"))
            said = Said("assistant", "Let me", partial=True)
            await all_of(backend, prompt("on", "r2", Said("user", "go"), said))
            assert server.arrived[1].json["messages"][1] == {
                "id": "m1",
                "role": "assistant",
                "content": "Let me",
            }

    go(scenario())


def test_forwarded_props_go_with_every_run() -> None:
    async def scenario() -> None:
        options = {"forwarded_props": '{"userId": "alice"}'}
        async with (
            origin(streamed(STARTED, FINISHED)) as server,
            agent(server.url, options=options) as backend,
        ):
            await all_of(backend, prompt())
            assert server.arrived[0].json["forwardedProps"] == {"userId": "alice"}

    go(scenario())
    with pytest.raises(BackendError, match="forwarded_props"):
        AgUi(Target("ag-ui", "http://127.0.0.1/", options={"forwarded_props": "{"}))


def test_what_the_agent_shares_goes_back_with_the_next_prompt() -> None:
    async def scenario() -> None:
        shared = {"type": "STATE_SNAPSHOT", "snapshot": {"items": ["a"], "n": 1}}
        delta = [{"op": "add", "path": "/items/-", "value": "b"}, {"op": "replace", "path": "/n", "value": 2}]
        change = {"type": "STATE_DELTA", "delta": delta}
        nonsense = {"type": "STATE_DELTA", "delta": [{"op": "remove", "path": "/not/there"}]}
        replies = (streamed(STARTED, shared, change, nonsense, FINISHED), streamed(STARTED, FINISHED))
        async with origin(*replies) as server, agent(server.url) as backend:
            for run in ("r1", "r2", "r3"):
                await all_of(backend, prompt("go", run))
            await all_of(backend, Prompt("go", "another conversation", "r4", "k"))
            states = [arrived.json["state"] for arrived in server.arrived]
            assert states == [{}, *[{"items": ["a", "b"], "n": 2}] * 2, {}]

    go(scenario())


def test_a_long_conversation_is_not_kept_many_times_over() -> None:
    """Every prompt carries the whole history. What was sent with it is not kept for each of them: twice as
    many turns take twice the memory, not four times."""

    async def scenario() -> None:
        pieces = [text("m", "x" * 400)] * 50
        kept, earlier = [], list[Said]()
        async with origin(streamed(STARTED, *pieces, FINISHED)) as server, agent(server.url) as backend:
            tracemalloc.start()
            try:
                for number in range(40):
                    if number in (20, 39):
                        server.arrived.clear()
                        gc.collect()
                        kept.append(tracemalloc.get_traced_memory()[0])
                    await all_of(backend, prompt("go", f"r{number}", *earlier))
                    earlier += [Said("user", "go"), Said("assistant", "x" * 20_000)]
            finally:
                tracemalloc.stop()
        assert kept[1] < kept[0] * 2.5, kept

    go(scenario())


# --- the stream -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize("name", ["cancel-text", "cancel-tool", "full-tool"])
def test_a_recorded_answer_reads_the_same_in_pieces_of_any_size(name: str, size: int) -> None:
    recorded = (CAPTURES / f"{name}.res").read_bytes()

    async def pieces(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        for at in range(0, len(recorded), size):
            writer.write(recorded[at : at + size])
            await writer.drain()
        writer.close()

    async def scenario() -> None:
        async with origin(pieces) as server, agent(server.url) as backend:
            events = await all_of(backend, prompt())
        end = End.COMPLETED if name == "full-tool" else End.CANCELLED
        assert isinstance(events[0], RunStarted) and events[-1] == RunFinished(end)
        bodies = recorded.partition(b"\r\n\r\n")[2].decode()
        assert [event.raw for event in events if event.raw] == [
            line[6:] for line in bodies.splitlines() if line.startswith("data: ")
        ]

    go(scenario())


def test_the_reading_stops_at_the_final_event_and_the_connection_is_closed() -> None:
    async def open_for_ever(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head() + frame(STARTED) + frame(FINISHED))
        await never(arrived, writer)

    async def scenario() -> None:
        async with origin(open_for_ever) as server, agent(server.url) as backend:
            assert (await all_of(backend, prompt()))[-1] == RunFinished(End.COMPLETED)
            await server.until(lambda: not server.open)

    go(scenario())


@pytest.mark.parametrize("end", [LAST, b""])
def test_an_end_without_a_final_event_is_lost_and_not_completed(end: bytes) -> None:
    async def ends(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head() + frame(STARTED) + frame(text("m", "x")) + end)
        writer.close()

    async def scenario() -> None:
        seen: list[Event] = []
        async with origin(ends) as server, agent(server.url) as backend:
            with pytest.raises(StreamLost):
                async with aclosing(backend.run(prompt())) as events:
                    async for event in events:
                        seen.append(event)
        assert seen == [RunStarted("r1", "c1"), TextDelta("m", "x")]

    go(scenario())


def test_an_announced_cancellation_waits_a_moment_for_the_final_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ag_ui, "FINAL_WORD_S", 0.1)
    announced = {"type": "CUSTOM", "name": "run.cancelled", "value": {"reason": "enough"}}

    async def and_silence(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head() + frame(STARTED) + frame(announced))
        await never(arrived, writer)

    async def and_a_cut(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head() + frame(STARTED) + frame(announced))
        writer.close()

    async def scenario() -> None:
        for handler in (and_silence, and_a_cut, streamed(STARTED, announced)):
            async with origin(handler) as server, agent(server.url) as backend:
                events = await all_of(backend, prompt())
                assert events[1:] == [
                    DataReceived("run.cancelled", {"reason": "enough"}),
                    RunFinished(End.CANCELLED, "enough"),
                ]

    go(scenario())


def test_faults_of_the_prompt_are_told_apart() -> None:
    async def scenario() -> None:
        async with agent("http://127.0.0.1:1/") as backend:
            with pytest.raises(PromptNotSent):
                await all_of(backend, prompt())
        async with origin(reply(422, [{"msg": "Field required"}])) as server, agent(server.url) as backend:
            with pytest.raises(PromptRejected, match="Field required"):
                await all_of(backend, prompt())

    go(scenario())


# --- the abort --------------------------------------------------------------------------------------------


async def aborted(server: Origin, run: RunRef, reason: str = "", **target: Any) -> tuple[Answer, str, bytes]:
    """The answer, and what arrived: target and body."""
    async with agent(target.pop("url", server.url), **target) as backend:
        answer = await backend.abort(run, reason)
    arrived = server.arrived[-1] if server.arrived else None
    return answer.answer, arrived.target if arrived else "", arrived.body if arrived else b""


def test_without_an_abort_route_nothing_is_sent_and_it_is_said_before() -> None:
    async def scenario() -> None:
        async with origin(reply()) as server:
            for given in ("", "none"):
                async with agent(server.url, abort_url=given) as backend:
                    assert backend.capabilities.remote_stop is RemoteStop.NONE
                    assert backend.capabilities.disconnect_stops is None
                    assert (await backend.abort(RunRef("c1", "r1"))).answer is Answer.UNSUPPORTED
            assert server.arrived == []

    go(scenario())


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{base}/runs/{run_id}/cancel", "/api/runs/r1/cancel"),
        ("/stop/{conversation_id}?agent={agent}", "/stop/c1?agent=a1"),
    ],
)
def test_a_template_names_the_abort(template: str, expected: str) -> None:
    async def scenario() -> None:
        async with origin(reply(202)) as server:
            given = {"url": server.url + "/api/", "abort_url": template, "agent": "a1"}
            assert await aborted(server, RunRef("c1", "r1"), **given) == (Answer.ACKNOWLEDGED, expected, b"")

    go(scenario())


def test_a_body_template_is_json_and_stays_json_whatever_is_filled_in() -> None:
    async def scenario() -> None:
        body = '{"run": "{run_id}", "why": ["{reason}"], "n": 1, "{run_id}": null}'
        async with origin(reply(202)) as server:
            given = {"abort_url": "{base}/stop", "abort_body": body}
            _, _, sent = await aborted(server, RunRef("c1", 'r"1'), 'say "no"\n', **given)
            assert json.loads(sent) == {"run": 'r"1', "why": ['say "no"\n'], "n": 1, "{run_id}": None}

    go(scenario())


@pytest.mark.parametrize("run_id", ["../admin", "..", ".", "a/b", "x?y", "x#y", "a%2e", "", "é", "a" * 129])
def test_an_id_that_could_become_another_path_is_not_sent(run_id: str) -> None:
    async def scenario() -> None:
        async with origin(reply(202)) as server:
            for given in ({"abort_url": "{base}/runs/{run_id}/abort"}, {"options": {"dialect": "stopkey"}}):
                async with agent(server.url, **given) as backend:
                    if run_id or not backend.capabilities.status:
                        with pytest.raises(BackendError):
                            await backend.abort(RunRef("c1", run_id))
            assert server.arrived == []

    go(scenario())


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("abort_url", "runs/{run_id}", "must begin with"),
        ("abort_url", "{base}/{thread}", "knows no {thread}"),
        ("abort_url", "http://u:p@x/{run_id}", "user name"),
        ("abort_body", "{run_id}", "must be JSON"),
        ("abort_body", '"{nothing}"', "knows no {nothing}"),
    ],
)
def test_a_template_that_cannot_be_right_is_refused_before_anything_runs(
    field: str, value: str, words: str
) -> None:
    with pytest.raises(BackendError, match=words):
        AgUi(Target("ag-ui", "http://127.0.0.1/", **{"abort_url": "/x", field: value}))  # type: ignore[arg-type]


def test_copilotkits_routes() -> None:
    async def scenario() -> None:
        stopped = {"stopped": True, "interrupt": {"type": "RUN_ERROR", "code": "STOPPED"}}
        idle = {"stopped": False, "message": "No active run for thread 'c1'."}
        async with origin(streamed(STARTED, FINISHED), reply(200, stopped), reply(200, idle)) as server:
            for url, name in (("/api/copilotkit", "a1"), ("/api/copilotkit/agent/a1/run", "")):
                target = {"abort_url": "copilotkit", "agent": name}
                async with agent(server.url + url, **target) as backend:
                    assert backend.capabilities.scope is Scope.CONVERSATION
                    await all_of(backend, prompt())
                    assert (await backend.abort(RunRef("c1", "r9"))).answer is Answer.ACKNOWLEDGED
                    assert (await backend.abort(RunRef("c1", "r9"))).answer is Answer.NOTHING_RUNNING
                run, stop, _ = server.arrived
                assert run.target == "/api/copilotkit/agent/a1/run"
                assert stop.target == "/api/copilotkit/agent/a1/stop/c1" and stop.json == {"runId": "r9"}
                server.arrived.clear()

    go(scenario())


@pytest.mark.parametrize(("path", "expected"), [("/", "/cancel"), ("/chat/agui", "/chat/cancel")])
def test_trpc_agents_route_lies_beside_the_agent(path: str, expected: str) -> None:
    async def scenario() -> None:
        async with origin(reply(200)) as server:
            target = {"url": server.url + path, "abort_url": "trpc-agent"}
            target["options"] = {"forwarded_props": '{"userId": "alice"}'}  # type: ignore[assignment]
            answer, at, body = await aborted(server, RunRef("c1", "r1"), **target)
            assert (answer, at) == (Answer.ACKNOWLEDGED, expected)
            sent = {"threadId": "c1", "runId": "r1", "forwardedProps": {"userId": "alice"}}
            assert json.loads(body) == sent, "the server finds the run by thread and user"

    go(scenario())


# --- questions --------------------------------------------------------------------------------------------

SCHEMA = {"type": "object", "properties": {"approved": {"type": "boolean"}}}
ASKS = [
    {"id": "i1", "reason": "tool_call", "message": "Deploy?", "toolCallId": "t2", "responseSchema": SCHEMA},
    {"id": "i2", "reason": "input", "message": "Where to?"},
]


def paused(*asks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RUN_FINISHED", "runId": "r1", "outcome": {"type": "interrupt", "interrupts": list(asks)}}


def test_an_answer_goes_on_in_a_new_run_from_the_calls_that_were_asked_about() -> None:
    async def scenario() -> None:
        first = streamed(*REPLY[:-1], paused(ASKS[0]))
        second = streamed({"type": "RUN_STARTED", "runId": "r2"}, {**FINISHED, "runId": "r2"})
        async with origin(first, second) as server, agent(server.url) as backend:
            events = await all_of(backend, prompt("go"))
            assert events[-1] == QuestionAsked("i1", "Deploy?", "approval", (), "t2")
            over = await backend.abort(RunRef("c1", "r1"))
            assert over.answer is Answer.UNSUPPORTED
            answering = backend.answering(RunRef("c1", "r1"), "i1", "Yes")
            assert [type(event) async for event in answering] == [RunStarted, RunFinished]
            asked, resumed = (arrived.json for arrived in server.arrived)
            assert resumed["runId"] not in ("r1", "") and resumed["threadId"] == "c1"
            assert resumed["resume"] == [
                {"interruptId": "i1", "status": "resolved", "payload": {"approved": True}}
            ]
            assert resumed["messages"][:1] == asked["messages"]
            names = [call["function"]["name"] for call in resumed["messages"][1]["toolCalls"]]
            assert names == ["look", "open"], "the open call is there, too"

    go(scenario())


def test_a_run_that_paused_with_a_question_is_over_until_it_is_answered() -> None:
    async def scenario() -> None:
        started = {**STARTED, "runId": "their-own"}
        async with origin(streamed(started, paused(ASKS[0]))) as server:
            async with agent(server.url, abort_url="/stop/{run_id}") as backend:
                await all_of(backend, prompt())
                for run_id in ("r1", "their-own"):
                    assert (await backend.abort(RunRef("c1", run_id))).answer is Answer.ALREADY_OVER
            assert len(server.arrived) == 1

    go(scenario())


def test_several_questions_are_asked_one_by_one_and_answered_together() -> None:
    async def scenario() -> None:
        async with origin(streamed(STARTED, paused(*ASKS)), streamed(STARTED, FINISHED)) as server:
            async with agent(server.url) as backend:
                first = await all_of(backend, prompt())
                assert [e.request for e in first if isinstance(e, QuestionAsked)] == ["i1"]
                ref = RunRef("c1", "r1")
                asked = [event async for event in backend.answering(ref, "i1", "no")]
                assert asked == [QuestionAsked("i2", "Where to?", "input")]
                assert len(server.arrived) == 1
                assert [event async for event in backend.answering(ref, "i2", "north")]
            assert server.arrived[1].json["resume"] == [
                {"interruptId": "i1", "status": "resolved", "payload": {"approved": False}},
                {"interruptId": "i2", "status": "resolved", "payload": "north"},
            ]

    go(scenario())


def test_a_question_of_an_earlier_process_can_still_be_answered() -> None:
    async def scenario() -> None:
        async with origin(streamed(STARTED, FINISHED)) as server, agent(server.url) as backend:
            assert [event async for event in backend.answering(RunRef("c1", "old"), "i9", "yes")]
            assert server.arrived[0].json["resume"][0]["payload"] == {"approved": True}

    go(scenario())
