"""Serving the app: one socket, uvicorn on h11, and an end that comes within a second and a half."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp
from uvicorn import Config, Server

from backend_stub.app import create_app
from backend_stub.engine import Engine
from backend_stub.protocol import TimedProtocol
from backend_stub.websocket import WebSocketProtocol

CONNECTIONS = 512
GRACE_S = 0.9  # how long streams may take to end after their runs
HEADER_LIMIT = 16 * 1024


def bind(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A listening socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen(128)
    return sock


class StubServer(Server):
    """uvicorn's server without its signal handlers, with an end of its own.

    uvicorn looks ten times a second whether it shall end, and waits for streams that only the end of their
    runs would end. Here runs end first, and `end` is felt at once.
    """

    def __init__(
        self, app: ASGIApp, engine: Engine, protocol: type[asyncio.Protocol] = TimedProtocol,
        connections: int = CONNECTIONS,
    ) -> None:  # fmt: skip
        self._ending = asyncio.Event()
        super().__init__(
            Config(
                app, http=protocol, ws=WebSocketProtocol, loop="asyncio", lifespan="off", interface="asgi3",
                log_config=None, log_level="critical", access_log=False, server_header=False,
                limit_concurrency=connections,
                h11_max_incomplete_event_size=HEADER_LIMIT,
            )
        )  # fmt: skip
        self._engine = engine
        self.on_ready: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_ready()

    def end(self) -> None:
        """Stop serving; to be called in the event loop."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # it also sets the Date header, once a second
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._engine.close()
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await self._requests_ended()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=0.2)

    async def _requests_ended(self) -> None:
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - uvicorn's own sets
            await asyncio.sleep(0.005)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs in this event loop: where it is, its token, and the engine behind it."""

    url: str
    token: str
    engine: Engine
    server: StubServer


@contextlib.asynccontextmanager
async def running(
    engine: Engine | None = None, *, token: str = "test-token", **server: Any
) -> AsyncIterator[Running]:
    """Serve in this event loop on a free loopback port: for tests that open gates by hand."""
    engine = engine or Engine()
    sock = bind()
    stub = StubServer(create_app(engine, token), engine, **server)
    ready = asyncio.Event()
    stub.on_ready = ready.set
    task = asyncio.create_task(stub.serve([sock]))
    await ready.wait()
    try:
        yield Running(f"http://127.0.0.1:{sock.getsockname()[1]}", token, engine, stub)
    finally:
        stub.end()
        await task
