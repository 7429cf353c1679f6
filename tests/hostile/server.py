"""An AG-UI agent out of a nightmare: one payload at a time, in every place that can hold text."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """POST anything: the stream. POST .../abort: a refusal in the words of the last payload."""

    server: Agent

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
        if self.path.endswith("/abort"):
            self._refuse()
        else:
            self._stream(body)

    def do_GET(self) -> None:
        self.send_error(404)

    def _refuse(self) -> None:
        said = json.dumps({"detail": self.server.last}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def _stream(self, asked: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        run = {"threadId": asked.get("threadId", ""), "runId": asked.get("runId", "")}
        self._send({"type": "RUN_STARTED", **run})
        while (item := self.server.items.get()) is not None:
            for event in item:
                self._send(event)

    def _send(self, event: dict[str, Any]) -> None:
        try:
            self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        except OSError:
            pass  # the client has stopped reading

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Agent(ThreadingHTTPServer):
    """Listens on a free port of this machine; streams what `say` and `send` are given."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.items: queue.Queue[list[dict[str, Any]] | None] = queue.Queue()
        self.last = ""
        self.url = f"http://127.0.0.1:{self.server_port}/agents/demo"

    def say(self, number: int, payload: str) -> None:
        """`payload` in every place, then the text `m<number>m`."""
        self.last = payload
        self.items.put([*everywhere(str(number), payload), *message(f"mark{number}", f"m{number}m")])

    def send(self, *events: dict[str, Any]) -> None:
        self.items.put(list(events))

    def end(self) -> None:
        self.items.put(None)


def everywhere(key: str, payload: str) -> Iterator[dict[str, Any]]:
    """Reasoning, a step, a tool's name, arguments and result, data, and the reply itself."""
    yield {"type": "STEP_STARTED", "stepName": payload}
    yield {"type": "REASONING_MESSAGE_START", "messageId": f"r{key}", "role": "reasoning"}
    yield {"type": "REASONING_MESSAGE_CONTENT", "messageId": f"r{key}", "delta": payload}
    yield {"type": "REASONING_MESSAGE_END", "messageId": f"r{key}"}
    yield {"type": "TOOL_CALL_START", "toolCallId": f"c{key}", "toolCallName": payload}
    yield {"type": "TOOL_CALL_ARGS", "toolCallId": f"c{key}", "delta": payload}
    yield {"type": "TOOL_CALL_END", "toolCallId": f"c{key}"}
    yield {"type": "TOOL_CALL_RESULT", "messageId": f"t{key}", "toolCallId": f"c{key}", "content": payload}
    yield {"type": "CUSTOM", "name": payload, "value": {payload: payload}}
    yield {"type": payload or "?", "text": payload}
    yield from message(f"a{key}", payload)


def message(key: str, text: str) -> Iterator[dict[str, Any]]:
    yield {"type": "TEXT_MESSAGE_START", "messageId": key, "role": "assistant"}
    yield {"type": "TEXT_MESSAGE_CONTENT", "messageId": key, "delta": text}
    yield {"type": "TEXT_MESSAGE_END", "messageId": key}


@contextmanager
def agent() -> Iterator[Agent]:
    made = Agent()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.end()
        made.shutdown()
        thread.join()
        made.server_close()
