"""Flue (runtime 2.x): prompts, a conversation's live stream, its history, and the abort.

What Flue's users asked for as `agents.abort(name, id)` is one call; `tests/interop/flue` holds these lines to
a real server:

    import asyncio

    from tui.backends import connect
    from tui.backends.base import RunRef


    async def main() -> None:
        async with connect("flue", url="http://127.0.0.1:3000/agents/support") as agent:
            answer = await agent.abort(RunRef("conversation-1"))
            print(answer.answer, "-", answer.detail)


    asyncio.run(main())

`aborted: true` says that the wish is on record. Proof is only the settlement, on the stream or in the
history: mostly within 0.1 s, but 30 s later where the server had crashed in between.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from tui.backends.base import (
    AbortAnswer,
    BackendError,
    Capabilities,
    Prompt,
    RemoteStop,
    RunRef,
    RunStatus,
    Scope,
    StreamLost,
    Takes,
    Target,
)
from tui.backends.flue_calls import Calls, Gone
from tui.backends.flue_decode import RunReader
from tui.backends.flue_history import JSON, keyed_submission, look_up, of_conversation, submissions_in
from tui.backends.http import Http, Lane
from tui.core import events as ev
from tui.core.events import Answer, End, Event

CAPABILITIES = Capabilities(
    RemoteStop.ABORT,
    scope=Scope.CONVERSATION,
    disconnect_stops=False,
    resume=True,
    status=True,
    history=True,
    remembers_partial=False,  # mid-text; of a run stopped inside a tool the text before the tool is kept
    takes_files=Takes(("image/*",), 10_000_000, 40_000_000),  # 14 MiB of base64 each
    concurrent_runs=True,  # sent in the same instant as an abort, a prompt runs and only the old one ends
)
SILENCE_S = 75.0
"""An idle stream has a control frame every 30 s: after two and a half of them the connection is dead."""
_AGAIN_S = (0.05, 0.1, 0.2, 0.0)
"""Pauses after an abort that was told `false` of a run which the history shows as going on."""
_Name = tuple[str, str]
_REMEMBERED = 256  # runs whose reading can be taken up where it broke
_FORGOTTEN = "The server does not know this run any more: it lost what it had, by a restart or a reset."
_NOT_SHOWN = "The server's history does not show this prompt: it may not have arrived."


class Flue:
    """One agent of a Flue application; `Calls` says how `target` is read. Raises BackendError for a target
    that cannot be right. `silence_s`: a stream without a frame for so long is given up and can be resumed.
    """

    name = "flue"

    def __init__(self, target: Target, *, http: Http | None = None, silence_s: float = SILENCE_S) -> None:
        self._calls = Calls(target, http, silence_s)
        self._readers: dict[_Name, RunReader] = {}  # of the prompts of this object
        self._aborted: dict[_Name, bool] = {}  # what the abort of a run was told
        self._sent: Counter[str] = Counter()  # prompts, by conversation
        self._posting: Counter[str] = Counter()  # prompts that wait for their 202, by conversation
        self._posted = asyncio.Condition()

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    async def connect(self) -> None:
        """Nothing to find out: every Flue 2.x can do the same."""

    async def aclose(self) -> None:
        await self._calls.aclose()

    # --- running ------------------------------------------------------------------------------------------

    async def run(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        submission, offset, raw = await self._post(prompt)
        ref = RunRef(prompt.conversation_id, submission, prompt.key)
        reader = self._remember(ref, RunReader(submission, offset))
        yield ev.RunStarted(submission, prompt.conversation_id, raw=raw)
        async with aclosing(self._follow(prompt.conversation_id, reader)) as events:
            async for event in events:
                yield event

    async def resume(self, run: RunRef) -> AsyncGenerator[Event, None]:
        """Listen on where the stream broke; after a restart of the client, from what the history has.

        Raises StreamLost, also where the server has no word on the run (yet).
        """
        reader = self._readers.get(_name_of(run))
        known = reader is not None
        if reader is None:
            reader, snapshot = await self._found(run)
            yield ev.RunStarted(reader.submission, run.conversation_id)
            reader.untold.extend(reader.snapshot(snapshot))
        async with aclosing(self._follow(run.conversation_id, reader, again=known)) as events:
            async for event in events:
                yield event

    async def answer(self, run: RunRef, request: str, reply: str) -> None:
        raise BackendError("Flue agents ask no questions: send the answer as a prompt.")

    async def answering(self, run: RunRef, request: str, reply: str) -> AsyncGenerator[Event, None]:
        raise BackendError("Flue agents ask no questions: send the answer as a prompt.")
        yield  # pragma: no cover - makes this a generator, as the protocol wants it

    async def _post(self, prompt: Prompt) -> tuple[str, str, str]:
        """Until the 202 the run does not exist, and an abort would find nothing to end."""
        self._posting[prompt.conversation_id] += 1
        self._sent[prompt.conversation_id] += 1
        try:
            return await self._calls.send(prompt)
        finally:
            self._posting[prompt.conversation_id] -= 1
            async with self._posted:
                self._posted.notify_all()

    def _remember(self, run: RunRef, reader: RunReader) -> RunReader:
        self._readers[_name_of(run)] = reader
        while len(self._readers) > _REMEMBERED:
            del self._readers[next(iter(self._readers))]
        return reader

    # --- the stream ---------------------------------------------------------------------------------------

    async def _follow(
        self, conversation: str, reader: RunReader, again: bool = False
    ) -> AsyncGenerator[Event, None]:
        """Read the stream to the end of the run. Where it cannot go on at the reader's offset, the history
        says what happened meanwhile, and the stream is taken up behind that; once."""
        for anew in (False, True):
            if anew:
                await self._catch_up(conversation, reader)
            while reader.untold:
                yield reader.untold.popleft()
            if not reader.finished:
                async with aclosing(self._listen(conversation, reader, again or anew)) as events:
                    async for event in events:
                        yield event
            if reader.finished:
                return
        raise StreamLost(_FORGOTTEN)

    async def _listen(self, conversation: str, reader: RunReader, again: bool) -> AsyncGenerator[Event, None]:
        """The stream, to the end of the run or to the news that it cannot go on at this offset."""
        try:
            async with self._calls.frames(conversation, reader.offset) as frames:
                if again:
                    yield ev.RunStarted(reader.submission, conversation)
                async for frame in frames:
                    reader.untold.extend(reader.frame(frame.event, frame.data))
                    while reader.untold:
                        yield reader.untold.popleft()
                    if reader.finished or reader.stale:
                        return
        except Gone:
            return
        raise StreamLost("The stream ended before the run did; the run may still be alive.")

    async def _catch_up(self, conversation: str, reader: RunReader) -> None:
        """Take in what the history has beyond what was told. Raises StreamLost if it has nothing of it."""
        snapshot = await self._calls.history(conversation)
        if snapshot is None or look_up(snapshot, reader.submission) is None:
            raise StreamLost(_FORGOTTEN, status=404)
        reader.untold.extend(reader.snapshot(snapshot))

    async def _found(self, run: RunRef) -> tuple[RunReader, JSON]:
        """A run that this object has not started itself, or whose 202 was lost, by the history."""
        snapshot = await self._calls.history(run.conversation_id)
        submission = await self._submission(run, snapshot, "calls") if snapshot else ""
        if snapshot is None or look_up(snapshot, submission) is None:
            raise StreamLost(_NOT_SHOWN, status=404)
        return self._remember(run, RunReader(submission)), snapshot

    # --- stopping -----------------------------------------------------------------------------------------

    async def abort(self, run: RunRef, reason: str = "") -> AbortAnswer:
        """Ask the conversation to end all that runs or waits in it; Flue knows no narrower abort.

        Waits for a prompt that this object has under way: an abort that overtook it would be told `false`,
        and the prompt would run. Asks again where it is told `false` of a run that goes on.
        """
        async with self._posted:
            await self._posted.wait_for(lambda: not self._posting[run.conversation_id])
        reader = self._readers.get(_name_of(run))
        if reader and reader.finished:
            return _over(reader.finished.end, 0)
        sent = self._sent[run.conversation_id]

        def still_needed() -> bool:
            """Not once the run is seen to end, nor where it would hit a prompt that was sent since."""
            return not (reader and reader.finished) and self._sent[run.conversation_id] == sent

        for pause in _AGAIN_S:
            answer = await self._ask(run, still_needed)
            if answer:
                return answer
            await asyncio.sleep(pause)
            if not still_needed():
                break
        return _STILL_ALIVE

    async def _ask(self, run: RunRef, still_needed: Callable[[], bool]) -> AbortAnswer | None:
        """One abort. None: it was told that nothing runs, and the history says that our run does."""
        answer = await self._calls.abort(run.conversation_id, still_needed)
        if answer.answer in (Answer.ACKNOWLEDGED, Answer.NOTHING_RUNNING):
            self._aborted[_name_of(run)] = answer.answer is Answer.ACKNOWLEDGED
        if answer.answer is not Answer.NOTHING_RUNNING:
            return answer
        try:
            seen = await self._look(run, "abort")
        except BackendError:
            return answer
        if seen is None or seen.end is None:
            return answer
        return None if seen.end is End.ALIVE else _over(seen.end, answer.status)

    # --- looking ------------------------------------------------------------------------------------------

    async def status(self, run: RunRef) -> RunStatus | None:
        """What the history says of the run. Of a reference that names no run: of what ran last, unless an
        abort was told that nothing runs: an older end is no proof of that abort.

        A run whose abort was acknowledged and that has not settled is not called alive: the history knows
        ends, not what still runs, and this end can be 30 s away.
        """
        told = self._aborted.get(_name_of(run))
        if told is False and not (run.run_id or run.prompt_key):
            return None
        seen = await self._look(run, "calls")
        return replace(seen, end=None) if seen and seen.end is End.ALIVE and told else seen

    async def _look(self, run: RunRef, lane: Lane) -> RunStatus | None:
        snapshot = await self._calls.history(run.conversation_id, lane)
        if snapshot is None:
            return None
        if not run.run_id and not run.prompt_key:
            return of_conversation(snapshot)
        return look_up(snapshot, await self._submission(run, snapshot, lane))

    async def _submission(self, run: RunRef, snapshot: JSON, lane: Lane) -> str:
        """The run's submission: as answered, as given, or as Flue makes it from the key of a prompt whose
        answer was lost. "" if the history has none of these."""
        if reader := self._readers.get(_name_of(run)):
            return reader.submission
        known = submissions_in(snapshot)
        if run.run_id in known or not run.prompt_key:
            return run.run_id if run.run_id in known else ""
        agent = await self._calls.agent_name(run.conversation_id, lane)
        made = keyed_submission(agent, run.conversation_id, run.prompt_key)
        return made if agent and made in known else ""


_STILL_ALIVE = AbortAnswer(
    Answer.NOTHING_RUNNING, "The server says that nothing runs, and shows the run without an end.", 200
)


def _over(end: End, status: int) -> AbortAnswer:
    return AbortAnswer(Answer.ALREADY_OVER, f"The run had ended before: {end}.", status)


def _name_of(run: RunRef) -> _Name:
    """What a reference names: a prompt by its key, else a run by its id, else all of a conversation."""
    return run.conversation_id, run.prompt_key or run.run_id
