"""A backend written by hand, with a script: for speed, for faults, and for holding any moment still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from tui.backends.base import AbortAnswer, Capabilities, Prompt, RemoteStop, RunRef, RunStatus
from tui.core import events as ev
from tui.core.events import Answer, End, Event


class Gate:
    """A pause that a test opens. `reached` tells that someone waits at it."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._open = asyncio.Event()

    async def wait(self) -> None:
        self.reached.set()
        await self._open.wait()

    def open(self) -> None:
        self._open.set()


Step = Event | Gate | BaseException


def words(*texts: str, block: str = "b") -> list[Step]:
    return [ev.TextDelta(block, text) for text in texts]


@dataclass
class ScriptedBackend:
    """Plays one script a run. `abort_steps` are played before an abort is answered, `answers` in order."""

    scripts: list[Sequence[Step]]
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(RemoteStop.ABORT, client_run_id=True, status=True)
    )
    answers: list[AbortAnswer | BaseException] = field(
        default_factory=lambda: [AbortAnswer(Answer.ACKNOWLEDGED)]
    )
    abort_gate: Gate | None = None
    statuses: list[RunStatus | BaseException | None] = field(
        default_factory=lambda: [RunStatus(End.CANCELLED)]
    )
    resumes: list[Sequence[Step]] = field(default_factory=list)
    answering_scripts: list[Sequence[Step]] = field(default_factory=list)
    name: str = "scripted"
    prompts: list[Prompt] = field(default_factory=list)
    aborts: list[tuple[str, str]] = field(default_factory=list)
    aborting: int = 0
    most_aborting: int = 0
    lookups: int = 0
    open_streams: int = 0
    replies: list[tuple[str, str]] = field(default_factory=list)

    async def connect(self) -> None: ...

    async def aclose(self) -> None: ...

    async def _play(self, steps: Sequence[Step]) -> AsyncGenerator[Event, None]:
        self.open_streams += 1
        try:
            for step in steps:
                if isinstance(step, Gate):
                    await step.wait()
                elif isinstance(step, BaseException):
                    raise step
                else:
                    yield step
        finally:
            self.open_streams -= 1

    def run(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        self.prompts.append(prompt)
        return self._play(self.scripts[len(self.prompts) - 1])

    def resume(self, run: RunRef) -> AsyncGenerator[Event, None]:
        return self._play(self.resumes.pop(0))

    def answering(self, run: RunRef, request: str, reply: str) -> AsyncGenerator[Event, None]:
        self.replies.append((request, reply))
        return self._play(self.answering_scripts.pop(0))

    async def abort(self, run: RunRef, reason: str = "") -> AbortAnswer:
        self.aborts.append((run.run_id, reason))
        self.aborting += 1
        self.most_aborting = max(self.most_aborting, self.aborting)
        try:
            if self.abort_gate:
                await self.abort_gate.wait()
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, BaseException):
                raise answer
            return answer
        finally:
            self.aborting -= 1

    async def status(self, run: RunRef) -> RunStatus | None:
        self.lookups += 1
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if isinstance(status, BaseException):
            raise status
        return status

    async def answer(self, run: RunRef, request: str, reply: str) -> None:
        self.replies.append((request, reply))
