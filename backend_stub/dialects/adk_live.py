"""ADK's `/run_live`: a WebSocket on which messages come and go.

In: {"content": {...}} starts a turn (and interrupts the one that is on), {"close": true} ends it without a
word and leaves the socket open. Out: one event a frame, every delta with an id of its own; a turn ends with
{"turnComplete": true}. A socket that is closed ends its run; a run that was cancelled from outside tells its
INVOCATION_ABORTED, and the socket is closed; so it is after a failure (1011).
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from backend_stub.dialects.adk_events import Told, Words
from backend_stub.dialects.adk_requests import Message, parts_of, start_run
from backend_stub.dialects.adk_sessions import Session, Sessions
from backend_stub.engine import Engine
from backend_stub.events import Phase
from backend_stub.run import Run

JSON = dict[str, Any]


class Live:
    """One socket. `leave(run)` is called when the run has lost its listener."""

    def __init__(self, engine: Engine, sessions: Sessions, leave: Callable[[Run], None]) -> None:
        self._engine, self._sessions, self._leave = engine, sessions, leave
        self._run: Run | None = None
        self._telling: asyncio.Task[None] | None = None
        self._interrupted = False

    async def talk(self, socket: WebSocket) -> None:
        """Until the socket closes. Whatever ends it, no run and no task is left behind."""
        await socket.accept()
        names = [socket.query_params.get(name, "") for name in ("app_name", "user_id", "session_id")]
        session = self._sessions.find((names[0], names[1], names[2]))
        if session is None:
            await socket.close(1002, "Session not found")
            return
        try:
            async for text in socket.iter_text():
                await self._hear(socket, session, _read(text))
        finally:
            await self._stop()

    async def _hear(self, socket: WebSocket, session: Session, given: JSON) -> None:
        if parts := parts_of(given.get("content")):
            self._interrupted = self._run is not None and not self._run.phase.over
            await self._stop()
            await self._begin(socket, session, Message(*session.key, parts))
        elif given.get("close") is True:
            await self._stop()

    async def _begin(self, socket: WebSocket, session: Session, message: Message) -> None:
        if self._interrupted:
            await socket.send_text(json.dumps({"interrupted": True, "author": message.app}))
        run = await start_run(self._engine, session, message, None, "")
        self._sessions.keep(session, run, message.parts, None)
        self._run = run
        self._telling = asyncio.create_task(self._tell(socket, run, self._sessions.words(run, None)))

    async def _stop(self) -> None:
        """End what runs, and wait until nobody speaks on the socket any more."""
        if self._telling:
            self._telling.cancel()
            await asyncio.wait({self._telling})
        if self._run:
            self._leave(self._run)
        self._run = self._telling = None

    async def _tell(self, socket: WebSocket, run: Run, words: Words) -> None:
        words.user([], 0.0)  # takes the id that the stored message has
        try:
            async for batch in run.log.follow():
                for told in [each for entry in batch for each in words.say(entry)]:
                    if frame := _live(told):
                        await socket.send_text(json.dumps(frame, ensure_ascii=False))
            if run.phase in (Phase.COMPLETED, Phase.PAUSED):
                await socket.send_text(json.dumps(_turn_complete(run)))
            else:
                await socket.close(1000 if run.phase is Phase.CANCELLED else 1011)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the socket is closed; `talk` sees to the rest


def _live(told: Told) -> JSON | None:
    """A frame as it goes over the socket; None: it does not, or was already said in deltas."""
    frame = told.frame
    if "author" not in frame:
        return None  # an exception's second frame
    if frame.get("partial"):
        return {**frame, "id": str(uuid.uuid4())}
    if frame.get("partial") is False:
        calls = [part for part in frame["content"]["parts"] if "functionCall" in part]
        return {**frame, "content": {**frame["content"], "parts": calls}} if calls else None
    return frame


def _turn_complete(run: Run) -> JSON:
    given, made = run.input_tokens, run.output_tokens
    usage = {"promptTokenCount": given, "candidatesTokenCount": made, "totalTokenCount": given + made}
    names = {"invocationId": run.id, "author": run.agent, "id": str(uuid.uuid4())}
    return {"turnComplete": True, "usageMetadata": usage, **names}


def _read(text: str) -> JSON:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
