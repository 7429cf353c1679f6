"""The Flue dialect: admission, stream, history and abort as recorded, and our adapter on it."""

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
from backend_stub.switches import Switches
from tests.stub.serving import Stub, eventually, go, stub
from tui.backends.base import Prompt, RunRef, StreamLost, Target
from tui.backends.flue import Flue
from tui.backends.flue_history import keyed_submission
from tui.core import events as ev
from tui.core.events import Answer, End, Event

C = "/flue/agents/chat/c1"
HEAD = "0000000000000000_{:016d}"
HELD = "[[words gates=text:1]]"


class Conversation:
    """One conversation by its URL, spoken to in plain requests."""

    def __init__(self, served: Stub, url: str = C) -> None:
        self.served, self.url = served, url

    async def post(self, body: str = HELD, **more: Any) -> httpx.Response:
        return await self.served.http.post(self.url, json={"kind": "user", "body": body, **more})

    async def send(self, body: str = HELD, **more: Any) -> str:
        return str((await self.post(body, **more)).json()["submissionId"])

    async def get(self, **query: str) -> httpx.Response:
        return await self.served.http.get(self.url, params=query)

    async def history(self) -> dict[str, Any]:
        return dict((await self.get()).json())

    async def abort(self) -> Any:
        return (await self.served.http.post(self.url + "/abort")).json()

    @asynccontextmanager
    async def stream(self, offset: str = "-1") -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
        """(event, data) of each frame; comments are ("", text)."""
        query = {"view": "updates", "offset": offset, "live": "sse"}
        async with self.served.http.stream("GET", self.url, params=query) as response:
            assert response.status_code == 200
            yield _frames(response)

    async def until_settled(self, submission: str, offset: str = "-1") -> list[dict[str, Any]]:
        """The chunks up to a submission's settlement."""
        chunks: list[dict[str, Any]] = []
        async with self.stream(offset) as frames:
            async for name, data in frames:
                chunks += data if name == "data" else []
                if any(c["type"] == "submission-settled" and c["submissionId"] == submission for c in chunks):
                    return chunks
        raise AssertionError("the stream ended")

    def adapter(self) -> Flue:
        token = ("Authorization", f"Bearer {self.served.running.token}")
        return Flue(Target("flue", self.served.running.url + self.url.rpartition("/")[0], headers=(token,)))


async def _frames(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    text = ""
    async for piece in response.aiter_text():
        text += piece
        while "\n\n" in text:
            frame, _, text = text.partition("\n\n")
            if frame.startswith(":"):
                yield "", frame
            else:
                name, data = frame.split("\n")
                yield name.removeprefix("event: "), json.loads(data.removeprefix("data:"))


def kinds(chunks: list[dict[str, Any]]) -> list[str]:
    """Chunk types in order, the same one after another told once."""
    told: list[str] = []
    for chunk in chunks:
        if not told or told[-1] != chunk["type"]:
            told.append(chunk["type"])
    return told


def said(chunks: list[dict[str, Any]]) -> str:
    return "".join(c["delta"] for c in chunks if c["type"] == "message-delta" and c["kind"] == "text")


def test_a_prompt_is_admitted_before_it_runs_and_the_conversation_exists_from_then_on() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            missing = await c.get()
            assert (missing.status_code, missing.json()["error"]["type"]) == (404, "stream_not_found")
            assert '"agents/Chat/c1"' in missing.json()["error"]["message"]
            assert (await served.http.head(C)).status_code == 404
            admitted = await c.post()
            told = admitted.json()
            assert (admitted.status_code, told["offset"]) == (202, HEAD.format(0))
            assert admitted.headers["stream-next-offset"] == told["offset"]
            assert admitted.headers["location"] == told["streamUrl"] == served.running.url + C
            assert told["submissionId"].startswith("sub_") and told["uid"].startswith("inst_")
            head = await served.http.head(C)
            assert head.headers["stream-up-to-date"] == "true"
            assert head.headers["stream-next-offset"] >= told["offset"]

    go(scenario())


def test_a_run_streams_the_chunks_of_the_original_in_its_order() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            sub = await c.send("[[tool]]")
            chunks = await c.until_settled(sub)
            assert kinds(chunks) == [
                "stream-checkpoint",
                "conversation-reset",
                "message-appended",
                "message-started",
                "message-delta",
                "tool-input",
                "message-completed",
                "tool-output",
                "message-started",
                "message-delta",
                "message-completed",
                "submission-settled",
            ]
            placed = [(x["position"]["batch"], x["position"]["index"]) for x in chunks[1:]]
            assert placed == sorted(set(placed))
            assert len({x["messageId"] for x in chunks if "messageId" in x}) == 1
            assert chunks[-1]["answeredBySubmissionId"] == sub
            assert chunks[-1]["outcome"] == "completed"

    go(scenario())


def test_every_batch_is_followed_by_the_offset_to_go_on_from_without_gap_or_repetition() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            sub = await c.send("[[words]]")
            whole = await c.until_settled(sub)
            offsets: list[str] = []
            async with c.stream() as frames:
                async for name, data in frames:
                    if name == "control":
                        offsets.append(data["streamNextOffset"])
                        if data.get("upToDate"):
                            break
            assert len(offsets) > 5
            for offset in offsets[:-1]:
                batch = int(offset[-16:])
                rest = await c.until_settled(sub, offset)
                assert rest[1:] == [x for x in whole[1:] if x["position"]["batch"] > batch]
            polled = (await c.get(view="updates", offset=offsets[2])).json()
            assert polled == [x for x in whole[1:] if x["position"]["batch"] > int(offsets[2][-16:])]

    go(scenario())


def test_an_abort_mid_text_settles_as_recorded_and_the_history_keeps_the_partial() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            sub = await c.send("[[words gates=text:7]]")
            await served.engine.gates.reached("text", sub)
            assert await c.abort() == {"aborted": True}
            chunks = await c.until_settled(sub)
            assert kinds(chunks)[-4:] == [
                "message-delta",
                "message-completed",
                "message-appended",
                "submission-settled",
            ]
            advisory, settled = chunks[-2]["message"], chunks[-1]
            assert advisory["id"] == f"entry_submission_aborted_{sub}"
            assert (advisory["role"], advisory["display"]) == ("system", "diagnostic")
            assert advisory["signal"]["attributes"] == {
                "submissionId": sub,
                "kind": "direct",
                "reason": "aborted",
            }
            assert "submissionId" not in advisory
            assert (settled["outcome"], settled["error"]["type"]) == ("aborted", "submission_aborted")
            history = await c.history()
            reply = next(m for m in history["messages"] if m["role"] == "assistant")
            text = served.engine.runs[sub].reply.text()
            assert text.split() == [f"word{n}" for n in range(1, 8)]
            assert said(chunks) == text
            assert reply["parts"] == [{"type": "text", "text": text, "state": "done"}]
            assert history["settlements"][0]["outcome"] == "aborted"
            assert await c.abort() == {"aborted": False}

    go(scenario())


def test_an_abort_mid_tool_tells_of_the_tool_and_of_a_step_that_stays_empty() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            sub = await c.send("[[tool gates=tool]]")
            await served.engine.gates.reached("tool", sub)
            await c.abort()
            chunks = await c.until_settled(sub)
            assert kinds(chunks)[-5:] == [
                "tool-output-error",
                "message-started",
                "message-completed",
                "message-appended",
                "submission-settled",
            ]
            failed = next(x for x in chunks if x["type"] == "tool-output-error")
            assert failed["errorText"] == "This operation was aborted"

    go(scenario())


def test_a_tool_that_cannot_be_cut_is_given_up_in_so_many_words() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            sub = await c.send("[[blocking gates=tool]]")
            await served.engine.gates.reached("tool", sub)
            await c.abort()
            part = (await c.history())["messages"][1]["parts"][-1]
            assert part["state"] == "output-error"
            assert part["errorText"].endswith("may still be running.")
            served.engine.gates.open("tool", sub)

    go(scenario())


def test_results_of_parallel_tools_come_together_when_the_last_is_there() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            sub = await c.send("[[parallel]]")
            chunks = await c.until_settled(sub)
            ends = [x["type"] for x in chunks if x["type"].startswith("tool-output")]
            assert sorted(ends) == ["tool-output", "tool-output", "tool-output-error"]
            assert kinds(chunks).index("message-completed") < kinds(chunks).index("tool-output")
            states = [p["state"] for p in (await c.history())["messages"][1]["parts"] if "toolCallId" in p]
            assert sorted(states) == ["output-available", "output-available", "output-error"]

    go(scenario())


def test_an_abort_ends_all_that_runs_or_waits_and_what_waited_leaves_no_text() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            other = Conversation(served, "/flue/agents/chat/other")
            running, waiting = await c.send(), await c.send("never seen")
            spared = await other.send()
            await served.engine.gates.reached("text", running)
            assert await c.abort() == {"aborted": True}
            await c.until_settled(waiting)
            history = await c.history()
            assert {s["submissionId"]: s["outcome"] for s in history["settlements"]} == {
                running: "aborted",
                waiting: "aborted",
            }
            assert "never seen" not in json.dumps(history)
            assert not served.engine.runs[spared].phase.over

    go(scenario())


def test_prompts_sent_at_once_run_one_after_the_other_also_after_an_abort() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            first = await c.send()
            await served.engine.gates.reached("text", first)
            aborting = asyncio.create_task(c.abort())
            await eventually(lambda: served.engine.runs[first].token.cancelled)
            second, third = await c.send("[[short]]"), await c.send("[[short]]")
            await aborting
            await c.until_settled(third)
            outcomes = [(s["submissionId"], s["outcome"]) for s in (await c.history())["settlements"]]
            assert outcomes == [(first, "aborted"), (second, "completed"), (third, "completed")]

    go(scenario())


def test_an_abort_that_overtakes_its_prompt_finds_nothing_and_the_prompt_runs() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            posting = asyncio.create_task(c.send("[[short gates=registration]]"))
            assert await served.engine.gates.reached("registration")
            assert await c.abort() == {"aborted": False}
            served.engine.gates.open("registration")
            sub = await posting
            assert (await c.until_settled(sub))[-1]["outcome"] == "completed"

    go(scenario())


def test_a_key_names_one_submission_for_good() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            first = (await c.post("[[short]]", idempotencyKey="k1")).json()
            assert first["submissionId"] == keyed_submission("Chat", "c1", "k1")
            again = await c.post("[[short]]", idempotencyKey="k1")
            assert again.status_code == 202
            assert again.json() == first | {"offset": "-1", "deduplicated": True}
            assert again.headers["stream-next-offset"] == "-1"
            other = await c.post("[[words]]", idempotencyKey="k1")
            assert (other.status_code, other.json()["error"]["type"]) == (409, "submission_conflict")
            assert other.json()["error"]["meta"] == {"submissionId": first["submissionId"]}
            assert len(served.engine.runs) == 1

    go(scenario())


def test_a_uid_names_the_instance_that_is_meant() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            assert (await c.post(uid="inst_x")).json()["error"]["type"] == "agent_instance_not_found"
            uid = (await c.post("[[short]]", uid=None)).json()["uid"]
            exists = await c.post(uid=None)
            assert (exists.status_code, exists.json()["error"]["meta"]) == (409, {"uid": uid})
            assert (await c.post("[[short]]", uid=uid)).status_code == 202

    go(scenario())


def test_bad_requests_are_answered_in_the_originals_envelope() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            await c.send("[[short]]")
            http = served.http
            json_type = {"content-type": "application/json"}
            for reply, status, kind in (
                (await http.post(C, content=b"{x", headers=json_type), 400, "invalid_json"),
                (await http.post(C, json="text"), 400, "invalid_request"),
                (await http.post(C, json={"kind": "user"}), 400, "invalid_request"),
                (await http.post(C), 400, "invalid_request"),
                (await http.post(C + "?wait=result", json={}), 400, "invalid_request"),
                (await c.post(idempotencyKey=""), 400, "invalid_request"),
                (await c.get(view="updates"), 400, "invalid_request"),
                (await c.get(view="updates", offset="foo"), 400, "invalid_request"),
                (await c.get(view="updates", offset="-1", live="ws"), 400, "invalid_request"),
                (await c.get(view="updates", offset="-1", tail="5"), 400, "invalid_request"),
                (await c.get(view="bogus"), 400, "invalid_request"),
                (await c.get(offset="-1"), 400, "invalid_request"),
                (await c.get(view="updates", offset=HEAD.format(9999)), 416, "stream_offset_gone"),
                (
                    await c.get(view="updates", offset=HEAD.format(9999), live="sse"),
                    416,
                    "stream_offset_gone",
                ),
                (await http.put(C), 405, "method_not_allowed"),
                (await http.get(C + "/abort"), 405, "method_not_allowed"),
                (await http.get(C + "/attachments/x"), 404, "attachment_not_found"),
            ):
                assert (reply.status_code, reply.json()["error"]["type"]) == (status, kind)
            assert (await http.get(C + "/abort")).headers["allow"] == "POST"
            gone = (await c.get(view="updates", offset=HEAD.format(9999))).json()["error"]["meta"]
            assert gone["offset"] == HEAD.format(9999)

    go(scenario())


def test_both_mounts_name_the_same_conversation_and_ag_ui_keeps_its_own_route() -> None:
    async def scenario() -> None:
        async with stub() as served:
            sub = await Conversation(served, "/agents/chat/c1").send("[[short]]")
            assert (await Conversation(served).until_settled(sub))[-1]["outcome"] == "completed"
            assert (await served.whole("[[short]]"))[-1]["type"] == "RUN_FINISHED"

    go(scenario())


def test_a_restarted_backend_keeps_what_was_said_in_a_new_incarnation(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "data").mkdir()

        def engine() -> Engine:
            return Engine(tmp_path / "data", switches=Switches(speed=0))

        async with stub(engine()) as served:
            c = Conversation(served)
            sub = await c.send("[[tool]]", idempotencyKey="k")
            await c.until_settled(sub)
            before, head = await c.history(), (await served.http.head(C)).headers["stream-next-offset"]
        async with stub(engine()) as served:
            c = Conversation(served)
            after = await c.history()
            assert after["messages"][0] == before["messages"][0]
            texts = [[p.get("text") for p in h["messages"][1]["parts"]] for h in (before, after)]
            assert texts[0] == texts[1]
            assert after["settlements"] == before["settlements"]
            assert after["incarnation"] != before["incarnation"]
            assert (await c.get(view="updates", offset=head)).status_code == 416
            assert (await c.post("[[tool]]", idempotencyKey="k")).json()["deduplicated"] is True
            assert (await c.post("[[short]]", idempotencyKey="k")).status_code == 409

    go(scenario())


def test_a_question_is_asked_in_words_and_the_next_prompt_answers_it() -> None:
    async def scenario() -> None:
        async with stub() as served:
            c = Conversation(served)
            asking = await c.send("[[choose]]")
            chunks = await c.until_settled(asking)
            assert said(chunks).endswith("Which one?\n\n- fast\n- thorough\n- cheap")
            going_on = await c.send("cheap")
            assert "Then **cheap** it is." in said(await c.until_settled(going_on))

    go(scenario())


# --- our adapter on it ---


async def played(agent: Flue, prompt: str, key: str = "k1") -> list[Event]:
    return [event async for event in agent.run(Prompt(prompt, "c1", "client-id", key))]


@pytest.mark.parametrize(
    ("switch", "answer", "end"),
    [
        ("abort=honest", Answer.ACKNOWLEDGED, End.CANCELLED),
        ("abort=lie", Answer.ACKNOWLEDGED, None),
        ("abort=never-settles", Answer.ACKNOWLEDGED, None),
        ("abort=settles-late", Answer.ACKNOWLEDGED, None),
        ("abort=finishes", Answer.ACKNOWLEDGED, End.COMPLETED),
        ("abort=401", Answer.REFUSED, End.ALIVE),
        ("abort=503 acts=yes", Answer.REFUSED, End.CANCELLED),
        ("abort=html", Answer.REFUSED, End.ALIVE),
    ],
)
def test_the_adapter_says_of_a_stop_what_is_true(switch: str, answer: Answer, end: End | None) -> None:
    async def scenario(end: End | None = end) -> None:
        async with stub() as served:
            agent = Conversation(served).adapter()
            stream = agent.run(Prompt(f"[[words gates=text:5 {switch}]]", "c1", "client-id", "k1"))
            started = await anext(stream)
            assert isinstance(started, ev.RunStarted)
            run = RunRef("c1", started.run_id, "k1")
            await served.engine.gates.reached("text", run.run_id)
            assert (await agent.abort(run)).answer is answer
            found = await agent.status(run)
            assert (found.end if found else None) is end
            if "late" in switch:
                served.engine.gates.open("settle")
                end = End.CANCELLED
            if end in (End.CANCELLED, End.COMPLETED):
                last = [event async for event in stream][-1]
                assert isinstance(last, ev.RunFinished) and last.end is end
                found = await agent.status(run)
                assert found and found.text == served.engine.runs[run.run_id].reply.text()
            await stream.aclose()
            await agent.aclose()

    go(scenario())


def test_the_adapter_reads_reasoning_text_tools_and_data() -> None:
    async def scenario() -> None:
        async with stub() as served:
            agent = Conversation(served).adapter()
            events = await played(agent, "[[think]]", "k1")
            assert any(isinstance(e, ev.ReasoningDelta) for e in events)
            events = await played(agent, "[[steps]]", "k2")
            assert [e.name for e in events if isinstance(e, ev.DataReceived)] == [
                "state",
                "state",
                "progress",
            ]
            assert [e.result for e in events if isinstance(e, ev.ToolFinished)] == ["41 kB"]
            events = await played(agent, "[[error]]", "k3")
            assert events[-1] == ev.RunFinished(
                End.FAILED, "The model provider is overloaded.", "operation_failed"
            )
            await agent.aclose()

    go(scenario())


@pytest.mark.parametrize("broken", ["eof", "cut", "reset", "silent-end"])
def test_the_adapter_goes_on_where_a_broken_stream_had_been(broken: str) -> None:
    async def scenario() -> None:
        async with stub() as served:
            agent = Conversation(served).adapter()
            told: list[Event] = []
            prompt = Prompt(f"[[words end={broken} after=9]]", "c1", "client-id", "k1")
            with pytest.raises(StreamLost):
                async for event in agent.run(prompt):
                    told.append(event)
            async for event in agent.resume(RunRef("c1", "client-id", "k1")):
                told.append(event)
            text = "".join(e.text for e in told if isinstance(e, ev.TextDelta))
            assert text == next(iter(served.engine.runs.values())).reply.text()
            assert told[-1] == ev.RunFinished(End.COMPLETED)
            await agent.aclose()

    go(scenario())


def test_a_client_that_goes_away_stops_nothing() -> None:
    async def scenario() -> None:
        async with stub() as served:
            agent = Conversation(served).adapter()
            stream = agent.run(Prompt(HELD, "c1", "client-id", "k1"))
            started = await anext(stream)
            assert isinstance(started, ev.RunStarted)
            await served.engine.gates.reached("text", started.run_id)
            await stream.aclose()
            await agent.aclose()
            await asyncio.sleep(0)
            assert not served.engine.runs[started.run_id].phase.over

    go(scenario())
