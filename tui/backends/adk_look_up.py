"""What a stored ADK session says about one run: found by our mark, judged by its last events. Pure.

The session is the only place where an ADK server says how a run ended once its stream is closed. It holds no
partial reply, and no end of a run that is still going.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.backends.adk_decode import Decoder
from tui.backends.adk_questions import Question
from tui.backends.adk_wire import (
    JSON,
    MARK,
    call_id,
    is_aborted,
    is_final,
    obj,
    objects,
    parts,
    responses,
    root_author,
    string,
    text_of,
)
from tui.core.codec import dumps
from tui.core.events import End


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at a run. `end` None: the session shows no end of it.

    `run_id` is the invocation's id ("": not found), `posted` how many of our messages of this turn are
    stored (the prompt, and answers to questions), `size` how many events followed the last of them, `text`
    the reply as stored.
    """

    run_id: str = ""
    end: End | None = None
    detail: str = ""
    text: str | None = None
    posted: int = 0
    size: int = 0


def marked(event: JSON, key: str) -> bool:
    return bool(key) and obj(event.get("customMetadata")).get(MARK) == key


def sight(session: JSON, key: str, run_id: str = "") -> Sighting:
    """What `session` says of the run of the prompt `key`, or of the invocation `run_id` where no event
    carries our mark (a server that drops it, a run that another client started)."""
    ours = _of_run(session, key, run_id)
    if not ours:
        return Sighting()
    asked = [n for n, event in enumerate(ours) if event.get("author") == "user"]
    since = ours[asked[-1] + 1 :] if asked else ours
    end, detail = _end_of(since, _heirs(objects(session.get("events"))))
    text = _reply(ours) if end is not None else None
    return Sighting(string(ours[-1].get("invocationId")), end, detail, text, len(asked), len(since))


def open_questions(session: JSON, key: str, run_id: str = "") -> dict[str, Question]:
    """What a run waits for: calls for a person that nobody has answered."""
    ours = _of_run(session, key, run_id)
    told = [event for event in ours if event.get("author") != "user"]
    answered = {call_id(one) for event in ours if event not in told for one in responses(event)}
    return {name: question for name, question in _asked(told).items() if name not in answered}


def _of_run(session: JSON, key: str, run_id: str) -> list[JSON]:
    events = objects(session.get("events"))
    ours = [event for event in events if marked(event, key)]
    return ours or [event for event in events if run_id and event.get("invocationId") == run_id]


def newest_run(session: JSON) -> str:
    """The invocation that a person's message started last; "" if there is none."""
    asked = [event for event in objects(session.get("events")) if event.get("author") == "user"]
    return string(asked[-1].get("invocationId")) if asked else ""


def _heirs(session: list[JSON]) -> set[str]:
    """Agents that the conversation was handed to, in this run or in one before it."""
    return {string(obj(event.get("actions")).get("transferToAgent")) for event in session} - {""}


def _end_of(events: list[JSON], heirs: set[str]) -> tuple[End | None, str]:
    if any(is_aborted(event) for event in events):
        return End.CANCELLED, "The session holds this run's INVOCATION_ABORTED event."
    told = [event for event in events if parts(event) or event.get("errorCode")]
    if not told or not _ends_the_run(told[-1], heirs):
        return None, ""
    last = told[-1]
    if code := string(last.get("errorCode")):
        return End.FAILED, f"The session holds this run's error {code}: {string(last.get('errorMessage'))}"
    if _asked(told):
        return End.UNSPECIFIED, "The session shows that the run had paused for an answer; nothing runs."
    return End.COMPLETED, "The session holds this run's final reply."


def _ends_the_run(last: JSON, heirs: set[str]) -> bool:
    """Whether a run's last event ends the whole of it, not only one agent's part.

    A member of a workflow may be followed by the next one. Only the root agent, or an agent that it handed
    the conversation to, has the last word; of any other the session does not tell.
    """
    return is_final(last) and (root_author(last) or last.get("author") in heirs)


def _asked(events: list[JSON]) -> dict[str, Question]:
    reader = Decoder()
    for event in events:
        reader.feed(dumps(event))
    return reader.questions


def _reply(events: list[JSON]) -> str:
    """The stored reply, texts of several model turns parted by an empty line as the transcript parts them."""
    spoken = (event for event in events if event.get("author") != "user" and not responses(event))
    texts = (text_of(event, thought=False) for event in spoken)
    return "\n\n".join(text for text in texts if text)
