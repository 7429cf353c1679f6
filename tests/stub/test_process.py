"""The backend as a process: how it says where it is, and that it never outlives its parent."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend_stub.__main__ import main
from tests.stub.serving import run_input
from tui.backends.base import BackendError
from tui.embedded import EmbeddedBackend

ROOT = Path(__file__).resolve().parents[2]
STUB = [sys.executable, "-m", "backend_stub"]
ENV = {**os.environ, "STOPKEY_TOKEN": "process-token", "PYTHONPATH": str(ROOT)}
BEARER = {"authorization": "Bearer process-token"}


@contextmanager
def process(*arguments: str, **options: Any) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A backend process and its ready line."""
    pipe = subprocess.PIPE
    given = {"stdin": pipe, "env": ENV, **options}
    child = subprocess.Popen([*STUB, *arguments], stdout=pipe, stderr=pipe, text=True, **given)
    try:
        yield child, json.loads(child.stdout.readline() if child.stdout else "")
    finally:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream:
                stream.close()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STUB, *arguments], capture_output=True, text=True, env=ENV, timeout=20, check=False, cwd=ROOT
    )


def test_it_says_in_one_line_where_it_is_and_answers_there() -> None:
    with process() as (_, ready):
        assert ready["url"] == f"http://127.0.0.1:{ready['port']}"
        assert "token" not in ready
        answer = httpx.get(ready["url"] + "/health", headers=BEARER, trust_env=False)
        assert answer.json() == {"server": "stopkey", "status": "ok", "store": "ok"}


def test_a_token_that_nobody_gave_is_made_up_and_told_and_long() -> None:
    without = {key: value for key, value in ENV.items() if key != "STOPKEY_TOKEN"}
    with process(env=without) as (_, first), process(env=without) as (_, second):
        assert len(first["token"]) >= 43  # 256 bits
        assert first["token"] != second["token"]


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads /proc")
def test_the_token_is_in_no_argument_and_in_no_output() -> None:
    with process() as (child, ready):
        httpx.get(ready["url"] + "/audit?x=process-token", headers=BEARER, trust_env=False)
        assert b"process-token" not in Path(f"/proc/{child.pid}/cmdline").read_bytes()
        child.send_signal(signal.SIGTERM)
        assert child.communicate(timeout=5) == ("", "")


def test_people_are_told_the_address_the_token_and_how_to_talk_to_it() -> None:
    with subprocess.Popen([*STUB, "--people"], stdout=subprocess.PIPE, text=True, env=ENV) as child:
        assert child.stdout
        told = [child.stdout.readline() for _ in range(6)]
        child.terminate()
    assert told[0].startswith("Serving at http://127.0.0.1:")
    assert told[1] == "Token: process-token\n"
    assert "--token-env STOPKEY_TOKEN" in told[5]


@contextmanager
def streaming(ready: dict[str, Any], prompt: str) -> Iterator[httpx.Response]:
    body = run_input(prompt)
    url = ready["url"] + "/agents/demo"
    with (
        httpx.Client(headers=BEARER, trust_env=False, timeout=10) as client,
        client.stream("POST", url, json=body) as response,
    ):
        assert response.status_code == 200
        yield response


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_a_second_and_a_half_with_a_stream_open(number: int) -> None:
    with process() as (child, ready), streaming(ready, "[[silence]]") as response:
        lines = response.iter_lines()
        next(line for line in lines if "TEXT_MESSAGE_CONTENT" in line)
        began = time.monotonic()
        child.send_signal(number)
        last = [line for line in lines if line.startswith("data")][-1]
        assert child.wait(5) == 0
        assert time.monotonic() - began < 1.5
        assert json.loads(last[6:])["code"] == "shutdown"


def test_it_ends_in_time_even_with_an_abort_that_hangs_and_a_tool_that_blocks() -> None:
    with process() as (child, ready), streaming(ready, "[[blocking abort=hang]]") as response:
        next(line for line in response.iter_lines() if "TOOL_CALL_END" in line)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(ready["url"] + "/runs/r1/abort", headers=BEARER, trust_env=False, timeout=0.2)
        began = time.monotonic()
        child.terminate()
        child.wait(5)
        assert time.monotonic() - began < 1.5


def test_a_child_ends_when_its_standard_input_ends() -> None:
    with process("--child") as (child, _):
        assert child.stdin
        child.stdin.close()
        assert child.wait(3) == 0


_PARENT = """
import subprocess, sys, time
command = [sys.executable, "-m", "backend_stub", "--child"]
child = subprocess.Popen(command, stdin={stdin}, stdout=subprocess.PIPE, pass_fds=[{alive}])
child.stdout.readline()
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("stdin", ["subprocess.PIPE", "sys.stdin"])
def test_a_child_is_gone_after_a_kill_of_its_parent(stdin: str) -> None:
    """Also where the pipe of its standard input stays open: the parent's id is watched, too.

    A pipe that only the two of them hold open tells when the last one is gone.
    """
    read, write = os.pipe()
    gone, alive = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT.format(stdin=stdin, alive=alive)],
        stdin=read, stdout=subprocess.PIPE, env=ENV, text=True, pass_fds=[alive],
    ) as parent:  # fmt: skip
        os.close(alive)
        assert parent.stdout
        assert parent.stdout.readline() == "ready\n"
        assert select.select([gone], [], [], 0)[0] == []
        parent.kill()
        assert select.select([gone], [], [], 1.5)[0] == [gone]
    for fd in (read, write, gone):
        os.close(fd)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "--allow-remote"),
        (["--host", "::"], "--allow-remote"),
        (["--host", "192.0.2.7"], "--allow-remote"),
        (["--scenario", "nope"], "--list"),
        (["--port", "70000"], "65535"),
        (["--set", "abort=maybe"], "does not take 'maybe'"),
        (["--set", "speling=1"], "There is no switch 'speling'"),
        (["--speed", "-1"], "does not take '-1'"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_exit_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert (out, len(err.strip().splitlines())) == ("", 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "192.0.2.7", "--allow-remote"], "Cannot listen on 192.0.2.7"),
        (["--data", "/proc/nowhere"], "Cannot keep conversations in /proc/nowhere"),
        (["--audit", "/proc/nowhere"], "Cannot write /proc/nowhere"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_exit_2(arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_the_scenarios_and_switches_can_be_listed() -> None:
    assert "demo " in run("--list").stdout
    assert "lie-quietly" in run("--set", "help").stdout


def test_its_data_is_private_and_a_killed_process_loses_little(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with process("--data", str(data)) as (child, ready), streaming(ready, "[[words]]") as response:
        lines = response.iter_lines()
        shown = [next(line for line in lines if "TEXT_MESSAGE_CONTENT" in line) for _ in range(12)]
        time.sleep(0.4)
        child.kill()
        child.wait()
    assert data.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in data.rglob("*")} == {0}
    with process("--data", str(data)) as (_, ready):
        told = httpx.get(ready["url"] + "/runs/r1", headers=BEARER, trust_env=False).json()
        assert told["status"] == "lost"
        assert told["text"].startswith("".join(json.loads(line[6:])["delta"] for line in shown))


def test_a_child_without_a_usable_folder_serves_from_memory_and_says_so() -> None:
    with process("--child", "--data", "/proc/nowhere") as (_, ready):
        told = httpx.get(ready["url"] + "/health", headers=BEARER, trust_env=False).json()
        assert "/proc/nowhere" in told["store"]


def test_it_imports_nothing_of_the_client_and_nothing_it_does_not_need() -> None:
    code = "import sys, backend_stub.__main__, backend_stub.server; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENV, check=True)
    loaded = set(done.stdout.split())
    for name in ("tui", "textual", "rich", "httpx", "starlette.applications", "uvloop", "httptools", "yaml"):
        assert name not in loaded, name


def test_the_client_starts_it_talks_to_it_and_ends_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with EmbeddedBackend(tmp_path, speed=0) as backend:
            headers = {"authorization": f"Bearer {backend.token}"}
            async with httpx.AsyncClient(base_url=backend.url, headers=headers, trust_env=False) as http:
                answer = await http.post("/agents/demo", json=run_input("[[short]]"))
                assert "RUN_FINISHED" in answer.text
            assert backend.alive
        assert not backend.alive
        assert (tmp_path / "conversations.sqlite").exists()

    asyncio.run(scenario())


def test_starting_it_does_not_hold_up_the_event_loop() -> None:
    async def scenario() -> None:
        backend = EmbeddedBackend()
        longest, task = 0.0, asyncio.create_task(backend.start())
        while not task.done():
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began)
        await task
        await backend.stop()
        assert longest < 0.1

    asyncio.run(scenario())


def test_a_start_that_fails_says_why_in_one_sentence() -> None:
    async def scenario() -> None:
        backend = EmbeddedBackend(scenario="nope")
        with pytest.raises(BackendError, match=r"did not start.*There is no scenario 'nope'"):
            await backend.start()
        await backend.stop()

    asyncio.run(scenario())


def test_a_python_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        backend = EmbeddedBackend()
        with pytest.raises(BackendError, match="could not be started: No such file"):
            await backend.start()
        await backend.stop()

    asyncio.run(scenario())


def test_a_child_that_hangs_is_killed_in_time() -> None:
    async def scenario() -> None:
        backend = EmbeddedBackend()
        await backend.start()
        assert backend._child
        os.kill(backend._child.pid, signal.SIGSTOP)  # it can neither read nor end
        began = time.monotonic()
        await backend.stop()
        assert time.monotonic() - began < 1.5

    asyncio.run(scenario())


def test_a_stop_while_it_starts_leaves_no_child_behind() -> None:
    async def scenario() -> None:
        backend = EmbeddedBackend()
        starting = asyncio.create_task(backend.start())
        await asyncio.sleep(0)
        await backend.stop()
        with pytest.raises(BackendError):
            await starting
        assert not backend.alive

    asyncio.run(scenario())


def test_a_child_that_died_can_be_started_anew() -> None:
    async def scenario() -> None:
        async with EmbeddedBackend() as backend:
            assert backend._child
            first = backend.url, backend.token
            backend._child.kill()
            backend._child.wait()
            assert not backend.alive
            await backend.start()
            assert backend.alive
            assert (backend.url, backend.token) != first

    asyncio.run(scenario())


def test_ctrl_c_in_the_terminal_does_not_reach_it() -> None:
    async def scenario() -> None:
        async with EmbeddedBackend() as backend:
            assert backend._child
            assert os.getsid(backend._child.pid) != os.getsid(0)

    asyncio.run(scenario())
