"""A turn on a time axis, as data: the waiting, what ran side by side, the stop and what came after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from tui.core.conversation import Stop, Turn
from tui.core.events import Record
from tui.core.safe_text import SafeText, safe_line
from tui.core.transcript import TextBlock, ToolBlock
from tui.core.turn import FINAL, Phase

QUIET = 1.0
"""Seconds without an event that are shown as a gap."""


@dataclass(frozen=True, slots=True)
class Span:
    """One row: `begin` and `end` in seconds since the prompt was sent. `open`: no end was seen.

    `section` is the place in the transcript it belongs to, `tone` one of the roll's.
    """

    label: SafeText
    begin: float
    end: float
    tone: str = ""
    section: str = "head"
    open: bool = False


def spans(turn: Turn, now: float, gaps: Iterable[tuple[float, float]] = ()) -> list[Span]:
    """The rows of a turn in order of their beginning. `now` and `gaps` are monotonic seconds."""
    upto = _upto(turn, now)
    rows = [*_waiting(turn, upto), *_blocks(turn, upto), *_quiet(turn, gaps)]
    if turn.stop:
        rows += _stop(turn, turn.stop, upto)
    return sorted(rows, key=lambda span: span.begin)


def _upto(turn: Turn, now: float) -> float:
    """Where the axis ends: at what was seen last, or now."""
    if turn.phase not in (*FINAL, Phase.LOST):
        return max(now, turn.sent_at)
    stop = turn.stop
    seen = [turn.settled_at, turn.last_at, turn.sent_at]
    if stop:
        seen += [stop.closed_at, stop.end_at, stop.answered_at, stop.asked_at]
    return max(at for at in seen if at is not None)


def _waiting(turn: Turn, upto: float) -> list[Span]:
    end = turn.first_at if turn.first_at is not None else upto
    label = "first event" if turn.first_at is not None else "no event yet"
    return [_span(turn, label, turn.sent_at, end, "dim", at="prompt", open=turn.first_at is None)]


def _blocks(turn: Turn, upto: float) -> list[Span]:
    rows = []
    for index, block in enumerate(turn.transcript.blocks):
        at = f"block:{index}"
        if isinstance(block, TextBlock):
            label, tone = ("reasoning", "dim") if block.reasoning else ("text", "good")
            end = block.ended if block.sealed and block.ended else _grew_until(turn, upto)
            rows.append(_span(turn, label, block.began, end, tone, at=at, open=not block.sealed))
        elif isinstance(block, ToolBlock):
            end = block.ended or upto
            rows.append(
                _span(turn, f"tool {block.name}", block.began, end, "busy", at=at, open=block.status is None)
            )
    return rows


def _grew_until(turn: Turn, upto: float) -> float:
    return upto if turn.phase is Phase.STREAMING else max(turn.last_at, turn.sent_at)


def _quiet(turn: Turn, gaps: Iterable[tuple[float, float]]) -> list[Span]:
    return [_span(turn, "quiet", begin, end, "dim") for begin, end in gaps]


def _stop(turn: Turn, stop: Stop, upto: float) -> list[Span]:
    rows = [_span(turn, "STOP pressed", stop.asked_at, stop.asked_at, "bad", at="card:stop")]
    if stop.abort_at is not None:
        end = stop.answered_at if stop.answered_at is not None else upto
        rows.append(
            _span(turn, "abort", stop.abort_at, end, "warn", at="card:stop", open=stop.answered_at is None)
        )
    if stop.end_at is not None:
        rows.append(_span(turn, "until the end was seen", stop.asked_at, stop.end_at, "warn", at="card:stop"))
    if stop.closed_at is not None:
        rows.append(_span(turn, "stream read on", stop.asked_at, stop.closed_at, "dim", at="card:stop"))
    if stop.late_events:
        label = f"{stop.late_events:,} late events"
        rows.append(_span(turn, label, stop.asked_at, stop.closed_at or upto, "warn", at="card:stop"))
    return rows


def _span(
    turn: Turn, label: str, begin: float, end: float, tone: str, *, at: str = "head", open: bool = False
) -> Span:
    zero = turn.sent_at
    begin = max(0.0, begin - zero)
    return Span(safe_line(label, 40), begin, max(begin, end - zero), tone, at, open)


class Gaps:
    """The quiet stretches of a turn, in monotonic seconds, found at the cost of what is new."""

    def __init__(self, quiet: float = QUIET) -> None:
        self.quiet = quiet
        self.complete = False  # whether the turn's beginning was looked at
        self.found: list[tuple[float, float]] = []
        self._seen = 0  # number of the last record
        self._at: float | None = None

    def go_on(self, backwards: Iterable[Record]) -> None:
        """Take in the turn's records, the newest first, as far as they are new."""
        new = list(takewhile(lambda record: record.number > self._seen, backwards))
        for record in reversed(new):
            if self._at is not None and record.mono - self._at >= self.quiet:
                self.found.append((self._at, record.mono))
            self._at, self._seen = record.mono, record.number
