"""/connect: a backend is tried before it is kept, and then talked to in a tab of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from tests.backends.servers import origin, reply
from tests.fakes import ScriptedBackend
from tests.ui.desks import HandDesk
from tests.ui.stage import on_stage, say, screen_of, until
from tui.config import Profile, Settings, load
from tui.desk import Desk
from tui.store import Store
from tui.ui.app import StopkeyApp

Scene = Callable[[StopkeyApp, Pilot[int], HandDesk], Awaitable[None]]
GIVEN = {"name": "work", "backend": "flue", "url": "http://127.0.0.1:9/agents/x", "token_env": "MY_TOKEN"}


def with_form(scene: Scene, file: Path, given: dict[str, str]) -> None:
    async def run() -> None:
        desk = HandDesk([ScriptedBackend([[]])])
        async with on_stage(ScriptedBackend([[]]), desk=desk) as (app, pilot):
            app.settings_file = file
            await say(pilot, "/connect")
            await until(pilot, lambda: "Connect to a backend" in screen_of(app))
            for name, value in given.items():
                app.screen.inputs[name].value = value  # type: ignore[attr-defined]
            await pilot.pause()
            await scene(app, pilot, desk)

    asyncio.run(run())


def test_it_is_tried_then_kept_and_a_conversation_is_opened_there(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("# mine\n")

    async def scene(app: StopkeyApp, pilot: Pilot[int], desk: HandDesk) -> None:
        await pilot.press("enter")
        await until(pilot, lambda: "an abort for this run" in screen_of(app))
        assert file.read_text() == "# mine\n", "nothing is kept before it was tried"
        assert desk.tried == [Profile("flue", GIVEN["url"], token_env="MY_TOKEN")]
        await pilot.press("enter")
        await until(pilot, lambda: desk.made == 1 and len(app.screen_stack) == 1)
        assert "--profile work" in screen_of(app)

    with_form(scene, file, GIVEN)
    kept = load(file)
    assert not kept.problems and kept.settings.profiles["work"].token_env == "MY_TOKEN"
    assert file.read_text().startswith("# mine")


def test_what_is_missing_is_said_and_what_was_changed_is_tried_again(tmp_path: Path) -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], desk: HandDesk) -> None:
        await pilot.press("enter")
        await until(pilot, lambda: "It needs a url." in screen_of(app))
        screen = app.screen
        screen.inputs["url"].value = GIVEN["url"]  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: len(desk.tried) == 1)
        await until(pilot, lambda: "Enter again keeps it" in screen_of(app))
        screen.inputs["url"].value = GIVEN["url"] + "y"  # type: ignore[attr-defined]
        await until(pilot, lambda: "Enter tries" in screen_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: len(desk.tried) == 2)
        assert desk.made == 0
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)

    with_form(scene, tmp_path / "config.toml", {name: GIVEN[name] for name in ("name", "backend")})
    assert not (tmp_path / "config.toml").exists()


def test_a_mistake_is_told_in_the_words_of_the_file_and_nothing_is_written(tmp_path: Path) -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], desk: HandDesk) -> None:
        await pilot.press("enter")
        await until(pilot, lambda: "Enter again" in screen_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "must be an address" in screen_of(app))

    with_form(scene, tmp_path / "config.toml", GIVEN | {"url": "not an address"})
    assert not (tmp_path / "config.toml").exists()


def test_a_real_attempt_says_what_stop_can_do_there_or_why_it_cannot_be_reached() -> None:
    async def run() -> None:
        desk = Desk(Settings(), Store.memory(), None, None)
        async with origin(reply(404)) as server:
            well, lines = await desk.attempt(Profile("ag-ui", server.url))
            assert well and "no abort" in lines[0]
        well, lines = await desk.attempt(Profile("ag-ui", "http://127.0.0.1:1/"))
        assert not well and "takes no connection" in lines[0]
        desk.store.close()

    asyncio.run(run())
