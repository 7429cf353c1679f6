"""What a later client adds to a stop: its monotonic clock began anew, so it tells no times since the key."""

from __future__ import annotations

import pytest

from tui import receipt
from tui.core import events as ev
from tui.core import view
from tui.core.conversation import Turn, replay
from tui.core.events import Answer, End, Event, Record


def stopped_by_a_client_that_died(*later: Event, clock: float) -> Turn:
    """A stop at second 100 of one client, what came of it from second `clock` of another."""
    first: list[Event] = [ev.Prompted("go", "k"), ev.RunStarted("r"), ev.StopAsked("esc")]
    records = [Record(n, 1, 0.0, 98.0 + n, event) for n, event in enumerate(first, 1)]
    records.append(Record(4, 1, 0.0, 100.0, ev.ClientLeft("died")))
    records += [Record(5 + n, 1, 0.0, clock + n, event) for n, event in enumerate(later)]
    return replay("c", records).turns[0]


@pytest.mark.parametrize("clock", [3.0, 90_000.0])
def test_an_end_that_a_later_client_saw_is_told_without_a_time(clock: float) -> None:
    turn = stopped_by_a_client_that_died(ev.RunLookedUp(End.CANCELLED), clock=clock)
    assert turn.outcome == "confirmed"
    data = receipt.as_data(turn)
    assert data["evidence"] == "look-up" and data["end_seen_ms"] is None and data["settled_ms"] is None
    assert "end seen by a later client (look-up)" in receipt.happened(turn)
    assert view.detail(turn, 0.0) == "remote confirmed" and view.time_to_evidence(turn) is None


@pytest.mark.parametrize("clock", [3.0, 90_000.0])
def test_an_abort_that_a_later_client_sent_is_told_without_a_time(clock: float) -> None:
    later = ev.RetryAsked("esc"), ev.Requested("abort"), ev.AbortAnswered(Answer.ACKNOWLEDGED, status=200)
    data = receipt.as_data(stopped_by_a_client_that_died(*later, clock=clock))
    assert (data["aborts_sent"], data["answer"], data["answer_status"]) == (1, "acknowledged", 200)
    assert data["abort_sent_ms"] is data["abort_answered_ms"] is None
