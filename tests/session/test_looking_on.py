"""A stop that settled without proof is looked up further, and its outcome rises when the end shows."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tui.backends.base import RunStatus
from tui.core import events as ev
from tui.core.events import End
from tui.core.turn import Outcome
from tui.session import Clocks, Session

CLOCKS = Clocks(abort=1, grace=0.03, pending=0.05, quit=0.2, look_up=2, poll=0.005, reattach=())


@pytest.mark.parametrize("meanwhile", [None, RunStatus(End.ALIVE)])
def test_an_end_that_shows_long_after_the_grace_raises_the_outcome(meanwhile: RunStatus | None) -> None:
    async def run() -> None:
        rose, gate = asyncio.Event(), Gate()
        backend = ScriptedBackend([[ev.RunStarted("r1"), *words("one "), gate]], statuses=[meanwhile])
        session = Session(backend, clocks=CLOCKS, on_change=lambda turn, record: rose.set())
        turn = session.send("go")
        await gate.reached.wait()
        session.stop("test")
        await session.settled(turn)
        first = turn.outcome
        assert first in (Outcome.ACKNOWLEDGED, Outcome.UNCONFIRMED)
        backend.statuses[:] = [RunStatus(End.CANCELLED)]
        async with asyncio.timeout(2):
            while turn.outcome is first:
                rose.clear()
                await rose.wait()
        assert turn.outcome is Outcome.CONFIRMED
        assert turn.stop and turn.stop.evidence == "look-up"
        await session.close()

    asyncio.run(run())
