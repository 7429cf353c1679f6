"""A TCP proxy that does to a connection what networks do: latency, slices, cuts, resets, black holes, flips.

All of it by a word from the test, so that nothing has to be slept for: `hold` and `let_go` are gates on the
wire, and `held` tells that bytes stand at them.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

_RESET = struct.pack("ii", 1, 0)


@dataclass
class Toxics:
    """What happens to the bytes of one direction. Counts and places are in bytes of one connection."""

    latency: float = 0.0  # seconds that every piece is late
    slice: int = 65536  # largest piece that is passed on at once
    drip: float = 0.0  # seconds between two pieces
    cut_after: int | None = None  # then both sides are closed
    reset_after: int | None = None  # then both sides are reset
    flip_at: int | None = None  # the lowest bit of this byte is turned over
    hold_behind: bytes = b""  # once this has passed, the connection stands at the gate


@dataclass(eq=False)
class _Link:
    """One client and its way to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    streams: bool = False  # an event stream has begun on it

    def close(self, reset: bool = False) -> None:
        for side in (self.client, self.server):
            if side is None:
                continue
            if reset:
                side.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                side.transport.abort()
            else:
                side.close()


class Proxy:
    """`async with Proxy(url) as proxy:` and then talk to `proxy.url`. `down` is what the client receives."""

    def __init__(self, url: str) -> None:
        self.to(url)
        self.url = ""
        self.down, self.up = Toxics(), Toxics()
        self.accepted = 0
        self.held = asyncio.Event()
        self._hole = False
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def to(self, url: str) -> None:
        """Where new connections lead."""
        split = urlsplit(url)
        self._upstream = (split.hostname or "", split.port or 80)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.refuse()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # --- what a test does ---------------------------------------------------------------------------------

    def refuse(self) -> None:
        """Nobody listens here any more; what is open stays open."""
        assert self._server
        self._server.close()

    def cut(self, *, reset: bool = False) -> None:
        """End every connection, on both sides."""
        for link in self._links:
            link.close(reset)

    def black_hole(self) -> None:
        """From now on nothing passes, on old connections and on new ones, and nobody is told."""
        self._hole = True
        self._stop(self._links)

    def heal(self) -> None:
        """What stood in the black hole goes on, in order."""
        self._hole = False
        self.let_go()

    def hold(self) -> None:
        """Stop every connection that carries an event stream; others pass."""
        self._stop({link for link in self._links if link.streams})

    def _stop(self, links: set[_Link]) -> None:
        self.held.clear()
        for link in links:
            link.gate.clear()

    def let_go(self) -> None:
        self.down.hold_behind = b""
        for link in self._links:
            link.gate.set()

    # --- how it is done -----------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.accepted += 1
        link = _Link(writer)
        if not self._hole:
            link.gate.set()
        self._links.add(link)
        try:
            await self._carry(reader, link)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._links.discard(link)
            link.close()

    async def _carry(self, reader: asyncio.StreamReader, link: _Link) -> None:
        await link.gate.wait()
        from_server, link.server = await asyncio.open_connection(*self._upstream)
        ways = [
            asyncio.create_task(self._pump(reader, link.server, link, self.up)),
            asyncio.create_task(self._pump(from_server, link.client, link, self.down)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, link: _Link, toxics: Toxics
    ) -> None:
        passed, seen = 0, b""
        while data := await source.read(65536):
            while data:
                piece, data = data[: toxics.slice], data[toxics.slice :]
                piece, rest = _split(seen, piece, toxics.hold_behind)
                seen, data = (seen + piece)[-4096:], rest + data
                link.streams |= b"content-type: text/event-stream" in seen
                await asyncio.sleep(toxics.latency)
                await self._gate(link)
                end = _end(toxics, passed, len(piece))
                sink.write(_flipped(piece, passed, toxics.flip_at)[:end])
                await sink.drain()
                if end is not None:
                    link.close(reset=toxics.reset_after is not None)
                    return
                passed += len(piece)
                if toxics.hold_behind and seen.endswith(toxics.hold_behind):
                    link.gate.clear()
                    self.held.set()
                await asyncio.sleep(toxics.drip)

    async def _gate(self, link: _Link) -> None:
        if not link.gate.is_set():
            self.held.set()
            await link.gate.wait()


def _split(seen: bytes, piece: bytes, marker: bytes) -> tuple[bytes, bytes]:
    """The piece up to the end of the marker, and what is behind it."""
    at = (seen + piece).find(marker) + len(marker) - len(seen) if marker and marker in seen + piece else 0
    return (piece[:at], piece[at:]) if 0 < at < len(piece) else (piece, b"")


def _end(toxics: Toxics, passed: int, size: int) -> int | None:
    """How much of this piece still passes, where the connection ends in it."""
    limit = toxics.cut_after if toxics.reset_after is None else toxics.reset_after
    return limit - passed if limit is not None and passed + size > limit else None


def _flipped(piece: bytes, passed: int, at: int | None) -> bytes:
    if at is None or not passed <= at < passed + len(piece):
        return piece
    place = at - passed
    return piece[:place] + bytes([piece[place] ^ 1]) + piece[place + 1 :]
