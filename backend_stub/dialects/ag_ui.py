"""AG-UI 1.0 over server-sent events, and what AG-UI leaves open: abort, look-up, re-attach, answer.

    POST /agents/{agent}                RunAgentInput -> event stream; every event has an `id:` (1, 2, 3, ...)
    POST /runs/{run_id}/abort           {"reason"?} -> 200 {"status": "cancelled", ...} once the run is over;
                                        200 "already_cancelled" for a second abort; 202 "cancelling" (switch);
                                        409 {"error": {"code": "run_finished"}, "status": how it ended};
                                        404 run_not_found
    GET  /runs/{run_id}                 {"status": running | waiting | stopping | completed | cancelled |
                                        failed | paused | lost, "text": the reply as saved, ...}; 404
    GET  /runs/{run_id}/events?after=N  the same events from number N+1 on, then live; also Last-Event-ID.
                                        410 run_gone for a run of an earlier process
    POST /runs/{run_id}/answer          {"request", "reply"} -> 200; 409 not_asked
    GET  /conversations/{thread_id}     {"threadId", "messages": [...], "runs": [...]}

A question ends the run as AG-UI has it: RUN_FINISHED with the outcome interrupt, and a new run with `resume`.
With the switch questions=wait it comes as CUSTOM `run.question` {request, text, kind, choices}, and
the run waits in its open stream for /answer. An aborted run ends with CUSTOM `run.cancelled` {runId, reason,
by} and then RUN_FINISHED with the outcome cancelled. Errors are {"error": {"code", "message"}}.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from backend_stub import faults
from backend_stub.dialects.ag_ui_words import Words, message_of
from backend_stub.engine import Engine, NothingAsked, RunExists, Verdict
from backend_stub.run import Run
from backend_stub.stream import EventStream, frames_of

_ANSWERS = {
    Verdict.CANCELLED: (200, "cancelled"),
    Verdict.ALREADY_CANCELLED: (200, "already_cancelled"),
    Verdict.ACCEPTED: (202, "cancelling"),
}


class _Bad(Exception):
    """The request is not what AG-UI says; `str()` is one sentence."""


def routes(engine: Engine) -> list[BaseRoute]:
    """The routes of this dialect."""
    ag_ui = AgUi(engine)
    return [
        Route("/agents/{agent}", ag_ui.start, methods=["POST"]),
        Route("/runs/{run_id}", ag_ui.status),
        Route("/runs/{run_id}/abort", ag_ui.abort, methods=["POST"]),
        Route("/runs/{run_id}/events", ag_ui.events),
        Route("/runs/{run_id}/answer", ag_ui.answer, methods=["POST"]),
        Route("/conversations/{thread_id}", ag_ui.conversation),
    ]


class AgUi:
    """The handlers, over one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def start(self, request: Request) -> Any:
        try:
            given = _input(await request.body())
            run = await self._start(request.path_params["agent"], given)
        except _Bad as bad:
            return _error(422, "bad_request", str(bad))
        except RunExists:
            return _error(409, "run_exists", "There is a run with this id; a prompt is not played twice.")
        except NothingAsked:
            return _error(409, "not_asked", "There is no open interrupt of that id in this thread.")
        return self._stream(run, 0)

    async def _start(self, agent: str, given: dict[str, Any]) -> Run:
        names = {"run_id": given["runId"], "conversation_id": given["threadId"], "agent": agent}
        resumed = _resume(given)
        if resumed:
            return self._engine.go_on(**names, request=resumed[0], reply=resumed[1])
        return await self._engine.start(**names, prompt=_prompt(given["messages"]), pauses=True)

    def _stream(self, run: Run, after: int) -> EventStream:
        words = Words(run)
        return EventStream(frames_of(run, words.say, after), run, on_gone=lambda: self._engine.gone(run))

    async def events(self, request: Request) -> Any:
        run_id = request.path_params["run_id"]
        run = self._engine.runs.get(run_id)
        if run is None:
            if self._engine.look_up(run_id):
                return _error(
                    410, "run_gone", "The events of this run are no longer kept; look it up instead."
                )
            return _unknown()
        after = request.query_params.get("after") or request.headers.get("last-event-id", "0")
        if not (after.isascii() and after.isdigit()):
            return _error(400, "bad_request", "`after` is the number of an event.")
        return self._stream(run, int(after))

    async def abort(self, request: Request) -> Response:
        run_id = request.path_params["run_id"]
        reason = _reason(await request.body())
        answer = await faults.abort(self._engine, run_id, reason=reason, by="ag-ui abort")
        if isinstance(answer, Response):
            return answer
        if answer.run is None:
            return _unknown()
        if answer.verdict is Verdict.FINISHED:
            error = {"code": "run_finished", "message": "This run had ended by itself."}
            return JSONResponse({**_told(answer.run), "error": error}, 409)
        status, word = _ANSWERS[answer.verdict]
        return JSONResponse({**_told(answer.run), "status": word}, status)

    async def status(self, request: Request) -> Response:
        run_id = request.path_params["run_id"]
        known = self._engine.look_up(run_id)
        return faults.look_up(self._engine, run_id) or (JSONResponse(_told(known)) if known else _unknown())

    async def answer(self, request: Request) -> Response:
        run = self._engine.runs.get(request.path_params["run_id"])
        if run is None:
            return _unknown()
        given = _json(await request.body())
        asked, reply = given.get("request"), given.get("reply")
        if not isinstance(asked, str) or not isinstance(reply, str):
            return _error(422, "bad_request", "An answer has a `request` and a `reply`, both text.")
        if not run.answer(asked, reply):
            return _error(409, "not_asked", "That question is not open.")
        return JSONResponse({"status": "answered", "runId": run.id})

    async def conversation(self, request: Request) -> Response:
        thread_id = request.path_params["thread_id"]
        turns = self._engine.conversation(thread_id)
        messages = [message for turn in turns for message in message_of(turn)]
        return JSONResponse(
            {"threadId": thread_id, "messages": messages, "runs": [_told(turn) for turn in turns]}
        )


def _told(run: dict[str, Any]) -> dict[str, Any]:
    """A run's summary in AG-UI's spelling."""
    return {
        "status": run["phase"], "runId": run["run_id"], "threadId": run["conversation_id"],
        "agent": run["agent"], "reason": run["reason"], "message": run["message"], "code": run["code"],
        "startedAt": run["began"], "endedAt": run["ended"], "text": run["text"],
        "openToolCalls": run.get("open_calls", []), "question": run.get("question", ""),
    }  # fmt: skip


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _reason(body: bytes) -> str:
    """The reason of an abort; whatever else is in the body is no reason not to stop."""
    reason = _json(body).get("reason", "")
    return reason[:1000] if isinstance(reason, str) else ""


def _input(body: bytes) -> dict[str, Any]:
    given = _json(body)
    for name in ("threadId", "runId"):
        value = given.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= 256 or not value.isprintable():
            raise _Bad(f"`{name}` must be a text of 1 to 256 printable characters.")
    if not isinstance(given.get("messages"), list):
        raise _Bad("`messages` must be a list.")
    return given


def _prompt(messages: list[Any]) -> str:
    """The text of the last user message: a string, or the text parts of a list."""
    for message in reversed(messages):
        if isinstance(message, dict) and message.get("role") == "user":
            content = message.get("content", "")
            if isinstance(content, list):
                parts = [part.get("text", "") for part in content if isinstance(part, dict)]
                content = "\n".join(part for part in parts if isinstance(part, str))
            if isinstance(content, str):
                return content
    raise _Bad("There is no user message in `messages`.")


def _resume(given: dict[str, Any]) -> tuple[str, str] | None:
    """The interrupt that this run answers, and the answer as text."""
    items = given.get("resume")
    if not isinstance(items, list) or not items or not isinstance(items[0], dict):
        return None
    item = items[0]
    if item.get("status") == "cancelled":
        return str(item.get("interruptId", "")), "no"
    payload = item.get("payload", "yes")
    if isinstance(payload, dict):
        payload = next(iter(payload.values()), "yes")
    return str(item.get("interruptId", "")), {True: "yes", False: "no"}.get(payload, str(payload))


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def _unknown() -> JSONResponse:
    return _error(404, "run_not_found", "There is no such run.")
