"""What our own backend adds to AG-UI: an abort that is answered once the run is over, look-ups, re-attaching.

Another server may speak this dialect, too; `backend_stub/dialects/ag_ui.py` documents it.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from tui.backends.abort import Reader
from tui.backends.ag_ui_routes import Routes, stopkey
from tui.backends.base import AbortAnswer, BackendError, RunStatus, StreamLost, Target
from tui.backends.http import Http, Stream
from tui.backends.reply import Reply
from tui.core.events import Answer, End

REPLY_LIMIT = 16 * 1024 * 1024
"""Bytes of a look-up, which holds the whole reply."""
_ENDS = {
    "running": End.ALIVE,
    "waiting": End.ALIVE,
    "stopping": End.ALIVE,
    "completed": End.COMPLETED,
    "cancelled": End.CANCELLED,
    "failed": End.FAILED,
    "lost": End.FAILED,
    "paused": End.UNSPECIFIED,
}


class Numbered:
    """The numbers of a run's events, which count up by one: a gap is an event that did not arrive.

    TCP's checksum lets one damaged packet in some millions through, and a proxy may swallow anything.
    """

    def __init__(self) -> None:
        self.last = 0
        self._fetched_from = -1

    def goes_on_after(self, cursor: str) -> None:
        """The stream is taken up again behind this number."""
        if cursor.isdigit():
            self.last = int(cursor)

    def missing_before(self, number: str) -> int:
        """How many events are missing before this one, and were missing, too, when they were asked for again.

        Raises StreamLost where they have not been: the run is re-attached to, and they are fetched.
        """
        if not number.isdigit() or int(number) <= self.last:
            return 0
        missing = int(number) - self.last - 1
        if missing and self._fetched_from != self.last:
            self._fetched_from = self.last
            raise StreamLost(f"Events are missing ({missing}): asking for them again.")
        self.last = int(number)
        return missing


class Stopkey:
    """Requests below the root of a backend that speaks this dialect."""

    def __init__(self, http: Http, routes: Routes) -> None:
        self._http, self._routes = http, routes

    async def recognised(self, target: Target) -> Routes | None:
        """Its routes, if the server says that it is one. Raises BackendError."""
        routes = stopkey(target, self._http)
        reply = await self._http.request("GET", routes.root + "/health", timeout_s=2.0)
        return routes if _object(reply).get("server") == "stopkey" else None

    def events(self, run_id: str, after: str) -> AbstractAsyncContextManager[Stream]:
        """The events of a run behind number `after`, then live."""
        url = self._routes.of_run(run_id, "events") + (f"?after={after}" if after.isdigit() else "")
        return self._http.stream("GET", url)

    async def status(self, run_id: str) -> RunStatus | None:
        """A look-up. None: the backend knows no such run. Raises BackendError."""
        url = self._routes.of_run(run_id)
        reply = await self._http.request("GET", url, accept_statuses=(200, 404), limit=REPLY_LIMIT)
        body = _object(reply)
        said, text = body.get("status"), body.get("text")
        end = _ENDS.get(said) if isinstance(said, str) and reply.ok else None
        if end is None:
            return None
        if said == "stopping":
            end = None  # accepted and not over: neither an end nor a run that goes on (S23)
        return RunStatus(end, f"The run's status is {said}.", text if isinstance(text, str) else None)

    async def running_in(self, conversation_id: str) -> str:
        """The id of the newest run of a conversation that is not over; "" if there is none."""
        url = self._routes.of_conversation(conversation_id)
        reply = await self._http.request("GET", url, lane="abort", limit=REPLY_LIMIT)
        runs = _object(reply).get("runs")
        alive = [
            one.get("runId")
            for one in (runs if isinstance(runs, list) else [])
            if isinstance(one, dict) and _ENDS.get(str(one.get("status"))) is End.ALIVE
        ]
        return next((run_id for run_id in reversed(alive) if isinstance(run_id, str)), "")

    async def answer(self, run_id: str, request: str, reply: str) -> None:
        """Answer a question that waits in the open stream. Raises BackendError."""
        url = self._routes.of_run(run_id, "answer")
        body = {"request": request, "reply": reply}
        sent = await self._http.request("POST", url, json=body)
        if sent.status == 409:
            raise BackendError("This question is not open any more.", status=409)
        if not sent.ok:
            raise self._http.refusal(sent, url)

    def reader(self, *, believed: bool) -> Reader:
        """Reads the answer to an abort. `cancelled` is said once the run is over; while its stream is still
        read (not `believed`) the end must show there, too: an answer alone can be wrong."""

        def read(reply: Reply) -> AbortAnswer | None:
            said = _object(reply).get("status")
            if reply.ok and said == "cancelled":
                return AbortAnswer(Answer.ACKNOWLEDGED, "", reply.status, over=believed)
            if reply.ok and said == "already_cancelled":
                return AbortAnswer(Answer.ALREADY_OVER, "The run had been cancelled before.", reply.status)
            return None

        return read


def _object(reply: Reply) -> dict[str, Any]:
    body = reply.json()
    return body if isinstance(body, dict) else {}
