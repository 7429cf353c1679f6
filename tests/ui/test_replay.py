"""Replay on the screen: pausable, steppable, with the stop in it, and nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.session.test_replay import Hands, recorded
from tests.ui.stage import on_stage, say, screen_of, until
from tui.core import events as ev
from tui.core.turn import Phase
from tui.session.player import Player, replaying
from tui.session.reel import Reel
from tui.ui.app import StopkeyApp


def app_with(reel: Reel) -> StopkeyApp:
    return StopkeyApp(replaying(reel, "3f2a91c0ffee", "orders"), still=True)


def test_a_recording_is_stepped_paused_and_played_to_its_stop() -> None:
    async def scenario() -> None:
        clock = Hands()
        app = app_with(Reel(recorded(), paused=True, clock=clock))
        async with asyncio.timeout(20), app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "recording paused" in screen_of(app))
            assert app.pane.talk.turn is None
            await pilot.press("full_stop", "full_stop", "full_stop")
            await until(pilot, lambda: "half an" in screen_of(app))
            await pilot.press("x", "enter")
            await until(pilot, lambda: "This is a recording" in screen_of(app))
            await pilot.press("plus", "space")
            await until(pilot, lambda: "×2" in screen_of(app) and "playing" in screen_of(app))
            clock.now += 10
            await pilot.press("f8")
            await until(pilot, lambda: "recording paused" in screen_of(app))
            for _ in range(8):
                await pilot.press("full_stop")
            await until(pilot, lambda: "STOPPED BY YOU" in screen_of(app))
            await until(pilot, lambda: "recording at its end" in screen_of(app))
            assert "half an" in screen_of(app) and app.pane.box.text == ""
            await pilot.press("ctrl+q")
            await until(pilot, lambda: app.return_code is not None or app._exit)

    asyncio.run(scenario())


def test_what_is_on_the_screen_can_be_replayed_from_inside_the_client() -> None:
    async def scenario() -> None:
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("half an "), Gate()]])
        async with on_stage(backend, (80, 24)) as (app, pilot):
            await say(pilot, "hi")
            await until(pilot, lambda: "half an" in screen_of(app))
            await pilot.press(*"/replay", "enter")
            await until(pilot, lambda: "stop it first" in screen_of(app))
            await pilot.press("f8")
            await until(
                pilot, lambda: app.pane.talk.turn is not None and app.pane.talk.turn.phase is Phase.STOPPED
            )
            await pilot.press(*"/replay", "enter")
            await until(pilot, lambda: isinstance(app.pane.talk.session, Player))
            await until(pilot, lambda: "replay: orders" in screen_of(app) and "STOPPED BY" in screen_of(app))
            assert len(backend.prompts) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (40, 24)], ids=["80", "140", "40"])
def test_a_replay_looks_like_this(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    app = app_with(Reel(recorded(1_790_000_000.0), paused=True, clock=Hands()))

    async def play(pilot: object) -> None:
        for _ in range(6):
            await pilot.press("full_stop")  # type: ignore[attr-defined]
        await until(pilot, lambda: "STOPPING" in screen_of(app))  # type: ignore[arg-type]

    assert snap_compare(app, run_before=play, terminal_size=size)
