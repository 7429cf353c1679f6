"""F3: how the stops so far went, here and in all conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.scenes import Stage, scenes
from tests.ui.stage import on_stage, say, screen_of, until
from tui.core import events as ev
from tui.core.turn import Phase
from tui.ui.screens.statistics import StatisticsScreen


def test_f3_shows_the_stops_of_this_conversation_and_esc_closes_it() -> None:
    async def scenario() -> None:
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("half an "), Gate()], []])
        async with on_stage(backend, (80, 24)) as (app, pilot):
            await pilot.press("f3")
            await until(pilot, lambda: "No stops in this conversation yet" in screen_of(app))
            await pilot.press("escape")
            await say(pilot, "hi")
            await pilot.press("f8")
            await until(
                pilot, lambda: app.pane.talk.turn is not None and app.pane.talk.turn.phase is Phase.STOPPED
            )
            await pilot.press(*"/stats", "enter")
            await until(pilot, lambda: "1 stop in this conversation" in screen_of(app))
            assert "median" in screen_of(app) and "scripted" in screen_of(app)
            await pilot.press("a")
            await until(pilot, lambda: "1 stop in all conversations" in screen_of(app))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, StatisticsScreen))

    asyncio.run(scenario())


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (40, 24)], ids=["80", "140", "40"])
def test_the_statistics_look_like_this(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    stage = Stage(scenes()["stopped"])

    async def play(pilot: object) -> None:
        await stage.play(pilot)  # type: ignore[arg-type]
        await stage.pilot.press("f3")
        await until(stage.pilot, lambda: "1 stop in this" in screen_of(stage.app))

    assert snap_compare(stage.app, run_before=play, terminal_size=size)
