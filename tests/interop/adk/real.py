"""Real ADK servers (google-adk 2.13.0) with a scripted model: stock, and with a `:cancel` route on top."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.install import PLACE
from tests.interop.truth import BLOCKING, SHORT, TEXT, TOOL, Kind, Logged
from tui.backends.adk import Adk
from tui.backends.base import Target

HERE = Path(__file__).parent
BIN = PLACE / "adk" / "bin"
_LISTENING = re.compile(r"running on (http://127\.0\.0\.1:\d+)")
_PROMPTS = {
    TEXT: "say n=60 d=0.05",
    TOOL: "tool name=slow_tool s=2 n=5",
    BLOCKING: "tool name=block_tool s=2 n=5",
    SHORT: "say n=3 d=0.01",
}


@dataclass
class RealAdk:
    """A server that runs. `app` is the agent that is talked to."""

    name: str
    home: Path
    url: str = ""
    app: str = "fakeagent"
    pid: int = 0
    random_kinds: tuple[Kind, ...] = (TEXT, TOOL, TEXT, TOOL, TEXT, TOOL, TEXT, TOOL, BLOCKING)
    """Few that block: ADK calls a plain function on its event loop, so one holds up all runs of a server."""

    def backend(self, url: str = "", app: str = "") -> Adk:
        """A new adapter; `url` for a proxy in between."""
        return Adk(Target("adk", url or self.url, agent=app or self.app))

    def prompt(self, kind: Kind, tag: str) -> str:
        """One of the shared kinds, or a script of `agents/fakeagent/agent.py`."""
        return f"{_PROMPTS.get(kind, kind)} tag={tag}"

    def read_log(self) -> list[Logged]:
        try:
            text = (self.home / "log.jsonl").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [Logged(**line | {"given": tuple(map(tuple, line["given"]))}) for line in lines]


def missing() -> str:
    """Why no ADK server can be started; "" if it can."""
    return "" if (BIN / "adk").exists() else "ADK is not installed: python -m tests.interop.install adk"


@contextmanager
def stock(home: Path, name: str = "adk-stock", sessions: str = "memory://") -> Iterator[RealAdk]:
    """`adk api_server`, as anyone starts it."""
    where = ["--session_service_uri", sessions, "--artifact_service_uri", "memory://"]
    command = ["adk", "api_server", "--host", "127.0.0.1", "--port", "0", *where, "agents"]
    with _running(RealAdk(name, home), command, {}) as server:
        yield server


@contextmanager
def with_cancel_route(home: Path, *, shadowed: bool = False) -> Iterator[RealAdk]:
    """The same with the route of `cancel_app.py`; `shadowed`: registered where it is never reached."""
    command = ["python", "-m", "uvicorn", "--host", "127.0.0.1", "--port", "0", "cancel_app:app"]
    name = "adk-shadowed" if shadowed else "adk-cancel"
    with _running(RealAdk(name, home), command, {"CANCEL_ROUTE": "shadowed" if shadowed else ""}) as server:
        yield server


@contextmanager
def _running(server: RealAdk, command: list[str], env: dict[str, str]) -> Iterator[RealAdk]:
    output = server.home / "output.txt"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            cwd=HERE,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(server.home),
                "FAKE_LOG": str(server.home / "log.jsonl"),
            }
            | env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        server.url, server.pid = _address(process, output), process.pid
        _warm_up(server)
        yield server
    finally:
        _end(process)


def _address(process: subprocess.Popen[bytes], output: Path, within_s: float = 60.0) -> str:
    until = time.monotonic() + within_s
    while not (found := _LISTENING.search(output.read_text(encoding="utf-8", errors="replace"))):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"The server did not start: {output.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    return found[1]


def _warm_up(server: RealAdk) -> None:
    """The first run and the first openapi.json block the server's loop for a second or two."""
    sessions = f"{server.url}/apps/{server.app}/users/warm/sessions"
    _post(sessions, {"sessionId": "warm"})
    message = {"role": "user", "parts": [{"text": "say n=1 tag=warm"}]}
    asked = {"appName": server.app, "userId": "warm", "sessionId": "warm", "newMessage": message}
    _post(f"{server.url}/run_sse", asked)
    _open(urllib.request.Request(f"{server.url}/openapi.json"))


def _post(url: str, body: dict[str, object]) -> None:
    headers = {"Content-Type": "application/json"}
    _open(urllib.request.Request(url, json.dumps(body).encode(), headers))


def _open(request: urllib.request.Request) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        answer.read()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Gently, then by force: SIGTERM waits for open streams, and can hang on them."""
    process.terminate()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)
