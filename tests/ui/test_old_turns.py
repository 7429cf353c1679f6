"""A long conversation is opened at its end; what was left on disk comes when it is scrolled to."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fakes import ScriptedBackend, words
from tests.ui.stage import QUICK, opening, screen_of, until
from tui.config import Settings
from tui.core import events as ev
from tui.desk import LOADED_TURNS, Desk
from tui.session import Session
from tui.store import Store
from tui.ui.app import StopkeyApp

TURNS = LOADED_TURNS + 25


def test_turns_left_on_disk_are_shown_when_one_scrolls_up_to_them(tmp_path: Path) -> None:
    async def run() -> None:
        store = Store.open(tmp_path / "conversations.db")
        journal = store.create("embedded")
        numbers = range(1, TURNS + 1)
        runs = [[ev.RunStarted(f"r{n}"), *words(f"reply {n}."), ev.RunFinished()] for n in numbers]
        session = Session(ScriptedBackend(runs), journal, clocks=QUICK)
        for number in numbers:
            await session.settled(session.send(f"prompt {number}"))
        await session.close()
        assert await journal.flush(10)
        identity = journal.conversation_id
        journal.close()
        desk = Desk(Settings(), store, None, None)
        stored = await asyncio.to_thread(desk.reopen, identity)
        assert stored.conversation.base == TURNS - LOADED_TURNS
        shown = opening(ScriptedBackend([]))
        shown.conversation, shown.old_turn = stored.conversation, stored.old_turn
        app = StopkeyApp(shown, still=True)
        async with asyncio.timeout(20), app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: f"reply {TURNS}." in screen_of(app))
            app.pane.view.scroll_home()
            await until(pilot, lambda: "prompt 1" in screen_of(app) and "reply 1." in screen_of(app))
            app.pane.view.follow()
            await until(pilot, lambda: f"reply {TURNS}." in screen_of(app))
            await app.pane.talk.leave()
        await stored.end()
        store.close()

    asyncio.run(run())
