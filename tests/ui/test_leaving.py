"""Quitting while a run is active: stop it, leave it, or stay."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, say, screen_of, until
from tui.backends.base import Capabilities, RemoteStop
from tui.core import events as ev
from tui.core.turn import Outcome, Phase


def running(gate: Gate) -> ScriptedBackend:
    return ScriptedBackend([[ev.RunStarted("r1"), *words("x"), gate]])


@pytest.mark.parametrize(
    ("key", "aborts", "phase"), [("s", 1, Phase.STOPPED), ("l", 0, Phase.LOST), ("enter", 1, Phase.STOPPED)]
)
def test_quitting_with_a_run_active_asks_what_is_to_become_of_it(key: str, aborts: int, phase: Phase) -> None:
    async def run() -> None:
        gate = Gate()
        backend = running(gate)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("ctrl+q")
            await until(pilot, lambda: "A run is still going" in screen_of(app))
            assert "stopkey open 3f2a91c0ffee" in screen_of(app)
            await pilot.press(key)
            turn = app.pane.talk.turn
            await until(pilot, lambda: app.return_code is not None)
            assert turn and turn.phase is phase and len(backend.aborts) == aborts
            assert turn.outcome is (Outcome.CONFIRMED if aborts else None)

    asyncio.run(run())


@pytest.mark.parametrize("key", ["escape", "y"])
def test_staying_leaves_the_run_alone(key: str) -> None:
    async def run() -> None:
        gate = Gate()
        backend = running(gate)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("ctrl+q")
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await pilot.press(key)
            await until(pilot, lambda: len(app.screen_stack) == 1)
            assert app.pane.talk.session.running and backend.aborts == []

    asyncio.run(run())


def test_leaving_it_running_is_not_offered_where_it_would_end_with_us() -> None:
    async def run() -> None:
        gate = Gate()
        backend = running(gate)
        backend.capabilities = Capabilities(RemoteStop.CLOSE, disconnect_stops=True)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("ctrl+q")
            await until(pilot, lambda: "Stop it and quit" in screen_of(app))
            assert "Leave it running" not in screen_of(app)

    asyncio.run(run())


def test_quitting_with_nothing_running_asks_nothing() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            await pilot.press("ctrl+q")
            await until(pilot, lambda: app.return_code is not None)
            assert app.return_code == 0

    asyncio.run(run())
