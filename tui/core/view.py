"""What a turn looks like in words: one table from phase and outcome to label, sign and Stop cell.

Nothing here draws. Meaning is in the words; signs and tones only repeat it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tui.core.conversation import Turn
from tui.core.events import Answer
from tui.core.transcript import QuestionBlock, ToolBlock
from tui.core.turn import Outcome, Phase

QUIET_AFTER = 5.0
"""Seconds without an event after which a running turn is called quiet."""


class Cell(StrEnum):
    """What the Stop cell offers."""

    STOP = "STOP"  # something to stop
    STOPPING = "stopping…"
    RETRY = "RETRY"  # a stop that is not confirmed: press again to send the abort again
    IDLE = "Stop"  # shown dim, so that its place is learnt


class Tone(StrEnum):
    """How loud a state is. Grey for the ordinary stop: it is no error."""

    CALM = "calm"
    BUSY = "busy"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown: a sign, the same in ASCII, its word, the Stop cell, a tone."""

    sign: str
    plain: str
    word: str
    cell: Cell
    tone: Tone


PHASES: dict[Phase, Look] = {
    Phase.IDLE: Look("○", "o", "IDLE", Cell.IDLE, Tone.CALM),
    Phase.SENDING: Look("◐", "*", "SENDING", Cell.STOP, Tone.BUSY),
    Phase.STREAMING: Look("◉", "*", "STREAMING", Cell.STOP, Tone.BUSY),
    Phase.WAITING: Look("⚑", "?", "WAITING FOR YOU", Cell.STOP, Tone.WARN),
    Phase.LOST: Look("⇄", "~", "CONNECTION LOST", Cell.STOP, Tone.WARN),
    Phase.STOP_PENDING: Look("◧", "[", "STOPPING", Cell.STOPPING, Tone.BUSY),
    Phase.ASKING: Look("◧", "[", "STOPPING", Cell.STOPPING, Tone.BUSY),
    Phase.READING_ON: Look("◧", "[", "STOPPING", Cell.STOPPING, Tone.BUSY),
    Phase.CHECKING: Look("◧", "[", "STOPPING", Cell.STOPPING, Tone.BUSY),
    Phase.STOPPED: Look("■", "#", "STOPPED", Cell.IDLE, Tone.CALM),
    Phase.COMPLETED: Look("✓", "+", "FINISHED", Cell.IDLE, Tone.GOOD),
    Phase.FAILED: Look("✗", "x", "FAILED", Cell.IDLE, Tone.BAD),
}

OUTCOMES: dict[Outcome, Look] = {
    Outcome.CONFIRMED: Look("■", "#", "STOPPED", Cell.IDLE, Tone.CALM),
    Outcome.FINISHED_FIRST: Look("✓", "+", "FINISHED before the stop", Cell.IDLE, Tone.CALM),
    Outcome.ACKNOWLEDGED: Look("◨", "]", "STOP ACCEPTED, end not seen", Cell.RETRY, Tone.WARN),
    Outcome.UNCONFIRMED: Look("⚠", "!", "REMOTE NOT CONFIRMED", Cell.RETRY, Tone.WARN),
    Outcome.LOCAL_ONLY: Look("⚠", "!", "STOPPED HERE ONLY", Cell.IDLE, Tone.WARN),
    Outcome.NEVER_SENT: Look("○", "o", "NEVER SENT", Cell.IDLE, Tone.CALM),
}

SHORT: dict[Outcome, str] = {
    Outcome.CONFIRMED: "stopped",
    Outcome.FINISHED_FIRST: "finished first",
    Outcome.ACKNOWLEDGED: "stop accepted",
    Outcome.UNCONFIRMED: "not confirmed",
    Outcome.LOCAL_ONLY: "stopped here only",
    Outcome.NEVER_SENT: "never sent",
}

MEANING: dict[Outcome, str] = {
    Outcome.CONFIRMED: "The backend itself says that the run is over; nothing new is started for it.",
    Outcome.FINISHED_FIRST: "The run had ended by itself before the stop took effect.",
    Outcome.ACKNOWLEDGED: "The backend said yes, and nothing has shown the end yet. It may still be running.",
    Outcome.UNCONFIRMED: "Nothing shows that the run ended. It may still be running.",
    Outcome.LOCAL_ONLY: "This backend has no abort. Only our connection was closed; the run may go on.",
    Outcome.NEVER_SENT: "The prompt had not left this machine.",
}


def look(turn: Turn | None, can_retry: bool = True) -> Look:
    """The row of the table for this turn; None is an empty conversation."""
    if turn is None:
        return PHASES[Phase.IDLE]
    if turn.outcome is None:
        return PHASES[turn.phase]
    found = OUTCOMES[turn.outcome]
    if found.cell is Cell.RETRY and not can_retry:
        return Look(found.sign, found.plain, found.word, Cell.IDLE, found.tone)
    return found


def short(turn: Turn) -> str:
    """One or two words for a list or a head line."""
    if turn.outcome:
        return SHORT[turn.outcome]
    if turn.phase in (Phase.SENDING, Phase.STREAMING):
        return "running"
    return {Phase.WAITING: "waits for you", Phase.LOST: "connection lost", Phase.COMPLETED: "done"}.get(
        turn.phase, "stopping" if look(turn).cell is Cell.STOPPING else str(turn.phase)
    )


def detail(turn: Turn | None, now: float) -> str:
    """The figures and words after the state's word in the run bar. `now` is monotonic seconds."""
    if turn is None:
        return ""
    if turn.outcome:
        return _OUTCOME_DETAIL[turn.outcome](turn)
    return _PHASE_DETAIL[turn.phase](turn, now)


def _sending(turn: Turn, now: float) -> str:
    return f"{seconds(now - turn.sent_at)}  waiting for the first event"


def _streaming(turn: Turn, now: float) -> str:
    since = now - turn.sent_at
    chars = turn.transcript.chars
    words = [seconds(since), f"{chars:,} ch", f"{turn.events:,} ev"]
    began = turn.first_at if turn.first_at is not None else now
    if chars and now - began > 0.5:
        words.append(f"{chars / (now - began):,.0f} ch/s")
    tool = running_tool(turn)
    if tool:
        words.insert(0, f"tool {tool.name}")
    quiet = now - max(turn.last_at, turn.sent_at)
    if quiet >= QUIET_AFTER:
        words.append(f"quiet {quiet:.0f}s")
    return "  ".join(words)


def _waiting(turn: Turn, now: float) -> str:
    asked = [b for b in turn.transcript.blocks if isinstance(b, QuestionBlock) and b.reply is None]
    return asked[-1].text.split("\n")[0] if asked else ""


def _lost(turn: Turn, now: float) -> str:
    if turn.reattaching:
        tried, most = turn.reattaching
        return f"reconnecting {tried}/{most}; the run may still be going"
    return turn.problem or "the run may still be going"


def _stopping(turn: Turn, now: float) -> str:
    asked = turn.stop.asked_at if turn.stop else now
    stage = {
        Phase.STOP_PENDING: "waiting until the run exists",
        Phase.ASKING: "backend asked",
        Phase.READING_ON: "backend answered, reading on",
        Phase.CHECKING: "looking the run up",
    }[turn.phase]
    return f"{seconds(now - asked)}  text frozen; {stage}"


def _completed(turn: Turn, now: float) -> str:
    return f"{seconds((turn.settled_at or now) - turn.sent_at)}  {turn.transcript.chars:,} ch"


def _problem(turn: Turn, now: float) -> str:
    return turn.problem


_PHASE_DETAIL: dict[Phase, Callable[[Turn, float], str]] = {
    Phase.IDLE: _problem,
    Phase.SENDING: _sending,
    Phase.STREAMING: _streaming,
    Phase.WAITING: _waiting,
    Phase.LOST: _lost,
    Phase.STOP_PENDING: _stopping,
    Phase.ASKING: _stopping,
    Phase.READING_ON: _stopping,
    Phase.CHECKING: _stopping,
    Phase.STOPPED: _completed,
    Phase.COMPLETED: _completed,
    Phase.FAILED: _problem,
}


def _confirmed(turn: Turn) -> str:
    took = time_to_evidence(turn)
    return "remote confirmed" + (f" in {seconds(took)}" if took is not None else "")


def _unconfirmed(turn: Turn) -> str:
    stop = turn.stop
    if stop is None or stop.answer is None:
        return turn.problem or "the abort was never sent: the run did not become known"
    if stop.answer.answer is Answer.ACKNOWLEDGED:
        return "it said yes and went on"
    if stop.answer.answer is Answer.UNANSWERED:
        return "no answer; it may still run"
    if stop.answer.status:
        return f"abort answered {stop.answer.status}; it may still run"
    return "it may still be running"


_OUTCOME_DETAIL: dict[Outcome, Callable[[Turn], str]] = {
    Outcome.CONFIRMED: _confirmed,
    Outcome.FINISHED_FIRST: lambda turn: "nothing was left to abort",
    Outcome.ACKNOWLEDGED: lambda turn: "looking it up",
    Outcome.UNCONFIRMED: _unconfirmed,
    Outcome.LOCAL_ONLY: lambda turn: "no abort on this backend; the run may go on",
    Outcome.NEVER_SENT: lambda turn: "the prompt had not left this machine",
}


def time_to_evidence(turn: Turn) -> float | None:
    """Seconds from the stop to the backend's word that the run is over; None where there was none."""
    if turn.stop is None or turn.stop.end_at is None:
        return None
    return max(0.0, turn.stop.end_at - turn.stop.asked_at)


def running_tool(turn: Turn) -> ToolBlock | None:
    """The tool that the run is at now: one without an end, with nothing written after it."""
    for block in reversed(turn.transcript.blocks):
        if not isinstance(block, ToolBlock):
            return None
        if block.status is None:
            return block
    return None


def seconds(value: float) -> str:
    """A duration for people: 0.42s, 12.4s, 3m 05s."""
    if value < 1:
        return f"{max(value, 0.0):.2f}s"
    if value < 60:
        return f"{value:.1f}s"
    return f"{value // 60:.0f}m {value % 60:02.0f}s"


def milliseconds(value: float | None) -> str:
    """A duration in seconds as whole milliseconds; a dash where it did not happen."""
    return "-" if value is None else f"{value * 1000:,.0f} ms"
