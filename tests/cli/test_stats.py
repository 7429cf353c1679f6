"""`stopkey stats`: figures of every stop so far, for people and for programs."""

import json

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tui.core import events as ev
from tui.store.figures import report
from tui.store.stats import StopLine


@pytest.fixture
def stopped(play):
    for conversation in ("c-1", "c-2"):
        script = [ev.RunStarted("r"), *words("half an "), Gate()]
        play(
            ScriptedBackend([script]), "run", "--conversation", conversation, "--stop-after", "first", "Why?"
        )


def test_it_counts_the_stops_of_all_conversations_and_of_one(stopkey, stopped):
    done = stopkey("stats")
    assert done.code == 0
    assert "2 stops in all conversations" in done.out and "seen for 2 of 2" in done.out
    assert "confirmed 2" in done.out and "ag-ui" in done.out and "a column a stop" in done.out
    one = stopkey("list").out.split()[0]
    assert '1 stop in "Why?"' in stopkey("stats", one[:6]).out


def test_for_programs_it_writes_one_stop_a_line(stopkey, stopped):
    lines = [json.loads(line) for line in stopkey("stats", "--json").out.splitlines()]
    assert [line["outcome"] for line in lines] == ["confirmed", "confirmed"]
    assert all(line["evidence_s"] >= 0 for line in lines)


def test_without_stops_it_says_so(stopkey):
    done = stopkey("stats")
    assert (done.code, done.out) == (0, "No stops in all conversations yet.\n")


def line(backend: str, seen: float | None, wall: float = 1_790_000_000.0) -> StopLine:
    outcome = "confirmed" if seen is not None else "unconfirmed"
    return StopLine("c", backend, 1, wall, outcome, "escape", "acknowledged", 0.1, seen, 2, 10)


def test_the_plot_has_a_column_a_stop_and_a_cross_where_nothing_showed_the_end():
    rows = report([line("flue", 1.0), line("flue", None), line("adk", 0.5)], "all conversations")
    plot = [row[9:] for row in rows if row[7:9] in (" ┤", "s┤") or "┤" in row]
    assert [row.ljust(3) for row in plot] == ["█  ", "█  ", "█ ▄", "█ █", "█×█"]
    assert any(row.startswith("flue") and row.split()[1:] == ["2", "1.0s", "1.0s", "1", "4"] for row in rows)


def test_rows_fit_the_width_and_plain_is_ascii():
    many = [line("a-very-long-backend-name", n / 100) for n in range(500)]
    rows = report(many, "all conversations", 40, plain=True)
    assert max(map(len, rows)) <= 40 and all(row.replace("…", "").isascii() for row in rows)
