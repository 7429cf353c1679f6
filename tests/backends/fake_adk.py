"""A small ADK server without a network: sessions, scripted runs, and every trap of the cancel route."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.fakes import Gate
from tui.backends.adk import Adk
from tui.backends.base import Target
from tui.backends.http import Http

JSON = dict[str, Any]
ROUTE = "/apps/{app_name}/users/{user_id}/sessions/{session_id}:cancel"
Step = JSON | Gate | Exception


def say(text: str, turn: str = "t1", **more: Any) -> JSON:
    return {"id": turn, "partial": True, "content": {"role": "model", "parts": [{"text": text}]}, **more}


def whole(text: str, turn: str = "t1", **more: Any) -> JSON:
    return say(text, turn, **more) | {"partial": False}


def call(name: str, key: str = "c1", *, wait: bool = False, **args: Any) -> JSON:
    part = {"functionCall": {"id": key, "name": name, "args": args}}
    waits = {"longRunningToolIds": [key]} if wait else {}
    return {"id": f"call-{key}", "partial": False, "content": {"parts": [part]}, **waits}


def result(name: str, key: str = "c1") -> JSON:
    part = {"functionResponse": {"id": key, "name": name, "response": {"ok": True}}}
    return {"id": f"result-{key}", "content": {"role": "user", "parts": [part]}}


@dataclass
class FakeAdk:
    """`scripts` are played in order, one a run; what is not partial is stored, a close seals the session.

    `cancel`: "" (stock: the POST creates a session), "works", "hangs", or an answer to give.
    `openapi`: what GET /openapi.json answers; None: the paths as `listed` says.
    """

    scripts: list[list[Step]] = field(default_factory=list)
    apps: list[str] = field(default_factory=lambda: ["agent"])
    listed: bool = False
    cancel: str | httpx.Response = ""
    openapi: httpx.Response | None = None
    create: httpx.Response | Exception | Gate | None = None
    swallows_close: bool = False  # a proxy in front keeps the connection open
    marks: bool = True  # whether customMetadata is copied onto events
    sessions: dict[str, list[JSON]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    bodies: list[JSON] = field(default_factory=list)
    running: dict[str, asyncio.Event] = field(default_factory=dict)
    played: int = 0
    open_streams: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def backend(self, **options: str) -> Adk:
        target = Target("adk", "http://127.0.0.1:1", agent=options.pop("agent", ""), options=options)
        return Adk(target, http=Http(target, make_transport=lambda *_: httpx.MockTransport(self.handle)))

    async def handle(self, request: httpx.Request) -> httpx.Response:
        answer = await self._answer(request)
        if isinstance(answer.stream, _Run):
            return answer
        return httpx.Response(answer.status_code, headers=answer.headers, stream=_Body(answer.content))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.requests.append(f"{request.method} {path}")
        body = json.loads(request.content) if request.content else {}
        if path == "/list-apps":
            return httpx.Response(200, json=self.apps)
        if path == "/openapi.json":
            return self.openapi or httpx.Response(
                200, json={"paths": {ROUTE: {"post": {}}} if self.listed else {}}
            )
        if path == "/run_sse":
            return self._run(body)
        return await self._session(request.method, path, body)

    async def _session(self, method: str, path: str, body: JSON) -> httpx.Response:
        name = path.partition("/sessions")[2].strip("/")
        if method == "POST" and name.endswith(":cancel") and self.cancel:
            return await self._cancel(name.removesuffix(":cancel"))
        if method == "POST":
            if isinstance(self.create, Exception):
                raise self.create
            if isinstance(self.create, Gate):
                await self.create.wait()
                self.create = None
            return self.create or self._made(name or body["sessionId"])
        if method == "DELETE":
            self.sessions.pop(name, None)
            return httpx.Response(200, json=None)
        if name not in self.sessions:
            return httpx.Response(404, json={"detail": "Session not found"})
        return httpx.Response(200, json={"id": name, "appName": "agent", "events": self.sessions[name]})

    def _made(self, name: str) -> httpx.Response:
        if name in self.sessions:
            return httpx.Response(409, json={"detail": f"Session already exists: {name}"})
        self.sessions[name] = []
        return httpx.Response(200, json={"id": name, "appName": "agent", "events": []})

    async def _cancel(self, name: str) -> httpx.Response:
        if isinstance(self.cancel, httpx.Response):
            return self.cancel
        if self.cancel == "hangs":
            await asyncio.Event().wait()
        if name not in self.running:
            return httpx.Response(404, json={"detail": f"No active run found for session '{name}'"})
        self.running[name].set()
        return httpx.Response(200, json={"status": "cancelled", "session_id": name})

    def _run(self, body: JSON) -> httpx.Response:
        self.bodies.append(body)
        name = body["sessionId"]
        if name not in self.sessions:
            return httpx.Response(404, json={"detail": f"Session not found: {name}"})
        self.played += 1
        stream = _Run(self, name, body, self.scripts.pop(0), f"e-{self.played}")
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)


class _Body(httpx.AsyncByteStream):
    """A body that has not been read yet, as one from a network."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content


class _Run(httpx.AsyncByteStream):
    """One invocation: plays its script, stores, and seals itself when it is closed or cancelled."""

    def __init__(self, server: FakeAdk, name: str, body: JSON, script: list[Step], run_id: str) -> None:
        self.server, self.name, self.script = server, name, script
        self.cancelled = server.running[name] = asyncio.Event()
        self.base: JSON = {"invocationId": run_id, "author": "agent", "nodeInfo": {"path": "agent@1"}}
        if server.marks:
            self.base["customMetadata"] = body["customMetadata"]
        self.left = iter(script)
        self.at: Gate | None = None
        self.over = False
        server.open_streams += 1
        self._store({"author": "user", "content": body["newMessage"]})

    def _store(self, event: JSON) -> JSON:
        full = self.base | event
        if not full.get("partial"):
            self.server.sessions[self.name].append(full)
        return full

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for event in self._events():
            yield f"data: {json.dumps(event)}\n\n".encode()

    async def _events(self) -> AsyncIterator[JSON]:
        if self.at:  # the reader went away while the run stood here
            await self._pass(self.at)
        for step in self.left:
            if isinstance(step, Gate):
                await self._pass(step)
            elif isinstance(step, Exception):
                self.over = True
                raise step
            else:
                yield self._store(step)
            if self.cancelled.is_set():
                yield self._store({"errorCode": "INVOCATION_ABORTED", "errorMessage": "aborted"})
                break
        self._finish()

    async def _pass(self, gate: Gate) -> None:
        self.at = gate
        waits = {asyncio.ensure_future(gate.wait()), asyncio.ensure_future(self.cancelled.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.wait(waits)
        self.at = None

    def _finish(self) -> None:
        self.over = True
        self.server.running.pop(self.name, None)

    async def aclose(self) -> None:
        self.server.open_streams -= 1
        if self.over:
            return
        if self.server.swallows_close:
            task = asyncio.ensure_future(self._go_on())
            self.server.tasks.add(task)
            return
        self._store({"errorCode": "INVOCATION_ABORTED", "errorMessage": "aborted"})
        self._finish()

    async def _go_on(self) -> None:
        async for _ in self._events():
            pass


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario and see that it leaves no task behind."""

    async def watched() -> None:
        async with asyncio.timeout(10):
            await scenario()
        for _ in range(10):  # a body that was not read to its end is closed by the loop itself
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    asyncio.run(watched())
