"""Every cell of the table, written out: what each signal does in each phase."""

from __future__ import annotations

import pytest

from tui.core import events as ev
from tui.core.events import Answer, Clock, End
from tui.core.turn import (
    FINAL,
    RISES_TO,
    STOPPING,
    TRANSITIONS,
    VERDICT,
    Effect,
    Outcome,
    Phase,
    Signal,
    TurnState,
    signal_of,
    step,
)

COLUMNS = {
    "I": Phase.IDLE, "S": Phase.SENDING, "R": Phase.STREAMING, "W": Phase.WAITING, "L": Phase.LOST,
    "P": Phase.STOP_PENDING, "A": Phase.ASKING, "O": Phase.READING_ON, "K": Phase.CHECKING,
    "X": Phase.STOPPED, "C": Phase.COMPLETED, "F": Phase.FAILED,
}  # fmt: skip

#                   from:  I S R W L  P A O K  X C F     a dot: nothing changes
GRID = """
        SUBMIT             S . . . .  . . . .  . . .
        STOP               . P A A A  . . . .  . . .
        RETRY              . . . . .  . . . .  X . .
        STARTED            . R . . R  A . . .  . . .
        CONTENT            . R . R R  A . . .  . . .
        QUESTION           . W W . W  A . . .  . . .
        ANSWERED           . . . R .  . . . .  . . .
        COMPLETED          . C C C C  X X X X  . . .
        CANCELLED          . F F F F  X X X X  . . .
        ENDED              . C C C C  X A X X  . . .
        ERRORED            . F F F F  X A X X  . . .
        BROKE              . L L L .  X . K .  . . .
        UNSENT             . F . . .  X . . X  . . .
        REJECTED           . F . . .  X . . .  . . .
        YES                . . . . .  . O . .  . . .
        ALREADY_OVER       . . . . .  . O . .  . . .
        NOTHING_RUNNING    . . . . .  . O . .  . . .
        NO                 . . . . .  . O . .  . . .
        NO_ANSWER          . . . . .  . K . .  . . .
        UNSUPPORTED        . . . . .  X X . .  . . .
        CLOSED             . . . . .  K K . .  . . .
        ALIVE              . . . . .  . . . X  . . .
        NO_WORD            . . . . .  . . . X  . . .
        PENDING_OVER       . . . . .  X . . .  . . .
        GRACE_OVER         . . . . .  . . K .  . . .
        WENT_ON            . . . . .  . . K .  . . .
        LEFT               . L L . .  X X X X  . . .
"""


def cells() -> dict[tuple[Phase, Signal], Phase | None]:
    found: dict[tuple[Phase, Signal], Phase | None] = {}
    for line in GRID.strip().splitlines():
        name, *letters = line.split()
        for phase, letter in zip(COLUMNS.values(), letters, strict=True):
            found[phase, Signal[name]] = COLUMNS.get(letter)
    return found


def test_the_table_is_what_the_grid_says_in_every_cell() -> None:
    grid = cells()
    assert len(grid) == len(Phase) * len(Signal)
    wrong = {
        (phase, signal): (TRANSITIONS[phase].get(signal), expected)
        for (phase, signal), expected in grid.items()
        if TRANSITIONS[phase].get(signal) is not expected
    }
    assert wrong == {}


EVENTS: tuple[ev.Event, ...] = (
    ev.Prompted("p"), ev.StopAsked("esc"), ev.RetryAsked("esc"), ev.RunStarted("r"), ev.TextDelta("b", "x"),
    ev.QuestionAsked("q", "?"), ev.QuestionAnswered("q", "y"),
    *(ev.RunFinished(end) for end in End if end is not End.ALIVE),
    ev.StreamBroke("x"), ev.NotSent("x"), ev.PromptRefused("x"),
    *(ev.AbortAnswered(answer) for answer in Answer),
    *(ev.RunLookedUp(end) for end in (*End, None)), *(ev.ClockRan(clock) for clock in Clock), ev.ClientLeft(),
)  # fmt: skip


def test_every_signal_has_an_event_that_means_it() -> None:
    assert {signal_of(event) for event in EVENTS} == set(Signal)


@pytest.mark.parametrize("phase", Phase)
def test_any_event_in_any_phase_is_answered(phase: Phase) -> None:
    outcome = Outcome.UNCONFIRMED if phase is Phase.STOPPED else None
    for event in (*EVENTS, ev.Unknown("new"), ev.Settled("x"), ev.BlockEnded("b")):
        after, effects = step(TurnState(phase, outcome=outcome), event)
        assert isinstance(after, TurnState) and isinstance(effects, tuple)
        assert (after.outcome is not None) is (after.phase is Phase.STOPPED)
        if phase in FINAL:
            assert after.phase is phase
        if phase in STOPPING:
            assert after.phase in STOPPING | {Phase.STOPPED}


def test_what_was_shown_is_frozen_on_entering_every_phase_of_a_stop() -> None:
    for phase in (Phase.SENDING, Phase.STREAMING, Phase.WAITING, Phase.LOST):
        after, effects = step(TurnState(phase), ev.StopAsked("esc"))
        assert after.frozen and effects[0] is Effect.FREEZE


def test_an_outcome_never_falls() -> None:
    order = [Outcome.UNCONFIRMED, Outcome.ACKNOWLEDGED, Outcome.CONFIRMED]
    for was in Outcome:
        for event in EVENTS:
            after, _ = step(TurnState(Phase.STOPPED, outcome=was), event)
            assert after.outcome is was or after.outcome in RISES_TO[was]
            if was in order and after.outcome in order:
                assert order.index(after.outcome) >= order.index(was)


def test_confirmed_needs_the_backends_own_word_that_the_run_is_over() -> None:
    for end, by_answer in VERDICT.items():
        for outcome in by_answer.values():
            if outcome is Outcome.CONFIRMED:
                assert end in (End.CANCELLED, End.UNSPECIFIED, End.FAILED)


def test_an_end_without_a_kind_is_ours_only_after_a_yes_to_our_abort() -> None:
    for answer in Answer:
        state, _ = step(TurnState(Phase.ASKING), ev.RunFinished(End.UNSPECIFIED))
        assert state.phase is Phase.ASKING
        state, _ = step(state, ev.AbortAnswered(answer))
        if answer is Answer.ACKNOWLEDGED:
            assert state.outcome is Outcome.CONFIRMED
        elif answer not in (Answer.CLOSED, Answer.UNSUPPORTED):
            assert state.outcome is Outcome.FINISHED_FIRST
