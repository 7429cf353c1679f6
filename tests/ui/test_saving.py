"""A store that cannot save says so on the screen, and stops nothing."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import QUICK, opening, say, screen_of, until
from tui.config import Settings
from tui.core import events as ev
from tui.core.turn import Outcome
from tui.desk import Desk
from tui.store import Store
from tui.ui.app import StopkeyApp


def test_a_problem_of_the_store_is_told_for_as_long_as_it_lasts() -> None:
    async def run() -> None:
        store = Store.memory()
        app = StopkeyApp(opening(ScriptedBackend([])), desk=Desk(Settings(), store, None, None), still=True)
        async with asyncio.timeout(20), app.run_test(size=(80, 24)) as pilot:
            assert store.on_problem
            await asyncio.to_thread(store.on_problem, "The disk is full: make room.")
            await until(pilot, lambda: "not saved: The disk is full: make room." in screen_of(app))
            await asyncio.to_thread(store.on_problem, None)
            await until(pilot, lambda: "orders @" in screen_of(app))
            await app.pane.talk.leave()
        store.close()

    asyncio.run(run())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_does_not_keep_the_client_from_starting(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    run_with(tmp_path / "conversations.db")


def test_a_file_that_is_no_store_does_not_keep_the_client_from_starting_and_stopping(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    file.write_bytes(b"this is not a database" * 1000)
    run_with(file)


def run_with(file: Path) -> None:
    async def run() -> None:
        store = Store.open(file)
        gate = Gate()
        backend = ScriptedBackend([[ev.RunStarted("r1"), *words("kept"), gate]])
        opened = opening(backend, clocks=QUICK)
        opened.journal = store.create("scripted")
        app = StopkeyApp(opened, desk=Desk(Settings(), store, None, None), still=True)
        async with asyncio.timeout(20), app.run_test(size=(100, 24)) as pilot:
            await until(pilot, lambda: "not saved" in screen_of(app))
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("escape")
            await until(pilot, lambda: app.pane.talk.turn.outcome is Outcome.CONFIRMED)
            await app.pane.talk.leave()
        store.close()

    asyncio.run(run())
