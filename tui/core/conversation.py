"""A conversation as the fold of its numbered records. Live and after loading, the same code decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from tui.core import events as ev
from tui.core.events import Answer, End, Record
from tui.core.safe_text import EMPTY, SafeText, safe_line
from tui.core.transcript import ToolBlock, Transcript
from tui.core.turn import Effect, Outcome, Phase, TurnState, step


@dataclass(slots=True)
class Stop:
    """What is known of one stop. Times named `_at` are monotonic seconds, None: did not happen."""

    asked: ev.StopAsked
    wall: float  # UTC, seconds since the epoch
    asked_at: float
    was: Phase  # the phase it was pressed in
    reason: str = ""  # as the person gave it, with the stop or after it
    abort_at: float | None = None
    answered_at: float | None = None
    answer: ev.AbortAnswered | None = None
    end_at: float | None = None  # when the run's end was declared
    evidence: str = ""  # where that was: "stream", "look-up" or "answer"; "": no end was declared
    closed_at: float | None = None
    settled_at: float | None = None
    aborts: int = 0
    looked_up: ev.RunLookedUp | None = None
    late_events: int = 0
    late_chars: int = 0
    late_policy: str = "keep"
    left: bool = False  # its client has gone: what came later was timed by another process's clock

    def at(self, mono: float) -> float | None:
        """A record's time, as far as it can be compared with `asked_at`."""
        return None if self.left else mono


@dataclass(slots=True)
class Turn:
    """One prompt and all that came of it, up to the last record applied."""

    number: int
    prompt: ev.Prompted
    wall: float
    sent_at: float
    state: TurnState = field(default_factory=TurnState)
    transcript: Transcript = field(default_factory=Transcript)
    late: Transcript = field(default_factory=Transcript)
    stop: Stop | None = None
    run_id: str = ""
    problem: SafeText = EMPTY  # why it failed or was lost, in one sentence
    started_at: float | None = None
    first_at: float | None = None  # first content
    last_at: float = 0.0  # last event from the backend
    settled_at: float | None = None
    events: int = 0  # from the backend, late ones not counted
    pieces: int = 0  # of wire data they came in, late ones included
    last_number: int = 0
    server_text: str | None = None  # the reply as the backend saved it, where it told us
    reattaching: tuple[int, int] | None = None  # (try, of how many) while reconnecting; live only

    @property
    def phase(self) -> Phase:
        return self.state.phase

    @property
    def outcome(self) -> Outcome | None:
        return self.state.outcome

    def kept(self) -> str:
        """The reply as received; the backend's saved copy where that goes on from what was shown."""
        ours = self.transcript.reply_as_received()
        if self.stop and self.server_text is not None and self.server_text.startswith(ours):
            return self.server_text
        return ours

    def open_tools(self) -> list[ToolBlock]:
        """Calls whose end was not seen, before the stop or after it. One may have begun on the backend before
        the stop and have been told of after it."""
        known = {tool.key for tool in self.transcript.blocks if isinstance(tool, ToolBlock)}
        ended = {tool.key for tool in self.late.blocks if isinstance(tool, ToolBlock) and tool.status}
        begun = self.transcript.open_tools() + [t for t in self.late.open_tools() if t.key not in known]
        return [tool for tool in begun if tool.key not in ended]


@dataclass(slots=True)
class Conversation:
    """All turns, in order. `apply` is the only thing that changes it.

    `base` turns at the beginning may have been left on disk; `turns` holds those after them.
    """

    id: str
    turns: list[Turn] = field(default_factory=list)
    number: int = 0  # of the last record
    base: int = 0

    @property
    def last(self) -> Turn | None:
        return self.turns[-1] if self.turns else None

    @property
    def count(self) -> int:
        """How many turns there are, those left on disk included."""
        return self.base + len(self.turns)

    def turn(self, number: int) -> Turn:
        """The turn with this number. Raises IndexError for one that is not loaded."""
        if number <= self.base:
            raise IndexError(f"turn {number} is not loaded")
        return self.turns[number - self.base - 1]

    def apply(self, record: Record) -> tuple[Effect, ...]:
        """Take in one record; return what the driver is to do. O(1) in the conversation."""
        self.number = record.number
        event = record.event
        if isinstance(event, ev.Prompted):
            self.turns.append(Turn(record.turn, event, record.wall, record.mono))
        turn = self.turns[record.turn - self.base - 1]
        turn.last_number = record.number
        before = turn.state
        turn.state, effects = step(before, event)
        note = _NOTES.get(type(event))
        if note:
            note(turn, event, record)
        if turn.stop and turn.stop.asked is event:
            turn.stop.was = before.phase
        if type(event) in _BACKEND:
            _take(turn, record, before)
        if turn.state.phase is not before.phase:
            _moved(turn, record)
        return effects


def _take(turn: Turn, record: Record, before: TurnState) -> None:
    turn.pieces += record.event.raw != ""
    if before.frozen or record.late:
        _take_late(turn, record)
        return
    turn.events += 1
    turn.last_at = record.mono
    if turn.first_at is None and type(record.event) in _CONTENT:
        turn.first_at = record.mono
    turn.transcript.apply(record.event, record.mono)


def _take_late(turn: Turn, record: Record) -> None:
    if turn.stop is None:
        return
    turn.stop.late_events += 1
    had = turn.late.chars if isinstance(record.event, ev.TextReplaced) else 0
    turn.late.apply(record.event, record.mono)
    if isinstance(record.event, ev.TextDelta):
        turn.stop.late_chars += len(record.event.text)
    elif isinstance(record.event, ev.TextReplaced):
        turn.stop.late_chars += max(0, turn.late.chars - had)


def _moved(turn: Turn, record: Record) -> None:
    if turn.state.frozen:
        turn.transcript.seal(record.mono)
    if turn.state.phase in (Phase.STOPPED, Phase.COMPLETED, Phase.FAILED):
        turn.settled_at = record.mono
        if turn.stop:
            turn.stop.settled_at = turn.stop.at(record.mono)


def _note_stop(turn: Turn, e: ev.StopAsked, r: Record) -> None:
    if turn.stop is None:
        turn.stop = Stop(e, r.wall, r.mono, turn.state.phase, e.reason)


def _note_reason(turn: Turn, e: ev.ReasonGiven, r: Record) -> None:
    if turn.stop:
        turn.stop.reason = e.reason


def _note_started(turn: Turn, e: ev.RunStarted, r: Record) -> None:
    turn.run_id = e.run_id or turn.run_id
    turn.started_at = turn.started_at or r.mono


def _note_requested(turn: Turn, e: ev.Requested, r: Record) -> None:
    if e.purpose == "abort" and turn.stop:
        turn.stop.aborts += 1
        turn.stop.abort_at = turn.stop.abort_at or turn.stop.at(r.mono)


def _note_answer(turn: Turn, e: ev.AbortAnswered, r: Record) -> None:
    if turn.stop:
        turn.stop.answer, turn.stop.answered_at = e, turn.stop.at(r.mono)


def _note_lookup(turn: Turn, e: ev.RunLookedUp, r: Record) -> None:
    if e.text is not None:
        turn.server_text = e.text
        _catch_up(turn, e.text, r.mono)
    if turn.stop:
        turn.stop.looked_up = e
        if e.end not in (None, End.ALIVE):
            _note_end(turn.stop, r.mono, "look-up")


def _catch_up(turn: Turn, saved: str, at: float) -> None:
    """A turn that was lost, not stopped: show the rest of the reply that the backend has saved."""
    ours = turn.transcript.reply_as_received()
    if turn.stop is None and saved.startswith(ours) and len(saved) > len(ours):
        turn.transcript.apply(ev.TextDelta(f"saved:{turn.number}", saved[len(ours) :]), at)
        turn.transcript.seal(at)


def _note_finished(turn: Turn, e: ev.RunFinished, r: Record) -> None:
    if turn.stop:
        _note_end(turn.stop, r.mono, "stream")
    if e.end is End.FAILED:
        turn.problem = safe_line(e.message or e.code or "The backend says that the run failed.", 400)
    elif e.end is End.CANCELLED and not turn.stop:
        turn.problem = safe_line(e.message or _ELSEWHERE, 400)


def _note_end(stop: Stop, at: float, where: str) -> None:
    if not stop.evidence:
        stop.end_at, stop.evidence = stop.at(at), where


def _note_problem(turn: Turn, e: ev.NotSent | ev.PromptRefused | ev.StreamBroke, r: Record) -> None:
    turn.problem = safe_line(e.detail, 400)


def _note_closed(turn: Turn, e: ev.StreamClosed, r: Record) -> None:
    if turn.stop and turn.stop.closed_at is None:
        turn.stop.closed_at = turn.stop.at(r.mono)


def _note_left(turn: Turn, e: ev.ClientLeft, r: Record) -> None:
    if turn.stop:
        turn.stop.left = True


def _note_reply(turn: Turn, e: ev.QuestionAnswered | ev.AnswerFailed, r: Record) -> None:
    turn.transcript.apply(e, r.mono)
    if isinstance(e, ev.AnswerFailed):
        turn.problem = safe_line(e.detail, 400)


def _note_settled(turn: Turn, e: ev.Settled, r: Record) -> None:
    if turn.stop:
        turn.stop.late_policy = e.late_policy
        turn.stop.late_events = max(turn.stop.late_events, e.late_events)
        turn.stop.late_chars = max(turn.stop.late_chars, e.late_chars)


_NOTES: dict[type[ev.Event], Callable[..., None]] = {
    ev.StopAsked: _note_stop,
    ev.ReasonGiven: _note_reason,
    ev.RunStarted: _note_started,
    ev.Requested: _note_requested,
    ev.AbortAnswered: _note_answer,
    ev.RunLookedUp: _note_lookup,
    ev.RunFinished: _note_finished,
    ev.NotSent: _note_problem,
    ev.PromptRefused: _note_problem,
    ev.StreamBroke: _note_problem,
    ev.StreamClosed: _note_closed,
    ev.QuestionAnswered: _note_reply,
    ev.AnswerFailed: _note_reply,
    ev.ClientLeft: _note_left,
    ev.Settled: _note_settled,
}
_ELSEWHERE = "The run was cancelled on the backend, not by this client."
_BACKEND = frozenset(ev.BACKEND_EVENTS)
_CONTENT = frozenset(
    {ev.TextDelta, ev.TextReplaced, ev.ReasoningDelta, ev.ToolStarted, ev.ToolArguments, ev.DataReceived}
)


def replay(conversation_id: str, records: Iterable[Record], base: int = 0) -> Conversation:
    """The conversation that these records tell; `base` turns before them are not loaded."""
    conversation = Conversation(conversation_id, base=base)
    for record in records:
        conversation.apply(record)
    return conversation


def unsettled(conversation: Conversation) -> list[Turn]:
    """Turns that a client left before they settled: the ones to note `ClientLeft` for when loading."""
    live = (Phase.SENDING, Phase.STREAMING, Phase.WAITING)
    stopping = (Phase.STOP_PENDING, Phase.ASKING, Phase.READING_ON, Phase.CHECKING)
    return [turn for turn in conversation.turns if turn.phase in live + stopping]


def stripped(record: Record) -> Record:
    """The record without its content, for `late = count`."""
    return replace(record, event=ev.Unknown(type(record.event).__name__))


__all__ = ["Answer", "Conversation", "Stop", "Turn", "replay", "stripped", "unsettled"]
