"""What only ADK does: its traps, on real servers, held against the log of the model and the tools."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.interop.adk import real
from tests.interop.adk.real import RealAdk
from tests.interop.cases import Stage
from tests.interop.conftest import Started
from tests.interop.proxy import Proxy
from tests.interop.rows import ROWS, Row
from tests.interop.truth import SHORT, TEXT, TOOL
from tui.backends.base import RemoteStop, RunRef
from tui.core.conversation import Turn
from tui.core.events import Answer, End, RunFinished
from tui.core.transcript import QuestionBlock
from tui.core.turn import Outcome, Phase
from tui.receipt import cautions

pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(real.missing()), reason=real.missing())]

SILENT = "hang first=0"


@asynccontextmanager
async def staged(server: RealAdk, url: str = "", app: str = "") -> AsyncIterator[Stage]:
    backend = server.backend(url, app)
    stage = Stage(server, backend)
    try:
        async with asyncio.timeout(40):
            await backend.connect()
            yield stage
    finally:
        await stage.session.close()
        await backend.aclose()


def play(case: str, server: RealAdk, scenario: Callable[[], Coroutine[Any, Any, tuple[str, str]]]) -> None:
    ROWS.append(Row(server.name, case, *asyncio.run(scenario())))


def sessions(server: RealAdk) -> list[str]:
    with urllib.request.urlopen(f"{server.url}/apps/{server.app}/users/user/sessions", timeout=10) as answer:
        return [session["id"] for session in json.load(answer)]


@pytest.fixture(params=["adk-stock", "adk-cancel"])
def server(request: pytest.FixtureRequest, real_servers: Started) -> RealAdk:
    found = real_servers[request.param]
    assert isinstance(found, RealAdk)
    return found


@pytest.fixture
def stock(real_servers: Started) -> RealAdk:
    found = real_servers["adk-stock"]
    assert isinstance(found, RealAdk)
    return found


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAdk]:
    home = tmp_path_factory.mktemp("adk-sqlite")
    with real.stock(home, "adk-sqlite", f"sqlite:///{home}/sessions.db") as running:
        yield running


async def stopped(stage: Stage, turn: Turn) -> Turn:
    stage.session.stop("test")
    await stage.stopped(turn)
    return turn


def test_a_model_that_has_not_said_a_word_is_stopped_and_it_is_proved(server: RealAdk) -> None:
    async def scenario() -> tuple[str, str]:
        async with staged(server) as stage:
            turn = stage.send(SILENT)
            await stage.logged(lambda log: any(line.who == "model" for line in log))
            await stopped(stage, turn)
            assert turn.outcome is Outcome.CONFIRMED
            return stage.held(turn)

    play("stop a silent model", server, scenario)


@pytest.mark.parametrize("after_ms", [0, 1, 2, 4, 8, 15, 30, 60])
def test_early_stops_on_sqlite_claim_no_more_than_happened(sqlite: RealAdk, after_ms: int) -> None:
    """There the session may for a moment hold nothing, only the prompt, or only the abort."""

    async def scenario() -> tuple[str, str]:
        async with staged(sqlite) as stage:
            turn = stage.send(TEXT)
            await asyncio.sleep(after_ms / 1000)
            await stopped(stage, turn)
            if any(line.who == "model" for line in stage.log()):
                assert turn.outcome is Outcome.CONFIRMED
            return stage.held(turn)

    play(f"stop {after_ms} ms after the prompt", sqlite, scenario)


def test_a_shadowed_route_is_no_stop_and_leaves_no_stray_session(tmp_path: Path) -> None:
    with real.with_cancel_route(tmp_path, shadowed=True) as shadowed:

        async def scenario() -> tuple[str, str]:
            async with staged(shadowed) as stage:
                assert stage.backend.capabilities.remote_stop is RemoteStop.ABORT, "it is listed"
                turn = stage.send(TEXT)
                await stage.until(lambda: turn.transcript.chars > 20)
                await stopped(stage, turn)
                assert turn.outcome is Outcome.CONFIRMED
                assert turn.stop and turn.stop.answer and turn.stop.answer.answer is Answer.CLOSED
                assert stage.backend.capabilities.remote_stop is RemoteStop.CLOSE
                assert not [name for name in sessions(shadowed) if "cancel" in name]
                return stage.held(turn)

        play("a shadowed route", shadowed, scenario)


@pytest.mark.parametrize(
    ("prompt", "what"),
    [
        ("say n=200 d=0.05", "a long text"),
        ("say n=25 d=0.05", "a text that ends within the grace"),
        ("tool s=1 n=40 d=0.05", "a tool, then a text"),
        ("hang s=5", "a silent model"),
    ],
)
def test_behind_a_proxy_that_swallows_the_close_nothing_is_claimed(
    stock: RealAdk, prompt: str, what: str
) -> None:
    async def scenario() -> tuple[str, str]:
        async with Proxy(stock.url, swallow=True) as proxy, staged(stock, proxy.url) as stage:
            turn = stage.send(prompt)
            await stage.until(lambda: turn.transcript.chars or turn.transcript.open_tools())
            await stopped(stage, turn)
            assert turn.outcome is Outcome.UNCONFIRMED
            seen = turn.stop.looked_up.detail if turn.stop and turn.stop.looked_up else ""
            said, happened = stage.held(turn)
            return f"{said}: {seen}", happened

    play(f"swallowed close, {what}", stock, scenario)


def test_the_last_word_of_a_workflows_member_is_not_taken_for_the_end(stock: RealAdk) -> None:
    """The writer has finished, the editor goes on behind a proxy that swallows the close."""

    async def scenario() -> tuple[str, str]:
        async with Proxy(stock.url, swallow=True) as proxy, staged(stock, proxy.url, "team") as stage:
            turn = stage.send("say n=60 d=0.03")
            await stage.until(lambda: "editor" in turn.transcript.steps)
            await stopped(stage, turn)
            assert turn.outcome is Outcome.UNCONFIRMED
            return stage.held(turn)

    play("swallowed close in a workflow", stock, scenario)


def test_a_workflow_is_stopped_in_its_second_member(stock: RealAdk) -> None:
    async def scenario() -> tuple[str, str]:
        async with staged(stock, app="team") as stage:
            turn = stage.send("say n=20 d=0.02")
            await stage.until(lambda: "editor" in turn.transcript.steps)
            await stopped(stage, turn)
            assert turn.outcome is Outcome.CONFIRMED
            return stage.held(turn)

    play("stop a workflow", stock, scenario)


def test_parallel_calls_are_both_reported_though_one_had_ended(server: RealAdk) -> None:
    async def scenario() -> tuple[str, str]:
        async with staged(server) as stage:
            turn = stage.send("par s=2")
            await stage.logged(lambda log: any(line.name == "slow_tool" for line in log))
            await stage.until(lambda: len(turn.transcript.open_tools()) == 2)
            await stopped(stage, turn)
            assert turn.outcome is Outcome.CONFIRMED
            warned = " ".join(cautions(turn))
            assert "quick_tool" in warned and "slow_tool" in warned
            return stage.held(turn)

    play("stop parallel tools", server, scenario)


@pytest.mark.parametrize("verb", ["swallow", "thread"])
def test_a_model_that_resists_starts_nothing_after_the_confirmed_stop(server: RealAdk, verb: str) -> None:
    async def scenario() -> tuple[str, str]:
        async with staged(server) as stage:
            turn = stage.send(f"{verb} n=30 d=0.05")
            await stage.until(lambda: turn.transcript.chars > 10)
            await stopped(stage, turn)
            assert turn.outcome is Outcome.CONFIRMED
            return stage.held(turn)

    play(f"stop a model that resists ({verb})", server, scenario)


@pytest.mark.parametrize(("reply", "ran"), [("yes", True), ("no", False)])
def test_a_confirmation_is_answered_and_the_run_goes_on(server: RealAdk, reply: str, ran: bool) -> None:
    async def scenario() -> tuple[str, str]:
        async with staged(server) as stage:
            turn = stage.send("tool name=confirm_tool n=3")
            await stage.session.settled(turn)
            assert turn.phase is Phase.WAITING
            stage.session.answer(asked(turn), reply)
            await stage.until(lambda: turn.phase in (Phase.COMPLETED, Phase.FAILED, Phase.LOST))
            assert turn.phase is Phase.COMPLETED
            assert any(line.name == "confirm_tool" for line in stage.log()) is ran
            assert turn.transcript.reply().endswith("after-tool2 ")
            return f"answered {reply}, {turn.phase}", stage.happened()

    play("answer a confirmation", server, scenario)


def asked(turn: Turn) -> str:
    (question,) = [block.key for block in turn.transcript.blocks if isinstance(block, QuestionBlock)]
    return question


def test_a_client_that_was_started_anew_can_answer(stock: RealAdk) -> None:
    async def scenario() -> tuple[str, str]:
        async with staged(stock) as stage:
            turn = stage.send("tool name=confirm_tool n=3")
            await stage.session.settled(turn)
        async with aclosing(stock.backend()) as anew:
            run = RunRef(stage.session.conversation.id, turn.run_id, turn.prompt.key)
            events = [event async for event in anew.answering(run, asked(turn), "yes")]
            assert events[-1] == RunFinished(End.COMPLETED)
            assert any(line.name == "confirm_tool" for line in stage.log())
            return "answered by another client, completed", stage.happened()

    play("answer after a restart", stock, scenario)


def test_a_stop_while_it_waits_means_that_the_tool_never_runs(server: RealAdk) -> None:
    async def scenario() -> tuple[str, str]:
        async with staged(server) as stage:
            turn = stage.send("tool name=confirm_tool n=3")
            await stage.session.settled(turn)
            await stopped(stage, turn)
            assert turn.outcome in (Outcome.CONFIRMED, Outcome.FINISHED_FIRST)
            assert not any(line.who == "tool" for line in stage.log())
            return stage.held(turn)

    play("stop while it waits", server, scenario)


@pytest.mark.parametrize(
    ("prompt", "phase", "problem"),
    [
        ("err", Phase.FAILED, "blocked by fake policy"),
        ("raise", Phase.FAILED, "fake upstream 503"),
        ("tool name=fail_tool", Phase.FAILED, "tool broke"),
        ("noagg", Phase.LOST, "without the agent's last word"),
        ("tool name=long_tool", Phase.WAITING, ""),
        ("xfer n=2", Phase.COMPLETED, ""),
        ("think n=2", Phase.COMPLETED, ""),
    ],
)
def test_every_way_for_a_run_to_end_is_told_apart(
    stock: RealAdk, prompt: str, phase: Phase, problem: str
) -> None:
    async def scenario() -> tuple[str, str]:
        async with staged(stock) as stage:
            turn = stage.send(prompt)
            await stage.session.settled(turn)
            assert turn.phase is phase
            assert problem in turn.problem
            return stage.said(turn), stage.happened()

    play(f"a run that ends by {prompt}", stock, scenario)


def test_a_stopped_run_after_a_transfer_is_proved_too(stock: RealAdk) -> None:
    async def scenario() -> tuple[str, str]:
        async with staged(stock) as stage:
            turn = stage.send("xfer n=100 d=0.02")
            await stage.until(lambda: turn.transcript.chars > 20)
            await stopped(stage, turn)
            assert turn.outcome is Outcome.CONFIRMED
            return stage.held(turn)

    play("stop after a transfer", stock, scenario)


def test_a_run_that_ended_is_recognised_in_its_session(stock: RealAdk) -> None:
    async def scenario() -> tuple[str, str]:
        async with staged(stock) as stage:
            ends = []
            for prompt in (SHORT, TOOL, "xfer n=2", SHORT):  # the last one is answered by the child
                turn = stage.send(prompt)
                await stage.session.settled(turn)
                seen = await stage.backend.status(
                    RunRef(stage.session.conversation.id, turn.run_id, turn.prompt.key)
                )
                ends.append(seen.end if seen else None)
                if seen:
                    assert seen.text == turn.transcript.reply_as_received()
            assert ends == [End.COMPLETED] * 4
            return f"{len(ends)} look-ups: completed", stage.happened()

    play("look up ended runs", stock, scenario)


def test_a_cancel_from_outside_is_not_taken_for_our_own_stop(real_servers: Started) -> None:
    server = real_servers["adk-cancel"]
    assert isinstance(server, RealAdk)

    async def scenario() -> tuple[str, str]:
        async with staged(server) as stage:
            turn = stage.send(TEXT)
            await stage.until(lambda: turn.transcript.chars > 20)
            outside = server.backend()
            await outside.connect()
            answer = await outside.abort(RunRef(stage.session.conversation.id))
            await outside.aclose()
            await stage.session.settled(turn)
            assert answer.answer is Answer.ACKNOWLEDGED
            assert (turn.phase, turn.state.end) == (Phase.FAILED, End.CANCELLED)
            return stage.said(turn), stage.happened()

    play("cancelled from outside", server, scenario)


def test_a_server_that_dies_leaves_the_run_lost_and_a_later_stop_unconfirmed(tmp_path: Path) -> None:
    with real.stock(tmp_path, "adk-killed") as server:

        async def scenario() -> tuple[str, str]:
            async with staged(server) as stage:
                turn = stage.send(TEXT)
                await stage.until(lambda: turn.transcript.chars > 20)
                os.kill(server.pid, signal.SIGKILL)
                await stage.session.settled(turn)
                assert turn.phase is Phase.LOST
                await stopped(stage, turn)
                assert turn.outcome is Outcome.UNCONFIRMED
                return stage.said(turn), stage.happened()

        play("the server is killed", server, scenario)


def test_a_dropped_connection_is_lost_and_a_look_says_how_the_run_ended(stock: RealAdk) -> None:
    async def scenario() -> tuple[str, str]:
        async with Proxy(stock.url) as proxy, staged(stock, proxy.url) as stage:
            turn = stage.send(TEXT)
            await stage.until(lambda: turn.transcript.chars > 20)
            proxy.cut()
            await stage.session.settled(turn)
            assert turn.phase is Phase.LOST
            stage.session.check_again(turn)
            await stage.until(lambda: turn.phase is not Phase.LOST)
            assert turn.phase is Phase.FAILED, "the server ended it: the connection was gone"
            return stage.said(turn), stage.happened()

    play("the connection drops", stock, scenario)
