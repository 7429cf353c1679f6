"""What all the stops so far say about a backend's Stop: how many, how quickly shown, how many never shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from tui.core.turn import Outcome

if TYPE_CHECKING:
    from tui.store.reader import Reading  # it brings SQLite, and the screen that shows figures needs none


@dataclass(frozen=True, slots=True)
class StopLine:
    """One stop. Times are seconds: `wall` UTC since the epoch, the others from the key on; None: not seen."""

    conversation_id: str
    backend: str
    turn: int
    wall: float
    outcome: str
    cause: str
    answer: str
    answer_s: float | None
    evidence_s: float | None
    late_events: int
    late_chars: int


@dataclass(frozen=True, slots=True)
class StopSummary:
    """Many stops in figures. Times to evidence are seconds, None where no stop had any."""

    stops: int
    by_outcome: dict[str, int]
    median_s: float | None
    worst_s: float | None
    late_events: int
    late_chars: int

    @property
    def unconfirmed(self) -> int:
        """Stops after which nothing showed the end: unconfirmed, or only acknowledged."""
        unproven = (Outcome.UNCONFIRMED, Outcome.ACKNOWLEDGED)
        return sum(self.by_outcome.get(outcome, 0) for outcome in unproven)


_STOPS = """
SELECT c.id, c.backend, t.number, t.wall, t.outcome, t.cause, t.answer, t.answer_s, t.evidence_s,
       t.late_events, t.late_chars
FROM turn t JOIN conversation c ON c.key = t.conversation
WHERE t.outcome <> '' AND c.deleted IS NULL AND (?1 IS NULL OR c.id = ?1) ORDER BY t.wall
"""


def stops(reading: Reading, conversation_id: str | None = None) -> list[StopLine]:
    """Every settled stop of one conversation, or of all, in order of time."""
    with reading() as db:
        return [StopLine(*row) for row in db.execute(_STOPS, (conversation_id,))]


def summary(lines: Iterable[StopLine]) -> StopSummary:
    """The figures of these stops."""
    lines = list(lines)
    seen = [line.evidence_s for line in lines if line.evidence_s is not None]
    by_outcome: dict[str, int] = {}
    for line in lines:
        by_outcome[line.outcome] = by_outcome.get(line.outcome, 0) + 1
    return StopSummary(
        len(lines),
        by_outcome,
        median(seen) if seen else None,
        max(seen, default=None),
        sum(line.late_events for line in lines),
        sum(line.late_chars for line in lines),
    )


def by_backend(lines: Iterable[StopLine]) -> dict[str, StopSummary]:
    """The figures for each backend."""
    parted: dict[str, list[StopLine]] = {}
    for line in lines:
        parted.setdefault(line.backend, []).append(line)
    return {backend: summary(of_it) for backend, of_it in sorted(parted.items())}
