"""What only AG-UI does, on a real server: no abort at all, and questions that end a run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.interop.ag_ui.real import RealAgUi, missing, running
from tests.interop.cases import Stage
from tests.interop.truth import BLOCKING, SHORT, TEXT
from tui.backends.base import RunRef
from tui.core.conversation import Turn
from tui.core.events import Answer
from tui.core.turn import Outcome, Phase

pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(missing()), reason=missing() or "installed")]

ASKED = "words=2 gap=0.01 tool=asked_tool after=3"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAgUi]:
    with running(tmp_path_factory.mktemp("ag-ui")) as started:
        yield started


@asynccontextmanager
async def stage_on(server: RealAgUi, abort_url: str | None = None) -> AsyncIterator[Stage]:
    backend = server.backend(abort_url)
    stage = Stage(server, backend)
    try:
        async with asyncio.timeout(30):
            await backend.connect()
            yield stage
    finally:
        await stage.session.close()
        await backend.aclose()


async def answered(stage: Stage, reply: str) -> Turn:
    """A turn that asks before it calls a tool, answered."""
    turn = stage.send(ASKED)
    await stage.session.settled(turn)
    assert turn.phase is Phase.WAITING
    (question,) = [block for block in turn.transcript.blocks if block.__class__.__name__ == "QuestionBlock"]
    assert "asked_tool" in str(question)
    stage.session.answer(question.key, reply)
    await stage.until(lambda: turn.phase not in (Phase.WAITING, Phase.STREAMING))
    return turn


def tools(stage: Stage) -> list[str]:
    return [line.what for line in stage.log() if line.who == "tool"]


def test_a_yes_lets_the_tool_run_and_the_reply_go_on(server: RealAgUi) -> None:
    async def scenario() -> None:
        async with stage_on(server) as stage:
            turn = await answered(stage, "yes")
            assert turn.phase is Phase.COMPLETED
            assert turn.transcript.reply_as_received().endswith("after0 after1 after2 ")
            assert tools(stage) == ["start", "end"]

    asyncio.run(scenario())


def test_a_no_keeps_the_tool_from_running(server: RealAgUi) -> None:
    async def scenario() -> None:
        async with stage_on(server) as stage:
            turn = await answered(stage, "no")
            assert turn.phase is Phase.COMPLETED
            assert tools(stage) == []

    asyncio.run(scenario())


def test_a_stop_instead_of_an_answer_finds_the_run_over(server: RealAgUi) -> None:
    async def scenario() -> None:
        async with stage_on(server) as stage:
            turn = stage.send(ASKED)
            await stage.session.settled(turn)
            stage.session.stop("test")
            await stage.stopped(turn)
            assert turn.outcome is Outcome.FINISHED_FIRST
            assert tools(stage) == []

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", [TEXT, BLOCKING])
def test_without_an_abort_a_stop_is_local_only_whatever_the_server_makes_of_it(
    server: RealAgUi, kind: str
) -> None:
    """This server ends a run whose client is gone, but for a tool in a thread. The client cannot know."""

    async def scenario() -> None:
        async with stage_on(server, "none") as stage:
            turn = stage.send(kind)
            await stage.until(lambda: turn.transcript.chars > 10)
            if kind == BLOCKING:
                await stage.logged(lambda log: any(line.who == "tool" for line in log))
            stage.session.stop("test")
            await stage.stopped(turn)
            assert turn.outcome is Outcome.LOCAL_ONLY
            last = "cut" if kind == TEXT else "end"
            await stage.logged(lambda log: log[-1].what == last)

    asyncio.run(scenario())


def test_the_next_prompt_brings_the_whole_conversation(server: RealAgUi) -> None:
    async def scenario() -> None:
        async with stage_on(server) as stage:
            first = stage.send("words=2 gap=0 tool=slow_tool secs=0.01 after=1")
            await stage.session.settled(first)
            again = stage.send(SHORT, f"{stage.tag}.2")
            await stage.session.settled(again)
            given = stage.log(f"{stage.tag}.2")[0].given
            assert [role for role, _ in given] == ["user", "assistant", "assistant", "user"]
            assert [text for role, text in given if role == "assistant"] == ["word0 word1 ", "after0 "]

    asyncio.run(scenario())


def test_an_abort_of_an_unknown_run_is_no_success(server: RealAgUi) -> None:
    async def scenario() -> None:
        async with stage_on(server) as stage:
            answer = await stage.backend.abort(RunRef("nowhere", "no-such-run"))
            assert answer.answer is Answer.NOTHING_RUNNING

    asyncio.run(scenario())


def test_the_abort_is_quick_on_its_warm_connection(server: RealAgUi) -> None:
    """From the key to the end on the stream: measured 9 to 17 ms on a quiet machine, 250 ms are let pass."""

    async def scenario() -> None:
        async with stage_on(server) as stage:
            took = []
            for number in range(4):
                turn = stage.send(TEXT, f"{stage.tag}.{number}")
                await stage.until(lambda turn=turn: turn.transcript.chars)
                began = time.monotonic()
                stage.session.stop("test")
                await stage.session.settled(turn)
                took.append(time.monotonic() - began)
                assert turn.outcome is Outcome.CONFIRMED
            assert min(took) < 0.25, took

    asyncio.run(scenario())
