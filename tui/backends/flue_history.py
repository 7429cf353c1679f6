"""What Flue's history (`GET C`) and its settlements say about one run. Pure.

A snapshot is `{conversationId, offset, incarnation, messages, settlements}`. A submission (a run) that waits
behind another is in none of its lists; one that was taken up is in `messages`; one that is over is in
`settlements`, with the outcome completed, failed or aborted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from tui.backends.base import RunStatus
from tui.core.events import End, RunFinished

JSON = dict[str, Any]

_ENDS = {"completed": End.COMPLETED, "failed": End.FAILED, "aborted": End.CANCELLED}
ABANDONED = "may still be running"
"""What is in the error of a tool that did not listen to the abort; the wire has no other sign of it."""
_ELSEWHERE = "Answered within the reply to another prompt."


def read_json(text: str | bytes) -> Any:
    """The value in a body or frame; None where it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def text_of(value: object) -> str:
    """A wire field that should be a string; "" where it is not."""
    return value if isinstance(value, str) else ""


def dicts_in(value: JSON, name: str) -> Iterator[JSON]:
    """The objects in a wire field that should be a list of objects."""
    found = value.get(name)
    if isinstance(found, list):
        yield from (each for each in found if isinstance(each, dict))


def submissions_of(message: JSON) -> set[str]:
    """The submissions a message is about. An advisory names its own only inside its signal's attributes."""
    signal = message.get("signal")
    attributes = signal.get("attributes") if isinstance(signal, dict) else None
    named = attributes.get("submissionId") if isinstance(attributes, dict) else None
    return {text_of(message.get("submissionId")), text_of(named)} - {""}


def settlement_of(snapshot: JSON, submission: str) -> JSON | None:
    """How this submission settled; None: it has not, as far as the snapshot goes."""
    settled = (each for each in dicts_in(snapshot, "settlements") if each.get("submissionId") == submission)
    return next(settled, None)


def end_of(settlement: JSON) -> RunFinished:
    """A settlement as our event, from the stream or the history. An outcome we do not know is an end, too."""
    end = _ENDS.get(text_of(settlement.get("outcome")), End.UNSPECIFIED)
    error = settlement.get("error")
    if not isinstance(error, dict):
        return RunFinished(end, _answered_by(settlement))
    return RunFinished(end, "" if end is End.CANCELLED else _reason(error), text_of(error.get("type")))


def _reason(error: JSON) -> str:
    """The provider's own words where there are some: `message` wraps them in the submission's id. Of an
    abort it says no more than that it was one."""
    meta = error.get("meta")
    reason = text_of(meta.get("reason")) if isinstance(meta, dict) else ""
    return reason or text_of(error.get("message"))


def _answered_by(settlement: JSON) -> str:
    other = text_of(settlement.get("answeredBySubmissionId"))
    return _ELSEWHERE if other and other != settlement.get("submissionId") else ""


def saved_reply(snapshot: JSON, submission: str) -> str | None:
    """The reply's text as saved, blocks parted by an empty line.

    None where the history cannot tell: nothing was saved, or the prompt joined another prompt's run and its
    answer stands inside that one's message.
    """
    replies = [m for m in dicts_in(snapshot, "messages") if _is_reply(m, submission)]
    if not replies:
        return None
    parts = (part for message in replies for part in dicts_in(message, "parts"))
    texts = (text_of(part.get("text")) for part in parts if part.get("type") == "text")
    return "\n\n".join(text for text in texts if text)


def _is_reply(message: JSON, submission: str) -> bool:
    return message.get("role") == "assistant" and message.get("submissionId") == submission


def _abandoned(snapshot: JSON, submission: str) -> str:
    """Tools that the server gave up on while they ran, in a sentence."""
    replies = (m for m in dicts_in(snapshot, "messages") if _is_reply(m, submission))
    parts = (part for message in replies for part in dicts_in(message, "parts"))
    names = [text_of(p.get("toolName")) for p in parts if ABANDONED in text_of(p.get("errorText"))]
    return f"The server says that {', '.join(names)} may still be running." if names else ""


def look_up(snapshot: JSON, submission: str) -> RunStatus | None:
    """Whether this run is over, as the history says. None: it has no word on it (or it waits in a queue)."""
    settled = settlement_of(snapshot, submission)
    if settled:
        end = end_of(settled)
        detail = " ".join(filter(None, (end.message, _abandoned(snapshot, submission))))
        return RunStatus(end.end, detail, saved_reply(snapshot, submission))
    if any(submission in submissions_of(message) for message in dicts_in(snapshot, "messages")):
        detail = "The history has this run, and no end of it."
        return RunStatus(End.ALIVE, detail, saved_reply(snapshot, submission))
    return None


def submissions_in(snapshot: JSON) -> set[str]:
    """Every submission that the history names."""
    of_messages = [submissions_of(message) for message in dicts_in(snapshot, "messages")]
    settled = {text_of(each.get("submissionId")) for each in dicts_in(snapshot, "settlements")}
    return settled.union(*of_messages) - {""}


def keyed_submission(agent: str, conversation: str, key: str) -> str:
    """The id that Flue gives to a prompt sent with an idempotency key (a frozen format, it says).

    With it a prompt whose answer was lost is found without sending it again.
    """
    made = hashlib.sha256(f"flue-submission-key\n{agent}\n{conversation}\n{key}".encode("utf-8", "replace"))
    return f"sub_ik_{made.hexdigest()[:32]}"


def agent_named_in(error: object) -> str:
    """The agent's own name in an error about a conversation's stream (`"agents/Support/id"`); "" if none."""
    told = error.get("error") if isinstance(error, dict) else None
    message = text_of(told.get("message")) if isinstance(told, dict) else ""
    found = re.search(r'"agents/([^/"]+)/', message)
    return found[1] if found else ""


def of_conversation(snapshot: JSON) -> RunStatus | None:
    """What the history says of whatever ran in a conversation last, for a reference that names no run."""
    open_ = [
        s for m in dicts_in(snapshot, "messages") for s in submissions_of(m) if not settlement_of(snapshot, s)
    ]
    settled = [text_of(each.get("submissionId")) for each in dicts_in(snapshot, "settlements")]
    return look_up(snapshot, [*settled, *open_][-1]) if open_ or settled else None
