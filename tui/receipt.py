"""What one stop did, as data and as words. Says no more than the record shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tui.core.conversation import Stop, Turn
from tui.core.events import Answer, End
from tui.core.safe_text import SafeText, safe_line
from tui.core.turn import Outcome, Phase
from tui.core.view import MEANING, milliseconds


def as_data(turn: Turn) -> dict[str, Any]:
    """The receipt as JSON-ready data: times in ms since the stop, counts in characters and events.

    `stopped_at` and `wall_s` are UTC, the second in seconds since 1970; `mono_s` is the monotonic clock.

    Raises ValueError if the turn was not stopped.
    """
    stop = _stop(turn)
    return {
        "outcome": str(turn.outcome) if turn.outcome else None,
        "turn": turn.number,
        "run_id": turn.run_id or turn.prompt.run_id,
        "cause": stop.asked.cause,
        "reason": stop.reason,
        "stopped_at": datetime.fromtimestamp(stop.wall, UTC).isoformat(timespec="milliseconds"),
        "wall_s": stop.wall,
        "mono_s": stop.asked_at,
        "phase_before": str(stop.was),
        "after_event": stop.asked.after,
        "abort_sent_ms": _since(stop, stop.abort_at),
        "abort_answered_ms": _since(stop, stop.answered_at),
        "end_seen_ms": _since(stop, stop.end_at),
        "stream_closed_ms": _since(stop, stop.closed_at),
        "settled_ms": _since(stop, stop.settled_at),
        "aborts_sent": stop.aborts,
        "answer": str(stop.answer.answer) if stop.answer else None,
        "answer_status": stop.answer.status if stop.answer else 0,
        "answer_detail": stop.answer.detail if stop.answer else "",
        "evidence": stop.evidence or None,
        "declared_end": str(turn.state.end) if turn.state.end else None,
        "kept_chars": len(turn.transcript.reply()),
        "server_chars": len(turn.server_text) if turn.server_text is not None else None,
        "late_events": stop.late_events,
        "late_chars": stop.late_chars,
        "late_policy": stop.late_policy,
        "open_tools": [str(tool.name) for tool in turn.open_tools()],
    }


def chain(turn: Turn) -> list[tuple[SafeText, str]]:
    """The stop's chain, a (what, when) row a link; when is in ms since the key."""
    stop = _stop(turn)
    answer = f" ({_answer_words(stop)})" if stop.answer else ""
    rows = [
        ("pressed → text frozen", milliseconds(0.0)),
        ("pressed → abort sent", milliseconds(_delta(stop, stop.abort_at))),
        (f"pressed → abort answered{answer}", milliseconds(_delta(stop, stop.answered_at))),
        (f"pressed → end seen{_on(stop)}", milliseconds(_delta(stop, stop.end_at))),
        ("pressed → stream closed", milliseconds(_delta(stop, stop.closed_at))),
    ]
    return [(safe_line(what), when) for what, when in rows]


def kept(turn: Turn) -> SafeText:
    """What was kept, against what the backend says it has and what came after the stop."""
    stop = _stop(turn)
    words = [f"kept {len(turn.transcript.reply()):,} chars"]
    if turn.server_text is not None:
        words.append(f"server has {len(turn.server_text):,}")
    words.append(f"+{stop.late_chars:,} after the stop" + _policy(stop))
    return safe_line("   ".join(words))


def happened(turn: Turn) -> SafeText:
    """One line: what the backend answered and what showed the end."""
    stop = _stop(turn)
    words = ["frozen at once"]
    if stop.answer:
        status = f" ({stop.answer.status})" if stop.answer.status else ""
        words.append(f"backend {_VERBS[stop.answer.answer]}{status} {_after(stop, stop.answered_at)}")
    if stop.evidence:
        words.append(f"end seen {_after(stop, stop.end_at)} ({stop.evidence})")
    elif turn.outcome not in (Outcome.NEVER_SENT, Outcome.LOCAL_ONLY):
        words.append("end not seen")
    return safe_line(" · ".join(words), 240)


_VERBS = {
    Answer.ACKNOWLEDGED: "said yes",
    Answer.ALREADY_OVER: "said it was over",
    Answer.NOTHING_RUNNING: "knew of no run",
    Answer.REFUSED: "refused",
    Answer.UNANSWERED: "did not answer",
    Answer.UNSUPPORTED: "has no abort",
    Answer.CLOSED: "was left by closing",
}


def meaning(turn: Turn) -> SafeText:
    """What the outcome means, in one sentence."""
    return safe_line(MEANING[turn.outcome] if turn.outcome else "The stop is under way.")


def cautions(turn: Turn, remembers_partial: bool | None = None) -> list[SafeText]:
    """What the record does not show: tools whose end was not seen, and what the backend will remember."""
    lines = []
    for tool in turn.open_tools():
        lines.append(f"{tool.name}: its end was not seen; it may still be finishing.")
    if _stop(turn).was is Phase.WAITING and turn.outcome is Outcome.FINISHED_FIRST:
        lines.append("The run had ended by asking you; nothing was answered from here.")
    if turn.state.end is End.ALIVE and turn.outcome is Outcome.UNCONFIRMED:
        lines.append("The run went on after the stop.")
    if turn.transcript.chars and turn.outcome is not Outcome.FINISHED_FIRST:
        lines.append(_memory(remembers_partial))
    return [safe_line(line, 240) for line in lines if line]


def _memory(remembers: bool | None) -> str:
    if remembers:
        return "The backend remembers this partial reply."
    if remembers is False:
        return "The backend will not remember this partial reply; a resend can quote it."
    return "Whether the backend remembers this partial reply is not known; a resend can quote it."


_POLICIES = {"count": " (only counted)", "drop": " (not written)", "off disk": " (kept off the disk)"}


def _policy(stop: Stop) -> str:
    return _POLICIES.get(stop.late_policy, "")


def _answer_words(stop: Stop) -> str:
    if stop.answer is None:
        return "not asked"
    status = f" {stop.answer.status}" if stop.answer.status else ""
    return f"{stop.answer.answer}{status}"


def _on(stop: Stop) -> str:
    return {"stream": " on the stream", "look-up": " by look-up", "answer": " in the answer"}.get(
        stop.evidence, ""
    )


def _stop(turn: Turn) -> Stop:
    if turn.stop is None:
        raise ValueError("this turn was not stopped")
    return turn.stop


def _delta(stop: Stop, at: float | None) -> float | None:
    return None if at is None else max(0.0, at - stop.asked_at)


def _after(stop: Stop, at: float | None) -> str:
    return "by a later client" if at is None else milliseconds(_delta(stop, at))


def _since(stop: Stop, at: float | None) -> float | None:
    delta = _delta(stop, at)
    return None if delta is None else round(delta * 1000, 3)
