"""Reading the fields of AG-UI frames: what is not of the right type is not there. Pure."""

from __future__ import annotations

from typing import Any

from tui.core.codec import dumps
from tui.core.events import DataReceived, Event, QuestionAsked, ToolStatus, UsageReported

Frame = dict[str, Any]
Events = tuple[Event, ...]

STATUSES = {
    "interrupted": ToolStatus.INTERRUPTED,
    "failed": ToolStatus.ERROR,
    "error": ToolStatus.ERROR,
    "denied": ToolStatus.ERROR,
}
"""How a tool call ended, as pydantic-ai and our own backend spell it; AG-UI has no field for it."""


class Meaningless(Exception):
    """The event lacks what would give it a meaning."""


def text(frame: Frame, key: str) -> str:
    """A text field; "" where there is none."""
    value = frame.get(key)
    return value if isinstance(value, str) else ""


def need(frame: Frame, key: str) -> str:
    """A text field without which the event means nothing. Raises Meaningless."""
    value = frame.get(key)
    if not isinstance(value, str):
        raise Meaningless
    return value


def thought(frame: Frame) -> str:
    """The block of a piece of reasoning; before 1.0 (THINKING_*) it had no id."""
    return "reasoning:" + text(frame, "messageId")


def content(value: Any) -> str:
    """A tool's result as text: a string, or the text of its parts, or JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, dict) and text(part, "text") for part in value):
        return "\n".join(part["text"] for part in value)
    return dumps(value)


def status(frame: Frame) -> ToolStatus:
    """How a tool call ended, where the metadata says so."""
    metadata = frame.get("metadata")
    outcome = text(metadata, "outcome") if isinstance(metadata, dict) else ""
    return STATUSES.get(outcome, ToolStatus.OK)


def usage(frame: Frame) -> Events:
    """The run's token counts: one entry a model, summed."""
    given = frame.get("usage")
    entries = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    if not entries:
        return ()
    models = dict.fromkeys(text(one, "model") for one in entries if text(one, "model"))
    taken, made = (sum(_count(one, key) for one in entries) for key in ("inputTokens", "outputTokens"))
    return (UsageReported(taken, made, ", ".join(models)),)


def result(frame: Frame) -> Events:
    """What a run returned, where it returned something."""
    return (DataReceived("result", frame["result"]),) if frame.get("result") is not None else ()


def asked(value: Any) -> QuestionAsked:
    """A question put in an open stream (our own backend's CUSTOM `run.question`)."""
    if not isinstance(value, dict):
        raise Meaningless
    kind, choices = text(value, "kind"), value.get("choices")
    named = tuple(one for one in choices if isinstance(one, str)) if isinstance(choices, list) else ()
    kind = kind if kind in ("approval", "choice", "input") else "input"
    return QuestionAsked(need(value, "request"), text(value, "text"), kind, named, text(value, "call"))


def _count(entry: Frame, key: str) -> int:
    value = entry.get(key)
    return value if type(value) is int and value >= 0 else 0
