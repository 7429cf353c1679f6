"""A hand-written HTTP server: it records what arrives, byte for byte, and answers what it is told."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tui.backends.base import Target
from tui.backends.http import Http

LIMIT_S = 10.0


def go(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine; one that hangs fails instead of holding up the suite."""

    async def limited() -> None:
        async with asyncio.timeout(LIMIT_S):
            await scenario

    asyncio.run(limited())


@dataclass
class Arrived:
    """One request as it came. Header names are in small letters; `raw` is everything."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    raw: bytes

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Handler = Callable[[Arrived, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Origin:
    """A running server. `answers` are used in order, the last for ever; each is bytes or a handler."""

    answers: list[bytes | Handler]
    url: str = ""
    arrived: list[Arrived] = field(default_factory=list)
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for something; it is looked at after every request and every closed connection."""
        async with self.changed:
            await self.changed.wait_for(lambda: bool(true()))

    async def _handle(
        self, answer: Handler, arrived: Arrived, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Until the handler is through, or the client is gone."""
        handling = asyncio.ensure_future(answer(arrived, writer))
        listening = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({handling, listening}, return_when=asyncio.FIRST_COMPLETED)
            if not handling.done():
                writer.close()
        finally:
            for task in (handling, listening):
                task.cancel()
            results = await asyncio.gather(handling, listening, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]

    async def _note(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        try:
            while arrived := await _read(reader):
                self.arrived.append(arrived)
                await self._note()
                answer = self.answers[min(len(self.arrived), len(self.answers)) - 1]
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                else:
                    await self._handle(answer, arrived, reader, writer)
                if writer.is_closing():
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()
            await self._note()


async def _read(reader: asyncio.StreamReader) -> Arrived | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ", 2)
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    length = int(next((value for name, value in headers if name == "content-length"), "0"))
    body = await reader.readexactly(length)
    return Arrived(method, target, headers, body, head + body)


@asynccontextmanager
async def origin(*answers: bytes | Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Origin]:
    """A server on a free loopback port."""
    served = Origin(list(answers))
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        try:
            await served.serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the test is over; asyncio would print a cancelled handler as a fault

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    served.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def client(url: str, **target: Any) -> AsyncIterator[Http]:
    """An `Http` for a URL, closed at the end."""
    http = Http(Target("any", url, **target))
    try:
        yield http
    finally:
        await http.aclose()


def reply(
    status: int = 200, body: bytes | str | Any = b"", *headers: str, type: str = "application/json"
) -> bytes:
    """A whole answer; a body that is neither bytes nor text is sent as JSON."""
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}", f"content-type: {type}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def stream_head(*headers: str, type: str = "text/event-stream") -> bytes:
    lines = ["HTTP/1.1 200 OK", f"content-type: {type}", "transfer-encoding: chunked", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def frame(value: Any) -> bytes:
    """One event-stream event with JSON data, as a chunk of a body."""
    return chunk(b"data: " + json.dumps(value).encode() + b"\n\n")


LAST = b"0\r\n\r\n"


def streamed(*frames: Any, end: bytes = LAST) -> bytes:
    """A whole event stream: a head, one chunk an event, and the end."""
    return stream_head() + b"".join(frame(one) for one in frames) + end


async def never(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
    """No answer, until the connection is gone."""
    await asyncio.Event().wait()


async def hang_up(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
    """The connection closes without an answer."""
    writer.close()
