"""The life of a turn as a table: phase and signal give the next phase; entering a phase says what to do.

Read TRANSITIONS aloud: "while STREAMING, a STOP leads to ASKING". A pair that is not there changes nothing.
Every interleaving of this table with a backend is checked by `tests/core/test_interleavings.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto

from tui.core import events as ev
from tui.core.events import Answer, Clock, End


class Phase(StrEnum):
    """Where a turn is. ASKING, READING_ON and CHECKING together are what people see as *stopping*."""

    IDLE = "idle"  # nothing yet
    SENDING = "sending"  # prompt posted, the run not yet known to exist
    STREAMING = "streaming"  # events arrive
    WAITING = "waiting"  # the backend waits for a person
    LOST = "lost"  # the connection broke; the run may be alive
    STOP_PENDING = "stop pending"  # stopped before the run was known to exist: the abort is held until it is
    ASKING = "asking"  # the abort is in flight; the stream is read on for evidence
    READING_ON = "reading on"  # the abort was answered; reading on, at most the grace, for the end
    CHECKING = "checking"  # no end on the stream: asking the backend whether the run is over
    STOPPED = "stopped"
    COMPLETED = "completed"
    FAILED = "failed"


class Outcome(StrEnum):
    """How a stop ended. Only CONFIRMED may be called *stopped* without a qualifier."""

    CONFIRMED = "confirmed"
    FINISHED_FIRST = "finished first"
    ACKNOWLEDGED = "acknowledged"
    UNCONFIRMED = "unconfirmed"
    LOCAL_ONLY = "local only"
    NEVER_SENT = "never sent"


class Signal(Enum):
    """What an event means for the phase."""

    SUBMIT = auto()
    STOP = auto()
    RETRY = auto()
    STARTED = auto()
    CONTENT = auto()
    QUESTION = auto()
    ANSWERED = auto()
    COMPLETED = auto()  # the backend's own end: it finished by itself
    CANCELLED = auto()  # the backend's own end: it was cancelled
    ENDED = auto()  # the backend's own end, without saying how
    ERRORED = auto()  # the backend's own end: it failed
    BROKE = auto()
    UNSENT = auto()
    REJECTED = auto()  # the backend answered and did not accept the prompt
    YES = auto()  # answers to the abort
    ALREADY_OVER = auto()
    NOTHING_RUNNING = auto()
    NO = auto()
    NO_ANSWER = auto()
    UNSUPPORTED = auto()
    CLOSED = auto()
    ALIVE = auto()  # look-ups
    NO_WORD = auto()
    PENDING_OVER = auto()  # clocks
    GRACE_OVER = auto()
    WENT_ON = auto()
    LEFT = auto()  # the client quit or died


class Effect(Enum):
    """What the driver does on entering a phase."""

    OPEN = auto()  # post the prompt and read the stream
    FREEZE = auto()  # seal the text; everything from here on is late
    HOLD = auto()  # start the clock of a pending stop
    ABORT = auto()  # send the abort
    READ_ON = auto()  # start the grace
    CLOSE = auto()  # cancel the reading, once
    VERIFY = auto()  # look the run up
    REATTACH = auto()  # try to resume the stream
    SETTLE = auto()  # write the receipt


P, S, E = Phase, Signal, Effect

TRANSITIONS: dict[Phase, dict[Signal, Phase]] = {
    P.IDLE: {
        S.SUBMIT: P.SENDING,
    },
    P.SENDING: {
        S.STARTED: P.STREAMING,
        S.CONTENT: P.STREAMING,
        S.QUESTION: P.WAITING,
        S.COMPLETED: P.COMPLETED,
        S.ENDED: P.COMPLETED,
        S.ERRORED: P.FAILED,
        S.CANCELLED: P.FAILED,  # by someone else: it did not complete, and nobody here stopped it
        S.REJECTED: P.FAILED,
        S.UNSENT: P.FAILED,
        S.BROKE: P.LOST,
        S.STOP: P.STOP_PENDING,
        S.LEFT: P.LOST,
    },
    P.STREAMING: {
        S.QUESTION: P.WAITING,
        S.COMPLETED: P.COMPLETED,
        S.ENDED: P.COMPLETED,
        S.ERRORED: P.FAILED,
        S.CANCELLED: P.FAILED,
        S.BROKE: P.LOST,
        S.STOP: P.ASKING,
        S.LEFT: P.LOST,
    },
    P.WAITING: {
        S.CONTENT: P.STREAMING,
        S.ANSWERED: P.STREAMING,
        S.COMPLETED: P.COMPLETED,
        S.ENDED: P.COMPLETED,
        S.ERRORED: P.FAILED,
        S.CANCELLED: P.FAILED,
        S.BROKE: P.LOST,
        S.STOP: P.ASKING,
    },
    P.LOST: {
        S.STARTED: P.STREAMING,  # re-attached
        S.CONTENT: P.STREAMING,
        S.QUESTION: P.WAITING,
        S.COMPLETED: P.COMPLETED,
        S.ENDED: P.COMPLETED,
        S.ERRORED: P.FAILED,
        S.CANCELLED: P.FAILED,
        S.STOP: P.ASKING,
    },
    P.STOP_PENDING: {
        S.STARTED: P.ASKING,
        S.CONTENT: P.ASKING,
        S.QUESTION: P.ASKING,
        S.COMPLETED: P.STOPPED,
        S.ENDED: P.STOPPED,
        S.ERRORED: P.STOPPED,
        S.CANCELLED: P.STOPPED,
        S.REJECTED: P.STOPPED,
        S.UNSENT: P.STOPPED,
        S.BROKE: P.STOPPED,
        S.UNSUPPORTED: P.STOPPED,
        S.CLOSED: P.CHECKING,
        S.PENDING_OVER: P.STOPPED,
        S.LEFT: P.STOPPED,
    },
    P.ASKING: {
        S.COMPLETED: P.STOPPED,
        S.CANCELLED: P.STOPPED,
        S.ENDED: P.ASKING,  # over, but was it us? the answer decides
        S.ERRORED: P.ASKING,
        S.YES: P.READING_ON,
        S.ALREADY_OVER: P.READING_ON,
        S.NOTHING_RUNNING: P.READING_ON,
        S.NO: P.READING_ON,
        S.NO_ANSWER: P.CHECKING,
        S.UNSUPPORTED: P.STOPPED,
        S.CLOSED: P.CHECKING,
        S.LEFT: P.STOPPED,
    },
    P.READING_ON: {
        S.COMPLETED: P.STOPPED,
        S.CANCELLED: P.STOPPED,
        S.ENDED: P.STOPPED,
        S.ERRORED: P.STOPPED,
        S.BROKE: P.CHECKING,
        S.GRACE_OVER: P.CHECKING,
        S.WENT_ON: P.CHECKING,
        S.LEFT: P.STOPPED,
    },
    P.CHECKING: {
        S.COMPLETED: P.STOPPED,
        S.CANCELLED: P.STOPPED,
        S.ENDED: P.STOPPED,
        S.ERRORED: P.STOPPED,
        S.ALIVE: P.STOPPED,
        S.NO_WORD: P.STOPPED,
        S.UNSENT: P.STOPPED,  # closed before the prompt had left, as the adapter knows
        S.LEFT: P.STOPPED,
    },
    P.STOPPED: {
        S.RETRY: P.STOPPED,  # RISES_TO below says what evidence that comes later changes
    },
    P.COMPLETED: {},
    P.FAILED: {},
}

FINAL = frozenset({P.STOPPED, P.COMPLETED, P.FAILED})
STOPPING = frozenset({P.STOP_PENDING, P.ASKING, P.READING_ON, P.CHECKING})
ACTIVE = frozenset({P.SENDING, P.STREAMING, P.WAITING, P.LOST})
"""Phases in which there is something to stop."""
_LEARNING = STOPPING | {P.STOPPED}

ON_ENTRY: dict[Phase, tuple[Effect, ...]] = {
    P.SENDING: (E.OPEN,),
    P.LOST: (E.REATTACH,),
    P.STOP_PENDING: (E.FREEZE, E.HOLD),
    P.ASKING: (E.FREEZE, E.ABORT),
    P.READING_ON: (E.READ_ON,),
    P.CHECKING: (E.CLOSE, E.VERIFY),
    P.STOPPED: (E.FREEZE, E.CLOSE, E.SETTLE),
    P.COMPLETED: (E.FREEZE, E.CLOSE, E.SETTLE),
    P.FAILED: (E.FREEZE, E.CLOSE, E.SETTLE),
}

VERDICT: dict[End | None, dict[Answer | None, Outcome]] = {
    End.CANCELLED: dict.fromkeys((None, *Answer), Outcome.CONFIRMED),
    End.COMPLETED: dict.fromkeys((None, *Answer), Outcome.FINISHED_FIRST),
    # Over by the backend's word, but not how: a yes to our abort makes it ours, anything else does not.
    End.UNSPECIFIED: dict.fromkeys((None, *Answer), Outcome.FINISHED_FIRST)
    | {Answer.ACKNOWLEDGED: Outcome.CONFIRMED, Answer.CLOSED: Outcome.CONFIRMED},
    End.FAILED: dict.fromkeys((None, *Answer), Outcome.FINISHED_FIRST)
    | {Answer.ACKNOWLEDGED: Outcome.CONFIRMED, Answer.CLOSED: Outcome.CONFIRMED},
    End.ALIVE: dict.fromkeys((None, *Answer), Outcome.UNCONFIRMED) | {Answer.UNSUPPORTED: Outcome.LOCAL_ONLY},
    None: {
        None: Outcome.UNCONFIRMED,
        Answer.ACKNOWLEDGED: Outcome.ACKNOWLEDGED,
        Answer.ALREADY_OVER: Outcome.FINISHED_FIRST,
        Answer.NOTHING_RUNNING: Outcome.UNCONFIRMED,
        Answer.REFUSED: Outcome.UNCONFIRMED,
        Answer.UNANSWERED: Outcome.UNCONFIRMED,
        Answer.UNSUPPORTED: Outcome.LOCAL_ONLY,
        Answer.CLOSED: Outcome.UNCONFIRMED,
    },
}
"""What a stop may claim, by what was declared about the run's end and by the latest answer to the abort."""

RISES_TO: dict[Outcome, frozenset[Outcome]] = {
    Outcome.UNCONFIRMED: frozenset(
        {Outcome.ACKNOWLEDGED, Outcome.CONFIRMED, Outcome.FINISHED_FIRST, Outcome.NEVER_SENT}
    ),
    Outcome.ACKNOWLEDGED: frozenset({Outcome.CONFIRMED, Outcome.FINISHED_FIRST}),
    Outcome.LOCAL_ONLY: frozenset({Outcome.CONFIRMED, Outcome.FINISHED_FIRST}),
    Outcome.CONFIRMED: frozenset(),
    Outcome.FINISHED_FIRST: frozenset(),
    Outcome.NEVER_SENT: frozenset(),
}
"""Evidence that comes after the turn settled raises its outcome, and nothing lowers it."""


@dataclass(frozen=True, slots=True)
class TurnState:
    """Where one turn is. `answer` is the latest answer to the abort, `end` what was declared of the run.
    `unsent`: the prompt never left this machine.
    """

    phase: Phase = Phase.IDLE
    answer: Answer | None = None
    end: End | None = None
    outcome: Outcome | None = None
    unsent: bool = False

    @property
    def frozen(self) -> bool:
        """Whether the text may no longer grow: from the stop on, and when settled."""
        return self.phase in STOPPING or self.phase in FINAL


_END_SIGNALS = {
    End.COMPLETED: Signal.COMPLETED,
    End.CANCELLED: Signal.CANCELLED,
    End.UNSPECIFIED: Signal.ENDED,
    End.FAILED: Signal.ERRORED,
    End.ALIVE: Signal.ALIVE,
}
_ANSWER_SIGNALS = {
    Answer.ACKNOWLEDGED: Signal.YES,
    Answer.ALREADY_OVER: Signal.ALREADY_OVER,
    Answer.NOTHING_RUNNING: Signal.NOTHING_RUNNING,
    Answer.REFUSED: Signal.NO,
    Answer.UNANSWERED: Signal.NO_ANSWER,
    Answer.UNSUPPORTED: Signal.UNSUPPORTED,
    Answer.CLOSED: Signal.CLOSED,
}
_CLOCK_SIGNALS = {
    Clock.PENDING: Signal.PENDING_OVER,
    Clock.GRACE: Signal.GRACE_OVER,
    Clock.WENT_ON: Signal.WENT_ON,
}
_PLAIN_SIGNALS: dict[type[ev.Event], Signal] = {
    ev.Prompted: Signal.SUBMIT,
    ev.StopAsked: Signal.STOP,
    ev.RetryAsked: Signal.RETRY,
    ev.RunStarted: Signal.STARTED,
    ev.QuestionAsked: Signal.QUESTION,
    ev.QuestionAnswered: Signal.ANSWERED,
    ev.AnswerFailed: Signal.QUESTION,
    ev.StreamBroke: Signal.BROKE,
    ev.NotSent: Signal.UNSENT,
    ev.PromptRefused: Signal.REJECTED,
    ev.ClientLeft: Signal.LEFT,
} | dict.fromkeys(
    (
        ev.TextDelta, ev.TextReplaced, ev.ReasoningDelta, ev.ToolStarted, ev.ToolArguments, ev.ToolRunning,
        ev.ToolFinished, ev.StepStarted, ev.StepFinished, ev.DataReceived,
    ),
    Signal.CONTENT,
)  # fmt: skip


def signal_of(event: ev.Event) -> Signal | None:
    """What an event means for the phase; None if nothing."""
    plain = _PLAIN_SIGNALS.get(type(event))
    if plain is not None:
        return plain
    if isinstance(event, ev.RunFinished):
        return _END_SIGNALS[event.end]
    if isinstance(event, ev.AbortAnswered):
        return _ANSWER_SIGNALS[event.answer]
    if isinstance(event, ev.RunLookedUp):
        return _END_SIGNALS[event.end] if event.end else Signal.NO_WORD
    if isinstance(event, ev.ClockRan):
        return _CLOCK_SIGNALS[event.clock]
    return None


def step(state: TurnState, event: ev.Event) -> tuple[TurnState, tuple[Effect, ...]]:
    """The next state, and what the driver is to do. Total: any event in any phase is answered."""
    signal = signal_of(event)
    if signal is None:
        return state, ()
    target = TRANSITIONS[state.phase].get(signal)
    if target is None and state.phase not in _LEARNING:
        return state, ()  # the way of every delta of a running turn
    learnt = _learn(state, event, signal)
    if state.phase is Phase.STOPPED:
        return _rise(state, learnt, signal)
    if target is None or target is state.phase:
        return learnt, ()
    if target in (Phase.READING_ON, Phase.CHECKING) and learnt.end not in (None, End.ALIVE):
        target = Phase.STOPPED  # the end had come before the answer
    return _enter(learnt, target)


def _learn(state: TurnState, event: ev.Event, signal: Signal) -> TurnState:
    if isinstance(event, ev.AbortAnswered):
        return replace(state, answer=event.answer)
    if isinstance(event, ev.RunFinished | ev.RunLookedUp) and event.end is not None:
        return replace(state, end=event.end)
    if signal is Signal.WENT_ON:
        return replace(state, end=End.ALIVE)
    if signal is Signal.UNSENT:
        return replace(state, unsent=True)
    if signal is Signal.REJECTED:
        return replace(state, end=End.FAILED)
    return state


def _enter(state: TurnState, target: Phase) -> tuple[TurnState, tuple[Effect, ...]]:
    outcome = _verdict(state) if target is Phase.STOPPED else None
    return replace(state, phase=target, outcome=outcome), ON_ENTRY.get(target, ())


def _verdict(state: TurnState) -> Outcome:
    if state.unsent:
        return Outcome.NEVER_SENT
    if state.phase is Phase.STOP_PENDING and state.end is End.CANCELLED:
        return Outcome.FINISHED_FIRST  # cancelled by someone else: our abort was never sent
    return VERDICT[state.end][state.answer]


def _rise(was: TurnState, learnt: TurnState, signal: Signal) -> tuple[TurnState, tuple[Effect, ...]]:
    """After the settling: a retry sends the abort again; evidence raises the outcome, nothing lowers it."""
    assert was.outcome is not None
    if signal is Signal.RETRY:
        return was, (Effect.ABORT,) if was.outcome in (Outcome.UNCONFIRMED, Outcome.ACKNOWLEDGED) else ()
    better = _verdict(learnt)
    if better in RISES_TO[was.outcome]:
        return replace(learnt, outcome=better), (Effect.SETTLE,)
    return was, ()
