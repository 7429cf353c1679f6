"""A headless Chromium, driven over its own protocol: opens an address, presses keys, hears its sockets."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pyte

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--remote-debugging-port=0", "--window-size=1000,700"),
)
LIMIT_S = 60.0

KEYS = {"Escape": 27, "Enter": 13, "End": 35, "F8": 119}


def binary() -> str | None:
    """Where a Chromium is, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One page. `requests` are the addresses it asked for; `screen` is what its terminal was told to draw."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._blank()

    def _blank(self) -> None:
        self.screen = pyte.Screen(200, 60)
        self._stream = pyte.ByteStream(self.screen)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    async def ask(self, method: str, **how: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_str(json.dumps({"id": number, "method": method, "params": how}))
        async with asyncio.timeout(LIMIT_S):
            return await answer

    async def _read(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if waiting := self._answers.pop(told.get("id", 0), None):
                waiting.set_result(told.get("result", told))
            else:
                self._take(told.get("method", ""), told.get("params", {}))

    def _take(self, method: str, what: dict[str, Any]) -> None:
        if method == "Network.webSocketFrameReceived" and what["response"]["opcode"] == 2:
            self._stream.feed(base64.b64decode(what["response"]["payloadData"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(what["url"])
            self._blank()
        elif method == "Log.entryAdded" and what["entry"]["level"] == "error":
            self.errors.append(what["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(what["exceptionDetails"]))
        self._changed.set()

    async def open(self, address: str) -> None:
        for room in ("Network", "Log", "Runtime", "Page"):
            await self.ask(f"{room}.enable")
        await self.ask("Page.navigate", url=address)

    async def until(self, seen: Callable[[], bool], what: str) -> None:
        """Wait until the page has been told what satisfies `seen`."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not seen():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"never saw {what}; errors: {self.errors}; screen:\n{self.text}") from None

    async def see(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.text for text in texts), " and ".join(texts))

    async def type(self, text: str) -> None:
        """As from a keyboard, letter by letter."""
        for letter in text:
            await self.ask("Input.dispatchKeyEvent", type="char", text=letter)

    async def press(self, key: str) -> None:
        code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        await self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **code, **text)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", **code)

    async def click(self, x: int, y: int) -> None:
        where = {"x": x, "y": y, "button": "left", "clickCount": 1}
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await self.ask("Input.dispatchMouseEvent", type=kind, **where)

    async def tabs(self) -> int:
        """How many pages the browser has open."""
        told = await self.ask("Target.getTargets")
        return sum(each["type"] == "page" for each in told["targetInfos"])

    async def evaluate(self, script: str) -> Any:
        told = await self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return told["result"].get("value")

    async def picture(self) -> bytes:
        """What it looks like, as PNG."""
        return base64.b64decode((await self.ask("Page.captureScreenshot"))["data"])


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Tab]:
    """A browser with nothing in it, and its one tab."""
    program = binary()
    assert program
    process = await asyncio.create_subprocess_exec(
        *(program, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(folder / "profile" / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            tabs = await (await session.get(f"http://127.0.0.1:{port}/json/list")).json()
            address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        process.terminate()
        await process.wait()


async def _port(file: Path) -> int:
    async with asyncio.timeout(LIMIT_S):
        while not (told := _told(file)):
            await asyncio.sleep(0.05)
    return int(told[0])


def _told(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
