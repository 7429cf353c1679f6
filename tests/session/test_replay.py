"""A recording: when each record is due, at any speed, paused, stepped; the same conversation in the end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tui.core import events as ev
from tui.core.conversation import Turn, replay
from tui.core.events import Answer, End, Event, Record
from tui.core.turn import Outcome
from tui.session.player import NoBackend, Player
from tui.session.reel import BETWEEN_TURNS, Reel

STOPPED: list[tuple[float, Event, bool]] = [
    (0.0, ev.Prompted("hi", "k", "r"), False),
    (0.5, ev.RunStarted("r"), False),
    (1.5, ev.TextDelta("b", "half an "), False),
    (2.0, ev.StopAsked("escape", shown=8, after=3), False),
    (2.0, ev.Requested("abort"), False),
    (2.1, ev.AbortAnswered(Answer.ACKNOWLEDGED, status=200), False),
    (2.3, ev.TextDelta("b", "answer"), True),
    (2.4, ev.RunFinished(End.CANCELLED), True),
    (2.4, ev.Settled("stopped", "confirmed"), False),
]


def recorded(wall: float = 1000.0, mono: float = 50.0) -> list[Record]:
    return [
        Record(number, 1, wall + at, mono + at, event, late)
        for number, (at, event, late) in enumerate(STOPPED, 1)
    ]


class Hands:
    def __init__(self) -> None:
        self.now = 10.0

    def __call__(self) -> float:
        return self.now


def test_each_record_is_due_as_long_after_the_one_before_as_it_was_recorded() -> None:
    clock = Hands()
    reel = Reel(recorded(), clock=clock)
    assert reel.due_in() == 0 and reel.take().mono == 0.0
    assert reel.due_in() == 0.5
    clock.now += 0.4
    assert abs((reel.due_in() or 0) - 0.1) < 1e-9 and abs(reel.mono() - 0.4) < 1e-9
    clock.now += 60
    assert reel.due_in() == 0 and reel.mono() == 0.5, "the recorded time waits for what is due"


def test_four_times_as_fast_takes_a_quarter_and_a_pause_takes_no_recorded_time() -> None:
    clock = Hands()
    reel = Reel(recorded(), 4.0, clock=clock)
    reel.take()
    assert reel.due_in() == 0.125
    clock.now += 0.05
    reel.pause(True)
    assert reel.due_in() is None
    clock.now += 100
    reel.pause(False)
    assert abs((reel.due_in() or 0) - 0.075) < 1e-9
    reel.change_speed(-2)
    assert reel.speed == 1.0 and abs((reel.due_in() or 0) - 0.3) < 1e-9


def test_a_pause_between_two_turns_is_cut_short_and_another_clients_clock_is_not_believed() -> None:
    first = recorded()
    second = [
        replace(r, number=r.number + 9, turn=2, wall=r.wall + 7200, mono=r.mono - 40) for r in recorded()
    ]
    reel = Reel([*first, *second], clock=Hands())
    times = []
    while not reel.over:
        times.append(reel.take().mono)
    assert abs(times[9] - times[8] - BETWEEN_TURNS) < 1e-9 and abs(times[-1] - times[9] - 2.4) < 1e-6


def test_a_player_ends_with_the_conversation_that_was_recorded_the_stop_included() -> None:
    async def scenario() -> None:
        changes: list[tuple[int, int]] = []

        def changed(turn: Turn, record: Record) -> None:
            changes.append((turn.number, record.number))

        player = Player(Reel(recorded(), 1000.0), NoBackend("x"), on_change=changed)
        player.start()
        assert player._playing
        await asyncio.wait_for(player._playing, 10)
        turn = player.turn
        assert turn and turn.outcome is Outcome.CONFIRMED and turn.kept() == "half an "
        assert turn.stop and turn.stop.late_events == 2 and str(turn.late.reply()) == "answer"
        assert changes == [(1, number) for number in range(1, 10)]
        again = replay("x", recorded()).turns[0]
        assert again.outcome is turn.outcome and again.transcript.reply() == turn.transcript.reply()

    asyncio.run(scenario())


def test_a_stop_in_a_recording_only_holds_it_and_nothing_is_sent_again() -> None:
    said: list[str] = []
    player = Player(Reel(recorded(), clock=Hands()), NoBackend("x"))
    player.say = said.append
    player.step()
    player.stop("f8")
    player.send("more")
    assert player.reel.paused and len(said) == 2 and player.conversation.count == 1
    assert not player.running and not player.stopping


def test_a_file_that_is_damaged_further_down_ends_there_and_says_why() -> None:
    def lines():  # type: ignore[no-untyped-def]
        yield recorded()[0]
        raise ValueError("Line 3 is not a record")

    reel = Reel(lines(), clock=Hands())
    reel.take()
    assert reel.over and reel.problem == "Line 3 is not a record"
