"""One run: its token, its log of events, and the reply as it grows."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from backend_stub import events as ev
from backend_stub.audit import Ledger
from backend_stub.cancel import CancelToken
from backend_stub.events import Phase
from backend_stub.gates import Gates
from backend_stub.log import Entry, Log
from backend_stub.reply import Reply
from backend_stub.steps import Scenario
from backend_stub.switches import Switches


@dataclass(slots=True)
class Run:
    """A run lives apart from the request that started it: readers follow `log` and may come and go."""

    id: str
    conversation_id: str
    agent: str
    prompt: str
    scenario: Scenario
    switches: Switches
    gates: Gates
    ledger: Ledger
    shared_log: Log | None  # of the conversation: every run's entries, in order, if anybody wants them
    pauses: bool = False  # questions end the run and wait for a new one, as this dialect wants it
    phase: Phase = Phase.RUNNING
    token: CancelToken = field(default_factory=CancelToken)
    log: Log = field(default_factory=Log)
    reply: Reply = field(default_factory=Reply)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    began: float = field(default_factory=time.time)
    ended: float | None = None
    message: str = ""
    code: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    attachments: int = 0  # streams that were opened on it, for switches that break the first ones
    hurry: bool = False  # no more pauses and gates: it runs to its end
    ghost: bool = False  # declared over while its agent goes on (the switch lie-quietly)
    questions: dict[str, asyncio.Future[str]] = field(default_factory=dict)
    open_question: str = ""
    _ids: int = 0

    def emit(self, event: ev.Event) -> None:
        """Something happened. After the end nothing is added: the last event stays the last."""
        if self.log.closed:
            return
        entry: Entry = self.log.append(self.id, event)
        if self.shared_log:
            self.shared_log.add(entry)
        self.reply.grow(event)

    def close(
        self, phase: Phase, cancelled: ev.Cancelled | None = None, *, message: str = "", code: str = "",
        request: str = "",
    ) -> None:  # fmt: skip
        """Say the last word: nothing is added to the log after it. `over` is set once that is saved, too."""
        self.phase, self.message, self.code, self.ended = phase, message, code, time.time()
        if cancelled:
            self.emit(cancelled)
        self.emit(ev.RunOver(phase, message, code, self.input_tokens, self.output_tokens, request))
        self.log.close()

    def new_id(self, kind: str) -> str:
        """An id that is unique within the run and tells its run."""
        self._ids += 1
        return f"{kind}-{self._ids}-{self.id}"

    async def pause(self, seconds: float) -> None:
        """Let time pass at the run's speed. Raises RunCancelled."""
        speed = 0.0 if self.hurry else self.switches.speed
        await self.token.sleep(seconds / speed if speed else 0)

    async def gate(self, name: str) -> None:
        """Wait where the switches ask for it. Raises RunCancelled."""
        if self.switches.gated(name) and not self.hurry:
            await self.gates.hold(self.id, name, self.token)

    async def answer_to(self, request: str) -> str:
        """Wait for the person's answer. Raises RunCancelled."""
        future = self.questions[request] = asyncio.get_running_loop().create_future()
        self.phase, self.open_question = Phase.WAITING, request
        try:
            reply = await self.token.race(_value(future))
        finally:
            del self.questions[request]
            self.open_question = ""
        self.phase = Phase.RUNNING
        return reply

    def answer(self, request: str, reply: str) -> bool:
        """Hand in an answer. False when nothing of that name is asked, or it was answered before."""
        future = self.questions.get(request)
        if future is None or future.done():
            return False
        future.set_result(reply)
        return True

    def open_calls(self) -> list[str]:
        """Ids of the tool calls whose end was not seen."""
        return self.reply.open_calls()

    def summary(self) -> dict[str, Any]:
        """What there is to know about the run, ready for JSON."""
        return {
            "run_id": self.id,
            "conversation_id": self.conversation_id,
            "agent": self.agent,
            "scenario": self.scenario.name,
            "phase": self.phase.value,
            "reason": self.token.reason,
            "message": self.message,
            "code": self.code,
            "began": self.began,
            "ended": self.ended,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "text": self.reply.text(),
            "open_calls": self.open_calls(),
            "question": self.open_question,
        }


async def _value(future: asyncio.Future[str]) -> str:
    return await future
