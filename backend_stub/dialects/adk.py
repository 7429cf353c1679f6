"""Google ADK's api_server, in the form with the `:cancel` route and in the stock form without it.

    POST /adk/apps/{app}/users/{user}/sessions       {"sessionId"?, "state"?} -> the session; 409
    GET, DELETE, POST .../sessions/{session}         with all stored events; POST creates (deprecated)
    POST .../sessions/{session}:cancel               200 {"status": "cancelled", "session_id"}, also of a run
                                                     that only promised to end (switch); 404 where nothing
                                                     runs. Ends every run of this app, user and session
    POST /adk/run_sse                                {"appName", "userId", "sessionId", "newMessage",
                                                     "streaming"?, "customMetadata"?} -> event stream
    POST /adk/run                                    the same, as a list when it is over
    WS   /adk/run_live?app_name=&user_id=&session_id=   see `adk_live`
    GET  /adk/list-apps, /health, /version, /openapi.json

The forms are base paths: `/adk` has the route; `/adk-stock` has not, and takes the same POST for the creation
of a session named `ID:cancel`; `/adk-shadowed` lists the route and is stock all the same (as the pull request
was). Each can be followed by `+runs-on` (a closed connection stops nothing: a proxy swallowed it) and by
`+unsealed` (an aborted run leaves no event behind: ADK before 2.11).

A client that goes away ends its run, at whatever moment and by whichever of the three ways it was started:
the run stops with the response that carries it, also with one that was never begun.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from backend_stub import faults
from backend_stub.aborts import Verdict
from backend_stub.dialects.adk_events import BY_CLIENT, Told, Words, exception
from backend_stub.dialects.adk_live import Live
from backend_stub.dialects.adk_requests import (
    AdkError,
    Message,
    answer_in,
    object_in,
    read_message,
    start_run,
    text_in,
)
from backend_stub.dialects.adk_sessions import Key, Session, Sessions
from backend_stub.engine import Engine
from backend_stub.run import Run
from backend_stub.stream import EventStream, sse

JSON = dict[str, Any]

_FORM = re.compile(r"(-stock|-shadowed)?(\+runs-on)?(\+unsealed)?")
_SESSIONS = "/apps/{app}/users/{user}/sessions"
APPS = ["demo"]


@dataclass(frozen=True, slots=True)
class Form:
    """Which ADK server this is, by its base path."""

    kind: str = ""
    runs_on: bool = False
    sealed: bool = True

    @classmethod
    def of(cls, options: str) -> Form | None:
        match = _FORM.fullmatch(options)
        return cls(match[1] or "", bool(match[2]), not match[3]) if match else None


def routes(engine: Engine) -> list[BaseRoute]:
    """The routes of this dialect, in every form."""
    adk = Adk(engine)
    found: list[BaseRoute] = []
    for base in ("/adk", "/adk{options:str}"):
        for path, method, work in adk.table():
            found.append(Route(base + path, adk.guarded(work), methods=[method]))
        found.append(WebSocketRoute(base + "/run_live", adk.live))
    return found


class Adk:
    """The handlers, over one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions: dict[Form, Sessions] = {}

    def table(self) -> list[tuple[str, str, Callable[[Request, Form], Any]]]:
        """Path, method, handler. The cancel route must come before the one that creates sessions."""
        return [
            ("/health", "GET", self._health),
            ("/version", "GET", self._version),
            ("/list-apps", "GET", self._apps),
            ("/openapi.json", "GET", self._openapi),
            ("/run_sse", "POST", self._run_sse),
            ("/run", "POST", self._run),
            (_SESSIONS, "GET", self._list),
            (_SESSIONS, "POST", self._create),
            (_SESSIONS + "/{session}:cancel", "POST", self._cancel),
            (_SESSIONS + "/{session}", "GET", self._get),
            (_SESSIONS + "/{session}", "POST", self._create),
            (_SESSIONS + "/{session}", "DELETE", self._delete),
        ]

    def guarded(self, work: Callable[[Request, Form], Any]) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Any:
            form = Form.of(request.path_params.get("options", ""))
            if form is None:
                return JSONResponse({"detail": "Not Found"}, 404)
            try:
                return await work(request, form)
            except AdkError as error:
                return JSONResponse({"detail": error.detail}, error.status)

        return handle

    def sessions(self, form: Form) -> Sessions:
        name = f"adk{form.kind}{form.runs_on:d}{form.sealed:d}"
        return self._sessions.setdefault(form, Sessions(self._engine, name, sealed=form.sealed))

    # --- about --------------------------------------------------------------------------------------------

    async def _health(self, request: Request, form: Form) -> Response:
        return JSONResponse({"status": "ok"})

    async def _version(self, request: Request, form: Form) -> Response:
        return JSONResponse({"version": "2.13.0", "language": "python", "language_version": "3.11"})

    async def _apps(self, request: Request, form: Form) -> Response:
        return JSONResponse(APPS)

    async def _openapi(self, request: Request, form: Form) -> Response:
        """The shadowed form lists a route that it does not reach."""
        one = "/apps/{app_name}/users/{user_id}/sessions/{session_id}"
        paths: JSON = {
            "/run_sse": {"post": {}},
            "/run": {"post": {}},
            one: {"get": {}, "post": {}, "delete": {}},
        }
        listed: JSON = {} if form.kind == "-stock" else {f"{one}:cancel": {"post": {}}}
        info = {"title": "FastAPI", "version": "0.1.0"}
        return JSONResponse({"openapi": "3.1.0", "info": info, "paths": paths | listed})

    # --- sessions -----------------------------------------------------------------------------------------

    async def _create(self, request: Request, form: Form) -> Response:
        key, given = _key(request), object_in(await request.body())
        if "session" not in request.path_params:
            key = (*key[:2], text_in(given, "sessionId") or str(uuid.uuid4()))
        session = self.sessions(form).create(key, given.get("state") or {})
        if session is None:
            raise AdkError(409, f"Session already exists: {key[2]}")
        return JSONResponse(session.told())

    async def _get(self, request: Request, form: Form) -> Response:
        session = self.sessions(form).find(_key(request))
        if session is None:
            raise AdkError(404, "Session not found")
        last = session.runs[-1].run if session.runs else None
        fault = faults.look_up(self._engine, last.id) if last else None
        return fault or JSONResponse(session.told())

    async def _list(self, request: Request, form: Form) -> Response:
        app, user, _ = _key(request)
        return JSONResponse([one.told(events=False) for one in self.sessions(form).of(app, user)])

    async def _delete(self, request: Request, form: Form) -> Response:
        self.sessions(form).delete(_key(request))
        return JSONResponse(None)

    async def _cancel(self, request: Request, form: Form) -> Response:
        if form.kind:
            return await self._create_cancel(request, form)
        key = _key(request)
        session = self.sessions(form).find(key)
        ended = False
        for run in self._engine.active(session.conversation_id) if session else []:
            answer = await faults.abort(self._engine, run.id, by="adk :cancel")
            if isinstance(answer, Response):
                return answer
            ended = ended or answer.verdict in (Verdict.CANCELLED, Verdict.ACCEPTED)
        if not ended:
            raise AdkError(404, f"No active run found for session '{key[2]}'")
        return JSONResponse({"status": "cancelled", "session_id": key[2]})

    async def _create_cancel(self, request: Request, form: Form) -> Response:
        """Without the route, the path names a session like any other."""
        app, user, name = _key(request)
        session = self.sessions(form).create((app, user, f"{name}:cancel"), {})
        if session is None:
            raise AdkError(409, f"Session already exists: {name}:cancel")
        return JSONResponse(session.told())

    # --- runs ---------------------------------------------------------------------------------------------

    async def _run_sse(self, request: Request, form: Form) -> Any:
        message = read_message(await request.body())
        session = self._session_of(form, message)
        if not message.parts:
            return EventStream(_failed("IndexError", "list index out of range"))
        run, words, first = await self._start(form, session, message)
        frames = self._frames(form, run, words, first, streaming=message.streaming)
        return EventStream(frames, run, on_gone=lambda: self.leave(form, run))

    async def _run(self, request: Request, form: Form) -> Response:
        """Answers when the run is over; a client that does not wait for it ends it."""
        message = read_message(await request.body())
        session = self._session_of(form, message)
        run, words, first = await self._start(form, session, message)
        await _over_or_gone(run, request)
        self.leave(form, run)
        await run.over.wait()
        told = [*first, *(told for entry in run.log.entries for told in words.say(entry))]
        if any("author" not in each.frame for each in told):
            return PlainTextResponse("Internal Server Error", 500)
        return JSONResponse([each.frame for each in told if not each.frame.get("partial")])

    async def live(self, socket: Any) -> None:
        form = Form.of(socket.path_params.get("options", ""))
        if form:
            await Live(self._engine, self.sessions(form), lambda run: self.leave(form, run)).talk(socket)

    def _session_of(self, form: Form, message: Message) -> Session:
        if message.app == "unknown":
            raise AdkError(404, "Agent not found: 'unknown'. No matching directory or module exists.")
        session = self.sessions(form).find((message.app, message.user, message.session))
        if session is None:
            raise AdkError(404, f"Session not found: {message.session}")
        return session

    async def _start(self, form: Form, session: Session, message: Message) -> tuple[Run, Words, list[Told]]:
        """Start a run, or go on with the one that had asked; what is told before its own events."""
        sessions, given = self.sessions(form), answer_in(message.parts)
        asked = session.asking(given[0]) if given else None
        run = await start_run(self._engine, session, message, asked, given[1] if given else "")
        kept = sessions.keep(session, run, message.parts, message.metadata)
        words, first = sessions.words(run, message.metadata), []
        words.user([], 0)  # takes the id that the stored message has
        if asked and given:
            first = list(words.answered(asked[0], given[1], run.began))
            kept.events += [told.frame for told in kept.words.answered(asked[0], given[1], run.began)]
        return run, words, first

    def leave(self, form: Form, run: Run) -> None:
        """The response that carried the run has ended, in whatever way: so does the run."""
        if not form.runs_on and not run.phase.over:
            run.token.cancel(BY_CLIENT, "disconnect")

    async def _frames(
        self, form: Form, run: Run, words: Words, first: list[Told], *, streaming: bool
    ) -> AsyncGenerator[list[bytes], None]:
        silent = run.switches.end == "silent-end" and run.attachments <= run.switches.cuts
        told, held = list(first), None
        try:
            async for batch in run.log.follow():
                for entry in batch:
                    told += words.say(entry)
                if silent:  # the last whole event is held back, and never comes
                    told, held = ([held] if held else []) + told, None
                    held = told.pop() if told and not told[-1].frame.get("partial") else None
                shown = [t for t in told if streaming or not t.frame.get("partial")]
                told = []
                if shown:
                    yield [sse(dumps(each.frame)) for each in shown]
        finally:
            self.leave(form, run)


async def _over_or_gone(run: Run, request: Request) -> None:
    over, gone = asyncio.create_task(run.over.wait()), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({over, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        over.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _failed(kind: str, message: str) -> AsyncGenerator[list[bytes], None]:
    yield [sse(dumps(exception(kind, message, 0.0)))]


def dumps(frame: JSON) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def _key(request: Request) -> Key:
    names = request.path_params
    return names["app"], names["user"], names.get("session", "")
