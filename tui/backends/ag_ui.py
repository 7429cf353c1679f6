"""AG-UI 1.0: prompts and their event streams, and the abort by whatever route the server has for it.

AG-UI has no word for stopping. A closed connection ends the run on some servers and on others not (a blocking
tool never, and behind some proxies nothing at all): it is not counted on. `ag_ui_routes` knows the aborts.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tui.backends.abort import send_abort
from tui.backends.ag_ui_decode import Decoder
from tui.backends.ag_ui_fields import Events, Frame
from tui.backends.ag_ui_messages import Message, Reply, messages_of
from tui.backends.ag_ui_questions import YES, answer_of, question_of
from tui.backends.ag_ui_routes import routes_of
from tui.backends.base import (
    AbortAnswer,
    BackendError,
    Capabilities,
    Prompt,
    PromptNotSent,
    RemoteStop,
    RunRef,
    RunStatus,
    StreamLost,
    Target,
)
from tui.backends.http import Http, Stream
from tui.backends.stopkey import Numbered, Stopkey
from tui.core.events import Answer, DataReceived, Event, QuestionAsked, RunStarted

NO_END = "The connection ended without an end marker; the run may still be alive."
FINAL_WORD_S = 1.0
"""How long the final event may take after a CUSTOM event has announced that the run was cancelled."""
MISSING = "events that did not arrive"
_REMEMBERED = 256  # runs of which the stream, the reply and the questions are known
_NO = frozenset({"n", "no", "false", "deny", "denied", "reject", "rejected"})


@dataclass(slots=True)
class _Run:
    """What is remembered of a run: how far its stream was read, what it said and what it asks."""

    prompt: Prompt
    decoder: Decoder
    cursor: str = ""
    numbers: Numbered = field(default_factory=Numbered)
    reading: bool = False
    reply: Reply = field(default_factory=Reply)
    before: list[Message] = field(default_factory=list)  # what was sent with it
    asks: dict[str, Frame] = field(default_factory=dict)  # interrupts without an answer
    answers: list[Frame] = field(default_factory=list)


class AgUi:
    """One agent behind AG-UI. `target.url` is where its runs are posted, or our own backend's root.

    Options of a target: `dialect=stopkey` for our own backend, `forwarded_props` (JSON) to go with each run.
    Raises BackendError for a target that cannot be right.
    """

    name = "ag-ui"

    def __init__(self, target: Target, *, http: Http | None = None) -> None:
        self._target = target
        self._http = http or Http(target)
        self._routes = routes_of(target, self._http)
        self._own = Stopkey(self._http, self._routes)
        self._told: deque[_Run] = deque(maxlen=_REMEMBERED)
        self._runs: dict[str, _Run] = {}  # by id, ours or the server's
        self._asks_in_stream = False

    @property
    def capabilities(self) -> Capabilities:
        if self._asks_in_stream:
            return replace(self._routes.capabilities, answer_streams=False)
        return self._routes.capabilities

    async def connect(self) -> None:
        """Find out whether it is our own backend; any other server is taken for what the target says."""
        if self._routes.stopkey or self._target.abort_url:
            return
        try:
            own = await self._own.recognised(self._target)
        except BackendError:
            return  # the first prompt will say what is wrong
        if own:
            self._routes = own
            self._own = Stopkey(self._http, own)

    async def aclose(self) -> None:
        await self._http.aclose()

    # --- running ------------------------------------------------------------------------------------------

    async def run(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        said = [run.reply for run in self._of(prompt.conversation_id)]
        async with aclosing(
            self._start(prompt, messages_of(prompt, said, keeps_files=bool(self._routes.stopkey)))
        ) as events:
            async for event in events:
                yield event

    async def resume(self, run: RunRef) -> AsyncGenerator[Event, None]:
        known = self._runs.get(run.run_id)
        if known is None:
            prompt = Prompt("", run.conversation_id, run.run_id, run.prompt_key)
            known = self._remember(prompt, [])
        after = run.cursor or known.cursor or str(run.seen)
        known.numbers.goes_on_after(after)
        try:
            async with aclosing(self._read(known, self._own.events(run.run_id, after))) as events:
                async for event in events:
                    yield event
        except PromptNotSent as error:  # the prompt was sent long ago
            raise StreamLost(str(error)) from None

    async def _start(
        self, prompt: Prompt, messages: list[Message], resume: list[Frame] | None = None
    ) -> AsyncGenerator[Event, None]:
        body = {
            "threadId": prompt.conversation_id,
            "runId": prompt.run_id,
            "protocolVersion": "1.0",
            "state": self._state(prompt.conversation_id),
            "messages": messages,
            "tools": [],
            "context": [],
            "forwardedProps": self._routes.props,
        }
        if resume:
            body["resume"] = resume
        for old in self._of(prompt.conversation_id):
            old.before = []  # only the newest run can be gone on from
        run = self._remember(prompt, messages)
        heavy = any(isinstance(message.get("content"), list) for message in messages)
        opened = self._http.stream("POST", self._routes.run_url, json=body, heavy=heavy)
        async with aclosing(self._read(run, opened)) as events:
            async for event in events:
                yield event

    async def _read(
        self, run: _Run, opened: AbstractAsyncContextManager[Stream]
    ) -> AsyncGenerator[Event, None]:
        """The events up to the final one. Raises StreamLost where the stream ends without it.

        The final ones are yielded when the connection is closed already: whoever answers a question at once
        finds nothing of the old stream.
        """
        decoder = run.decoder
        last: Events = ()
        async with opened as stream:
            with _being_read(run):
                async for sent in stream.events:
                    if self._routes.stopkey and (missing := run.numbers.missing_before(sent.id)):
                        yield DataReceived(MISSING, missing)
                    last = self._noted(run, decoder.decode(sent.data))
                    run.cursor = sent.id or run.cursor
                    if decoder.over:
                        break
                    for event in last:
                        yield event
                    last = ()
                    if decoder.announced:
                        last = self._noted(run, await _last_words(stream, decoder))
                        break
        for event in last or decoder.finish():
            yield event
        if not decoder.over:
            raise StreamLost(NO_END)

    def _noted(self, run: _Run, events: Events) -> Events:
        """Remember what later requests need. A question is answered as it was asked: here or by a new run."""
        for event in events:
            run.reply.take(event)
            if isinstance(event, RunStarted):
                self._index(event.run_id, run)  # the server may have chosen another id
            elif isinstance(event, QuestionAsked):
                run.asks = {one["id"]: one for one in run.decoder.interrupts}
                self._asks_in_stream = event.request not in run.asks
        return events

    def _state(self, conversation_id: str) -> Any:
        """What the agent of a conversation shared last."""
        runs = self._of(conversation_id)
        return next((state for run in reversed(runs) if (state := run.decoder.state) is not None), {})

    def _of(self, conversation_id: str) -> list[_Run]:
        """The runs of a conversation, oldest first."""
        return [run for run in self._told if run.prompt.conversation_id == conversation_id]

    def _remember(self, prompt: Prompt, messages: list[Message]) -> _Run:
        run = _Run(prompt, Decoder(prompt.run_id, prompt.conversation_id), before=messages)
        self._told.append(run)
        self._index(prompt.run_id, run)
        return run

    def _index(self, run_id: str, run: _Run) -> None:
        self._runs[run_id] = run
        while len(self._runs) > 2 * _REMEMBERED:
            del self._runs[next(iter(self._runs))]

    # --- stopping -----------------------------------------------------------------------------------------

    async def abort(self, run: RunRef, reason: str = "") -> AbortAnswer:
        if self._routes.capabilities.remote_stop is not RemoteStop.ABORT:
            return AbortAnswer(Answer.UNSUPPORTED, "This server has no abort that is known: see --abort-url.")
        known = self._runs.get(run.run_id)
        if known and known.asks:
            return AbortAnswer(Answer.ALREADY_OVER, "The run had ended with its question: nothing runs.")
        if self._routes.stopkey and not run.run_id:
            run = replace(run, run_id=await self._own.running_in(run.conversation_id))
            if not run.run_id:
                return AbortAnswer(Answer.NOTHING_RUNNING, "Nothing runs in this conversation.")
        url, body = self._routes.abort(run, reason)
        return await send_abort(
            self._http,
            url,
            json=body,
            read=self._own.reader(believed=known is None or not known.reading)
            if self._routes.stopkey
            else None,
            still_needed=lambda: known is None or not known.decoder.over,
        )

    async def status(self, run: RunRef) -> RunStatus | None:
        return await self._own.status(run.run_id) if self._routes.stopkey and run.run_id else None

    # --- questions ----------------------------------------------------------------------------------------

    async def answer(self, run: RunRef, request: str, reply: str) -> None:
        if not self._routes.stopkey:
            raise BackendError("This question is answered by a new run: use `answering`.")
        await self._own.answer(run.run_id, request, reply)
        self._asks_in_stream = False

    async def answering(self, run: RunRef, request: str, reply: str) -> AsyncGenerator[Event, None]:
        """Go on from an interrupt in a new run. With several, each answer brings the next question, and the
        last one starts the run."""
        known = self._runs.get(run.run_id) or _Run(_prompt_of(run), Decoder(run.run_id))
        question = known.asks.pop(request, None) or _lost_question(request, reply)
        known.answers = [one for one in known.answers if one["interruptId"] != request]
        known.answers.append(answer_of(question, reply))
        if known.asks:
            yield question_of(next(iter(known.asks.values())))
            return
        prompt = replace(known.prompt, run_id=str(uuid.uuid4()))
        messages = [*known.before, *known.reply.messages(open_calls=True)]
        async with aclosing(self._start(prompt, messages, known.answers)) as events:
            async for event in events:
                yield event


async def _last_words(stream: Stream, decoder: Decoder) -> Events:
    """What comes between the announcement of a cancellation and the final event. If that stays away, the
    announcement was the backend's final word."""
    said: list[Event] = []
    try:
        async with asyncio.timeout(FINAL_WORD_S):
            async for sent in stream.events:
                said += decoder.decode(sent.data)
                if decoder.over:
                    break
    except (TimeoutError, StreamLost):
        pass
    return (*said, *decoder.finish())


@contextmanager
def _being_read(run: _Run) -> Iterator[None]:
    run.reading = True
    try:
        yield
    finally:
        run.reading = False
        run.reply.compact()


def _prompt_of(run: RunRef) -> Prompt:
    """A prompt for a run that an earlier process of the client began: only its names are known."""
    return Prompt("", run.conversation_id, run.run_id, run.prompt_key)


def _lost_question(request: str, reply: str) -> Frame:
    """A question asked before this process began: its schema is not known, so the reply tells its kind."""
    return {"id": request, "reason": "approval" if reply.strip().lower() in YES | _NO else "input"}
