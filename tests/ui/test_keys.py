"""Every key that F1 names does what F1 says of it: pressed in the running app, by each of its names."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, opening, say, screen_of, until
from tui.core import events as ev
from tui.ui.app import StopkeyApp
from tui.ui.keys import KEYS, Key, wrong_with

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


@pytest.mark.parametrize(
    ("keymap", "says"),
    [
        ({"run.stop": "f9"}, ""),
        ({"run.stpo": "f9"}, "did you mean run.stop"),
        ({"view.find": "f8"}, "F8 is both run.stop and view.find"),
        ({"run.stop": "ctrl+f"}, "^F is both run.stop and view.find"),
        ({}, ""),
    ],
)
def test_a_key_that_is_bound_to_two_commands_or_to_none_is_said(keymap: dict[str, str], says: str) -> None:
    assert says in wrong_with(keymap) and bool(says) is bool(wrong_with(keymap))


def test_bar_hints_and_help_name_the_keys_that_are_bound_and_these_stop() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("x"), gate]])
        made = opening(backend)
        app = StopkeyApp(made, still=True, keymap={"run.stop": "f9", "run.stop_and_send": "ctrl+y"})
        async with asyncio.timeout(20), app.run_test(size=(80, 24)) as pilot:
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            assert "STOP  Esc · F9" in screen_of(app) and "^Y Stop & send" in screen_of(app)
            await pilot.press("f8")
            assert app.pane.talk.turn and app.pane.talk.turn.stop is None, "F8 was given away"
            await pilot.press("f1")
            await until(pilot, lambda: "F9 " in screen_of(app))
            await pilot.press("f9")
            assert app.pane.talk.turn.stop
            await app.pane.talk.leave()

    asyncio.run(run())
