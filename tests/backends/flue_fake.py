"""A hand-written Flue server: every answer and every wait of its routes is set by the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes import Gate
from tui.backends import flue

CLOSE = "close the connection"
RUN = "sub_1"
INCARNATION = "inc_1"


def ten_lines(url: str, conversation: str) -> str:
    """The program in the docstring of `tui.backends.flue`, for this agent and conversation."""
    shown = [line[4:] for line in (flue.__doc__ or "").splitlines() if line[:4] == "    " or not line]
    program = "\n".join(shown).strip() + "\n"
    assert "http://127.0.0.1:3000/agents/support" in program and "conversation-1" in program
    return program.replace("http://127.0.0.1:3000/agents/support", url).replace(
        "conversation-1", conversation
    )


def chunk(sort: str, at: int, **more: object) -> dict[str, Any]:
    """One chunk at batch `at`."""
    return {"type": sort, "conversationId": "conv", "position": {"batch": at, "index": 0}, **more}


def delta(at: int, text: str) -> dict[str, Any]:
    return chunk("message-delta", at, messageId="m", kind="text", delta=text)


def started(at: int, run: str = RUN) -> dict[str, Any]:
    return chunk("message-started", at, messageId="m", submissionId=run)


def settled(at: int, outcome: str = "completed", run: str = RUN) -> dict[str, Any]:
    return chunk("submission-settled", at, submissionId=run, outcome=outcome)


def checkpoint(incarnation: str = INCARNATION) -> dict[str, Any]:
    return {"type": "stream-checkpoint", "incarnation": incarnation}


def history(text: str, outcome: str = "", run: str = RUN, at: int = 0) -> dict[str, Any]:
    """A snapshot in which `run` said `text`, up to batch `at`."""
    part = {"type": "text", "text": text, "state": "done" if outcome else "streaming"}
    prompt = {"id": "u", "role": "user", "submissionId": run, "parts": []}
    reply = {"id": "m", "role": "assistant", "submissionId": run, "parts": [part]}
    return {
        "offset": f"0_{at}",
        "incarnation": INCARNATION,
        "messages": [prompt, reply],
        "settlements": [{"submissionId": run, "outcome": outcome}] if outcome else [],
    }


@dataclass
class Asked:
    """One request that arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = tuple[int, Any]
Step = dict[str, Any] | list[dict[str, Any]] | Gate | str


@dataclass
class FakeFlue:
    """`streams` are played in order, one a connection: chunks (each its own frame, with a control frame
    behind it), gates, `: comments`, CLOSE. `aborts` and `histories` are answered in order, the last for ever.
    """

    streams: list[Sequence[Step] | Answer] = field(default_factory=list)
    aborts: list[Any] = field(default_factory=lambda: [{"aborted": True}])
    histories: list[Any] = field(default_factory=lambda: [None])
    admission: Any = field(default_factory=lambda: {"submissionId": RUN, "offset": "0_0"})
    admission_status: int = 202
    admission_gate: Gate | None = None
    asked: list[Asked] = field(default_factory=list)
    open_streams: int = 0
    url: str = ""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def prompts(self) -> list[Asked]:
        return [a for a in self.asked if a.method == "POST" and not a.path.endswith("/abort")]

    @property
    def aborted(self) -> list[Asked]:
        return [a for a in self.asked if a.method == "POST" and a.path.endswith("/abort")]

    @property
    def offsets(self) -> list[str]:
        """Where the stream was opened, in order."""
        return [a.query["offset"] for a in self.asked if a.query.get("live") == "sse"]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeFlue]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/agents/worker"
        try:
            yield self
        finally:
            server.close()

    async def until(self, happened: Any) -> None:
        """Wait until `happened()` is true; it is looked at after every request and every stream's end."""
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(happened)

    async def _note(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while asked := await _read(reader):
                self.asked.append(asked)
                await self._note()
                await self._answer(asked, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if asked.path.endswith("/abort"):
            answer = _next(self.aborts)
            if answer == CLOSE:
                raise ConnectionError
            _reply(writer, answer)
        elif asked.method == "POST":
            if self.admission_gate:
                await self.admission_gate.wait()
            if self.admission == CLOSE:
                raise ConnectionError
            _reply(writer, (self.admission_status, self.admission))
        elif asked.query.get("live") == "sse":
            await self._stream(self.streams.pop(0), reader, writer)
        elif "offset" in asked.query:
            _reply(writer, (416, {"error": {"type": "gone", "message": 'of "agents/Worker/c" is short'}}))
        else:
            known = _next(self.histories)
            _reply(writer, known if known is not None else (404, {"error": {"type": "stream_not_found"}}))

    async def _stream(
        self, steps: Sequence[Step] | Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if isinstance(steps, tuple):
            _reply(writer, steps)
            return
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        self.open_streams += 1
        gone = asyncio.create_task(reader.read())
        playing = asyncio.create_task(_play(steps, writer))
        try:
            await asyncio.wait({gone, playing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, playing):
                task.cancel()
            self.open_streams -= 1
            await self._note()
        raise ConnectionError


async def _play(steps: Sequence[Step], writer: asyncio.StreamWriter) -> None:
    for step in steps:
        if isinstance(step, Gate):
            await step.wait()
        elif step == CLOSE:
            return
        elif isinstance(step, str):
            writer.write(step.encode() + b"\n\n")
        else:
            chunks = step if isinstance(step, list) else [step]
            writer.write(f"event: data\ndata:{json.dumps(chunks)}\n\n".encode())
            if position := chunks[-1].get("position"):
                control = {"streamNextOffset": f"0_{position['batch']}", "upToDate": True}
                writer.write(f"event: control\ndata:{json.dumps(control)}\n\n".encode())
        await writer.drain()
    await asyncio.Event().wait()  # a stream of Flue's does not end by itself


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    method, target, _ = first.split(" ")
    split = urlsplit(target)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    query = {name: values[0] for name, values in parse_qs(split.query).items()}
    return Asked(method, split.path, query, body, headers)


def _next(answers: list[Any]) -> Any:
    return answers.pop(0) if len(answers) > 1 else answers[0]


def _reply(writer: asyncio.StreamWriter, answer: Any) -> None:
    status, body = answer if isinstance(answer, tuple) else (200, answer)
    kind = "text/html" if isinstance(body, str) else "application/json"
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)
