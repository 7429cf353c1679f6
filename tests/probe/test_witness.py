"""The witness: its format, whose call is whose, clocks that differ, and what counts as after the end."""

from __future__ import annotations

import json

import pytest

from tui.core.events import Answer, End
from tui.core.turn import Outcome
from tui.probe import Call, Grade, Kind, Trial, WitnessError, judge, planned, read_log
from tui.probe.witness import hear


def stopped(run: str = "r1", at: float = 100.0, **more: object) -> Trial:
    """A confirmed stop: prompt at `at`, first event 0.5 s, key 2 s and end 2.1 s after it."""
    trial = Trial(
        Kind.TEXT, 1, run_id=run, outcome=Outcome.CONFIRMED, answer=Answer.ACKNOWLEDGED, end=End.CANCELLED,
        began=at, first_seen=at + 0.5, pressed=at + 2, answered=at + 2.05, end_seen=at + 2.1,
        next_turn="works",
    )  # fmt: skip
    for name, value in more.items():
        setattr(trial, name, value)
    return trial


def call(t: float, event: str = "start", kind: str = "model", run: str = "r1", name: str = "") -> Call:
    return Call(t, kind, event, run, name)


def test_lines_come_in_any_order_and_those_of_other_kinds_are_left_out() -> None:
    lines = [
        {"t": 2, "kind": "tool", "event": "end", "name": "search", "more": [1]},
        {"t": 1, "kind": "model", "event": "start", "run": "r"},
        {"t": 3, "kind": "abort", "event": "asked"},
    ]
    log = read_log("\n".join(map(json.dumps, lines)) + "\n\n")
    assert log == [Call(1, "model", "start", "r"), Call(2, "tool", "end", name="search")]


@pytest.mark.parametrize(
    "line", ["no json", "[]", '{"kind": "model"}', '{"t": "x", "kind": "tool", "event": "end"}']
)
def test_a_line_that_is_none_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(WitnessError, match="Line 2"):
        read_log('{"t": 1, "kind": "model", "event": "start"}\n' + line)


def test_a_call_that_begins_after_the_end_convicts() -> None:
    trial = stopped()
    hear([trial], [call(100.1), call(102.0, "end"), call(103.0, kind="tool", name="rm")])
    assert trial.calls == 2 and trial.calls_after == (("tool rm", 0.9),)
    assert judge([trial]).grade is Grade.LIES


def test_calls_up_to_the_end_and_of_other_runs_do_not() -> None:
    trial = stopped()
    hear([trial], [call(100.1), call(102.09, kind="tool"), call(104.0, run="someone else's")])
    assert trial.calls == 2 and not trial.calls_after
    assert judge([trial]).grade is Grade.TRUTHFUL


def test_a_model_that_goes_on_for_long_convicts_and_a_tool_is_only_told_of() -> None:
    model, tool = stopped(), stopped()
    hear([model], [call(100.1), call(105.0, "end")])
    hear([tool], [call(100.1, kind="tool", name="mail"), call(105.0, "end", "tool", name="mail")])
    assert judge([model]).grade is Grade.LIES
    assert judge([tool]).grade is Grade.TRUTHFUL
    assert any("tool mail ended 2.9 s after the end of its run" in line for line in judge([tool]).cautions)


def test_without_run_ids_the_log_is_read_by_the_clock_up_to_the_next_prompt() -> None:
    first, second = stopped("r1", 100.0, next_sent=104.0), stopped("r2", 110.0)
    hear([first, second], [call(at, run="") for at in (100.1, 103.0, 104.1, 110.2)])
    assert (first.calls, len(first.calls_after)) == (2, 1)
    assert (second.calls, len(second.calls_after)) == (1, 0)


def test_a_clock_that_is_an_hour_ahead_is_set_right_by_the_first_calls() -> None:
    honest, liar = stopped("r1", 100.0), stopped("r2", 110.0)
    ahead = 3600.0
    log = [call(100.2 + ahead), call(110.2 + ahead, run="r2"), call(113.5 + ahead, run="r2")]
    hear([honest, liar], log)
    assert not honest.calls_after
    assert [name for name, _ in liar.calls_after] == ["model"]


def test_a_yes_without_an_end_is_held_to_its_word_too() -> None:
    trial = stopped(outcome=Outcome.ACKNOWLEDGED, end=None, end_seen=0.0)
    hear([trial], [call(100.1), call(102.5)])
    assert len(trial.calls_after) == 1
    assert judge([trial]).grade is Grade.LIES


def test_never_sent_is_a_claim_as_well() -> None:
    trial = stopped(outcome=Outcome.NEVER_SENT, end=None, first_seen=0.0, answered=0.0, end_seen=0.0)
    hear([trial], [call(102.5)])
    assert judge([trial]).grade is Grade.LIES


def test_fewer_trials_than_kinds_are_the_most_telling_ones_in_their_order() -> None:
    assert planned(2) == [Kind.TEXT, Kind.TOOL]
    assert planned(7) == list(Kind)
    assert planned(10).count(Kind.TEXT) == 4
    assert Kind.TOOL not in planned(10, tool=False) and len(planned(10, tool=False)) == 10


def test_a_conversation_that_cannot_go_on_is_told() -> None:
    verdict = judge([stopped(next_turn="409")])
    assert verdict.grade is Grade.BREAKS and "409" in verdict.faults[0]


def test_a_look_up_that_denies_the_end_convicts() -> None:
    assert judge([stopped(contradiction="its saved reply grew")]).grade is Grade.LIES


def test_no_stop_while_a_reply_ran_shows_nothing() -> None:
    assert judge([Trial(Kind.TEXT, 1, skipped="too short")]).grade is Grade.INCONCLUSIVE
    short = stopped(outcome=Outcome.FINISHED_FIRST, end=End.COMPLETED, answer=Answer.ALREADY_OVER)
    assert judge([short]).grade is Grade.INCONCLUSIVE
    short.late_chars = 300
    assert judge([short]).grade is Grade.NO_STOP, "the whole reply came in spite of the stop"
