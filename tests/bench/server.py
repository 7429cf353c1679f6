"""A loopback server in a process of its own: pre-rendered AG-UI streams at a set rate, and when aborts come.

`POST /RATE/COUNT` starts a run of COUNT deltas, RATE a second (0: as fast as they are read), one HTTP chunk a
delta, as servers send them. `POST .../abort` ends it. `GET /log` tells of every run; times are nanoseconds of
the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any

TICK_S = 0.001
AT_ONCE = 64
"""Deltas in one write where there is no rate to keep."""
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Run:
    """What became of one run."""

    run_id: str
    began: int = 0
    sent: int = 0
    aborted: int = 0
    ended: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def told(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("run_id", "began", "sent", "aborted", "ended")}


def event(kind: str, **fields: Any) -> bytes:
    """One event as an HTTP chunk."""
    data = b"data: " + json.dumps({"type": kind, **fields}, separators=(",", ":")).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


@cache
def deltas(count: int) -> list[bytes]:
    """Words that count up, in paragraphs: so it is seen which of them were drawn."""
    return [event("TEXT_MESSAGE_CONTENT", messageId="m", delta=word(n)) for n in range(count)]


def word(number: int) -> str:
    return f"w{number:07}" + ("\n\n" if number % 60 == 59 else " ")


class Server:
    """Accepts connections; a thread each."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.runs: dict[str, Run] = {}

    def serve(self) -> None:
        while True:
            connection, _ = self.listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as asked:
            try:
                while line := asked.readline():
                    self._request(connection, line.decode().split()[:2], _body(asked))
            except OSError:
                pass

    def _request(self, connection: socket.socket, what: list[str], body: bytes) -> None:
        now = time.monotonic_ns()
        method, path = what
        if path == "/log":
            _say(connection, [run.told() for run in self.runs.values()])
        elif path.endswith("/abort"):
            run = self.runs[json.loads(body)["runId"]]
            run.aborted = run.aborted or now
            run.stop.set()
            _say(connection, {"ok": True})
        elif method == "POST":
            given = json.loads(body or b"{}")
            run = self.runs.setdefault(given.get("runId", str(len(self.runs))), Run(given.get("runId", "")))
            rate, count = (int(part) for part in path.strip("/").split("/")[:2])
            self._stream(connection, run, rate, count)
        else:
            _say(connection, None)

    def _stream(self, connection: socket.socket, run: Run, rate: int, count: int) -> None:
        rendered = deltas(count)
        run.began = time.monotonic_ns()
        connection.sendall(_HEAD + event("RUN_STARTED", runId=run.run_id, threadId="t"))
        try:
            while run.sent < count and not run.stop.is_set():
                due = min(count, _due(run, rate))
                connection.sendall(b"".join(rendered[run.sent : due]))
                run.sent = due
                if rate:
                    run.stop.wait(max(TICK_S, run.began / 1e9 + (due + 1) / rate - time.monotonic()))
            outcome = {"type": "cancelled" if run.stop.is_set() else "success"}
            connection.sendall(event("RUN_FINISHED", runId=run.run_id, threadId="t", outcome=outcome))
            connection.sendall(b"0\r\n\r\n")
        finally:
            run.ended = time.monotonic_ns()


def _due(run: Run, rate: int) -> int:
    """How many deltas should have been sent by now."""
    if not rate:
        return run.sent + AT_ONCE
    return int((time.monotonic_ns() - run.began) / 1e9 * rate)


def _body(asked: Any) -> bytes:
    length = 0
    while (line := asked.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return bytes(asked.read(length))


def _say(connection: socket.socket, value: Any) -> None:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


class Served:
    """The server as a child process. `url(rate, count)` names a stream."""

    def __enter__(self) -> Served:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.server"], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()

    def url(self, rate: int, count: int) -> str:
        return f"http://127.0.0.1:{self.port}/{rate}/{count}"

    def log(self) -> list[Run]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/log") as answer:
            return [Run(**told) for told in json.load(answer)]


if __name__ == "__main__":
    server = Server()
    print(server.listening.getsockname()[1], flush=True)
    server.serve()
