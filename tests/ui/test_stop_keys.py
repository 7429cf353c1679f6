"""The key table, cell by cell: what Esc, Ctrl+C and F8 do in every situation."""

from __future__ import annotations

import pytest

from tui.ui.stop_keys import Act, Moment, Situation, decide, keys_now

M, A = Moment, Act

PLAIN = [
    #  moment         Esc             Ctrl+C         F8, click, /stop
    (M.RUNNING, A.STOP, A.STOP, A.STOP),
    (M.WAITING, A.SAY_USE_F8, A.STOP, A.STOP),
    (M.STOPPING, A.SWALLOW, A.SWALLOW, A.SAY_STOPPING),
    (M.RETRYABLE, A.RETRY, A.RETRY, A.RETRY),
    (M.JUST_ENDED, A.SWALLOW, A.SWALLOW, A.SAY_FINISHED),
    (M.IDLE, A.PASS, A.ARM_QUIT, A.SAY_NOTHING),
]


ALWAYS = {row[0]: row[3] for row in PLAIN}


@pytest.mark.parametrize(("moment", "esc", "ctrl_c", "always"), PLAIN)
def test_with_nothing_in_the_way(moment: Moment, esc: Act, ctrl_c: Act, always: Act) -> None:
    now = Situation(moment)
    assert (decide("escape", now), decide("ctrl+c", now)) == (esc, ctrl_c)
    assert {decide(key, now) for key in ("f8", "click", "/stop")} == {always}


@pytest.mark.parametrize("moment", Moment)
def test_over_a_modal_esc_closes_it_and_the_other_keys_still_stop(moment: Moment) -> None:
    now = Situation(moment, modal=True)
    assert decide("escape", now) is A.PASS
    assert decide("f8", now) is ALWAYS[moment]
    if moment in (M.RUNNING, M.WAITING):
        assert decide("ctrl+c", now) is A.STOP


@pytest.mark.parametrize("moment", Moment)
def test_with_a_popup_esc_closes_the_popup_first(moment: Moment) -> None:
    assert decide("escape", Situation(moment, popup=True)) is A.CLOSE_POPUP
    assert decide("f8", Situation(M.RUNNING, popup=True)) is A.STOP


@pytest.mark.parametrize("moment", Moment)
def test_with_text_selected_ctrl_c_copies_and_f8_does_what_it_always_does(moment: Moment) -> None:
    now = Situation(moment, selection=True)
    assert decide("ctrl+c", now) is A.COPY
    assert decide("f8", now) is ALWAYS[moment]


def test_a_draft_is_never_in_the_way_of_a_stop_and_ctrl_c_clears_it_only_when_idle() -> None:
    for key in ("escape", "ctrl+c", "f8"):
        assert decide(key, Situation(M.RUNNING, draft=True)) is A.STOP
    assert decide("ctrl+c", Situation(M.IDLE, draft=True)) is A.CLEAR_DRAFT
    assert decide("escape", Situation(M.IDLE, draft=True)) is A.PASS


def test_ctrl_c_quits_only_at_the_second_press_on_an_empty_box() -> None:
    assert decide("ctrl+c", Situation(M.IDLE)) is A.ARM_QUIT
    assert decide("ctrl+c", Situation(M.IDLE, quit_armed=True)) is A.QUIT
    assert decide("ctrl+c", Situation(M.RUNNING, quit_armed=True)) is A.STOP


def test_with_stop_confirm_double_the_keys_ask_once_and_f8_never() -> None:
    now = Situation(M.RUNNING, double=True)
    assert decide("escape", now) is A.CONFIRM and decide("ctrl+c", now) is A.CONFIRM
    assert decide("f8", now) is A.STOP and decide("click", now) is A.STOP
    assert decide("escape", Situation(M.RUNNING, double=True, stop_armed=True)) is A.STOP


def test_the_cell_names_only_keys_that_stop_in_that_very_situation() -> None:
    names = {"Esc": "escape", "F8": "f8", "^C": "ctrl+c"}
    for moment in (M.RUNNING, M.WAITING):
        for modal in (False, True):
            for popup in (False, True):
                for selection in (False, True):
                    now = Situation(moment, modal, popup, selection)
                    for shown in keys_now(now).split(" · "):
                        assert decide(names[shown], now) is A.STOP, (now, shown)
