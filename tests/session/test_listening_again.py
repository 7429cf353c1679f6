"""A client that comes later listens again behind what an earlier one recorded, and repeats nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from tests.fakes import ScriptedBackend, Step, words
from tui.backends.base import Capabilities, RemoteStop, RunRef
from tui.core import events as ev
from tui.core.conversation import replay
from tui.core.events import Event, Record
from tui.core.turn import Phase
from tui.session import Clocks, Session


class Remembering(ScriptedBackend):
    """Notes where it was asked to go on from."""

    asked: int = -1

    def resume(self, run: RunRef) -> AsyncGenerator[Event, None]:
        self.asked = run.seen
        return super().resume(run)


def recorded(*events: Event) -> Sequence[Record]:
    return [Record(n, 1, 0.0, float(n), event) for n, event in enumerate(events, 1)]


def test_an_answer_after_a_reopening_goes_on_behind_the_pieces_that_are_on_record() -> None:
    async def run() -> None:
        before = recorded(
            ev.Prompted("go", "k", "r1"),
            ev.RunStarted("r1", raw="{1}"),
            ev.ToolStarted("t", "refund", raw="{2}"),
            ev.ToolArguments("t", "{}"),  # of the same piece of wire data
            ev.QuestionAsked("q", "may I?", raw="{3}"),
        )
        steps: list[Step] = [*words("done"), ev.RunFinished()]
        able = Capabilities(RemoteStop.ABORT, resume=True, answers_questions=True)
        backend = Remembering([], able, resumes=[steps])
        session = Session(backend, conversation=replay("c", before), clocks=Clocks(look_up=0, quit=0.1))
        turn = session.turn
        assert turn and turn.phase is Phase.WAITING
        session.answer("q", "yes")
        await session.settled(turn)
        await asyncio.wait_for(until_over(turn), 5)
        await session.close()
        assert backend.asked == 3 and turn.transcript.reply().endswith("done")

    asyncio.run(run())


async def until_over(turn: object) -> None:
    while turn.phase is not Phase.COMPLETED:  # type: ignore[attr-defined]
        await asyncio.sleep(0)
