"""What an adapter promises, and the words it uses to say what its backend can do."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from tui.core.events import Answer, End, Event


class RemoteStop(StrEnum):
    """How a run is ended on this backend."""

    ABORT = "abort"  # by a request of its own
    CLOSE = "close"  # by closing the stream; a look-up afterwards shows whether it worked
    NONE = "none"  # not at all: only our connection can be closed


class Scope(StrEnum):
    """What an abort ends."""

    RUN = "run"
    CONVERSATION = "conversation"  # everything that runs or is queued in it


@dataclass(frozen=True, slots=True)
class Takes:
    """What files a prompt may carry: `kinds` are MIME types ("image/*", "*/*"), `most` bytes of each."""

    kinds: tuple[str, ...]
    most: int
    total: int  # bytes of all files of one prompt

    def fits(self, kind: str) -> bool:
        """Whether a file of this MIME type may be sent."""
        return any(
            one in ("*/*", kind) or (one.endswith("/*") and kind.startswith(one[:-1])) for one in self.kinds
        )


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with a prompt. `name` without folders, `kind` its MIME type.

    `sha256` and `base64` are made where it is read, in a thread: for ten megabytes they take a while.
    """

    name: str
    kind: str
    data: bytes = field(repr=False)
    sha256: str = ""
    base64: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do, as its adapter knows or found out at connect."""

    remote_stop: RemoteStop
    scope: Scope = Scope.RUN
    answer_confirms: bool = False  # a yes to the abort is sent only once the run is over
    disconnect_stops: bool | None = None  # None: depends on the server
    client_run_id: bool = False  # the client chooses the run id
    resume: bool = False  # a broken stream can be re-attached without posting again
    status: bool = False  # a run can be looked up
    history: bool = False  # the backend's own copy of the conversation can be read
    takes_history: bool = False  # what was said before goes along with each prompt, as the client has it
    remembers_partial: bool | None = None  # does the backend keep a stopped reply? None: not known
    takes_reason: bool = False  # the abort carries a reason
    concurrent_runs: bool = False  # a new run may start in a conversation whose old run is not yet over
    answers_questions: bool = False
    answer_streams: bool = False  # the answer to a question opens a stream of its own: `answering`
    takes_files: Takes | None = None  # what a prompt may carry; None: text alone
    heartbeat_s: float = 0.0  # declared heartbeat interval in seconds; 0: none
    pending_s: float | None = None  # overrides of the driver's clocks, in seconds
    grace_s: float | None = None
    abort_s: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """An earlier message of the conversation, for protocols in which the client sends the history.

    `id` is the key of the prompt that a user's message was; "" where it is not known.
    """

    role: str  # "user" or "assistant"
    text: str
    partial: bool = False  # an assistant message that was stopped
    id: str = ""
    files: tuple[File, ...] = ()  # of a user's message, as far as they are still at hand


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt. `run_id` and `key` are made by the client; `earlier` is what was said before, in order.

    `files` are only given to a backend that takes them, and only of the kinds and sizes it takes.
    """

    text: str
    conversation_id: str
    run_id: str
    key: str
    earlier: tuple[Said, ...] = ()
    files: tuple[File, ...] = ()


@dataclass(slots=True)
class RunRef:
    """Names one run towards its backend. The adapter may fill in `run_id` and `cursor` as it learns them."""

    conversation_id: str
    run_id: str = ""
    prompt_key: str = ""
    cursor: str = ""  # where to re-attach, in the adapter's own spelling
    seen: int = 0  # pieces of wire data (events with `raw`) that an earlier process has recorded


@dataclass(frozen=True, slots=True)
class AbortAnswer:
    """A backend's answer to an abort: the kind, one sentence of detail, the HTTP status (0: none).

    `over`: the answer itself declares the run ended by this abort (only where `answer_confirms`).
    """

    answer: Answer
    detail: str = ""
    status: int = 0
    over: bool = False


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A look-up's result: `end` says how the run ended or that it is alive; `text` is the saved reply.

    `end` None: the backend shows no end, and `detail` says what it does show. `unsent`: the adapter knows
    that the prompt never left this machine; the rest is void then.
    """

    end: End | None
    detail: str = ""
    text: str | None = None
    unsent: bool = False

    @property
    def over(self) -> bool:
        """Whether a later look-up could not say anything else."""
        return self.unsent or self.end not in (None, End.ALIVE)


HALF_EVENT: ContextVar[list[int] | None] = ContextVar("half_event", default=None)
"""Where a reader leaves the bytes of an event that was cut in half when its stream was closed (S05)."""
NEVER_LEFT = "no connection was made"
"""The argument of the CancelledError that ends a `run` which is cancelled before anything can have left."""


class BackendError(Exception):
    """Something went wrong between us and the backend. `str()` is one clear sentence that says what to do.

    The sentence holds no secret: no header, no userinfo, no query string.
    """

    def __init__(self, sentence: str, *, status: int = 0, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after_s = retry_after_s


class PromptNotSent(BackendError):
    """The prompt cannot have reached the backend: no connection was made."""


class PromptRejected(BackendError):
    """The backend answered, and did not accept the prompt: no run exists."""


class StreamLost(BackendError):
    """The connection broke, or ended, without the backend's final word; the run may be alive."""


@runtime_checkable
class Backend(Protocol):
    """A remote agent, seen through the adapter that speaks its protocol.

    The object is bound to one base URL (and agent); conversations and runs are named in each call.
    """

    name: str

    @property
    def capabilities(self) -> Capabilities:
        """What this backend can do. May change after `connect()`."""
        ...

    async def connect(self) -> None:
        """Find out what the backend can do, where that needs a request. Never required before `run`.

        Raises BackendError.
        """
        ...

    def run(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """Post the prompt and yield what happens, `RunStarted` first and at most one `RunFinished`, last.

        Returns after `RunFinished` (or after a `QuestionAsked` that ends the stream). Raises PromptNotSent,
        PromptRejected or StreamLost. Closing the generator closes the response. Never posts twice.
        Cancelled while the connection is being made, it may say so by CancelledError(NEVER_LEFT).
        """
        ...

    async def abort(self, run: RunRef, reason: str = "") -> AbortAnswer:
        """Ask the backend to end the run, on a client of its own. Idempotent. Raises BackendError."""
        ...

    async def status(self, run: RunRef) -> RunStatus | None:
        """Whether the run is over, as the backend says. None: it has no word on it. Raises BackendError."""
        ...

    def resume(self, run: RunRef) -> AsyncGenerator[Event, None]:
        """Re-attach to a run whose stream broke, after what was already yielded. Only with `resume`."""
        ...

    async def answer(self, run: RunRef, request: str, reply: str) -> None:
        """Answer a question of the backend; the run goes on in its open stream. Raises BackendError."""
        ...

    def answering(self, run: RunRef, request: str, reply: str) -> AsyncGenerator[Event, None]:
        """As `answer`, where the run ended with its question and goes on in a new stream (`answer_streams`).

        Yields and raises as `run` does.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where a backend is and how to talk to it, as the command line or a profile gives it.

    `token_env` names an environment variable; the secret itself is never stored. `abort_url` and
    `abort_body` are templates with {base}, {agent}, {conversation_id} and {run_id}.
    """

    backend: str
    url: str
    agent: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    token_env: str = ""
    abort_url: str = ""
    abort_body: str = ""
    ca_file: str = ""
    proxy: str = ""
    options: dict[str, str] = field(default_factory=dict)
