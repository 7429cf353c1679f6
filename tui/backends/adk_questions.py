"""What an ADK run asks of a person, and how the answer is spelt. Pure.

A run pauses at a *long-running* call: the stream ends, and the answer is a new `/run_sse` whose message is
the call's `functionResponse`. Three calls are ADK's own (confirmation, input, credentials); others are tools.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.backends.adk_wire import JSON, call_id, obj, read, string
from tui.core.codec import dumps
from tui.core.events import QuestionAsked

CONFIRMATION = "adk_request_confirmation"
INPUT = "adk_request_input"
CREDENTIAL = "adk_request_credential"
_STOCK_HINT = "Please approve or reject the tool call"
_YES = frozenset({"y", "yes", "true", "ok", "confirm", "confirmed", "approve", "approved", "allow"})


@dataclass(frozen=True, slots=True)
class Question:
    """One open call. `about` is the tool call that it holds up, if any."""

    id: str
    name: str
    text: str
    yes_or_no: bool = False
    about: str = ""

    def asked(self) -> QuestionAsked:
        return QuestionAsked(self.id, self.text, "approval" if self.yes_or_no else "input", (), self.about)

    def answer(self, reply: str) -> JSON:
        """The message part that answers. A JSON object is passed on as it is, for tools that want one."""
        given = read(reply)
        if isinstance(given, dict):
            response: JSON = given
        elif self.yes_or_no:
            response = {"confirmed": reply.strip().lower() in _YES}
        else:
            response = {"result": reply}
        return {"functionResponse": {"id": self.id, "name": self.name, "response": response}}


def question_of(call: JSON) -> Question:
    """The question that an open call puts to a person."""
    name, args, key = string(call.get("name")), obj(call.get("args")), call_id(call)
    if name == CONFIRMATION:
        return _confirmation(key, args)
    if name == INPUT:
        schema = obj(args.get("response_schema") or args.get("responseSchema"))
        wants = string(args.get("message")) or "The agent asks for input."
        return Question(key, name, wants, yes_or_no="confirmed" in obj(schema.get("properties")))
    if name == CREDENTIAL:
        about = string(args.get("functionCallId") or args.get("function_call_id"))
        return Question(
            key, name, "A tool asks for credentials. Answer with its AuthConfig as JSON.", False, about
        )
    return Question(key, name, f"{name}({dumps(args)}) waits for its result.", False, key)


def _confirmation(key: str, args: JSON) -> Question:
    original = obj(args.get("originalFunctionCall"))
    hint = string(obj(args.get("toolConfirmation")).get("hint"))
    text = f"Allow {string(original.get('name')) or 'this tool'}({dumps(obj(original.get('args')))})?"
    if hint and not hint.startswith(_STOCK_HINT):
        text += f"\n{hint}"
    return Question(key, CONFIRMATION, text, True, call_id(original))


def held_up(event: JSON) -> set[str]:
    """Calls whose response in this event only says that they wait for a confirmation."""
    return set(obj(obj(event.get("actions")).get("requestedToolConfirmations")))
