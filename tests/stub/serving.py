"""The embedded backend for tests: served in the test's own event loop, and spoken to over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from backend_stub.engine import Engine
from backend_stub.server import Running, running
from backend_stub.switches import Switches

LIMIT_S = 10.0


def go(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine; one that hangs fails instead of holding up the suite."""

    async def limited() -> None:
        async with asyncio.timeout(LIMIT_S):
            await scenario

    asyncio.run(limited())


@dataclass
class Stub:
    """A served backend and a client that has its token."""

    running: Running
    http: httpx.AsyncClient

    @property
    def engine(self) -> Engine:
        return self.running.engine

    @property
    def port(self) -> int:
        return int(self.running.url.rpartition(":")[2])

    async def abort(self, run: str = "r1", reason: str = "") -> httpx.Response:
        return await self.http.post(f"/runs/{run}/abort", json={"reason": reason})

    async def whole(self, prompt: str, run: str = "r1", **more: Any) -> list[dict[str, Any]]:
        """Every event of a run that is read to its end."""
        async with self.prompt(prompt, run, **more) as stream:
            return [event async for event in stream]

    @asynccontextmanager
    async def prompt(self, text: str, run: str = "r1", **more: Any) -> AsyncIterator[Reader]:
        """Post a prompt; the events can be read as they come."""
        body = run_input(text, run, **more)
        async with self.http.stream("POST", "/agents/demo", json=body) as response:
            yield Reader(response)

    @asynccontextmanager
    async def attach(self, run: str = "r1", after: int = 0) -> AsyncIterator[Reader]:
        async with self.http.stream("GET", f"/runs/{run}/events", params={"after": after}) as response:
            yield Reader(response)


class Reader:
    """The events of one response, each with its `id` under "#"."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._events = self._read()

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        return self._events

    async def until(self, kind: str) -> dict[str, Any]:
        async for event in self:
            if event["type"] == kind:
                return event
        raise AssertionError(f"the stream ended without {kind}")

    async def _read(self) -> AsyncIterator[dict[str, Any]]:
        number = ""
        async for line in self.response.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                number = value
            elif name == "data":
                yield {**json.loads(value), "#": int(number)}


def run_input(text: str, run: str = "r1", thread: str = "t1", **more: Any) -> dict[str, Any]:
    message = {"id": "m1", "role": "user", "content": text}
    return {"threadId": thread, "runId": run, "messages": [message], "protocolVersion": "1.0", **more}


@asynccontextmanager
async def stub(engine: Engine | None = None, **server: Any) -> AsyncIterator[Stub]:
    """A backend without pauses, unless `engine` says otherwise."""
    engine = engine or Engine(switches=Switches(speed=0))
    async with (
        running(engine, **server) as served,
        httpx.AsyncClient(
            base_url=served.url,
            headers={"authorization": f"Bearer {served.token}"},
            timeout=LIMIT_S,
            trust_env=False,
            verify=False,  # no TLS here: its context would cost each test 30 ms
        ) as http,
    ):
        yield Stub(served, http)


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(e["delta"] for e in events if e["type"] == "TEXT_MESSAGE_CONTENT")


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [e["type"] for e in events]


async def eventually(condition: Any) -> None:
    """Wait until a condition holds; the test's limit ends a wait in vain."""
    while not condition():
        await asyncio.sleep(0.005)
