"""What a record is called in the inspector: its direction, its type, and what is in it, in a few words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tui.core import events as ev
from tui.core.codec import dumps, to_fields
from tui.core.events import Event, Record
from tui.core.safe_text import SafeText, safe, safe_line

BACKEND, OURS, STOP, CLOSED, NOTE = "←", "→", "■", "×", "·"
PLAIN = {BACKEND: "<", OURS: ">", STOP: "#", CLOSED: "x", NOTE: "."}
"""The same signs in ASCII."""

_DIRECTIONS: dict[type[Event], str] = {
    **dict.fromkeys((*ev.BACKEND_EVENTS, ev.AbortAnswered, ev.RunLookedUp, ev.PromptRefused), BACKEND),
    **dict.fromkeys((ev.Requested, ev.QuestionAnswered), OURS),
    **dict.fromkeys((ev.StopAsked, ev.RetryAsked), STOP),
    **dict.fromkeys((ev.StreamClosed, ev.StreamBroke, ev.NotSent, ev.AnswerFailed), CLOSED),
}

GROUPS: dict[str, frozenset[type[Event]]] = {
    "all": frozenset(ev.ALL_EVENTS.values()),
    "text": frozenset({ev.TextDelta, ev.TextReplaced, ev.BlockEnded}),
    "reasoning": frozenset({ev.ReasoningDelta}),
    "tools": frozenset({ev.ToolStarted, ev.ToolArguments, ev.ToolRunning, ev.ToolFinished}),
    "run": frozenset(
        {ev.Prompted, ev.RunStarted, ev.RunFinished, ev.StepStarted, ev.StepFinished, ev.Settled}
    ),
    "stop": frozenset(
        {ev.StopAsked, ev.RetryAsked, ev.Requested, ev.AbortAnswered, ev.RunLookedUp, ev.ClockRan,
         ev.StreamClosed, ev.RunFinished, ev.Settled}
    ),
    "others": frozenset({ev.DataReceived, ev.UsageReported, ev.QuestionAsked, ev.Unknown}),
}  # fmt: skip
"""What `t` goes through."""


def direction(event: Event) -> str:
    """Which way it went: from the backend, ours, the stop, closed, or a note of the client's own."""
    return _DIRECTIONS.get(type(event), NOTE)


def kind(event: Event) -> str:
    """Its type; an unknown one by the name the backend gave it."""
    return safe_line(event.name, 40) if isinstance(event, ev.Unknown) else type(event).__name__


def gist(event: Event, limit: int = 120) -> SafeText:
    """What is in it, on one line."""
    return safe_line(_GISTS.get(type(event), _fields)(event), limit)


def _fields(event: Any) -> str:
    return " ".join(str(value) for value in to_fields(event).values() if value not in ("", None, 0, ()))


def _asked(event: Any) -> str:
    return f"STOP pressed ({event.cause}), {event.shown:,} chars shown, text frozen"


def _answered(event: Any) -> str:
    status = f"{event.status} " if event.status else ""
    return f"abort: {status}{event.answer}  {event.ms:,.0f} ms {event.detail}"


def _requested(event: Any) -> str:
    return f"{event.purpose}  {event.method} {event.url}".rstrip()


def _looked_up(event: Any) -> str:
    return f"look-up: {event.end or 'no word on the run'} {event.detail}"


_GISTS: dict[type[Event], Callable[[Any], str]] = {
    ev.TextDelta: lambda e: e.text,
    ev.TextReplaced: lambda e: e.text,
    ev.ReasoningDelta: lambda e: e.text,
    ev.ToolStarted: lambda e: f"{e.name}({e.arguments[:200]})",
    ev.ToolFinished: lambda e: f"{e.status}  {e.result[:200]}",
    ev.ToolArguments: lambda e: e.text,
    ev.DataReceived: lambda e: f"{e.name} {dumps(e.value)[:200]}",
    ev.Unknown: lambda e: e.raw[:200],
    ev.Prompted: lambda e: e.text[:200],
    ev.StopAsked: _asked,
    ev.AbortAnswered: _answered,
    ev.Requested: _requested,
    ev.RunLookedUp: _looked_up,
    ev.StreamClosed: lambda e: "local stream closed",
}


def matches(record: Record, group: str, text: str) -> bool:
    """Whether a record passes the filters. `text` is looked for in type, content and wire data; "late" and
    "turn:3" as words mean what they say."""
    event = record.event
    if group != "all" and type(event) not in GROUPS[group]:
        return False
    return all(_has(record, word) for word in text.lower().split())


def _has(record: Record, word: str) -> bool:
    if word == "late":
        return record.late
    if word.startswith("turn:") and word[5:].isdigit():
        return record.turn == int(word[5:])
    event = record.event
    if word in type(event).__name__.lower() or word in event.raw.lower():
        return True
    return any(word in str(value).lower() for value in to_fields(event).values())


def as_json(record: Record) -> str:
    """The record as one ASCII JSON object, as an export has it."""
    event = record.event
    head = {"number": record.number, "turn": record.turn, "wall": record.wall, "mono": record.mono}
    body = {**head, "late": record.late, "type": type(event).__name__, **to_fields(event), "raw": event.raw}
    return dumps(body)


def pretty(event: Event) -> SafeText:
    """The wire data, indented if it is JSON; the event's own fields where nothing came over the wire."""
    text = event.raw or dumps(to_fields(event))
    try:
        return safe(json.dumps(json.loads(text), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return safe(text)


def raw(event: Event) -> SafeText:
    """The wire data as it came."""
    return safe(event.raw) if event.raw else safe("(nothing came over the wire for this)")


def size(event: Event) -> str:
    """The wire data's size, for a column."""
    count = len(event.raw.encode("utf-8", "surrogatepass"))
    if not count:
        return ""
    if count < 10_000:
        return f"{count:,} B"
    return f"{count / 1000:,.0f} kB" if count < 10_000_000 else f"{count / 1e6:,.0f} MB"


def apart(seconds: float | None) -> str:
    """A time span for a column: 12 ms, 1.203 s, 61 s."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 60 else f"{seconds:,.0f} s"
