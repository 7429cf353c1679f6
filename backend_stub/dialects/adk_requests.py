"""Reading ADK's requests (in camelCase or snake_case), and starting what they ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from backend_stub.dialects.adk_events import Asking
from backend_stub.dialects.adk_sessions import Session, new_invocation
from backend_stub.engine import Engine
from backend_stub.run import Run

JSON = dict[str, Any]


class AdkError(Exception):
    """An answer other than 200; `detail` is what the body says."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(str(detail))
        self.status, self.detail = status, detail


@dataclass(frozen=True, slots=True)
class Message:
    """What a run is started with."""

    app: str
    user: str
    session: str
    parts: list[JSON] = field(default_factory=list)
    streaming: bool = False
    metadata: JSON | None = None

    @property
    def text(self) -> str:
        return "\n".join(part["text"] for part in self.parts if isinstance(part.get("text"), str))


def object_in(body: bytes) -> JSON:
    """The JSON object in a body; an empty one where there is no body. Raises AdkError."""
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise AdkError(422, [{"type": "json_invalid", "loc": ["body"], "msg": "JSON decode error"}]) from None
    return value if isinstance(value, dict) else {}


def text_in(given: JSON, name: str) -> str:
    """A text field by its camelCase name, or the same in snake_case; "" if it is missing."""
    value = _get(given, name)
    return value if isinstance(value, str) else ""


def read_message(body: bytes) -> Message:
    """The body of `/run` and `/run_sse`. Raises AdkError 422 where a name is missing."""
    given = object_in(body)
    names = ("appName", "userId", "sessionId")
    missing = [name for name in names if not text_in(given, name)]
    if missing:
        raise AdkError(
            422, [{"type": "missing", "loc": ["body", n], "msg": "Field required"} for n in missing]
        )
    app, user, session = (text_in(given, name) for name in names)
    parts, metadata = parts_of(_get(given, "newMessage")), _get(given, "customMetadata")
    known = metadata if isinstance(metadata, dict) else None
    return Message(app, user, session, parts, given.get("streaming") is True, known)


def parts_of(content: Any) -> list[JSON]:
    parts = content.get("parts") if isinstance(content, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def answer_in(parts: list[JSON]) -> tuple[str, str] | None:
    """The call that a message answers, and the answer as text; None: it answers none."""
    for part in parts:
        response = _get(part, "functionResponse")
        if isinstance(response, dict):
            given = response.get("response")
            value = given if isinstance(given, dict) else {"result": given}
            if isinstance(value.get("confirmed"), bool):
                return text_in(response, "id"), "yes" if value["confirmed"] else "no"
            return text_in(response, "id"), str(next(iter(value.values()), ""))
    return None


async def start_run(
    engine: Engine, session: Session, message: Message, asked: tuple[Asking, str] | None, reply: str
) -> Run:
    """Start a run for a message, or the one that goes on with an answer, in the invocation that had asked."""
    names = {"conversation_id": session.conversation_id, "agent": message.app}
    if asked:
        asking, invocation = asked
        run_id = f"{invocation}.{len(session.runs)}"
        return engine.go_on(run_id=run_id, request=asking.request, reply=reply, **names)
    return await engine.start(run_id=new_invocation(), prompt=message.text, pauses=True, **names)


def _get(given: JSON, name: str) -> Any:
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return given.get(name, given.get(snake))
