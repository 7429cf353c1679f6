"""Server-sent events out: writes frames as they come, notices a client that went away, breaks on demand."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Callable, Iterable

from starlette.types import Receive, Scope, Send

from backend_stub.log import Entry
from backend_stub.run import Run

HEARTBEAT_S = 15.0
HEARTBEAT = b": heartbeat\n\n"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]

Frames = AsyncGenerator[list[bytes], None]


def sse(data: str, *, event: str = "", id: str = "") -> bytes:
    """One event as bytes. A newline in `data` is split over lines; one in `event` or `id` is refused."""
    if any(c in event + id for c in "\r\n\0"):
        raise ValueError("an event's name and id are one line")
    lines = [f"event: {event}"] if event else []
    lines += [f"id: {id}"] if id else []
    lines += [f"data: {line}" for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")


async def frames_of(run: Run, encode: Callable[[Entry], Iterable[str]], after: int = 0) -> Frames:
    """A run's events as numbered frames, each with its number as id; those up to `after` are left out.

    Numbers count frames from the run's beginning, so they are the same for whoever attaches.
    """
    number = 0
    async for batch in run.log.follow(idle_s=HEARTBEAT_S):
        if not batch:
            yield [HEARTBEAT]
        out = []
        for entry in batch:
            for data in encode(entry):
                number += 1
                if number > after:
                    out.append(sse(data, id=str(number)))
        if out:
            yield out


class EventStream:
    """An ASGI response that writes `frames`. `run` gives the switches that break it; None: nothing breaks.

    `on_gone` is called when the client goes away before the end. A half-closed connection counts as gone.
    """

    def __init__(
        self,
        frames: Frames,
        run: Run | None = None,
        *,
        on_gone: Callable[[], object] | None = None,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        self._frames, self._run, self._on_gone = frames, run, on_gone
        self._headers = [*_HEADERS, *headers]
        self._breaks = ""
        self._left = 0
        if run:
            run.attachments += 1
            if run.attachments <= run.switches.cuts:
                self._breaks, self._left = run.switches.end, run.switches.after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        writer = asyncio.create_task(self._write(scope, send))
        watcher = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({writer, watcher}, return_when=asyncio.FIRST_COMPLETED)
            if not writer.done() and self._on_gone:
                self._on_gone()
        finally:
            for task in (writer, watcher):
                task.cancel()
            await asyncio.gather(writer, watcher, return_exceptions=True)
            await self._frames.aclose()
        if writer.done() and not writer.cancelled() and writer.exception():
            raise writer.exception() or RuntimeError  # uvicorn closes the connection

    async def _write(self, scope: Scope, send: Send) -> None:
        await self._before_headers()
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        async for batch in self._frames:
            if self._breaks in ("eof", "cut", "reset", "stall"):
                kept, broken = batch[: self._left], batch[self._left :]
                self._left -= len(kept)
                await _body(send, b"".join(kept))
                if broken:
                    await self._break(scope, send, broken[0])
                    return
            else:
                await _body(send, b"".join(batch))
        if self._breaks == "open":
            await asyncio.Event().wait()
        await _body(send, b"", more=False)

    async def _before_headers(self) -> None:
        run = self._run
        if run and run.attachments == 1:
            await asyncio.sleep(run.switches.headers_delay)
            if run.switches.gated("headers"):
                await run.gates.hold(run.id, "headers")

    async def _break(self, scope: Scope, send: Send, frame: bytes) -> None:
        match self._breaks:
            case "stall":
                await asyncio.Event().wait()
            case "eof":
                await _body(send, b"", more=False)
            case "cut":
                await _body(send, frame[: len(frame) // 2])
                close(scope)
            case "reset":
                reset(scope)


async def _body(send: Send, data: bytes, more: bool = True) -> None:
    if data or not more:
        await send({"type": "http.response.body", "body": data, "more_body": more})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def close(scope: Scope) -> None:
    """Close the connection as it is, without the response's end."""
    scope["stub.transport"].close()


def reset(scope: Scope) -> None:
    """Make the client see a connection reset."""
    transport = scope["stub.transport"]
    transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    transport.abort()
