"""Sending an abort over HTTP, and reading what comes back for no more than it says. Shared by all adapters.

A yes is an acknowledgement, a 404 is no proof of anything, and only a body that says that the run is over is
taken to say so (the races S14 to S22 of the tests).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from time import monotonic
from typing import Any

from tui.backends.base import AbortAnswer, BackendError, StreamLost
from tui.backends.http import Http
from tui.backends.reply import Reply
from tui.core.events import Answer

DEADLINE_S = 4.8
"""For everything, a retry included: a little less than the driver's own clock, so that the reason is ours."""
RETRY_PAUSE_S = 0.2

Reader = Callable[[Reply], AbortAnswer | None]
"""An adapter's own reading of an answer; None leaves it to `read_answer`."""

_BY_ITSELF = frozenset({"completed", "finished", "succeeded", "expired"})
_OVER = _BY_ITSELF | {
    "complete", "done", "ended", "over", "closed", "success", "failed", "errored", "error",
    "cancelled", "canceled", "aborted", "stopped", "terminated",
}  # fmt: skip
_STATE_KEYS = ("status", "state", "phase", "outcome")
_SAYS_OVER = re.compile(
    r"\b(?:already|has|have|is|was|were|had|state:?)\s+(?:been\s+)?"
    r"(?:complete[d]?|finished|done|ended|over|closed|cancell?ed|aborted|stopped|terminated|failed)\b",
    re.IGNORECASE,
)
_NOT_OVER = re.compile(r"\bnot\b|n't\b|\bstill\b", re.IGNORECASE)


async def send_abort(
    http: Http,
    url: str,
    *,
    json: Any = None,
    method: str = "POST",
    read: Reader | None = None,
    still_needed: Callable[[], bool] = lambda: True,
    deadline_s: float = DEADLINE_S,
) -> AbortAnswer:
    """Ask once; ask once more where nothing was answered or the server asked to wait, if time is left.

    `still_needed` is asked before the second time: by then the run may have ended. Never raises
    BackendError: what could not be sent or read is an UNANSWERED with its reason.
    """
    until = monotonic() + deadline_s
    answer, pause = await _once(http, method, url, json, read, deadline_s)
    if pause is None or monotonic() + pause + RETRY_PAUSE_S > until:
        return answer
    await asyncio.sleep(pause)
    if not still_needed():
        return answer
    answer, _ = await _once(http, method, url, json, read, until - monotonic())
    return answer


async def _once(  # noqa: PLR0917
    http: Http, method: str, url: str, json: Any, read: Reader | None, timeout_s: float
) -> tuple[AbortAnswer, float | None]:
    """One try: the answer, and after how many seconds another try makes sense (None: it does not)."""
    try:
        reply = await http.request(method, url, json=json, lane="abort", timeout_s=timeout_s)
    except BackendError as error:
        sentence = f"The stop did not reach the server. {error}"
        if isinstance(error, StreamLost):
            sentence = f"The server did not answer the stop. {error}"
        return AbortAnswer(Answer.UNANSWERED, sentence), RETRY_PAUSE_S
    answer = (read(reply) if read else None) or read_answer(http, reply, url)
    if reply.status == 408:  # a farewell that crossed our request: it was not read (RFC 9110, 15.5.9)
        return answer, RETRY_PAUSE_S
    return answer, reply.retry_after_s if reply.status in (429, 503) else None


def read_answer(http: Http, reply: Reply, url: str) -> AbortAnswer:
    """What an answer means where the adapter knows no better."""
    if reply.ok:
        return _of_yes(reply)
    kind, sentence = _BY_STATUS.get(reply.status, (Answer.REFUSED, ""))
    if reply.status in (409, 410) and says_over(reply):
        kind, sentence = Answer.ALREADY_OVER, "The server says that this run had ended before."
    elif 300 <= reply.status < 400:
        sentence = f"The stop was redirected to {reply.redirect_origin(url)}, which was not followed."
    elif not sentence:
        sentence = f"The server did not take the stop. {http.refusal(reply, url)}"
    return AbortAnswer(kind, sentence, reply.status)


def says_over(reply: Reply) -> bool:
    """Whether a JSON body declares that the run is over, by a state or in its message."""
    body = reply.json()
    return _state(body) in _OVER or any(_message_says_over(text) for text in _messages(body))


def _of_yes(reply: Reply) -> AbortAnswer:
    """A 2xx: acknowledged at best, whatever is in the body that cannot be read."""
    body = reply.json()
    said = body if isinstance(body, dict) else {}
    for word in ("stopped", "aborted", "cancelled", "canceled"):
        if said.get(word) is False:
            return AbortAnswer(Answer.NOTHING_RUNNING, "The server found nothing to stop.", reply.status)
    state = _state(body)
    if state in _BY_ITSELF:
        return AbortAnswer(Answer.ALREADY_OVER, f"The server says that this run had {state}.", reply.status)
    if False in (said.get("success"), said.get("ok")) or state in ("failed", "error", "errored"):
        return AbortAnswer(Answer.REFUSED, "The server answered that it did not stop the run.", reply.status)
    return AbortAnswer(Answer.ACKNOWLEDGED, "", reply.status)


def _state(body: Any) -> str:
    """The state that a body names, at its top or one level down, in small letters."""
    if not isinstance(body, dict):
        return ""
    for holder in (body, *(value for value in body.values() if isinstance(value, dict))):
        for key in _STATE_KEYS:
            if isinstance(holder.get(key), str):
                return str(holder[key]).lower().removeprefix("task_state_")
    return ""


def _messages(body: Any, depth: int = 0) -> list[str]:
    if isinstance(body, str):
        return [body.replace("_", " ")]
    if depth > 3 or not isinstance(body, dict):
        return []
    return [text for key in ("message", "detail", "error", "code", "title") if key in body
            for text in _messages(body[key], depth + 1)]  # fmt: skip


def _message_says_over(text: str) -> bool:
    return bool(_SAYS_OVER.search(text)) and not _NOT_OVER.search(text)


_BY_STATUS = {
    401: (Answer.REFUSED, "You are not allowed to stop this run (401): the server wants a valid token."),
    403: (Answer.REFUSED, "You are not allowed to stop this run (403)."),
    404: (Answer.NOTHING_RUNNING, "The server does not know this run (404)."),
    405: (Answer.UNSUPPORTED, "The server has no such way to stop (405): check --abort-url."),
    408: (Answer.UNANSWERED, "The server waited too long for the stop (408)."),
    409: (Answer.REFUSED, "The server says that this run cannot be stopped now (409)."),
    410: (Answer.REFUSED, "The server says that what the stop names is gone (410)."),
    429: (Answer.REFUSED, "The server has had too many requests to take the stop (429)."),
    501: (Answer.UNSUPPORTED, "The server has no way to stop (501)."),
    502: (Answer.UNANSWERED, "The server in front of the agent could not pass the stop on (502)."),
    503: (Answer.REFUSED, "The server was too busy to take the stop (503)."),
    504: (Answer.UNANSWERED, "The server in front of the agent got no answer to the stop (504)."),
}
