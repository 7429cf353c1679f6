"""Engine events in Flue's words: chunks, in the order in which the original says them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from backend_stub import events as ev
from backend_stub.events import Phase, ToolEnd
from backend_stub.log import Entry

JSON = dict[str, Any]

ABORTED = "This operation was aborted"
LEFT = f"{ABORTED} The tool execution could not be confirmed cancelled and may still be running."
_ABORTED_ERROR = {
    "name": "FlueError",
    "message": "Submission was aborted.",
    "type": "submission_aborted",
    "details": "The operation was stopped before it produced a completed response.",
}


def when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _prompt(submission: str, text: str) -> JSON:
    """A prompt that was taken up."""
    name = base64.urlsafe_b64encode(submission.encode()).decode().rstrip("=")
    shown = {"role": "user", "purpose": "user", "display": "visible", "submissionId": submission}
    parts = [{"type": "text", "text": text, "state": "done"}]
    return {"type": "message-appended", "message": {"id": f"entry_direct_{name}", **shown, "parts": parts}}


def _aborted(submission: str, at: float, *, answered: bool) -> Iterator[JSON]:
    """The advisory and the settlement of a submission that was aborted; `answered`: it had been taken up."""
    signal = {"attributes": {"submissionId": submission, "kind": "direct", "reason": "aborted"}}
    text = {"type": "text", "text": _ABORTED_ERROR["message"], "state": "done"}
    shown = {"role": "system", "purpose": "advisory", "display": "diagnostic", "signal": signal}
    name = f"entry_submission_aborted_{submission}"
    message = {"id": name, **shown, "settlement": {"outcome": "aborted"}, "parts": [text]}
    yield {"type": "message-appended", "message": message}
    yield _settled(submission, "aborted", at, _ABORTED_ERROR, answered=answered)


def _settled(
    submission: str, outcome: str, at: float, error: JSON | None = None, *, answered: bool = True
) -> JSON:
    chunk: JSON = {"type": "submission-settled", "submissionId": submission, "outcome": outcome}
    if error:
        chunk["error"] = error
    if answered:
        chunk["answeredBySubmissionId"] = submission
    return {**chunk, "timestamp": when(at)}


def _failed(submission: str, reason: str) -> JSON:
    operation = f"direct({submission})"
    told = {"name": "FlueError", "message": f"{operation} failed: {reason}", "type": "operation_failed"}
    return {**told, "details": "", "meta": {"operation": operation, "reason": reason}}


@dataclass(slots=True)
class _Call:
    """A tool call of the present model step."""

    id: str
    began: float | None = None
    over: JSON | None = None


@dataclass(slots=True)
class Words:
    """Spells one run (Flue: a submission). `say` each of its entries once, in order."""

    submission: str
    _taken_up: bool = False  # not so where it was aborted while it waited in the queue
    _turns: int = 0
    _open: bool = False
    _cut: bool = False
    _calls: dict[str, _Call] = field(default_factory=dict)

    def say(self, entry: Entry) -> Iterator[JSON]:
        speak = _WORDS.get(type(entry.event))
        if speak:
            yield from speak(self, entry.event, entry.at)

    @property
    def _message(self) -> str:
        return f"entry_{self.submission}"

    def _prompt(self, event: ev.RunBegan, at: float) -> Iterator[JSON]:
        self._taken_up = True
        yield _prompt(self.submission, event.prompt)

    def _begin(self, event: object, at: float) -> Iterator[JSON]:
        if not self._open:
            self._open, self._turns = True, self._turns + 1
            names = {"messageId": self._message, "submissionId": self.submission}
            turn = f"turn_{self._turns}_{self.submission}"
            yield {"type": "message-started", **names, "turnId": turn, "timestamp": when(at)}

    def _delta(self, event: ev.TextDelta | ev.ReasoningDelta, at: float) -> Iterator[JSON]:
        kind = "text" if isinstance(event, ev.TextDelta) else "reasoning"
        yield {"type": "message-delta", "messageId": self._message, "kind": kind, "delta": event.text}

    def _call(self, event: ev.CallReady, at: float) -> Iterator[JSON]:
        self._calls[event.call] = _Call(event.call)
        names = {"messageId": self._message, "toolCallId": event.call, "toolName": event.tool}
        yield {"type": "tool-input", **names, "input": event.arguments, "timestamp": when(at)}

    def _model_ended(self, event: ev.ModelEnded, at: float) -> Iterator[JSON]:
        self._cut = event.cut
        yield from self._complete(event, at)

    def _complete(self, event: object, at: float) -> Iterator[JSON]:
        if self._open:
            self._open = False
            yield {"type": "message-completed", "messageId": self._message, "timestamp": when(at)}

    def _tool_began(self, event: ev.ToolBegan, at: float) -> Iterator[JSON]:
        self._calls[event.call].began = at
        yield from ()

    def _tool_ended(self, event: ev.ToolEnded, at: float) -> Iterator[JSON]:
        """Results of parallel calls are told together, once the last of them is there."""
        call = self._calls[event.call]
        call.over = _over(event, at - (call.began or at), at)
        if all(each.over for each in self._calls.values()):
            yield from self._results(at)

    def _results(self, at: float) -> Iterator[JSON]:
        """What is known of each call's end; a tool that could not be cut is given up."""
        for call in self._calls.values():
            lost = {"type": "tool-output-error", "toolCallId": call.id, "timestamp": when(at)}
            yield call.over or {**lost, "errorText": LEFT if call.began else ABORTED}
        self._calls = {}

    def _data(self, event: ev.DataChanged, at: float) -> Iterator[JSON]:
        alone = not self._open
        yield from self._begin(event, at)
        yield {"type": "data-part", "messageId": self._message, "name": event.name, "data": event.value}
        if alone:
            yield from self._complete(event, at)

    def _asked(self, event: ev.Asked, at: float) -> Iterator[JSON]:
        """Flue agents ask in plain words, and the answer is the next prompt."""
        yield from self._begin(event, at)
        choices = "".join(f"\n- {choice}" for choice in event.choices)
        text = event.text + ("\n" + choices if choices else "")
        yield {"type": "message-delta", "messageId": self._message, "kind": "text", "delta": text}
        yield from self._complete(event, at)

    def _over(self, event: ev.RunOver, at: float) -> Iterator[JSON]:
        yield from self._results(at)
        if event.phase is Phase.CANCELLED:
            if self._turns and not self._cut:  # stopped among tools: the next step opens and stays empty
                yield from self._begin(event, at)
            yield from self._complete(event, at)
            yield from _aborted(self.submission, at, answered=self._taken_up)
            return
        yield from self._complete(event, at)
        failed = event.phase in (Phase.FAILED, Phase.LOST)
        error = _failed(self.submission, event.message) if failed else None
        yield _settled(self.submission, "failed" if failed else "completed", at, error)


def _over(event: ev.ToolEnded, seconds: float, at: float) -> JSON:
    told = {"toolCallId": event.call, "durationMs": round(seconds * 1000), "timestamp": when(at)}
    if event.end is ToolEnd.OK:
        return {"type": "tool-output", **told, "output": event.result}
    text = ABORTED if event.end is ToolEnd.INTERRUPTED else event.result
    return {"type": "tool-output-error", **told, "errorText": text}


_WORDS: dict[type[ev.Event], Callable[[Words, Any, float], Iterator[JSON]]] = {
    ev.RunBegan: Words._prompt,
    ev.ModelBegan: Words._begin,
    ev.TextDelta: Words._delta,
    ev.ReasoningDelta: Words._delta,
    ev.CallReady: Words._call,
    ev.ModelEnded: Words._model_ended,
    ev.ToolBegan: Words._tool_began,
    ev.ToolEnded: Words._tool_ended,
    ev.DataChanged: Words._data,
    ev.Asked: Words._asked,
    ev.RunOver: Words._over,
}
