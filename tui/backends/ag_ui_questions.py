"""AG-UI's interrupts: the question that one puts to a person, and the answer in the words it wants. Pure.

A run that pauses ends with the outcome `interrupt`; the answer is a new run with `resume`. What the payload
must look like is in `responseSchema` (pydantic-ai: {"approved": bool}); without one we guess the same.
"""

from __future__ import annotations

import json
from typing import Any

from tui.backends.ag_ui_fields import Frame, text
from tui.core.events import QuestionAsked

YES = frozenset({"y", "yes", "true", "ok", "confirm", "confirmed", "approve", "approved", "allow"})
"""Whatever else is answered to a yes-or-no question is a no."""


def question_of(interrupt: Frame) -> QuestionAsked:
    """The question of one entry of `interrupts`."""
    words = text(interrupt, "message") or text(interrupt, "reason") or "The agent waits for you."
    choices = _choices(interrupt)
    kind = "approval" if _yes_or_no(interrupt) else "choice" if choices else "input"
    return QuestionAsked(text(interrupt, "id"), words, kind, choices, text(interrupt, "toolCallId"))


def answer_of(interrupt: Frame, reply: str) -> Frame:
    """The entry of `resume` that answers it. A reply that is a JSON object is passed on as it is."""
    return {"interruptId": text(interrupt, "id"), "status": "resolved", "payload": _payload(interrupt, reply)}


def _payload(interrupt: Frame, reply: str) -> Any:
    whole = _read(reply)
    if isinstance(whole, dict):
        return whole
    said: Any = reply.strip().lower() in YES if _yes_or_no(interrupt) else reply
    schema = _schema(interrupt)
    if schema.get("type") in ("number", "integer") and isinstance(whole, int | float):
        return whole
    if isinstance(said, bool):
        return said if schema.get("type") == "boolean" else {_boolean_field(schema) or "approved": said}
    fields = _fields(schema)
    return {next(iter(fields)): said} if fields else said


def _yes_or_no(interrupt: Frame) -> bool:
    schema = _schema(interrupt)
    if schema:
        return schema.get("type") == "boolean" or bool(_boolean_field(schema))
    return text(interrupt, "reason") in ("approval", "tool_call", "confirmation")


def _choices(interrupt: Frame) -> tuple[str, ...]:
    """What may be chosen: an enum in the schema, or our own backend's metadata."""
    schema, metadata = _schema(interrupt), interrupt.get("metadata")
    field: Any = next(iter(_fields(schema).values()), {})
    given = schema.get("enum") or (field.get("enum") if isinstance(field, dict) else None)
    if not given and isinstance(metadata, dict):
        given = metadata.get("choices")
    return tuple(one for one in given if isinstance(one, str)) if isinstance(given, list) else ()


def _boolean_field(schema: Frame) -> str:
    for name, field in _fields(schema).items():
        if isinstance(field, dict) and field.get("type") == "boolean":
            return name
    return ""


def _fields(schema: Frame) -> Frame:
    fields = schema.get("properties")
    return fields if isinstance(fields, dict) else {}


def _schema(interrupt: Frame) -> Frame:
    schema = interrupt.get("responseSchema")
    return schema if isinstance(schema, dict) else {}


def _read(reply: str) -> Any:
    try:
        return json.loads(reply)
    except (ValueError, RecursionError):
        return None
