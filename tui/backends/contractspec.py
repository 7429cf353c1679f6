"""ContractSpec's `agent.run.*` (v1.0.0) over REST: execute, look again and again, cancel, look once more.

The contract has no stream, and hanging up stops nothing: `agent.run.cancel` is the only stop, and its yes is
an answer, not a proof. Requests are in `contractspec_calls`, what a look means is in `contractspec_decode`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from tui.backends.base import (
    AbortAnswer,
    BackendError,
    Capabilities,
    Prompt,
    PromptRejected,
    RemoteStop,
    RunRef,
    RunStatus,
    StreamLost,
    Target,
)
from tui.backends.contractspec_calls import Calls
from tui.backends.contractspec_decode import Watch, end_of, last_word, saved_text, text_of
from tui.backends.http import Http
from tui.core import events as ev
from tui.core.events import Answer, End, Event

CAPABILITIES = Capabilities(
    remote_stop=RemoteStop.ABORT,
    disconnect_stops=False,
    resume=True,
    status=True,
    takes_reason=True,
    concurrent_runs=True,
    pending_s=5.0,  # one plain answer makes the run known: worth the wait, as only the abort can stop it
)

_MISSES, _BUSY_MISSES = 1, 5  # looks that may fail in a row: a connection that grew old, a host that is busy


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks at a run: `fast` while it changes, else growing by `factor` up to `slow`."""

    fast: float = 0.1
    slow: float = 2.0
    factor: float = 1.5

    def after(self, pause: float, *, changed: bool, took: float) -> float:
        """The next pause, after one of `pause` and a look of `took` seconds: at least four times that."""
        wanted = self.fast if changed else pause * self.factor
        return min(max(wanted, took * 4), self.slow)


class ContractSpec:
    """One agent of a ContractSpec host: `target.url` is the host's base path, `target.agent` the agentId.

    Raises BackendError for a target that cannot be right.
    """

    name = "contractspec"

    def __init__(self, target: Target, *, http: Http | None = None, pace: Pace | None = None) -> None:
        if not target.agent:
            raise BackendError("ContractSpec needs the id of an agent: name it with --agent.")
        self._http = http or Http(target)
        self._calls = Calls(self._http, target.agent)
        self._pace = pace or Pace()
        self._run_ids: dict[str, str] = {}  # by the prompt's key
        self._broken: dict[str, Watch] = {}  # by run id: where a stream that broke goes on
        self._swept: dict[str, list[str]] = {}  # by conversation: the runs that an abort of all was sent to
        self._hurries: dict[str, asyncio.Event] = {}  # by run id: do not wait for the next look

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    async def connect(self) -> None:
        """Nothing to find out: everything is in the contract, and no request asks for less than a run."""

    async def aclose(self) -> None:
        await self._http.aclose()

    async def run(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        run_id, raw = await self._calls.execute(prompt)
        self._run_ids[prompt.key] = run_id
        yield ev.RunStarted(run_id, prompt.conversation_id, raw=raw)
        try:
            async with aclosing(self._follow(run_id, Watch())) as events:
                async for event in events:
                    yield event
        except PromptRejected as gone:  # the prompt was taken, and its run forgotten: that is no end of it
            raise StreamLost(str(gone), status=gone.status) from None

    async def resume(self, run: RunRef) -> AsyncGenerator[Event, None]:
        """Look on. After a restart of the client the whole reply comes once more, as replacements."""
        run_id = await self._find(run)
        if not run_id:
            raise PromptRejected("The backend shows no run of this prompt: look there before you resend.")
        watch = self._broken.pop(run_id, None)
        if watch is None:
            yield ev.RunStarted(run_id, run.conversation_id)
        async with aclosing(self._follow(run_id, watch or Watch(anew=True))) as events:
            async for event in events:
                yield event

    async def abort(self, run: RunRef, reason: str = "") -> AbortAnswer:
        """Cancel the run; without a run id, whatever runs in the conversation."""
        known = self._run_ids.get(run.prompt_key)
        if not (known or run.run_id or run.prompt_key):
            return await self._abort_all(run, reason)
        answer = await self._cancel(known or run.run_id, reason)
        if known or answer.answer is not Answer.NOTHING_RUNNING:
            return answer
        found = await self._calls.marked(run.conversation_id, run.prompt_key, "abort")
        return await self._cancel(found, reason)

    async def status(self, run: RunRef) -> RunStatus | None:
        """How the run ended, as it says itself; of a reference that names no run, the runs that its abort
        was sent to. Where a cancel was accepted for later, a run in progress is no sign that it goes on:
        `end` is None then."""
        if not (run.run_id or run.prompt_key):
            seen = [await self._status_of(one) for one in self._swept.get(run.conversation_id, ())]
        else:
            seen = [await self._status_of(await self._find(run))]
        return min(seen, key=_least_over, default=None)

    async def _status_of(self, run_id: str) -> RunStatus | None:
        try:
            found, _ = await self._calls.look(run_id) if run_id else ({}, "")
        except PromptRejected:
            return None
        end, why = last_word(found)
        if end is None:
            return None
        said = f"The run's status is {text_of(found.get('status')).upper()}."
        waits = end is End.ALIVE and run_id in self._calls.accepted
        return RunStatus(None if waits else end, f"{said} {why}".strip(), saved_text(found))

    async def answer(self, run: RunRef, request: str, reply: str) -> None:
        raise BackendError("The runs of this backend ask no questions.")

    async def answering(self, run: RunRef, request: str, reply: str) -> AsyncGenerator[Event, None]:
        await self.answer(run, request, reply)
        yield ev.Unknown("answer")

    async def _follow(self, run_id: str, watch: Watch) -> AsyncGenerator[Event, None]:
        hurry = self._hurries[run_id] = asyncio.Event()
        pause, missed = self._pace.fast, 0
        try:
            while not watch.over:
                began = time.monotonic()
                try:
                    run, raw = await self._calls.look(run_id)
                except StreamLost as lost:
                    missed += 1
                    if missed > (_BUSY_MISSES if lost.retry_after_s else _MISSES):
                        self._broken[run_id] = watch
                        raise
                    await asyncio.sleep(min(lost.retry_after_s or self._pace.fast, 30.0))
                    continue
                news, missed = watch.see(run, raw), 0
                for event in news:
                    yield event
                took = time.monotonic() - began  # a look costs as much as the reply is long
                pause = self._pace.after(pause, changed=bool(news), took=took)
                if not watch.over and await _hurried(hurry, pause):
                    pause = self._pace.fast
        finally:
            self._hurries.pop(run_id, None)

    async def _cancel(self, run_id: str, reason: str) -> AbortAnswer:
        if not run_id:
            return _NOTHING
        answer = await self._calls.cancel(run_id, reason)
        if hurry := self._hurries.get(run_id):
            hurry.set()  # only the run itself proves its end: look at it now
        return answer

    async def _abort_all(self, run: RunRef, reason: str) -> AbortAnswer:
        runs = await self._calls.runs_of(run.conversation_id, "abort")
        alive = [text_of(one.get("id")) for one in runs if end_of(one.get("status")) is End.ALIVE]
        self._swept[run.conversation_id] = alive
        answers = [await self._cancel(run_id, reason) for run_id in alive]
        least_first = (Answer.REFUSED, Answer.ACKNOWLEDGED, Answer.ALREADY_OVER)
        return next((a for kind in least_first for a in answers if a.answer is kind), _NOTHING)

    async def _find(self, run: RunRef) -> str:
        """The run's id at the backend: as it answered, as given if it knows that, or by our mark. "": none.

        An id may have been lost with the answer to the prompt; the given one is then only ours.
        """
        if known := self._run_ids.get(run.prompt_key):
            return known
        found = run.run_id if await self._exists(run.run_id) else ""
        found = found or await self._calls.marked(run.conversation_id, run.prompt_key)
        if found and run.prompt_key:
            self._run_ids[run.prompt_key] = found
        return found

    async def _exists(self, run_id: str) -> bool:
        if not run_id:
            return False
        try:
            await self._calls.look(run_id)
        except PromptRejected:
            return False
        return True


def _least_over(seen: RunStatus | None) -> int:
    """Orders look-ups of several runs: all of them are over only if the first is."""
    if seen is None or seen.end is None:
        return 1
    return {End.ALIVE: 0, End.CANCELLED: 2}.get(seen.end, 3)


_NOTHING = AbortAnswer(Answer.NOTHING_RUNNING, "The backend shows no run here that is not over.")


async def _hurried(hurry: asyncio.Event, seconds: float) -> bool:
    """Wait until the next look is due; True if someone was in a hurry."""
    try:
        async with asyncio.timeout(seconds):
            await hurry.wait()
    except TimeoutError:
        return False
    hurry.clear()
    return True
