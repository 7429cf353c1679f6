"""Everything that can happen in a conversation, as frozen dataclasses of one union.

Three kinds share one numbered log: what the *backend* sent (adapters decode bytes into these), what the
*person* did, and what the *driver* saw while it stopped a run. Text in events is as received, unsanitised;
`safe_text` is the one door between it and any screen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Answer(StrEnum):
    """What a backend said to an abort."""

    ACKNOWLEDGED = "acknowledged"  # yes; by itself no proof that anything ended
    ALREADY_OVER = "already over"  # it knows this run, and says it had ended before
    NOTHING_RUNNING = "nothing running"  # it knows of no such run, or of none that runs
    REFUSED = "refused"  # it answered, and not with a yes (401, 403, 409 without an end, 5xx, redirect)
    UNANSWERED = "unanswered"  # no usable answer within the deadline, or no connection
    UNSUPPORTED = "unsupported"  # this backend has no abort
    CLOSED = "closed"  # closing the connection is this backend's way to stop; there is no answer


class End(StrEnum):
    """What a backend declares about the end of a run."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNSPECIFIED = "unspecified"  # over, without saying how (AG-UI servers that leave the outcome out)
    ALIVE = "alive"  # a look-up says that it still runs


class Clock(StrEnum):
    """A deadline of a stop that ran out."""

    PENDING = "pending"  # the run did not become known in time
    GRACE = "grace"  # the stream showed no end in time, and had gone quiet
    WENT_ON = "went on"  # the grace ended and the run was still talking


class ToolStatus(StrEnum):
    """How a tool call ended, where the backend says so."""

    OK = "ok"
    ERROR = "error"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events.

    `raw` is the wire data this event was decoded from (UTF-8 text). Where one piece of wire data gives
    several events only the first carries it. It takes no part in comparisons.
    """

    raw: str = field(default="", kw_only=True, compare=False, repr=False)


# --- from the backend -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """The backend has accepted the prompt; from here on the run exists and can be aborted."""

    run_id: str
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class TextDelta(Event):
    """More of the reply. A new `block` opens a new text block (markdown)."""

    block: str
    text: str


@dataclass(frozen=True, slots=True)
class TextReplaced(Event):
    """The whole text of a block, as the backend repeats it. Applied only while the turn is not frozen."""

    block: str
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta(Event):
    """More of the model's reasoning."""

    block: str
    text: str


@dataclass(frozen=True, slots=True)
class BlockEnded(Event):
    """No more deltas for this text or reasoning block."""

    block: str


@dataclass(frozen=True, slots=True)
class ToolStarted(Event):
    """A tool call opened. `arguments` holds them whole where the backend does not stream them (JSON text)."""

    call: str
    name: str
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class ToolArguments(Event):
    """More of a call's arguments (JSON text, not yet whole)."""

    call: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolRunning(Event):
    """The arguments are complete; the tool itself may run now. Not its end."""

    call: str


@dataclass(frozen=True, slots=True)
class ToolFinished(Event):
    """A tool call's end. `result` is text; structured results are JSON text."""

    call: str
    result: str = ""
    status: ToolStatus = ToolStatus.OK


@dataclass(frozen=True, slots=True)
class StepStarted(Event):
    """A named step of the run began."""

    name: str


@dataclass(frozen=True, slots=True)
class StepFinished(Event):
    """A named step of the run ended."""

    name: str


@dataclass(frozen=True, slots=True)
class DataReceived(Event):
    """Structured data that is neither text nor a tool call: state, activity, custom events."""

    name: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class UsageReported(Event):
    """Token counts of the run so far, where the backend reports them."""

    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""


@dataclass(frozen=True, slots=True)
class QuestionAsked(Event):
    """The backend waits for a person. `call` names the tool call it is about, if any.

    `kind` is "approval" (yes or no), "choice" (one of `choices`) or "input" (free text).
    """

    request: str
    text: str
    kind: str = "approval"
    choices: tuple[str, ...] = ()
    call: str = ""


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """The backend's own final word on the run: how it ended, and any message or reason it gave."""

    end: End = End.COMPLETED
    message: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Unknown(Event):
    """A wire event this client does not know, or one without meaning for it. Kept for the inspector."""

    name: str


# --- from the person --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that went with a prompt: its name without folders, its MIME type, its bytes' number and sum."""

    name: str
    kind: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Prompted(Event):
    """A prompt was sent. `key` is the id of this sending (idempotency key); a retry of it reuses the key."""

    text: str
    key: str = ""
    run_id: str = ""  # chosen by the client, used where the protocol lets it
    files: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class StopAsked(Event):
    """Stop was pressed. `cause` names the key, click, command or signal; `shown` counts characters."""

    cause: str
    reason: str = ""
    shown: int = 0
    after: int = 0  # number of the last event before the stop


@dataclass(frozen=True, slots=True)
class ReasonGiven(Event):
    """Why the turn was stopped, as the person said after the stop. The latest one counts."""

    reason: str


@dataclass(frozen=True, slots=True)
class RetryAsked(Event):
    """The person asked to send the abort again, for a stop that is not confirmed."""

    cause: str


@dataclass(frozen=True, slots=True)
class QuestionAnswered(Event):
    """The person answered a question of the backend."""

    request: str
    reply: str


# --- from the driver --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Requested(Event):
    """One of our own requests left: `purpose` is prompt, abort, status, history, resume or answer."""

    purpose: str
    method: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class NotSent(Event):
    """The prompt did not leave this machine (no connection). `detail`: one sentence, what to do."""

    detail: str


@dataclass(frozen=True, slots=True)
class PromptRefused(Event):
    """The backend answered and did not accept the prompt: no run exists. `status` is the HTTP status."""

    detail: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class StreamBroke(Event):
    """The stream ended without the backend's final word: cut, reset, or a clean end with no end marker."""

    detail: str


@dataclass(frozen=True, slots=True)
class StreamClosed(Event):
    """Our side closed the stream. `half` bytes of an event that was cut in half are not in the record."""

    half: int = 0


@dataclass(frozen=True, slots=True)
class AnswerFailed(Event):
    """The person's answer did not reach the backend, which still waits."""

    request: str
    detail: str


@dataclass(frozen=True, slots=True)
class AbortAnswered(Event):
    """The answer to an abort. `ms` is the time from sending it, `status` the HTTP status if there was one."""

    answer: Answer
    detail: str = ""
    status: int = 0
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class RunLookedUp(Event):
    """A status or history look-up. `end` None: the backend had no word on this run.

    `text` is the reply as the backend has saved it, None where it does not say.
    """

    end: End | None
    detail: str = ""
    text: str | None = None


@dataclass(frozen=True, slots=True)
class ClockJumped(Event):
    """The wall clock moved `seconds` further than the monotonic one: the machine slept, or it was set.

    All durations are told from the monotonic clock, which does not count the sleep.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class ClockRan(Event):
    """A deadline of the stop ran out."""

    clock: Clock


@dataclass(frozen=True, slots=True)
class ClientLeft(Event):
    """The client quit or died while the turn was not settled. Written at quit, or at the next start."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Settled(Event):
    """The turn reached a final phase, or the outcome of its stop rose. What the fold found, for readers.

    `late_policy` is keep, count or drop: what was written of the `late_events` (`late_chars` of reply text);
    "off disk": nothing of the whole conversation is.
    """

    phase: str
    outcome: str = ""
    late_events: int = 0
    late_chars: int = 0
    late_policy: str = "keep"


BACKEND_EVENTS = (
    RunStarted, TextDelta, TextReplaced, ReasoningDelta, BlockEnded, ToolStarted, ToolArguments, ToolRunning,
    ToolFinished, StepStarted, StepFinished, DataReceived, UsageReported, QuestionAsked, RunFinished, Unknown,
)  # fmt: skip
PERSON_EVENTS = (Prompted, StopAsked, ReasonGiven, RetryAsked, QuestionAnswered)
DRIVER_EVENTS = (
    Requested, NotSent, PromptRefused, StreamBroke, StreamClosed, AnswerFailed, AbortAnswered, RunLookedUp,
    ClockJumped, ClockRan, ClientLeft, Settled,
)  # fmt: skip
ALL_EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (*BACKEND_EVENTS, *PERSON_EVENTS, *DRIVER_EVENTS)
}


@dataclass(frozen=True, slots=True)
class Record:
    """One numbered line of a conversation's log.

    `number` counts from 1 within the conversation, `turn` from 1. `wall` is UTC in seconds since the epoch,
    `mono` the monotonic clock in seconds (comparable only within one run of the client). `late`: it belongs
    to a stopped run and came after the stop.
    """

    number: int
    turn: int
    wall: float
    mono: float
    event: Event
    late: bool = False
