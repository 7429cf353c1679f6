"""What only Flue does, against real servers: restarts, the key of a prompt, joined prompts, the ten lines."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.backends.flue_fake import ten_lines
from tests.interop.cases import Stage
from tests.interop.conftest import Started
from tests.interop.flue.real import RealFlue, missing, running
from tests.interop.truth import SHORT, TEXT, of_tag, untruths
from tui.backends.base import Backend, Prompt, PromptRejected, RunRef, Target
from tui.backends.flue import Flue
from tui.backends.flue_history import keyed_submission
from tui.core import events as ev
from tui.core.events import Answer, End
from tui.core.transcript import Transcript
from tui.core.turn import Outcome, Phase

pytestmark = pytest.mark.interop
VERSIONS = ("2.0.3", "2.1.0")
every_version = pytest.mark.parametrize("version", VERSIONS)


def scene(server: RealFlue, test: Callable[[Stage], Awaitable[None]]) -> None:
    async def whole() -> None:
        backend = server.backend()
        stage = Stage(server, backend)
        try:
            async with asyncio.timeout(90):
                await test(stage)
        finally:
            await stage.session.close()
            await backend.aclose()

    asyncio.run(whole())


def started(real_servers: Started, version: str) -> RealFlue:
    server = real_servers[f"flue-{version}"]
    assert isinstance(server, RealFlue)
    return server


@every_version
def test_the_ten_lines_of_the_module_stop_a_run_from_outside(version: str, real_servers: Started) -> None:
    server = started(real_servers, version)

    async def run(stage: Stage) -> None:
        turn = stage.send(TEXT)
        await stage.until(lambda: turn.transcript.chars > 0)
        mine = ten_lines(server.url, stage.session.conversation.id)
        said = await asyncio.to_thread(subprocess.check_output, [sys.executable, "-c", mine], text=True)
        assert said.startswith("acknowledged - ")
        await stage.session.settled(turn)
        assert turn.phase is Phase.FAILED and "not by this client" in turn.problem
        assert [line.what for line in stage.log()] == ["start", "cut"]

    scene(server, run)


@every_version
def test_the_command_line_stops_a_run_and_ends_with_its_receipt(
    version: str, real_servers: Started, tmp_path: Path
) -> None:
    server = started(real_servers, version)
    target = ["--backend", "flue", "--url", server.url, "--no-store"]
    prompt = server.script("cli", "words=80 gap=0.05")
    done = stopkey(tmp_path, "run", *target, "--json", "--stop-after", "200ch", prompt)
    receipt = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, receipt["type"], receipt["outcome"]) == (10, "receipt", "confirmed")
    assert receipt["answer"] == "acknowledged" and receipt["kept_chars"] >= 200
    log = of_tag(server.read_log(), "cli")
    assert [line.what for line in log] == ["start", "cut"]


@every_version
def test_the_command_line_ends_from_outside_what_runs_in_a_conversation(
    version: str, real_servers: Started, tmp_path: Path
) -> None:
    server = started(real_servers, version)

    async def run(stage: Stage) -> None:
        turn = stage.send(TEXT)
        await stage.until(lambda: turn.transcript.chars > 0)
        where = ["--backend", "flue", "--url", server.url, "--conversation", stage.session.conversation.id]
        done = await asyncio.to_thread(stopkey, tmp_path, "abort", *where)
        assert done.returncode == 10, done.stdout + done.stderr
        await stage.session.settled(turn)
        idle = await asyncio.to_thread(stopkey, tmp_path, "abort", *where)
        assert idle.returncode == 11, "nothing was left to stop: it had ended before"

    scene(server, run)


def stopkey(home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    argv = [sys.executable, "-m", "tui", *args]
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60, env=env)


@every_version
def test_the_key_of_a_prompt_names_its_submission(version: str, real_servers: Started) -> None:
    """So that a prompt whose answer was lost is found without being sent again."""
    server = started(real_servers, version)

    async def run(stage: Stage) -> None:
        conversation, key = f"a b/{uuid.uuid4().hex[:6]}", uuid.uuid4().hex
        prompt = stage.plain_prompt(SHORT, conversation, key)
        told = [event async for event in stage.backend.run(prompt)]
        assert isinstance(told[0], ev.RunStarted)
        assert told[0].run_id == keyed_submission("Worker", conversation, key)
        stranger = server.backend()  # knows neither the run nor its id, as after a lost answer
        seen = await stranger.status(RunRef(conversation, "made by the client", key))
        again = [event async for event in stranger.resume(RunRef(conversation, "made by the client", key))]
        await stranger.aclose()
        assert seen and seen.end is End.COMPLETED
        assert again[-1] == ev.RunFinished(End.COMPLETED)
        assert shown(again).reply() == shown(told).reply()
        assert [line.what for line in stage.log()] == ["start", "end"], "it ran once"

    scene(server, run)


@every_version
def test_a_prompt_that_joins_a_running_one_shows_its_own_answer_only(
    version: str, real_servers: Started
) -> None:
    server = started(real_servers, version)

    async def run(stage: Stage) -> None:
        conversation = uuid.uuid4().hex[:12]
        first = Prompt(server.script(stage.tag, "words=20 gap=0.05"), conversation, "", "first")
        second = Prompt(server.script(stage.tag, "words=2 gap=0.05"), conversation, "", "second")
        one = asyncio.create_task(collected(stage.backend, first))
        await stage.logged(lambda log: log)
        two = await collected(stage.backend, second)
        assert two[-1].end is End.COMPLETED  # type: ignore[attr-defined]
        assert shown(two).reply() == "word0 word1 "
        assert (await one)[-1] == ev.RunFinished(End.COMPLETED)

    scene(server, run)


def test_a_token_is_asked_for_and_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_unless_installed("2.1.0")
    monkeypatch.setenv("FLUE_TOKEN", "secret-1234")

    async def run(server: RealFlue) -> None:
        bare, armed = (
            Flue(Target("flue", server.url)),
            Flue(Target("flue", server.url, token_env="FLUE_TOKEN")),
        )
        prompt = Prompt(server.prompt(SHORT, "t"), "c", "", "k")
        with pytest.raises(PromptRejected, match="token"):
            await collected(bare, prompt)
        assert (await bare.abort(RunRef("c"))).answer is Answer.REFUSED
        assert (await collected(armed, prompt))[-1] == ev.RunFinished(End.COMPLETED)
        assert (await armed.abort(RunRef("c"))).answer is Answer.ALREADY_OVER
        await bare.aclose()
        await armed.aclose()

    with running("2.1.0", tmp_path, token="secret-1234") as server:
        asyncio.run(run(server))


@every_version
def test_a_server_that_forgets_at_a_restart_is_told_as_lost_and_not_as_stopped(
    version: str, tmp_path: Path
) -> None:
    skip_unless_installed(version)
    port = free_port()

    async def run() -> None:
        with running(version, fresh(tmp_path, "one"), port=port) as server:
            stage = Stage(server, server.backend())
            turn = stage.send(TEXT)
            await stage.until(lambda: turn.transcript.chars > 0)
            server.process.kill()
            await stage.until(lambda: turn.phase is Phase.LOST)
        with running(version, fresh(tmp_path, "two"), port=port) as server:
            await stage.session.settled(turn)
            assert turn.phase is Phase.LOST
            assert "does not know this run any more" in turn.problem
            stage.session.stop("test")
            await stage.session.settled(turn)
            assert turn.outcome is Outcome.UNCONFIRMED
            assert turn.stop and turn.stop.answer and turn.stop.answer.answer is Answer.NOTHING_RUNNING
            await stage.session.close()
            await stage.backend.aclose()

    asyncio.run(run())


def test_an_abort_after_a_crash_settles_half_a_minute_later_and_is_confirmed_only_then(
    tmp_path: Path,
) -> None:
    """kill -9, the same store, an abort that is told yes at once: the run's lease has to end first."""
    skip_unless_installed("2.1.0")
    port, db = free_port(), tmp_path / "flue.db"

    async def run() -> None:
        with running("2.1.0", fresh(tmp_path, "one"), port=port, db=db) as server:
            stage = Stage(server, server.backend())
            turn = stage.send(TEXT)
            await stage.until(lambda: turn.transcript.chars > 0)
            server.process.kill()
            await stage.until(lambda: turn.phase is Phase.LOST)
        with running("2.1.0", fresh(tmp_path, "two"), port=port, db=db) as server:
            await stage.until(lambda: turn.phase is Phase.STREAMING)
            stage.session.stop("test")
            await stage.session.settled(turn)
            assert turn.outcome is Outcome.ACKNOWLEDGED, "yes is no proof"
            await stage.until(lambda: turn.outcome is Outcome.CONFIRMED, 60)
            assert turn.stop and turn.stop.settled_at and turn.stop.end_at
            assert turn.stop.end_at - turn.stop.asked_at > 5
            stage.server = server
            assert not untruths(turn, server.read_log(), stage.tag)
            assert not stage.log(), "the model was not asked again"
            await stage.session.close()
            await stage.backend.aclose()

    asyncio.run(run())


# --- small things -----------------------------------------------------------------------------------------


async def collected(backend: Backend, prompt: Prompt) -> list[ev.Event]:
    async with aclosing(backend.run(prompt)) as events:
        return [event async for event in events]


def shown(events: list[ev.Event]) -> Transcript:
    transcript = Transcript()
    for event in events:
        transcript.apply(event, 0.0)
    return transcript


def skip_unless_installed(version: str) -> None:
    if reason := missing(version):
        pytest.skip(reason)


def fresh(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def free_port() -> int:
    """A port nobody uses now: a server that is restarted must come back to its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
