"""Every key that F1 names does what F1 says of it: pressed in the running app, by each of its names."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.fakes import ScriptedBackend
from tests.ui.stage import on_stage, screen_of, until
from tui.ui.app import StopkeyApp
from tui.ui.keys import KEYS, Key

PRESSES = [(key, name) for key in KEYS for name in key.keys.split(",")]


@pytest.mark.parametrize(("key", "name"), PRESSES, ids=[f"{key.id}-{name}" for key, name in PRESSES])
def test_each_key_runs_its_action_from_the_text_box(
    key: Key, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[object, ...]] = []
    action, _, arguments = key.action.partition("(")
    monkeypatch.setattr(StopkeyApp, f"action_{action}", lambda app, *given: done.append(given))
    monkeypatch.setattr(StopkeyApp, "check_action", lambda app, action, given: True)

    async def run() -> None:
        async with on_stage(ScriptedBackend([[]])) as (app, pilot):
            app.pane.box.put("a draft")
            await pilot.press(name)
            assert app.pane.box.text == "a draft", "a command types nothing"

    asyncio.run(run())
    wanted = tuple(re.findall(r"'([^']*)'|(-?\d+)", arguments))
    assert done == [tuple(word or int(number) for word, number in wanted)]


def test_no_two_commands_have_the_same_key_and_none_needs_alt() -> None:
    names = [name for _, name in PRESSES]
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith("alt+")], "Esc and a letter would be taken for it"


def test_f1_names_all_of_them() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([[]]), (140, 100)) as (app, pilot):
            await pilot.press("f1")
            await until(pilot, lambda: len(app.screen_stack) == 2)
            shown = re.sub(r"[\s│]+", " ", screen_of(app))
            missing = [key.help for key in KEYS if key.help not in shown]
            assert not missing

    asyncio.run(run())
