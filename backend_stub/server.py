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

CONNECTIONS = 512
HEADER_LIMIT = 16 * 1024


def bind(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A listening socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen(128)
    return sock


class StubServer(Server):
    """uvicorn's server without its signal handlers. Runs end before their streams are waited for."""

    def __init__(
        self, app: ASGIApp, engine: Engine, protocol: type[asyncio.Protocol] = TimedProtocol,
        connections: int = CONNECTIONS,
    ) -> None:  # fmt: skip
        super().__init__(
            Config(
                app, http=protocol, ws="none", loop="asyncio", lifespan="off", interface="asgi3",
                log_config=None, log_level="critical", access_log=False, server_header=False,
                limit_concurrency=connections, timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=HEADER_LIMIT,
            )
        )  # fmt: skip
        self._engine = engine
        self.on_ready: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._engine.close()
        await super().shutdown(sockets)

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
        stub.should_exit = True
        await task
