"""Flue's requests, each with what its answers mean. C is the agent's base URL and the conversation's id.

    POST C         {"kind":"user","body":...,"idempotencyKey":...} -> 202 {submissionId, offset}
    GET C          the history: what was said, and how every submission settled
    GET C?view=updates&offset=O&live=sse    the conversation's stream, which never ends by itself
    POST C/abort   -> 200 {"aborted": true|false}

Errors are `{"error":{"type","message",...}}`, or of any shape where the application's own door answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

from httpx_sse import ServerSentEvent

from tui.backends.abort import send_abort
from tui.backends.base import (
    AbortAnswer,
    BackendError,
    Prompt,
    PromptNotSent,
    PromptRejected,
    StreamLost,
    Target,
)
from tui.backends.files import flue_attachments
from tui.backends.flue_history import JSON, agent_named_in, text_of
from tui.backends.http import Http, Lane, Reply
from tui.core.events import Answer

SEND_S = 30.0
"""The 202 takes milliseconds; a server that has to wake up first takes longer."""
HISTORY_S = 10.0
HISTORY_LIMIT = 32 * 1024 * 1024
_BEYOND = "9" * 16 + "_" + "9" * 16  # an offset that no stream has reached


_YES = (Answer.ACKNOWLEDGED, "Everything that ran or waited in this conversation is asked to end.")
_NO = (Answer.NOTHING_RUNNING, "The server says that nothing runs here.")


class Gone(BackendError):
    """The stream cannot go on at this offset: another store, or one that does not reach so far."""


class Calls:
    """The requests to one agent. `target.url` is the agent's base URL (`http://host/agents/support`); with
    `target.agent` it is the application's, and the agent is looked for at `/agents/NAME` below it.

    `silence_s`: a stream without a frame for so many seconds is given up for dead.
    """

    def __init__(self, target: Target, http: Http | None, silence_s: float) -> None:
        self._http = http or Http(target)
        self._mount = ("agents", target.agent) if target.agent else ()
        self._silence_s = silence_s

    async def aclose(self) -> None:
        await self._http.aclose()

    async def send(self, prompt: Prompt) -> tuple[str, str, str]:
        """Post the prompt, once: its submission, the offset of the stream, and the answer as it came.

        Raises PromptNotSent, PromptRejected, or StreamLost where the prompt may have arrived.
        """
        body: JSON = {"kind": "user", "body": prompt.text}
        body |= {"idempotencyKey": prompt.key} if prompt.key else {}
        body |= {"attachments": flue_attachments(prompt)} if prompt.files else {}
        url = self._url(prompt.conversation_id)
        heavy = bool(prompt.files)
        reply = await self._http.request("POST", url, json=body, heavy=heavy, timeout_s=SEND_S)
        given = reply.json()
        admitted: JSON = given if isinstance(given, dict) else {}
        submission = text_of(admitted.get("submissionId"))
        if reply.status == 202 and submission:
            return submission, text_of(admitted.get("offset")) or "-1", reply.body.decode("utf-8", "replace")
        if reply.ok:
            raise PromptRejected(self._why(reply), status=reply.status)
        raise self._http.refusal(reply, url)

    async def abort(self, conversation: str, still_needed: Callable[[], bool]) -> AbortAnswer:
        """Ask the conversation to end all that runs or waits in it: acknowledged, or nothing running.

        `still_needed` is asked before what was not answered is asked once more.
        """
        url = self._url(conversation, "abort")
        return await send_abort(self._http, url, read=self._answer, still_needed=still_needed)

    def _answer(self, reply: Reply) -> AbortAnswer | None:
        given = reply.json()
        aborted = given.get("aborted") if reply.status == 200 and isinstance(given, dict) else None
        if isinstance(aborted, bool):
            return AbortAnswer(*(_YES if aborted else _NO), reply.status)
        if reply.ok or reply.status in (404, 405):
            return AbortAnswer(Answer.REFUSED, self._why(reply), reply.status)
        return None

    async def history(self, conversation: str, lane: Lane = "calls") -> JSON | None:
        """The conversation as the server has it; None: it has none. Raises BackendError."""
        reply = await self._http.request(
            "GET", self._url(conversation), lane=lane, timeout_s=HISTORY_S, limit=HISTORY_LIMIT
        )
        given = reply.json()
        if reply.status == 200 and isinstance(given, dict) and isinstance(given.get("messages"), list):
            return given
        if reply.status == 404:
            return None
        raise StreamLost(self._why(reply), status=reply.status, retry_after_s=reply.retry_after_s)

    @asynccontextmanager
    async def frames(
        self, conversation: str, offset: str
    ) -> AsyncIterator[AsyncGenerator[ServerSentEvent, None]]:
        """The frames of the stream from this offset on. Raises Gone, or StreamLost for everything else:
        the prompt has arrived, it is only listening that failed."""
        url = self._url(conversation, view="updates", offset=offset, live="sse")
        try:
            async with self._http.stream("GET", url) as stream:
                yield self._until_silent(stream.events)
        except PromptRejected as error:
            kind = Gone if error.status in (404, 416) else StreamLost
            raise kind(str(error), status=error.status, retry_after_s=error.retry_after_s) from error
        except PromptNotSent as error:
            raise StreamLost(str(error)) from error

    async def _until_silent(
        self, frames: AsyncGenerator[ServerSentEvent, None]
    ) -> AsyncGenerator[ServerSentEvent, None]:
        """Heartbeats are comments and not seen here; control frames are, every 30 s on an idle stream."""
        while True:
            try:
                async with asyncio.timeout(self._silence_s):
                    frame = await anext(frames, None)
            except TimeoutError:
                silent = f"The stream was silent for {self._silence_s:g} s, without the usual sign of life."
                raise StreamLost(silent) from None
            if frame is None:
                return
            yield frame

    async def agent_name(self, conversation: str, lane: Lane = "calls") -> str:
        """The agent's own name ("" if it is not to be had): only errors about the stream tell it."""
        reply = await self._http.request(
            "GET", self._url(conversation, view="updates", offset=_BEYOND), lane=lane
        )
        return agent_named_in(reply.json())

    def _why(self, reply: Reply) -> str:
        if reply.truncated:
            return "The conversation's history is too large to be read."
        if reply.ok:
            return f"The server answered {reply.status}, but not as Flue does: is the URL that of an agent?"
        return str(self._http.refusal(reply, self._http.base))

    def _url(self, conversation: str, *below: str, **query: str) -> str:
        if conversation in ("", ".", ".."):
            raise PromptNotSent("This conversation id cannot be put into an address: choose another.")
        return self._http.url(*self._mount, conversation, *below, **query)
