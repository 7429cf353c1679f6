"""AG-UI events about what the agent says, thinks, calls and shows. Pure."""

from __future__ import annotations

import json
from dataclasses import replace

from tui.backends.ag_ui_fields import (
    STATUSES,
    Events,
    Frame,
    Meaningless,
    content,
    need,
    status,
    text,
    thought,
)
from tui.backends.ag_ui_memory import Memory, chunk
from tui.core.events import (
    BlockEnded,
    DataReceived,
    ReasoningDelta,
    StepFinished,
    StepStarted,
    TextDelta,
    TextReplaced,
    ToolArguments,
    ToolFinished,
    ToolRunning,
    ToolStarted,
    ToolStatus,
)


def text_start(run: Memory, frame: Frame) -> Events:
    block = need(frame, "messageId")
    if frame.get("role", "assistant") not in ("assistant", None):
        run.foreign.add(block)
        raise Meaningless
    run.texts.add(block)
    return (TextDelta(block, ""),)


def text_content(run: Memory, frame: Frame) -> Events:
    block, delta = frame["messageId"], frame["delta"]
    if type(block) is not str or type(delta) is not str or block in run.foreign:
        raise Meaningless
    run.texts.add(block)
    return (TextDelta(block, delta, raw=run.raw),)


def text_end(run: Memory, frame: Frame) -> Events:
    return (BlockEnded(need(frame, "messageId")),)


def text_chunk(run: Memory, frame: Frame) -> Events:
    if frame.get("role", "assistant") not in ("assistant", None):
        raise Meaningless
    block = chunk(run, "text", frame, "messageId")
    run.texts.add(block)
    return (TextDelta(block, text(frame, "delta")),)


def reasoning_start(run: Memory, frame: Frame) -> Events:
    return (StepStarted("reasoning"),)


def reasoning_end(run: Memory, frame: Frame) -> Events:
    return (StepFinished("reasoning"),)


def thought_start(run: Memory, frame: Frame) -> Events:
    return (ReasoningDelta(thought(frame), ""),)


def thought_content(run: Memory, frame: Frame) -> Events:
    return (ReasoningDelta(thought(frame), need(frame, "delta"), raw=run.raw),)


def thought_end(run: Memory, frame: Frame) -> Events:
    return (BlockEnded(thought(frame)),)


def thought_chunk(run: Memory, frame: Frame) -> Events:
    block = chunk(run, "reasoning", frame, "messageId")
    return (ReasoningDelta("reasoning:" + block, text(frame, "delta")),)


def encrypted(run: Memory, frame: Frame) -> Events:
    """Opaque, but for one use: pydantic-ai tells in it how a tool call ended, or that it did not."""
    message, outcome = text(frame, "entityId"), _outcome(frame)
    finished = run.results.get(message)
    if finished is None or outcome is None:
        raise Meaningless
    if run.held.pop(message, None) and outcome is ToolStatus.INTERRUPTED:
        raise Meaningless
    return (replace(finished, status=outcome),)


def _outcome(frame: Frame) -> ToolStatus | None:
    try:
        return STATUSES[json.loads(text(frame, "encryptedValue"))["pydantic_ai"]["outcome"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def tool_start(run: Memory, frame: Frame) -> Events:
    return (ToolStarted(need(frame, "toolCallId"), need(frame, "toolCallName")),)


def tool_args(run: Memory, frame: Frame) -> Events:
    return (ToolArguments(need(frame, "toolCallId"), need(frame, "delta"), raw=run.raw),)


def tool_end(run: Memory, frame: Frame) -> Events:
    return (ToolRunning(need(frame, "toolCallId")),)


def tool_chunk(run: Memory, frame: Frame) -> Events:
    fresh = text(frame, "toolCallId") not in ("", run.chunked.id) or run.chunked.kind != "tool"
    call = chunk(run, "tool", frame, "toolCallId")
    opened = (ToolStarted(call, text(frame, "toolCallName") or "tool"),) if fresh else ()
    delta = text(frame, "delta")
    return (*opened, ToolArguments(call, delta)) if delta or not opened else opened


def tool_result(run: Memory, frame: Frame) -> Events:
    """A result that the server made up when it gave the call up has no time on it, and is followed by a word
    about it. Such a tool may run on in its thread: this was not its end. It is held until the word came."""
    finished = ToolFinished(need(frame, "toolCallId"), content(frame.get("content")), status(frame))
    message = text(frame, "messageId")
    run.results[message] = finished
    if run.stamped and message and "timestamp" not in frame:
        run.held[message] = finished
        raise Meaningless
    return (finished,)


def released(run: Memory, kind: str) -> Events:
    """Results that were held and that nothing has denied, once something else comes."""
    if kind in ("TOOL_CALL_RESULT", "REASONING_ENCRYPTED_VALUE"):
        return ()
    held, run.held = tuple(run.held.values()), {}
    return held


def messages(run: Memory, frame: Frame) -> Events:
    """The server's copy of this run's messages; all of the reply, if nothing of it was streamed."""
    said = [m for m in frame["messages"] if isinstance(m, dict)]
    since = max((n for n, m in enumerate(said) if m.get("role") == "user"), default=-1) + 1
    fresh = said if run.texts else said[since:]
    events = tuple(
        TextReplaced(m["id"], m["content"])
        for m in fresh
        if m.get("role") == "assistant" and isinstance(m.get("content"), str) and isinstance(m.get("id"), str)
        if m["content"] and (not run.texts or m["id"] in run.texts)
    )
    if not events:
        raise Meaningless
    return events


def state(run: Memory, frame: Frame) -> Events:
    run.state, run.changes = frame["snapshot"], []
    return (DataReceived("state", run.state),)


def state_delta(run: Memory, frame: Frame) -> Events:
    """Shown as it came: the whole state with every change would fill the journal."""
    run.changes.append(frame["delta"])
    return (DataReceived("state change", frame["delta"]),)


def activity(run: Memory, frame: Frame) -> Events:
    return (DataReceived(need(frame, "activityType"), frame["content"]),)


def activity_delta(run: Memory, frame: Frame) -> Events:
    return (DataReceived(need(frame, "activityType") + " change", frame["patch"]),)
