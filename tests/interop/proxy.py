"""A TCP proxy that can keep the upstream open when the client is gone, or cut everything that is open."""

from __future__ import annotations

import asyncio
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """`async with Proxy(url) as proxy:` then use `proxy.url`.

    `swallow`: a close by the client is not passed on; the server's bytes are read on and thrown away.
    `cut()` resets every connection on both sides; `cut(upstream=False)` the client's side only, so that the
    server never learns of it.
    """

    def __init__(self, url: str, *, swallow: bool = False) -> None:
        split = urlsplit(url)
        self._upstream = (split.hostname or "", split.port or 80)
        self.swallow = swallow
        self.url = ""
        self._server: asyncio.Server | None = None
        self._open: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def cut(self, *, upstream: bool = True) -> None:
        for client, server in self._open:
            client.transport.abort()
            if upstream:
                server.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        pair = (writer, up_writer)
        self._open.add(pair)
        down = asyncio.ensure_future(_pump(up_reader, writer))
        try:
            await _pump(reader, up_writer)
            if self.swallow:
                await down
        finally:
            down.cancel()
            self._open.discard(pair)
            for one in pair:
                one.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until the source ends. A sink that is gone does not end it: its bytes are thrown away."""
    try:
        while data := await source.read(65536):
            if not sink.is_closing():
                sink.write(data)
    except ConnectionError:
        pass
