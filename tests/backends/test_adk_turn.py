"""What a look at a session, together with what we did ourselves, may be taken to say."""

from __future__ import annotations

from tui.backends.adk_look_up import Sighting
from tui.backends.adk_turn import TOO_LATE_S, Turn
from tui.core.events import End

LATE = 100.0 + TOO_LATE_S + 0.01
OPEN = Sighting("e-1", None, "", None, posted=1, size=1)
COMPLETED = Sighting("e-1", End.COMPLETED, "final", "whole", posted=1, size=2)


def turn(closed_at: float | None = 100.0) -> Turn:
    made = Turn("k", "c")
    made.post()
    made.closed_at = closed_at
    return made


def ends(one: Turn, *looks: tuple[Sighting, float]) -> list[End | None]:
    judged = [one.judge(seen, at) for seen, at in looks]
    return [status.end if status else None for status in judged]


def test_a_run_that_ended_as_the_stop_came_had_finished_first() -> None:
    assert ends(turn(), (OPEN, 100.0), (OPEN, 100.1), (COMPLETED, 100.2)) == [None, None, End.COMPLETED]


def test_a_run_that_was_open_long_after_the_close_and_ended_by_itself_had_gone_on() -> None:
    """Otherwise a proxy that swallows every close would look like bad luck, every time."""
    one = turn()
    assert ends(one, (OPEN, 100.0), (OPEN, LATE), (COMPLETED, LATE + 1)) == [None, None, End.ALIVE]
    status = one.judge(COMPLETED, LATE + 60)
    assert status and status.text == "whole" and "did not reach it" in status.detail


def test_a_run_whose_session_grows_long_after_the_close_goes_on() -> None:
    grown = Sighting("e-1", None, "", None, posted=1, size=3)
    assert ends(turn(), (OPEN, LATE), (OPEN, LATE + 1), (grown, LATE + 2)) == [None, None, End.ALIVE]


def test_a_seal_counts_whenever_it_comes() -> None:
    """A blocking tool holds it back until the tool has returned."""
    sealed = Sighting("e-1", End.CANCELLED, "sealed", "", posted=1, size=2)
    assert ends(turn(), (OPEN, LATE), (sealed, LATE + 3)) == [None, End.CANCELLED]


def test_a_first_look_that_comes_late_finds_a_run_that_finished_first() -> None:
    assert ends(turn(), (COMPLETED, LATE + 30)) == [End.COMPLETED]


def test_a_stream_that_broke_by_itself_was_not_stopped_by_us() -> None:
    assert ends(turn(None), (OPEN, LATE), (COMPLETED, LATE + 1)) == [None, End.COMPLETED]


def test_the_state_before_our_answer_is_stored_is_not_the_state_after_it() -> None:
    paused = Sighting("e-1", End.UNSPECIFIED, "paused", "", posted=1, size=3)
    one = turn()
    one.post()
    one.closed_at = 100.0
    assert ends(one, (paused, 100.1)) == [None]
    assert ends(one, (Sighting("e-1", End.CANCELLED, "", "", posted=1, size=4), 100.2)) == [End.CANCELLED]
