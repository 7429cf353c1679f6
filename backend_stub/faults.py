"""Faulty answers to an abort and to a look-up, as the switches ask for them. The same for every dialect."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from backend_stub.aborts import Aborted, cut
from backend_stub.engine import Engine
from backend_stub.stream import close
from backend_stub.switches import ABORT_MODES

# modes whose answer is the dialect's own; what they do to the run is the engine's business
_HONEST = ("honest", "lie", "lie-quietly", "never-settles", "settles-late", "finishes")
_HUGE = 10 * 1024 * 1024


async def abort(engine: Engine, run_id: str, *, reason: str = "", by: str = "abort") -> Aborted | Response:
    """Abort as `Engine.abort` does; or, where the run's switches say so, a faulty answer to send as it is."""
    run = engine.runs.get(run_id)
    mode = run.switches.abort if run else "honest"
    if run:
        await asyncio.sleep(run.switches.answer_delay)
    if run is None or mode in _HONEST:
        return await engine.abort(run_id, reason=reason, by=by)
    engine.ledger.note(run_id, "abort", "asked", detail=reason)
    if run.switches.acts and not run.phase.over:
        await cut(run, reason, by)
    engine.ledger.note(run_id, "abort", "answered", detail=mode)
    return _answer(mode, run.switches.retry_after)


def look_up(engine: Engine, run_id: str) -> Response | None:
    """The faulty answer to a look-up of a run, where its switches ask for one."""
    run = engine.runs.get(run_id)
    return _status(run.switches.status, "") if run and run.switches.status else None


def _answer(mode: str, retry_after: str) -> Response:
    return _status(mode, retry_after) if mode not in ABORT_MODES else _BODIES[mode]()


def _status(status: str, retry_after: str) -> Response:
    headers = {"retry-after": retry_after} if retry_after else {}
    error = {"code": "switched", "message": f"This backend was told to answer {status}."}
    return JSONResponse({"error": error}, int(status), headers)


class Never(Response):
    """An answer that never comes; ends when the client gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


class Drop(Response):
    """The connection closes, and there was no answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        close(scope)
        while (await receive())["type"] != "http.disconnect":
            pass


def _huge() -> bytes:
    return b'{"status":"cancelled","pad":"' + b"x" * _HUGE + b'"}'


_BODIES: dict[str, Callable[[], Response]] = {
    "hang": Never,
    "drop": Drop,
    "redirect": lambda: Response(status_code=307, headers={"location": "http://192.0.2.1/elsewhere"}),
    "html": lambda: Response("<!doctype html><title>Log in</title>", media_type="text/html"),
    "huge": lambda: Response(_huge(), media_type="application/json"),
    "garbage": lambda: Response('{"status": "cancel', media_type="application/json"),
    "empty": lambda: Response(status_code=200),
    "gzip": lambda: Response(
        gzip.compress(_huge()), media_type="application/json", headers={"content-encoding": "gzip"}
    ),
}
