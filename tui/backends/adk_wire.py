"""Reading ADK's JSON without trusting it: an event's fields, parts, calls, and whether it is final. Pure."""

from __future__ import annotations

import json
from typing import Any

JSON = dict[str, Any]

ABORTED = "INVOCATION_ABORTED"
"""The error code with which ADK 2.11 and later seals a run that was aborted."""

MARK = "stopkey"
"""Our key in `customMetadata`. The server copies it onto every event of the run it came with, the user's
message and the abort's seal included, so that a run is found even if its id was never received."""


def read(text: str | bytes) -> Any:
    """The JSON value in `text`; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def obj(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[JSON]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def parts(event: JSON) -> list[JSON]:
    return objects(obj(event.get("content")).get("parts"))


def calls(event: JSON) -> list[JSON]:
    return [part["functionCall"] for part in parts(event) if isinstance(part.get("functionCall"), dict)]


def responses(event: JSON) -> list[JSON]:
    found = (part.get("functionResponse") for part in parts(event))
    return [response for response in found if isinstance(response, dict)]


def call_id(call: JSON) -> str:
    """The id of a call or of its response; servers that leave it out pair them by name."""
    return string(call.get("id")) or string(call.get("name"))


def text_of(event: JSON, *, thought: bool) -> str:
    """All reply text (or all reasoning) of one event."""
    chosen = (part for part in parts(event) if bool(part.get("thought")) is thought)
    return "".join(string(part.get("text")) for part in chosen)


def long_running(event: JSON) -> list[str]:
    """Ids of the calls in this event that wait for someone outside."""
    ids = event.get("longRunningToolIds")
    return [one for one in ids if isinstance(one, str)] if isinstance(ids, list) else []


def is_aborted(event: JSON) -> bool:
    return event.get("errorCode") == ABORTED


def is_final(event: JSON) -> bool:
    """ADK's own rule (`Event.is_final_response`) for an event that ends an agent's part of a run."""
    if obj(event.get("actions")).get("skipSummarization") or long_running(event):
        return True
    if event.get("partial") or calls(event):
        return False
    if event.get("errorCode"):
        return True
    return not responses(event) and not any("codeExecutionResult" in part for part in parts(event)[-1:])


def root_author(event: JSON) -> bool:
    """Whether the run's root agent wrote this event; its final answer is the end of the run.

    Without `nodeInfo` (ADK before 2.0) this cannot be told, and the answer is no.
    """
    path = string(obj(event.get("nodeInfo")).get("path"))
    return bool(path) and "/" not in path
