"""The server of `stopkey web`: a page, its files, and a web socket for each client. Loopback only."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import textual_serve
from aiohttp import WSCloseCode, WSMsgType, web

from tui.web.door import Door
from tui.web.seat import Seat, for_a_page

HERE = Path(__file__).parent / "page"
THERE = Path(textual_serve.__file__).parent / "static"
FILES = {
    "page.js": HERE / "page.js",
    "page.css": HERE / "page.css",
    "textual.js": THERE / "js" / "textual.js",
    "xterm.css": THERE / "css" / "xterm.css",
    "mono.ttf": THERE / "fonts" / "RobotoMono-VariableFont_wght.ttf",
    "mono-italic.ttf": THERE / "fonts" / "RobotoMono-Italic-VariableFont_wght.ttf",
}
"""All that the page loads, each by its name. Nothing comes from elsewhere."""
LIMIT = 1024 * 1024
"""Bytes of one message of the page: a paste."""
MOST_SEATS = 16
_SEAT = re.compile(r"[A-Za-z0-9-]{8,64}")
_BIGGEST = 1000
"""Columns and rows that a page may claim to have."""


class WebClient:
    """Serves `command` to whoever comes through `door`. `keep_s`: how long a client waits for its page."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], door: Door, keep_s: float = 30.0
    ) -> None:
        self.command = command
        self.environment = for_a_page(environment)
        self.door = door
        self.keep_s = keep_s
        self.seats: dict[str, Seat] = {}
        self.port = 0

    def app(self) -> web.Application:
        """Its routes."""
        app = web.Application(middlewares=[self.door.guard], client_max_size=64 * 1024)
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/alive", self._alive),
                web.get("/files/{name}", self._file),
                web.get("/ws/{seat}", self._socket),
            ]
        )
        return app

    async def serve(self, port: int, started: Callable[[str], None], until: asyncio.Event) -> None:
        """Listen on 127.0.0.1 until told to end; `started` gets the address. Raises OSError."""
        runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self.port = runner.addresses[0][1]
            started(f"http://127.0.0.1:{self.port}/?token={self.door.token}")
            await until.wait()
        finally:
            await self._end()
            await runner.cleanup()

    async def _end(self) -> None:
        """Every client is hung up and waited for: a stop of its run is to leave, its text to be saved."""
        for seat in self.seats.values():
            seat.hang_up()
        await asyncio.gather(*(seat.over.wait() for seat in self.seats.values()))

    # --- routes -------------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=(HERE / "page.html").read_text(), content_type="text/html")

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(text="yes")

    async def _file(self, request: web.Request) -> web.FileResponse:
        path = FILES.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        """One page. Its client is the one with this seat's name, or a new one."""
        seat = self._seat(request.match_info["seat"])
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=LIMIT)
        await socket.prepare(request)
        size = _number(request.query.get("width"), 80), _number(request.query.get("height"), 24)
        await seat.attach(socket, size)
        try:
            await self._listen(socket, seat)
        finally:
            seat.detach(socket, self.keep_s)
        return socket

    def _seat(self, name: str) -> Seat:
        if not _SEAT.fullmatch(name):
            raise web.HTTPNotFound
        for gone in [known for known, seat in self.seats.items() if seat.over.is_set()]:
            del self.seats[gone]
        if name not in self.seats and len(self.seats) >= MOST_SEATS:
            raise web.HTTPServiceUnavailable(text="Too many pages are open; close one.")
        return self.seats.setdefault(name, Seat(self.command, self.environment))

    async def _listen(self, socket: web.WebSocketResponse, seat: Seat) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                await _heard(message.json(), socket, seat)
            except (ValueError, TypeError, LookupError, AttributeError):
                await socket.close(code=WSCloseCode.POLICY_VIOLATION)  # not our page's words


async def _heard(message: Any, socket: web.WebSocketResponse, seat: Seat) -> None:
    """One message of the page, in the words of textual-serve's page."""
    kind, *rest = message
    if kind == "stdin":
        await seat.send_bytes(rest[0].encode("utf-8", "replace"))
    elif kind == "resize":
        await seat.set_terminal_size(_number(rest[0]["width"], 80), _number(rest[0]["height"], 24))
    elif kind == "ping":
        await socket.send_json(["pong", rest[0]])
    elif kind == "focus":
        await seat.focus()
    elif kind == "blur":
        await seat.blur()


def _number(given: Any, instead: int) -> int:
    try:
        return min(max(int(given), 1), _BIGGEST)
    except (TypeError, ValueError):
        return instead
