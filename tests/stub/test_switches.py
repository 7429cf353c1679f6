"""Every way in which this backend misbehaves on demand does so, and nothing else."""

from __future__ import annotations

import asyncio
import gzip

import httpx
import pytest

from backend_stub.engine import Engine
from backend_stub.events import Phase
from backend_stub.switches import ABORT_MODES, END_MODES, BadSwitch, Switches
from tests.stub.serving import Stub, eventually, go, kinds, stub, text_of


async def held(s: Stub, switch: str, run: str = "r1") -> asyncio.Task[list[dict[str, object]]]:
    """A run that stands at the gate `text` after two words, and the task that reads it."""
    task = asyncio.create_task(s.whole(f"[[words gates=text:2 {switch}]]", run))
    assert await s.engine.gates.reached("text", run)
    return task


async def let_go(s: Stub, task: asyncio.Task[list[dict[str, object]]]) -> list[dict[str, object]]:
    s.engine.gates.open("text")
    return await task


@pytest.mark.parametrize("status", [401, 403, 404, 405, 409, 410, 429, 500, 501, 503])
def test_an_abort_can_be_refused_with_any_status_and_the_run_goes_on(status: int) -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = await held(s, f"abort={status} retry_after=1")
            answer = await s.abort()
            assert (answer.status_code, answer.headers["retry-after"]) == (status, "1")
            events = await let_go(s, task)
            assert events[-1]["outcome"] == {"type": "success"}

    go(scenario())


def test_an_abort_can_be_redirected_to_another_origin() -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = await held(s, "abort=redirect")
            answer = await s.abort()
            assert answer.status_code == 307
            assert httpx.URL(answer.headers["location"]).host != "127.0.0.1"
            await let_go(s, task)

    go(scenario())


@pytest.mark.parametrize("acts", ["0", "1"])
def test_an_abort_can_hang_whether_or_not_it_acts(acts: str) -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = await held(s, f"abort=hang acts={acts}")
            with pytest.raises(httpx.ReadTimeout):
                await s.http.post("/runs/r1/abort", json={}, timeout=0.2)
            assert task.done() == (acts == "1")
            events = await let_go(s, task)
            assert (events[-1]["outcome"] == {"type": "cancelled"}) == (acts == "1")

    go(scenario())


def test_an_abort_can_lose_its_connection() -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = await held(s, "abort=drop")
            with pytest.raises(httpx.RemoteProtocolError):
                await s.abort()
            await let_go(s, task)

    go(scenario())


@pytest.mark.parametrize(
    ("mode", "kind", "size"),
    [("html", "text/html", 20), ("huge", "json", 10_000_000), ("garbage", "json", 1), ("empty", "", 0)],
)
def test_an_abort_can_be_answered_with_rubbish(mode: str, kind: str, size: int) -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = await held(s, f"abort={mode}")
            answer = await s.abort()
            assert answer.status_code == 200
            assert kind in answer.headers.get("content-type", "")
            assert len(answer.content) >= size
            await let_go(s, task)

    go(scenario())


def test_an_abort_can_be_answered_with_a_small_body_that_becomes_a_large_one() -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = await held(s, "abort=gzip")
            async with s.http.stream("POST", "/runs/r1/abort", json={}) as answer:
                raw = b"".join([piece async for piece in answer.aiter_raw()])
            assert len(raw) < 100_000
            assert len(gzip.decompress(raw)) > 10_000_000
            await let_go(s, task)

    go(scenario())


def test_an_abort_can_be_accepted_and_never_settle() -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = await held(s, "abort=never-settles")
            answer = await s.abort()
            assert (answer.status_code, answer.json()["status"]) == (202, "cancelling")
            assert (await s.http.get("/runs/r1")).json()["status"] == "stopping"
            s.engine.gates.open("text")
            assert await s.engine.gates.reached("settle", "r1")  # cut, silent, and not over
            assert not task.done()
            task.cancel()
            assert not any(li.edge == "start" for li in s.engine.ledger.lines("r1")[3:])

    go(scenario())


def test_an_abort_can_settle_late() -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = await held(s, "abort=settles-late")
            assert (await s.abort()).status_code == 202
            assert not task.done()
            s.engine.gates.open("settle")
            assert (await task)[-1]["outcome"] == {"type": "cancelled"}
            task = await held(s, "abort=settles-late settle=0.05", "r2")
            await s.abort("r2")
            assert (await task)[-1]["outcome"] == {"type": "cancelled"}

    go(scenario())


def test_a_lie_is_answered_like_the_truth_and_the_stream_goes_on() -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = await held(s, "abort=lie")
            answer = await s.abort()
            assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
            events = await let_go(s, task)
            assert "word60" in text_of(events)
            assert events[-1]["outcome"] == {"type": "success"}

    go(scenario())


def test_a_quiet_lie_shows_only_in_the_ledger() -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = asyncio.create_task(s.whole("[[many-tools gates=tool abort=lie-quietly]]"))
            await s.engine.gates.reached("tool", "r1")
            assert (await s.abort()).json()["status"] == "cancelled"
            assert (await task)[-1]["outcome"] == {"type": "cancelled"}
            assert (await s.http.get("/runs/r1")).json()["status"] == "cancelled"
            s.engine.gates.open("tool")
            await eventually(lambda: sum(li.edge == "start" for li in s.engine.ledger.lines("r1")) == 17)

    go(scenario())


def test_a_run_can_finish_by_itself_while_the_abort_is_on_its_way() -> None:
    async def scenario() -> None:
        async with stub(Engine()) as s:  # at full length: it must not take its time
            task = await held(s, "abort=finishes")
            answer = await s.abort()
            assert (answer.status_code, answer.json()["status"]) == (409, "completed")
            assert "word60" in text_of(await task)

    go(scenario())


def test_an_abort_can_be_held_before_it_acts_and_before_it_is_answered() -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = asyncio.create_task(s.whole("[[words gates=text:2,abort,answer]]"))
            await s.engine.gates.reached("text", "r1")
            abort = asyncio.create_task(s.abort())
            await s.engine.gates.reached("abort", "r1")
            assert s.engine.runs["r1"].phase is Phase.RUNNING
            s.engine.gates.open("abort")
            await s.engine.gates.reached("answer", "r1")
            assert (await task)[-1]["outcome"] == {"type": "cancelled"}
            assert not abort.done()
            s.engine.gates.open("answer")
            assert (await abort).status_code == 200

    go(scenario())


def test_a_run_can_be_held_before_it_is_registered_before_its_headers_at_its_begin_and_at_its_end() -> None:
    async def scenario() -> None:
        async with stub() as s:
            prompt = "[[short gates=registration,headers,begin,end]]"
            task = asyncio.create_task(s.whole(prompt))
            await s.engine.gates.reached("registration", "r1")
            assert not s.engine.runs
            s.engine.gates.open("registration")
            await s.engine.gates.reached("begin", "r1")
            await s.engine.gates.reached("headers", "r1")
            assert s.engine.ledger.lines("r1")[-1].edge == "began"
            s.engine.gates.open("begin")
            await s.engine.gates.reached("end", "r1")
            assert not task.done()
            s.engine.gates.open("headers")
            s.engine.gates.open("end")
            assert (await task)[-1]["type"] == "RUN_FINISHED"

    go(scenario())


@pytest.mark.parametrize("mode", ["cut", "reset"])
def test_a_stream_can_break_and_be_taken_up_again(mode: str) -> None:
    async def scenario() -> None:
        async with stub() as s:
            seen = []
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                async with s.prompt(f"[[words end={mode} after=9]]") as stream:
                    async for event in stream:
                        seen.append(event)
            assert len(seen) <= 9 if mode == "reset" else len(seen) == 9
            async with s.attach(after=len(seen)) as stream:
                seen += [event async for event in stream]
            assert seen[-1]["outcome"] == {"type": "success"}
            assert text_of(seen).endswith("word60")

    go(scenario())


@pytest.mark.parametrize(("mode", "count"), [("eof", 9), ("silent-end", 63)])
def test_a_stream_can_end_cleanly_without_a_final_event(mode: str, count: int) -> None:
    async def scenario() -> None:
        async with stub() as s:
            events = await s.whole(f"[[words end={mode} after=9]]")
            assert len(events) == count
            assert "RUN_FINISHED" not in kinds(events)

    go(scenario())


def test_a_stream_can_stall_with_the_run_alive() -> None:
    async def scenario() -> None:
        async with stub() as s, s.prompt("[[words end=stall after=5]]") as stream:
            events = [await stream.until("TEXT_MESSAGE_CONTENT")]
            await s.engine.runs["r1"].over.wait()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    async for event in stream:
                        events.append(event)
            assert len(events) == 3

    go(scenario())


def test_a_stream_can_stay_open_after_its_final_event() -> None:
    async def scenario() -> None:
        async with stub() as s, s.prompt("[[short end=open]]") as stream:
            await stream.until("RUN_FINISHED")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await stream.until("anything")

    go(scenario())


def test_the_outcome_can_be_left_out() -> None:
    async def scenario() -> None:
        async with stub() as s:
            task = await held(s, "end=no-outcome")
            await s.abort()
            last = (await task)[-1]
            assert last["type"] == "RUN_FINISHED"
            assert "outcome" not in last

    go(scenario())


def test_headers_and_answers_can_be_late() -> None:
    async def scenario() -> None:
        async with stub() as s:
            loop = asyncio.get_running_loop()
            began = loop.time()
            async with s.prompt("[[words headers_delay=0.1 answer_delay=0.1 gates=text]]") as stream:
                assert loop.time() - began >= 0.1
                await s.engine.gates.reached("text", "r1")
                began = loop.time()
                await s.abort()
                assert loop.time() - began >= 0.1
                await stream.until("RUN_FINISHED")

    go(scenario())


def test_a_look_up_can_be_refused() -> None:
    async def scenario() -> None:
        async with stub() as s:
            await s.whole("[[short status=503]]")
            assert (await s.http.get("/runs/r1")).status_code == 503

    go(scenario())


def test_a_switch_of_the_process_holds_for_every_prompt_and_a_prompt_may_overrule_it() -> None:
    async def scenario() -> None:
        async with stub(Engine(switches=Switches(speed=0, abort="500"))) as s:
            task = await held(s, "")
            assert (await s.abort()).status_code == 500
            await let_go(s, task)
        async with stub(Engine(switches=Switches(speed=0, abort="500"))) as s:
            task = await held(s, "abort=honest")
            assert (await s.abort()).status_code == 200
            await task

    go(scenario())


@pytest.mark.parametrize(
    "values",
    [
        {"abort": "200"},
        {"abort": "x"},
        {"end": ""},
        {"after": "-1"},
        {"speed": "nan"},
        {"acts": "?"},
        {"x": "1"},
    ],
)
def test_a_switch_that_does_not_exist_or_fit_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(BadSwitch):
        Switches().set(values)


def test_every_mode_is_taken() -> None:
    assert [Switches().set({"abort": mode}).abort for mode in ABORT_MODES] == list(ABORT_MODES)
    assert [Switches().set({"end": mode}).end for mode in END_MODES] == list(END_MODES)
