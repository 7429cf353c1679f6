"""Figures over all stops."""

from __future__ import annotations

import pytest

from tests.store.made import Log, eventually, settled
from tui.core import events as ev
from tui.store import Store
from tui.store.stats import by_backend, summary


def stopped(store: Store, backend: str, *ends: ev.End | None) -> str:
    log = Log(store.create(backend))
    for end in ends:
        log.prompt("hello")
        log.text("word")
        log.stop(end=end)
    settled(store)
    assert log.journal
    return log.journal.conversation_id


def test_stops_are_counted_by_outcome_and_backend(store: Store) -> None:
    flue = stopped(store, "flue", ev.End.CANCELLED, ev.End.CANCELLED, ev.End.COMPLETED)
    stopped(store, "adk", None)
    lines = store.stops()
    assert len(lines) == 4 and len(store.stops(flue)) == 3
    assert (lines[0].outcome, lines[0].cause, lines[0].answer) == ("confirmed", "esc", "acknowledged")
    total = summary(lines)
    assert total.by_outcome == {"confirmed": 2, "finished first": 1, "acknowledged": 1}
    assert total.unconfirmed == 1 and total.stops == 4
    assert total.median_s is not None and total.worst_s is not None and 0 <= total.median_s <= total.worst_s
    assert list(by_backend(lines)) == ["adk", "flue"]
    assert by_backend(lines)["adk"].median_s is None


def test_no_stops_give_no_figures(store: Store) -> None:
    assert store.stops() == [] and summary([]).worst_s is None and summary([]).unconfirmed == 0


def test_an_outcome_that_rises_later_is_counted_as_what_it_rose_to(store: Store) -> None:
    identity = stopped(store, "flue", None)
    assert [line.outcome for line in store.stops()] == ["acknowledged"]
    journal = store._writer.journals[-1]
    log = Log(journal, number=20)
    log.add(ev.RunLookedUp(ev.End.CANCELLED))
    log.add(ev.Settled("stopped", "confirmed"), urgent=True)
    eventually(lambda: [line.outcome for line in store.stops(identity)] == ["confirmed"])
    assert store.stops()[0].evidence_s is not None


def test_an_answer_that_comes_after_the_end_was_seen_still_counts(store: Store) -> None:
    log = Log(store.create("stub"))
    log.prompt("hello")
    log.text("word")
    log.add(ev.StopAsked("esc"), urgent=True)
    log.add(ev.RunFinished(ev.End.CANCELLED), urgent=True)
    log.add(ev.Settled("stopped", "confirmed"), urgent=True)
    settled(store)
    assert store.stops()[0].answer == ""
    log.add(ev.AbortAnswered(ev.Answer.ACKNOWLEDGED), urgent=True)
    eventually(lambda: store.stops()[0].answer == "acknowledged")
    assert store.stops()[0].answer_s is not None


def test_late_events_are_counted_as_the_settling_says(store: Store) -> None:
    log = Log(store.create("stub"))
    log.prompt("hello")
    log.add(ev.StopAsked("esc"), urgent=True)
    log.add(ev.AbortAnswered(ev.Answer.ACKNOWLEDGED), urgent=True)
    log.add(ev.RunFinished(ev.End.CANCELLED), urgent=True)
    log.add(ev.Settled("stopped", "confirmed", 7, 321, "drop"), urgent=True)
    settled(store)
    assert (summary(store.stops()).late_events, summary(store.stops()).late_chars) == (7, 321)


def test_a_stop_across_the_clients_death_has_no_time_to_evidence(store: Store) -> None:
    log = Log(store.create("stub"))
    log.prompt("hello")
    log.text("word")
    log.add(ev.StopAsked("esc"), urgent=True)
    log.add(ev.ClientLeft("died"), urgent=True)
    log.add(ev.RunLookedUp(ev.End.CANCELLED))
    log.add(ev.Settled("stopped", "confirmed"), urgent=True)
    settled(store)
    (line,) = store.stops()
    assert line.outcome == "confirmed" and line.evidence_s is None


@pytest.mark.parametrize("end", [ev.End.FAILED, ev.End.UNSPECIFIED])
def test_the_outcome_is_the_cores_own(store: Store, end: ev.End) -> None:
    stopped(store, "stub", end)
    assert [line.outcome for line in store.stops()] == ["confirmed"]
