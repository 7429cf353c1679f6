"""AG-UI 1.0's events (31 types, and what older servers say instead), as ours. Pure.

One `Decoder` a run: the CHUNK variants and the end of tools need to know what came before. Whatever is
unknown, malformed or without meaning for us becomes `Unknown`; nothing here raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tui.backends.ag_ui_fields import (
    STATUSES,
    Events,
    Frame,
    Meaningless,
    asked,
    content,
    need,
    result,
    status,
    text,
    thought,
    usage,
)
from tui.backends.ag_ui_questions import question_of
from tui.core.codec import dumps
from tui.core.events import (
    BlockEnded,
    DataReceived,
    End,
    ReasoningDelta,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    TextDelta,
    TextReplaced,
    ToolArguments,
    ToolFinished,
    ToolRunning,
    ToolStarted,
    Unknown,
)

_CANCELLED_CODES = frozenset({"abort", "STOPPED"})
"""RUN_ERROR codes that stand for a stop: the AG-UI client's own, and CopilotKit's."""


@dataclass(slots=True)
class _Chunked:
    """What a CHUNK event opened and nothing has closed yet."""

    kind: str = ""
    id: str = ""


class Decoder:
    """The events of one run. `run_id` and `conversation_id` are what we asked for; the server may differ.

    `over`: a final event or an interrupt has come. `cancelled` is set once the server has announced that the
    run was cancelled (our own backend and others say so in a CUSTOM event before RUN_FINISHED).
    """

    def __init__(self, run_id: str, conversation_id: str = "") -> None:
        self.run_id, self.conversation_id = run_id, conversation_id
        self.started = False
        self.over = False
        self.cancelled: str | None = None
        self.interrupts: tuple[Frame, ...] = ()
        self._nested: set[str] = set()
        self._chunked = _Chunked()
        self._foreign: set[str] = set()  # text messages that are not the agent's
        self._texts: set[str] = set()
        self._results: dict[str, ToolFinished] = {}  # by the id of their message
        self._subagents: dict[str, str] = {}
        self._raw_data = ""  # for the events that come by the thousand: spares them a copy

    def decode(self, data: str) -> Events:
        """The events of one event-stream event; the first carries the data as `raw`."""
        try:
            frame = json.loads(data)
        except (ValueError, RecursionError):
            return (Unknown("not JSON", raw=data),)
        kind = frame.get("type") if isinstance(frame, dict) else None
        if not isinstance(kind, str):
            return (Unknown("no type", raw=data),)
        closed = self._closed(kind, frame) if self._chunked.kind else ()
        self._raw_data = "" if closed else data
        events = (*closed, *self._meaning(kind, frame))
        return events if events[0].raw else (replace(events[0], raw=data), *events[1:])

    def finish(self) -> Events:
        """The stream has ended: what an announced cancellation without a final event still means."""
        if self.over or self.cancelled is None:
            return ()
        self.over = True
        return (RunFinished(End.CANCELLED, self.cancelled),)

    def _meaning(self, kind: str, frame: Frame) -> Events:
        say = _SAY.get(kind)
        if say is None or (self.over and kind in _FINAL):
            return (Unknown(kind),)
        try:
            events = say(self, frame)
        except (Meaningless, TypeError, ValueError, AttributeError, KeyError):
            return (Unknown(kind),)
        if self.started or kind in _FINAL or isinstance(events[0], Unknown):
            return events
        self.started = True  # content shows that the run exists, whether or not it was announced
        first = replace(events[0], raw="")
        return (RunStarted(self.run_id, self.conversation_id), first, *events[1:])

    # --- the run ------------------------------------------------------------------------------------------

    def _run_started(self, frame: Frame) -> Events:
        run_id = text(frame, "runId")
        if self.started:
            self._nested.add(run_id)
            raise Meaningless
        self.started = True
        self.run_id = run_id or self.run_id
        return (RunStarted(self.run_id, text(frame, "threadId") or self.conversation_id),)

    def _run_finished(self, frame: Frame) -> Events:
        run_id = frame.get("runId")
        if run_id in self._nested and run_id != self.run_id:
            raise Meaningless
        outcome = frame.get("outcome")
        kind = outcome.get("type") if isinstance(outcome, dict) else outcome
        self.over = True
        before = (*usage(frame), *result(frame))
        if kind == "interrupt" and isinstance(outcome, dict):
            return (*before, *self._interrupted(outcome))
        return (*before, self._finished(kind))

    def _finished(self, kind: Any) -> RunFinished:
        if self.cancelled is not None or kind in ("cancelled", "canceled"):
            return RunFinished(End.CANCELLED, self.cancelled or "")
        if kind == "success":
            return RunFinished(End.COMPLETED)
        named = f"The server's outcome is {dumps(kind)}, which is not known." if kind else ""
        return RunFinished(End.UNSPECIFIED, named)

    def _interrupted(self, outcome: Frame) -> Events:
        given = outcome.get("interrupts")
        asked = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        self.interrupts = tuple(one for one in asked if isinstance(one.get("id"), str))
        questions = tuple(question_of(one) for one in self.interrupts)
        return questions or (RunFinished(End.UNSPECIFIED, "The server paused the run without a question."),)

    def _run_error(self, frame: Frame) -> Events:
        self.over = True
        code, message = text(frame, "code"), text(frame, "message")
        stopped = code in _CANCELLED_CODES or self.cancelled is not None
        end = End.CANCELLED if stopped else End.FAILED
        return (*usage(frame), RunFinished(end, self.cancelled or message, code))

    def _run_cancelled(self, frame: Frame) -> Events:
        """RUN_CANCELLED is in no version of the protocol, and yet some servers say it."""
        self.over = True
        return (RunFinished(End.CANCELLED, text(frame, "message") or text(frame, "reason")),)

    def _step_started(self, frame: Frame) -> Events:
        return (StepStarted(need(frame, "stepName")),)

    def _step_finished(self, frame: Frame) -> Events:
        return (StepFinished(need(frame, "stepName")),)

    # --- text and reasoning -------------------------------------------------------------------------------

    def _text_start(self, frame: Frame) -> Events:
        block = need(frame, "messageId")
        if frame.get("role", "assistant") not in ("assistant", None):
            self._foreign.add(block)
            raise Meaningless
        self._texts.add(block)
        return (TextDelta(block, ""),)

    def _text_content(self, frame: Frame) -> Events:
        block, delta = frame["messageId"], frame["delta"]
        if type(block) is not str or type(delta) is not str or block in self._foreign:
            raise Meaningless
        self._texts.add(block)
        return (TextDelta(block, delta, raw=self._raw_data),)

    def _text_end(self, frame: Frame) -> Events:
        return (BlockEnded(need(frame, "messageId")),)

    def _text_chunk(self, frame: Frame) -> Events:
        if frame.get("role", "assistant") not in ("assistant", None):
            raise Meaningless
        block = self._chunk("text", frame, "messageId")
        self._texts.add(block)
        return (TextDelta(block, text(frame, "delta")),)

    def _reasoning_start(self, frame: Frame) -> Events:
        return (StepStarted("reasoning"),)

    def _reasoning_end(self, frame: Frame) -> Events:
        return (StepFinished("reasoning"),)

    def _thought_start(self, frame: Frame) -> Events:
        return (ReasoningDelta(thought(frame), ""),)

    def _thought_content(self, frame: Frame) -> Events:
        return (ReasoningDelta(thought(frame), need(frame, "delta"), raw=self._raw_data),)

    def _thought_end(self, frame: Frame) -> Events:
        return (BlockEnded(thought(frame)),)

    def _thought_chunk(self, frame: Frame) -> Events:
        block = self._chunk("reasoning", frame, "messageId")
        return (ReasoningDelta("reasoning:" + block, text(frame, "delta")),)

    def _encrypted(self, frame: Frame) -> Events:
        """Opaque, but for one use: pydantic-ai tells in it how a tool call ended."""
        finished = self._results.get(text(frame, "entityId"))
        hidden = json.loads(text(frame, "encryptedValue")) if finished else None
        outcome = hidden["pydantic_ai"]["outcome"] if isinstance(hidden, dict) else None
        if finished is None or outcome not in STATUSES:
            raise Meaningless
        return (replace(finished, status=STATUSES[outcome]),)

    # --- tool calls ---------------------------------------------------------------------------------------

    def _tool_start(self, frame: Frame) -> Events:
        return (ToolStarted(need(frame, "toolCallId"), need(frame, "toolCallName")),)

    def _tool_args(self, frame: Frame) -> Events:
        return (ToolArguments(need(frame, "toolCallId"), need(frame, "delta"), raw=self._raw_data),)

    def _tool_end(self, frame: Frame) -> Events:
        return (ToolRunning(need(frame, "toolCallId")),)

    def _tool_chunk(self, frame: Frame) -> Events:
        fresh = text(frame, "toolCallId") not in ("", self._chunked.id) or self._chunked.kind != "tool"
        call = self._chunk("tool", frame, "toolCallId")
        opened = (ToolStarted(call, text(frame, "toolCallName") or "tool"),) if fresh else ()
        delta = text(frame, "delta")
        return (*opened, ToolArguments(call, delta)) if delta or not opened else opened

    def _tool_result(self, frame: Frame) -> Events:
        finished = ToolFinished(need(frame, "toolCallId"), content(frame.get("content")), status(frame))
        self._results[text(frame, "messageId")] = finished
        return (finished,)

    # --- CHUNK events have no start and no end of their own -----------------------------------------------

    def _chunk(self, kind: str, frame: Frame, key: str) -> str:
        """The id that a CHUNK event belongs to: its own, or that of the one before."""
        named = text(frame, key) or (self._chunked.id if self._chunked.kind == kind else "")
        if not named:
            raise Meaningless
        self._chunked = _Chunked(kind, named)
        return named

    def _closed(self, kind: str, frame: Frame) -> Events:
        """What this event ends, if a chunked message or call was open: anything but more of the same."""
        was = self._chunked
        if not was.kind:
            return ()
        key = "toolCallId" if was.kind == "tool" else "messageId"
        if kind == _CHUNKS[was.kind] and frame.get(key) in (None, "", was.id):
            return ()
        self._chunked = _Chunked()
        if was.kind == "tool":
            return (ToolRunning(was.id),)
        return (BlockEnded(was.id if was.kind == "text" else "reasoning:" + was.id),)

    # --- everything else ----------------------------------------------------------------------------------

    def _messages(self, frame: Frame) -> Events:
        """The server's copy of this run's messages; all of the reply, if nothing of it was streamed."""
        said = [m for m in frame["messages"] if isinstance(m, dict)]
        since = max((n for n, m in enumerate(said) if m.get("role") == "user"), default=-1) + 1
        fresh = said if self._texts else said[since:]
        events = tuple(
            TextReplaced(m["id"], m["content"])
            for m in fresh
            if m.get("role") == "assistant"
            and isinstance(m.get("content"), str)
            and isinstance(m.get("id"), str)
            if m["content"] and (not self._texts or m["id"] in self._texts)
        )
        if not events:
            raise Meaningless
        return events

    def _state(self, frame: Frame) -> Events:
        return (DataReceived("state", frame["snapshot"]),)

    def _state_delta(self, frame: Frame) -> Events:
        return (DataReceived("state change", frame["delta"]),)

    def _activity(self, frame: Frame) -> Events:
        return (DataReceived(need(frame, "activityType"), frame["content"]),)

    def _activity_delta(self, frame: Frame) -> Events:
        return (DataReceived(need(frame, "activityType") + " change", frame["patch"]),)

    def _subagent_started(self, frame: Frame) -> Events:
        name = text(frame, "name") or "subagent"
        self._subagents[text(frame, "subagentRunId")] = name
        return (StepStarted(name),)

    def _subagent_finished(self, frame: Frame) -> Events:
        return (StepFinished(self._subagents.get(text(frame, "subagentRunId"), "subagent")),)

    def _subagent_error(self, frame: Frame) -> Events:
        name = self._subagents.get(text(frame, "subagentRunId"), "subagent")
        return (StepFinished(name), DataReceived(f"{name} failed", text(frame, "message")))

    def _custom(self, frame: Frame) -> Events:
        name, value = need(frame, "name"), frame.get("value")
        if name == "run.cancelled":
            reason = value.get("reason") if isinstance(value, dict) else value
            self.cancelled = reason if isinstance(reason, str) else ""
        elif name == "run.question":
            return (asked(value),)
        return (DataReceived(name, value),)

    def _raw(self, frame: Frame) -> Events:
        raise Meaningless  # a provider's own event, passed through: for the inspector only


_CHUNKS = {"text": "TEXT_MESSAGE_CHUNK", "tool": "TOOL_CALL_CHUNK", "reasoning": "REASONING_MESSAGE_CHUNK"}
_FINAL = frozenset({"RUN_STARTED", "RUN_FINISHED", "RUN_ERROR", "RUN_CANCELLED"})

_SAY: dict[str, Callable[[Decoder, Frame], Events]] = {
    "TEXT_MESSAGE_CONTENT": Decoder._text_content,
    "RUN_STARTED": Decoder._run_started,
    "RUN_FINISHED": Decoder._run_finished,
    "RUN_ERROR": Decoder._run_error,
    "RUN_CANCELLED": Decoder._run_cancelled,
    "STEP_STARTED": Decoder._step_started,
    "STEP_FINISHED": Decoder._step_finished,
    "TEXT_MESSAGE_START": Decoder._text_start,
    "TEXT_MESSAGE_END": Decoder._text_end,
    "TEXT_MESSAGE_CHUNK": Decoder._text_chunk,
    "TOOL_CALL_START": Decoder._tool_start,
    "TOOL_CALL_ARGS": Decoder._tool_args,
    "TOOL_CALL_END": Decoder._tool_end,
    "TOOL_CALL_CHUNK": Decoder._tool_chunk,
    "TOOL_CALL_RESULT": Decoder._tool_result,
    "REASONING_START": Decoder._reasoning_start,
    "REASONING_END": Decoder._reasoning_end,
    "REASONING_MESSAGE_START": Decoder._thought_start,
    "REASONING_MESSAGE_CONTENT": Decoder._thought_content,
    "REASONING_MESSAGE_END": Decoder._thought_end,
    "REASONING_MESSAGE_CHUNK": Decoder._thought_chunk,
    "REASONING_ENCRYPTED_VALUE": Decoder._encrypted,
    "THINKING_START": Decoder._reasoning_start,
    "THINKING_END": Decoder._reasoning_end,
    "THINKING_TEXT_MESSAGE_START": Decoder._thought_start,
    "THINKING_TEXT_MESSAGE_CONTENT": Decoder._thought_content,
    "THINKING_TEXT_MESSAGE_END": Decoder._thought_end,
    "STATE_SNAPSHOT": Decoder._state,
    "STATE_DELTA": Decoder._state_delta,
    "MESSAGES_SNAPSHOT": Decoder._messages,
    "ACTIVITY_SNAPSHOT": Decoder._activity,
    "ACTIVITY_DELTA": Decoder._activity_delta,
    "SUBAGENT_STARTED": Decoder._subagent_started,
    "SUBAGENT_FINISHED": Decoder._subagent_finished,
    "SUBAGENT_ERROR": Decoder._subagent_error,
    "RAW": Decoder._raw,
    "CUSTOM": Decoder._custom,
}
