"""`stopkey web` as a process, and a page without a browser: says what the real one says, shows what comes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pyte

from tests.e2e.terminal import KEYS, environment

LIMIT_S = 30.0
"""How long anything may take before a test fails; nothing waits for so long."""


class Served:
    """The process, and where it listens."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self.process = process
        self.address = address
        self.base = address.partition("?")[0].rstrip("/")

    async def end(self) -> int:
        """Ctrl+C, and its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(LIMIT_S):
            return await self.process.wait()


@asynccontextmanager
async def serving(home: Path, *words: str) -> AsyncIterator[Served]:
    """`stopkey web WORDS`, with a home of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui", "web", *words),
        stdout=asyncio.subprocess.PIPE,
        cwd=home,
        env=environment(home, {"TMUX": "of the server's own terminal"}),
    )
    assert process.stdout
    async with asyncio.timeout(LIMIT_S):
        address = (await process.stdout.readline()).decode().strip()
    served = Served(process, address)
    try:
        yield served
    finally:
        await served.end()


class Page:
    """A web socket with a terminal model behind it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, columns: int, rows: int) -> None:
        self.socket = socket
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.words: list[list[object]] = []

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    async def type(self, text: str) -> None:
        await self.socket.send_str(json.dumps(["stdin", text]))

    async def press(self, key: str) -> None:
        await self.type(KEYS[key])

    async def until(self, seen: Callable[[str], bool], what: str = "") -> str:
        """Take in what is drawn until the screen satisfies `seen`."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not seen(self.text):
                    message = await self.socket.receive()
                    assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
                    self._take(message)
        except TimeoutError:
            raise AssertionError(f"never saw {what}; the screen:\n{self.text}") from None
        return self.text

    def _take(self, message: aiohttp.WSMessage) -> None:
        if message.type is aiohttp.WSMsgType.BINARY:
            self._stream.feed(message.data)
        else:
            self.words.append(json.loads(message.data))

    async def see(self, *texts: str) -> str:
        return await self.until(lambda screen: all(text in screen for text in texts), " and ".join(texts))

    async def closed(self) -> int:
        """Wait until the server closes the page; the code it gives."""
        async with asyncio.timeout(LIMIT_S):
            while not self.socket.closed:
                await self.socket.receive()
        return self.socket.close_code or 0


@asynccontextmanager
async def open_page(home: Path, *words: str) -> AsyncIterator[tuple[Served, aiohttp.ClientSession, Page]]:
    """All three at once."""
    async with serving(home, *words) as served, browsing(served) as session, page(session, served) as shown:
        yield served, session, shown


@asynccontextmanager
async def browsing(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    """What a browser has after it opened the printed address: the cookie."""
    jar = aiohttp.CookieJar(unsafe=True)  # "unsafe": also for addresses without a name
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"Origin": served.base}) as session:
        answer = await session.get(served.address)
        assert answer.status == 200 and str(answer.url) == served.base + "/"
        yield session


@asynccontextmanager
async def page(
    session: aiohttp.ClientSession, served: Served, seat: str = "test-seat", columns: int = 80, rows: int = 24
) -> AsyncIterator[Page]:
    """The page of one seat."""
    address = f"{served.base}/ws/{seat}?width={columns}&height={rows}"
    async with session.ws_connect(address) as socket:
        shown = Page(socket, columns, rows)
        await socket.send_str(json.dumps(["resize", {"width": columns, "height": rows}]))
        yield shown


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
