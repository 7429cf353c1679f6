"""Events to ASCII JSON and back: the journal's and `run --json`'s one spelling of an event."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from enum import StrEnum
from typing import Any

from tui.core.events import ALL_EVENTS, Answer, Attached, Clock, End, Event, Prompted, ToolStatus, Unknown

_ENUMS: dict[tuple[str, str], type[StrEnum]] = {
    ("RunFinished", "end"): End,
    ("RunLookedUp", "end"): End,
    ("AbortAnswered", "answer"): Answer,
    ("ClockRan", "clock"): Clock,
    ("ToolFinished", "status"): ToolStatus,
}
_NAMES: dict[type[Event], tuple[str, ...]] = {
    kind: tuple(f.name for f in fields(kind) if f.name != "raw") for kind in ALL_EVENTS.values()
}
_PLAIN: dict[str, type | tuple[type, ...]] = {
    "str": str, "int": int, "float": (int, float), "str | None": (str, type(None)), "tuple[str, ...]": tuple,
    "tuple[Attached, ...]": tuple,
    "Answer": Answer, "End": End, "Clock": Clock, "ToolStatus": ToolStatus,
}  # fmt: skip
_TYPES: dict[type[Event], dict[str, type | tuple[type, ...]]] = {
    kind: {f.name: _PLAIN[str(f.type)] for f in fields(kind) if str(f.type) in _PLAIN}
    for kind in ALL_EVENTS.values()
}


def to_fields(event: Event) -> dict[str, Any]:
    """The event's own fields, without `raw`, ready for JSON."""
    told = {name: getattr(event, name) for name in _NAMES[type(event)]}
    if type(event) is Prompted:
        told["files"] = [asdict(file) for file in event.files]
    return told


def dumps(value: Any) -> str:
    """ASCII JSON: inert when printed, and lone surrogates survive the round trip."""
    return _ENCODER.encode(value)


# Made once: `json.dumps` with these settings makes one a call, which costs more than most events do.
_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=str)


def to_json(event: Event) -> str:
    """The event's fields as ASCII JSON, for the journal (its type name is stored beside it)."""
    return dumps(to_fields(event))


def from_json(kind: str, text: str, raw: str = "") -> Event:
    """The event a journal row holds; a row from a newer client becomes `Unknown`, never an error."""
    cls = ALL_EVENTS.get(kind)
    try:
        given = json.loads(text)
        if cls is None:
            return Unknown(kind, raw=raw or text)
        values = {name: _value(kind, name, given[name]) for name in _NAMES[cls] if name in given}
        if not all(isinstance(values[name], right) for name, right in _TYPES[cls].items() if name in values):
            return Unknown(kind, raw=raw or text)
        return cls(**values, raw=raw)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Unknown(kind, raw=raw or text)


def _value(kind: str, name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "choices" and isinstance(value, list):
        if not all(isinstance(each, str) for each in value):
            raise TypeError(name)
        return tuple(value)
    if name == "files" and isinstance(value, list):
        return tuple(map(_attached, value))
    enum = _ENUMS.get((kind, name))
    return enum(value) if enum else value


def _attached(value: Any) -> Attached:
    file = Attached(**value)
    if (
        not all(isinstance(text, str) for text in (file.name, file.kind, file.sha256))
        or type(file.size) is not int
    ):
        raise TypeError("files")
    return file
