"""Google ADK's `api_server` (2.13): sessions, `/run_sse`, and a stop that is a close, or a `:cancel` route.

**Stop.** A stock server has no cancel route and needs none: it aborts the run about a millisecond after the
connection that started it is closed, and since 2.11 writes `INVOCATION_ABORTED` into the session. That event
is the evidence. A server that declares `:cancel` is asked through it first, and the stream is closed as well.
A run behind a proxy that keeps the connection open is not reached by the close, and comes out as unconfirmed.

**What the driver has to do**: after the close, call `status` at once and again with a growing pause until it
names an end other than ALIVE or `grace_s` is over. The event is there 3-6 ms after the close, on SQLite up to
50 ms (`status` waits that long by itself), but only after a blocking tool has returned.

**How a run is found.** Its id comes with its first event only. Every prompt therefore carries its key in
`customMetadata`, which the server copies onto all events of the run; so a stop before the first event can be
proved like any other, and a look never takes another run's end for ours.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from httpx_sse import ServerSentEvent

from tui.backends.adk_cancel import CLOSE_ONLY, STRAY
from tui.backends.adk_decode import Decoder
from tui.backends.adk_look_up import newest_run, open_questions, sight
from tui.backends.adk_server import Server
from tui.backends.adk_turn import Turn, status_of
from tui.backends.adk_wire import JSON, MARK
from tui.backends.base import (
    AbortAnswer,
    BackendError,
    Capabilities,
    Prompt,
    PromptNotSent,
    PromptRejected,
    RemoteStop,
    RunRef,
    RunStatus,
    Scope,
    StreamLost,
    Takes,
    Target,
)
from tui.backends.files import adk_parts
from tui.backends.http import Http
from tui.core import events as ev
from tui.core.events import Answer, Event

_STOCK = Capabilities(
    remote_stop=RemoteStop.CLOSE,
    scope=Scope.RUN,
    disconnect_stops=True,
    status=True,
    remembers_partial=False,  # only whole model turns are stored: the model never sees a stopped text again
    concurrent_runs=True,
    answers_questions=True,
    answer_streams=True,
    takes_files=Takes(("*/*",), 10_000_000, 14_000_000),  # Gemini takes 20 MB in all, as base64
    grace_s=2.0,
)
_WITH_ROUTE = replace(
    _STOCK,
    remote_stop=RemoteStop.ABORT,
    scope=Scope.CONVERSATION,  # the route knows sessions, not runs
    grace_s=0.5,  # the abort on the stream comes with the answer or not at all; then the stream is closed
)

_FIRST_PAUSE = 0.005  # seconds between two looks just after a close; doubles
_PEEK_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)  # seconds between looks for a run whose first event is slow
_NO_LAST_WORD = "The stream ended without the agent's last word: it was cut, or cancelled by someone else."
_FORGOTTEN = (
    "The server no longer knows this conversation (was it restarted?). Send again to begin it anew; "
    "the agent will not remember what was said before."
)
_NEW_TO_SERVER = (
    "The server did not know this conversation: the agent does not remember what was said before."
)


class Adk:
    """One app of an ADK server. `target.url` is the server's base, `target.agent` the app (default: the only
    one there is), `target.options["user"]` the user id (default `user`); a conversation is a session.

    Raises BackendError for a target that cannot be right.
    """

    name = "adk"

    def __init__(self, target: Target, *, http: Http | None = None) -> None:
        self._server = Server(http or Http(target), target.agent, target.options.get("user") or "user")
        self._has_route = False
        self._turns: dict[str, Turn] = {}  # by key

    @property
    def capabilities(self) -> Capabilities:
        return _WITH_ROUTE if self._has_route else _STOCK

    async def connect(self) -> None:
        """Find the app, and whether a cancel route is declared. It is never found out by trying it."""
        await self._server.choose_app()
        self._has_route = await self._server.declares_cancel()

    async def aclose(self) -> None:
        await self._server.http.aclose()

    # --- running ------------------------------------------------------------------------------------------

    async def run(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        turn = Turn(prompt.key or uuid.uuid4().hex, prompt.conversation_id)
        self._turns[turn.key] = turn
        is_new = await self._server.make_session(prompt.conversation_id)
        async with aclosing(self._post(turn, adk_parts(prompt))) as events:
            async for event in events:
                yield event
                if is_new and prompt.earlier and isinstance(event, ev.RunStarted):
                    yield ev.DataReceived("session", _NEW_TO_SERVER)

    async def answering(self, run: RunRef, request: str, reply: str) -> AsyncGenerator[Event, None]:
        """Answer a question. Where a run asked several, the answers leave together, with the last one."""
        turn = self._turn_of(run) or await self._recalled(run)
        if request not in turn.questions:
            raise PromptRejected("This question is no longer open: send a new prompt instead.")
        turn.answers[request] = turn.questions[request].answer(reply)
        for question in turn.questions.values():
            if question.id not in turn.answers:
                yield question.asked()
                return
        parts, turn.questions, turn.answers = list(turn.answers.values()), {}, {}
        async with aclosing(self._post(turn, parts)) as events:
            async for event in events:
                yield event

    async def _recalled(self, run: RunRef) -> Turn:
        """A turn of an earlier start of the client, as far as its session tells."""
        session = await self._server.session(run.conversation_id) or {}
        turn = Turn(run.prompt_key or uuid.uuid4().hex, run.conversation_id, run.run_id, left=True)
        turn.posted = sight(session, run.prompt_key, run.run_id).posted
        turn.questions = open_questions(session, run.prompt_key, run.run_id)
        self._turns[turn.key] = turn
        return turn

    async def answer(self, run: RunRef, request: str, reply: str) -> None:
        raise BackendError("ADK goes on in a new stream after an answer: use `answering`.")

    async def resume(self, run: RunRef) -> AsyncGenerator[Event, None]:
        raise BackendError("ADK cannot re-attach to a run: look it up instead.")
        yield  # pragma: no cover - makes this a generator, as the protocol wants it

    async def _post(self, turn: Turn, parts: list[JSON]) -> AsyncGenerator[Event, None]:
        """Post a message and yield what the run makes of it, up to its end or its question."""
        decoder = Decoder()
        body = {
            "sessionId": turn.conversation_id,
            "newMessage": {"role": "user", "parts": parts},
            "customMetadata": {MARK: turn.key},
        }
        turn.post()
        try:
            async with (
                self._server.post(body) as stream,
                aclosing(self._decoded(stream.events, turn, decoder)) as events,
            ):
                async for event in events:
                    turn.run_id = decoder.run_id or turn.run_id
                    yield event
        except (PromptNotSent, PromptRejected) as error:
            turn.take_back(isinstance(error, PromptNotSent))
            raise self._explained(error, turn) from None
        except StreamLost:
            turn.broke_at = time.monotonic()
            raise
        except (GeneratorExit, asyncio.CancelledError):
            turn.closed_at = time.monotonic()
            raise

    async def _decoded(
        self, frames: AsyncGenerator[ServerSentEvent, None], turn: Turn, decoder: Decoder
    ) -> AsyncGenerator[Event, None]:
        if self._has_route:
            async with aclosing(self._begun(frames, turn, decoder)) as events:
                async for event in events:
                    yield event
        async for frame in frames:
            for event in decoder.feed(frame.data):
                yield event
            if decoder.over:
                return
        turn.questions = decoder.questions
        last = decoder.end()
        for event in last:
            yield event
        if not last and not decoder.over:
            raise StreamLost(_NO_LAST_WORD)

    async def _begun(
        self, frames: AsyncGenerator[ServerSentEvent, None], turn: Turn, decoder: Decoder
    ) -> AsyncGenerator[Event, None]:
        """The first frame's events; if it is slow, `RunStarted` before it, as soon as the session shows the
        run. A stop need not wait for a slow model then: the route can be asked."""
        first = asyncio.ensure_future(anext(frames, None))
        look = asyncio.ensure_future(self._peek(turn))
        try:
            await asyncio.wait({first, look}, return_when=asyncio.FIRST_COMPLETED)
            if not first.done() and look.result():
                for event in decoder.begin(look.result()):
                    yield event
            frame = await first
        finally:
            await _end(first, look)
        for event in decoder.feed(frame.data) if frame else ():
            yield event

    async def _peek(self, turn: Turn) -> str:
        """The run's id as the session has it; "" if that does not show in time."""
        for pause in _PEEK_PAUSES:
            await asyncio.sleep(pause)
            try:
                seen = sight(await self._server.session(turn.conversation_id) or {}, turn.key)
            except BackendError:
                continue
            if seen.run_id and seen.posted >= turn.posted:
                return seen.run_id
        return ""

    # --- stopping -----------------------------------------------------------------------------------------

    async def abort(self, run: RunRef, reason: str = "") -> AbortAnswer:
        """Ask the cancel route, where one is declared; it ends every run of the session. A server that turns
        out not to have it is a stock one from then on: the answer is CLOSED, and the stream is to be closed.
        """
        if not self._has_route:
            return CLOSE_ONLY
        answer = await self._server.cancel(run.conversation_id)
        if answer.answer is Answer.CLOSED:
            self._has_route = False
        if answer.detail == STRAY:
            await self._server.delete_stray(run.conversation_id)
        if answer.answer is Answer.ACKNOWLEDGED and not (run.run_id or run.prompt_key):
            await self._name(run)
        return answer

    async def _name(self, run: RunRef) -> None:
        """Whatever ran was cancelled: find out what that was, so that its end can be looked up."""
        try:
            run.run_id = newest_run(await self._server.session(run.conversation_id) or {})
        except BackendError:
            pass  # the yes stands by itself then

    async def status(self, run: RunRef) -> RunStatus | None:
        """How the run ended, as its session shows; None while it shows no end.

        CANCELLED: the session is sealed. COMPLETED and FAILED: the last word of the agent that leads. ALIVE:
        it went on long after the close (also when it has ended by itself since: the close did not stop it).
        UNSPECIFIED: it had paused for an answer. `unsent`: it was closed before it had been posted.
        Just after the stream was closed or broke the end is waited for, up to 0.25 s. Raises BackendError.
        """
        turn, pause = self._turn_of(run), _FIRST_PAUSE
        if turn and not turn.left:
            return RunStatus(None, "It was stopped before the prompt was sent.", unsent=True)
        while True:
            asked_at = time.monotonic()
            status = await self._look(run, turn, asked_at)
            if status or turn is None or not turn.fresh(asked_at):
                return status
            await asyncio.sleep(pause)
            pause *= 2

    async def _look(self, run: RunRef, turn: Turn | None, asked_at: float) -> RunStatus | None:
        session = await self._server.session(run.conversation_id)
        if session is None:
            return None
        key, run_id = (turn.key, turn.run_id) if turn else (run.prompt_key, "")
        seen = sight(session, key, run_id or run.run_id)
        run.run_id = seen.run_id or run.run_id
        return turn.judge(seen, asked_at) if turn else status_of(seen)

    def _turn_of(self, run: RunRef) -> Turn | None:
        by_id = (turn for turn in self._turns.values() if run.run_id and turn.run_id == run.run_id)
        return self._turns.get(run.prompt_key) or next(by_id, None)

    def _explained(self, error: BackendError, turn: Turn) -> BackendError:
        if error.status == 404 and "Session not found" in str(error):
            self._server.forget_session(turn.conversation_id)
            return PromptRejected(_FORGOTTEN, status=404)
        return error


async def _end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel what still runs, once, and wait until it is gone."""
    for task in tasks:
        if not task.done():
            task.cancel()
    await asyncio.wait(tasks)
