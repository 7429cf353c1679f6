"""Stop and send: what is to follow a stop is typed text, and not lost by a quit, a crash or a second one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import opening
from tui.core import events as ev
from tui.core.events import End
from tui.ui.talk import Talk


class Deaf:
    plain = False

    def opened(self, shown: object) -> None: ...
    def touched(self, turn: int) -> None: ...
    def moved(self) -> None: ...


def test_what_is_to_follow_a_stop_is_on_disk_until_it_is_sent() -> None:
    async def run() -> None:
        gate, notes = Gate(), [[]]
        first = [ev.RunStarted("r1"), *words("x"), gate, ev.RunFinished(End.CANCELLED)]
        backend = ScriptedBackend([first, [ev.RunStarted("r2"), ev.RunFinished()], [ev.RunFinished()]])
        given = replace(opening(backend), save_note=lambda kind, value: notes.append(list(value)))
        talk = Talk(given, Deaf())
        talk.session.send("go")
        await gate.reached.wait()
        talk.stop_and_send("and then this")
        assert notes[-1] == ["and then this"], "a quit or a crash now would lose it"
        talk.stop_and_send("and that")
        assert notes[-1] == ["and then this", "and that"], "the second does not take the place of the first"
        gate.open()
        async with asyncio.timeout(3):
            while len(backend.prompts) < 2:
                await asyncio.sleep(0.002)
        assert backend.prompts[1].text == "and then this" and "and then this" not in notes[-1]
        await talk.session.close()

    asyncio.run(run())
