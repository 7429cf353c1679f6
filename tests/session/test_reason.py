"""The reason of a stop: given with it or after it, kept in the log and the receipt, sent where it can be."""

from __future__ import annotations

import asyncio

from tests.fakes import Gate, ScriptedBackend, words
from tests.session.test_stop import QUICK, STARTED, reach, scene, session
from tui import receipt
from tui.backends.base import AbortAnswer
from tui.core import events as ev
from tui.core.conversation import replay
from tui.core.events import Answer, Record
from tui.core.turn import Outcome
from tui.session import Session


def test_a_reason_given_with_the_stop_goes_along_with_the_abort() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[STARTED, *words("a"), gate]])
        talk = session(backend)
        turn = talk.send("go")
        await reach(gate)
        talk.stop("/stop", "wrong customer")
        await talk.settled(turn)
        assert backend.aborts == [("r1", "wrong customer")]
        assert receipt.as_data(turn)["reason"] == "wrong customer"
        await talk.close()

    scene(run)


def test_a_reason_given_after_the_stop_is_an_event_and_changes_nothing_else() -> None:
    async def run() -> None:
        gate = Gate()
        records: list[Record] = []
        talk = Session(
            ScriptedBackend([[STARTED, *words("a"), gate]]),
            clocks=QUICK,
            on_change=lambda turn, record: records.append(record),
        )
        turn = talk.send("go")
        await reach(gate)
        talk.stop("esc")
        await talk.settled(turn)
        before = receipt.as_data(turn)
        talk.record(turn.number, ev.ReasonGiven("it named a person"))
        assert receipt.as_data(turn) == before | {"reason": "it named a person"}
        assert turn.outcome is Outcome.CONFIRMED
        records.sort(key=lambda record: record.number)
        again = replay("c", records)
        assert again.turns[0].stop and again.turns[0].stop.reason == "it named a person"
        await talk.close()

    scene(run)


def test_an_abort_that_is_sent_again_carries_the_reason_that_came_in_between() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[STARTED, *words("a"), gate]], statuses=[None])
        backend.answers = [AbortAnswer(Answer.REFUSED), AbortAnswer(Answer.ACKNOWLEDGED)]
        talk = session(backend)
        turn = talk.send("go")
        await reach(gate)
        talk.stop("esc")
        await talk.settled(turn)
        talk.record(turn.number, ev.ReasonGiven("too dear"))
        talk.stop("esc")
        async with asyncio.timeout(2):
            while len(backend.aborts) < 2:
                await asyncio.sleep(0)
        assert [reason for _, reason in backend.aborts] == ["", "too dear"]
        await talk.close()

    scene(run)


def test_the_receipt_holds_every_clock_and_the_number_of_the_last_event() -> None:
    async def run() -> None:
        gate = Gate()
        talk = Session(
            ScriptedBackend([[STARTED, *words("a", "b"), gate]]), clocks=QUICK, wall=lambda: 1_700_000_000.25
        )
        turn = talk.send("go")
        await reach(gate)
        number = turn.last_number
        talk.stop("f8")
        await talk.settled(turn)
        told = receipt.as_data(turn)
        assert (told["wall_s"], told["stopped_at"]) == (1_700_000_000.25, "2023-11-14T22:13:20.250+00:00")
        assert turn.stop and told["mono_s"] == turn.stop.asked_at
        assert (told["cause"], told["after_event"]) == ("f8", number)
        await talk.close()

    scene(run)
