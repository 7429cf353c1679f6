"""What is written of what comes after a stop: all of it, its number, or nothing; and it is always counted."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.races.machine import Kept
from tui.core import events as ev
from tui.core.conversation import replay
from tui.core.events import End
from tui.core.turn import Outcome
from tui.session import Clocks, Session


@pytest.mark.parametrize(("late", "written"), [("keep", ["late ", "words"]), ("count", []), ("drop", [])])
def test_late_text_is_written_as_the_person_chose(late: str, written: list[str]) -> None:
    async def run() -> None:
        gate, disk = Gate(), Kept()
        steps = [
            ev.RunStarted("r"),
            *words("early "),
            gate,
            *words("late ", "words"),
            ev.RunFinished(End.CANCELLED),
        ]
        session = Session(ScriptedBackend([steps]), disk, late=late, clocks=Clocks(look_up=0, quit=0.1))
        turn = session.send("go")
        await gate.reached.wait()
        session.stop("esc")
        gate.open()
        await session.settled(turn)
        await session.close()
        assert turn.stop and (turn.stop.late_events, turn.stop.late_chars) == (3, 10)
        kept = [r.event.text for r in disk.records if r.late and isinstance(r.event, ev.TextDelta)]
        assert kept == written
        again = replay("c", disk.records).turns[0]
        assert again.stop and again.outcome is Outcome.CONFIRMED
        assert (again.stop.late_events, again.stop.late_chars, again.stop.late_policy) == (3, 10, late)

    asyncio.run(run())


def test_a_receipt_says_that_nothing_is_on_a_disk_where_that_turned_out_so() -> None:
    """The store is opened behind the first paint; memory may have taken its place by the time of the stop."""

    async def run() -> None:
        gate, opened = Gate(), [True]
        session = Session(
            ScriptedBackend([[ev.RunStarted("r"), *words("x"), gate]]), on_disk=lambda: opened[0],
            clocks=Clocks(look_up=0, quit=0.1),
        )  # fmt: skip
        turn = session.send("go")
        await gate.reached.wait()
        opened[0] = False
        session.stop("esc")
        await session.settled(turn)
        await session.close()
        assert turn.stop and turn.stop.late_policy == "off disk"

    asyncio.run(run())
