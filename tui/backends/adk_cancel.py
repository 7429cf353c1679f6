"""The `:cancel` route that a few ADK servers have: whether one is declared, and what its answers mean. Pure.

No release has it (pull request 5983 proposes it). On a server without it the very same POST creates a session
named `ID:cancel`, answers 200, and stops nothing; so a yes counts only if its body says `cancelled`.
"""

from __future__ import annotations

import re
from typing import Any

from tui.backends.adk_wire import obj, string
from tui.backends.base import AbortAnswer
from tui.backends.reply import Reply, server_words
from tui.core.events import Answer

SUFFIX = ":cancel"
_ROUTE = re.compile(r"/apps/\{\w+\}/users/\{\w+\}/sessions/\{\w+\}:cancel\Z")

_NO_ROUTE = ("", "Not Found", "Method Not Allowed")  # the framework's own words

STRAY = (
    "This server lists a cancel route but does not reach it: it took the cancel for a new session. "
    "The stray session was deleted, and the connection is closed instead."
)
CLOSE_ONLY = AbortAnswer(
    Answer.UNSUPPORTED,
    "This ADK server has no cancel route: a run ends when the connection that started it is closed.",
)


def declares_cancel(openapi: Any) -> bool:
    """Whether an openapi.json lists `POST .../sessions/{session_id}:cancel`. Listed is not yet reachable."""
    paths = obj(obj(openapi).get("paths"))
    return any(_ROUTE.search(path) and "post" in obj(methods) for path, methods in paths.items())


def _is_stray_session(reply: Reply) -> bool:
    """Whether the server took the cancel for the creation of a session (or had done so before)."""
    body = obj(reply.json())
    if reply.ok:
        return string(body.get("id")).endswith(SUFFIX)
    return reply.status == 409 and "already exists" in server_words(reply)


def read_cancel(reply: Reply) -> AbortAnswer | None:
    """What the server said to the cancel; None: nothing that is particular to ADK."""
    if _is_stray_session(reply):
        return AbortAnswer(Answer.CLOSED, STRAY, reply.status)
    if reply.ok and obj(reply.json()).get("status") == "cancelled":
        return AbortAnswer(Answer.ACKNOWLEDGED, "The server says that it cancelled the run.", reply.status)
    if reply.ok:
        return AbortAnswer(
            Answer.REFUSED, "The server's answer does not say that it cancelled.", reply.status
        )
    if reply.status in (404, 405, 501) and server_words(reply) in _NO_ROUTE:
        gone = "This server's cancel route is gone: the connection is closed instead."
        return AbortAnswer(Answer.CLOSED, gone, reply.status)
    if reply.status == 404:
        return AbortAnswer(Answer.NOTHING_RUNNING, "The server knows no active run in this session.", 404)
    return None
