"""Runs as ContractSpec shows them: a status, token counts, and steps whose output grows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from backend_stub import events as ev
from backend_stub.events import Phase, ToolEnd
from backend_stub.log import Entry
from backend_stub.run import Run

PREFIX = "contractspec:"
"""Of engine conversation ids, before the session id."""

_STATUS = {
    Phase.COMPLETED: "COMPLETED",
    Phase.PAUSED: "COMPLETED",  # a question is open, and nothing runs
    Phase.CANCELLED: "CANCELLED",
    Phase.FAILED: "FAILED",
    Phase.LOST: "EXPIRED",
}
_TOOL_ENDS = {ToolEnd.OK: "COMPLETED", ToolEnd.ERROR: "FAILED", ToolEnd.INTERRUPTED: "CANCELLED"}


def status_of(phase: Phase, started: bool) -> str:
    return _STATUS.get(phase, "IN_PROGRESS" if started else "QUEUED")


def when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Step:
    """One step. `pieces` is a message's text; `output` a tool's result."""

    id: str
    type: str
    began: float
    status: str = "IN_PROGRESS"
    ended: float | None = None
    pieces: list[str] | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def say(self, text: str) -> None:
        if self.pieces is not None:
            self.pieces.append(text)

    def end(self, status: str, at: float) -> None:
        self.status, self.ended = status, at

    def told(self, number: int, host_status: str) -> dict[str, Any]:
        told = {"id": self.id, "stepNumber": number, "type": self.type, **self.more}
        if self.pieces is not None:
            told["output"] = {"content": "".join(self.pieces)}
        told |= {"status": host_status, "tokensUsed": len(self.pieces or ())}
        if self.ended is not None:
            told["durationMs"] = round((self.ended - self.began) * 1000)
        told["startedAt"] = when(self.began)
        return told | ({"completedAt": when(self.ended)} if self.ended is not None else {})


@dataclass(slots=True)
class Steps:
    """The steps of a run that this process plays. `read()` folds in what has happened since the last time."""

    run: Run
    started: float | None = None
    words: int = 0
    steps: list[Step] = field(default_factory=list)
    _at: int = 0
    _by_id: dict[str, Step] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)
    _message: Step | None = None

    def read(self) -> list[Step]:
        entries = self.run.log.entries
        for entry in entries[self._at :]:
            self._grow(entry)
        self._at = len(entries)
        return self.steps

    def _grow(self, entry: Entry) -> None:
        at = entry.at
        match entry.event:
            case ev.ModelBegan():
                self.started = self.started or at
                self._message = None
            case ev.TextBegan(message):
                self._message = self._add(Step(message, "MESSAGE_CREATION", at, pieces=[]))
            case ev.TextDelta(message, text):
                self.words += 1
                self._by_id[message].say(text)
            case ev.TextEnded(message):
                self._by_id[message].end("COMPLETED", at)
            case ev.ModelEnded(cut=True) if self._message:
                self._message.end("CANCELLED", at)  # what it said until then is kept
            case ev.CallReady(call, tool, arguments):
                more = {"toolId": tool, "toolName": tool, "input": arguments}
                self._add(Step(call, "TOOL_CALL", at, more=more))
            case ev.ToolBegan(call):
                self._begun.add(call)
            case ev.ToolEnded(call, _, result, end):
                self._by_id[call].end(_TOOL_ENDS[end], at)
                self._by_id[call].more["output" if end is ToolEnd.OK else "errorMessage"] = result
            case ev.Asked(request, text):
                self._add(Step(request, "MESSAGE_CREATION", at, pieces=[text])).end("COMPLETED", at)
            case ev.RunOver(phase, message):
                self._over(phase, message, at)

    def _add(self, step: Step) -> Step:
        self.steps.append(step)
        self._by_id[step.id] = step
        return step

    def _over(self, phase: Phase, message: str, at: float) -> None:
        """A call whose tool had begun and showed no end stays in progress: it may still be working."""
        for step in self.steps:
            if step.ended is None and step.id not in self._begun:
                step.end("CANCELLED", at)
        if phase is Phase.FAILED:
            self._add(Step(f"error-{self.run.id}", "ERROR", at, more={"errorMessage": message})).end(
                "FAILED", at
            )


def kept_steps(row: dict[str, Any]) -> list[Step]:
    """The steps of a run of an earlier process, as far as they were saved: without times of their own."""
    steps, over = [], row["ended"] or row["began"]
    for part in row["parts"]:
        if part["type"] == "text":
            step = Step(part["id"], "MESSAGE_CREATION", row["began"], pieces=[part["text"]])
            step.end("COMPLETED" if part["done"] else "CANCELLED", over)
            steps.append(step)
        elif part["type"] == "tool":
            steps.append(_kept_call(part, row["began"], over))
    return steps


def _kept_call(part: dict[str, Any], began: float, over: float) -> Step:
    more = {"toolId": part["tool"], "toolName": part["tool"], "input": part["arguments"]}
    step = Step(part["id"], "TOOL_CALL", began, more=more)
    if part["end"]:
        step.end(_TOOL_ENDS[ToolEnd(part["end"])], over)
        step.more["output" if part["end"] == ToolEnd.OK else "errorMessage"] = part["result"]
    return step
