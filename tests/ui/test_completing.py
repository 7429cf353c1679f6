"""Completion above the text box: what it offers, which keys it takes, and that Stop goes on working."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, say, screen_of, until
from tui.core import events as ev
from tui.ui.app import StopkeyApp
from tui.ui.composing.offers import Word, of_commands, ranked, word_at

RUNNING = [ev.RunStarted("r"), *words("a reply that goes on")]


@pytest.mark.parametrize(
    ("before", "row", "word"),
    [
        ("/", 0, Word("command", 0, "")),
        ("/st", 0, Word("command", 0, "st")),
        ("/st", 1, None),
        ("/stop ", 0, None),
        ("/usr/bin", 0, None),
        (" /st", 0, None),
        ("see @tui/a", 3, Word("file", 4, "tui/a")),
        ('see @"my fi', 0, Word("file", 4, "my fi")),
        ("(@a", 0, Word("file", 1, "a")),
        ("me@example.org", 0, None),
        ("@a b", 0, None),
        ("", 0, None),
    ],
)
def test_the_word_at_the_cursor(before: str, row: int, word: Word | None) -> None:
    assert word_at(before, row) == word


def test_a_long_line_is_looked_at_only_near_the_cursor() -> None:
    assert word_at("x" * 1_000_000 + " @fi", 0) == Word("file", 1_000_001, "fi")
    assert word_at("@" + "x" * 1_000_000, 0) is None


def test_what_begins_so_comes_before_what_holds_it_and_what_has_its_letters() -> None:
    assert ranked("st", ["last", "stop", "stats", "resend", "sort"]) == ["stop", "stats", "last", "sort"]
    assert ranked("", ["b", "a"]) == ["b", "a"]


def test_a_command_that_needs_something_is_not_final() -> None:
    first, second = of_commands("", [("stop", "[REASON]", ""), ("reason", "TEXT", "")])
    assert (first.text, first.final, first.label) == ("/stop", True, "/stop [REASON]")
    assert (second.text, second.final) == ("/reason ", False)


def is_open(app: StopkeyApp) -> bool:
    return app.pane.composer.completing.open


def test_a_slash_opens_the_list_letters_narrow_it_and_tab_completes() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            await pilot.press("/")
            await until(pilot, lambda: is_open(app) and "/continue" in screen_of(app))
            await pilot.press("r", "e")
            await until(pilot, lambda: "/reason TEXT" in screen_of(app) and "/continue" not in screen_of(app))
            await pilot.press("tab")
            assert app.pane.box.text == "/reason " and not is_open(app)
            await until(pilot, lambda: "/reason TEXT" in screen_of(app))  # a hint, no longer a choice

    asyncio.run(run())


def test_arrows_choose_and_enter_carries_out() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            await pilot.press("/", "h")
            await until(pilot, lambda: "/help" in screen_of(app))
            await pilot.press("down", "up", "enter")
            await until(pilot, lambda: len(app.screen_stack) == 2)
            assert app.pane.box.text == ""

    asyncio.run(run())


def test_enter_on_a_bare_slash_carries_out_nothing() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(ScriptedBackend([[*RUNNING, gate]])) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("/", "enter")
            assert app.pane.box.text.startswith("/") and len(app.pane.box.text) > 2
            assert len(app.screen_stack) == 1 and app.pane.talk.turn.stop is None

    asyncio.run(run())


def test_esc_closes_the_list_first_and_then_stops_and_the_bar_says_so() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(ScriptedBackend([[*RUNNING, gate]])) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            assert "Esc · F8" in screen_of(app)
            await pilot.press("/", "s")
            await until(pilot, lambda: is_open(app) and "F8 · ^C" in screen_of(app))
            await pilot.press("escape")
            await until(pilot, lambda: "Esc · F8" in screen_of(app))
            assert app.pane.box.text == "/s" and not is_open(app) and app.pane.talk.turn.stop is None
            await pilot.press("t")
            assert app.pane.box.text == "/st" and not is_open(app)  # closed for this word
            await pilot.press("escape")
            assert app.pane.talk.turn.stop

    asyncio.run(run())


@pytest.mark.parametrize("key", ["f8", "ctrl+c"])
def test_the_other_stop_keys_stop_at_once_with_the_list_open_and_it_stays(key: str) -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(ScriptedBackend([[*RUNNING, gate]])) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("/", "s")
            await until(pilot, lambda: is_open(app))
            await pilot.press(key)
            assert app.pane.talk.turn.stop and app.pane.box.text == "/s"

    asyncio.run(run())


def test_a_new_slash_opens_it_again() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            await pilot.press("/", "escape", "backspace")
            assert app.pane.box.text == ""
            await pilot.press("/")
            await until(pilot, lambda: is_open(app))

    asyncio.run(run())


def test_a_typo_names_the_nearest_command_and_keeps_the_text() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            await say(pilot, "/stpo now")
            await until(pilot, lambda: "There is no /stpo. Did you mean /stop?" in screen_of(app))
            assert app.pane.box.text == "/stpo now"

    asyncio.run(run())


def test_a_path_at_the_start_of_a_prompt_is_no_command() -> None:
    async def run() -> None:
        backend = ScriptedBackend([[ev.RunStarted("r"), ev.RunFinished()]])
        async with on_stage(backend) as (_, pilot):
            await say(pilot, "/usr/bin/env: what is it?")
            await until(pilot, lambda: len(backend.prompts) == 1)
            assert backend.prompts[0].text == "/usr/bin/env: what is it?"

    asyncio.run(run())


def test_the_backends_own_commands_are_offered_too() -> None:
    async def run() -> None:
        backend = ScriptedBackend([[ev.RunStarted("r"), ev.RunFinished()]])
        async with on_stage(backend, embedded=True) as (app, pilot):
            app.pane.talk.opening.commands = lambda: [
                ("blocking", "a tool that blocks"),
                ("stop", "not ours"),
            ]
            await pilot.press("/", "b", "l")
            await until(pilot, lambda: "a tool that blocks" in screen_of(app))
            await pilot.press("enter")
            await until(pilot, lambda: len(backend.prompts) == 1)
            assert backend.prompts[0].text == "/blocking"

    asyncio.run(run())


def test_a_typo_of_the_backends_own_command_is_not_sent_to_it() -> None:
    async def run() -> None:
        backend = ScriptedBackend([[ev.RunStarted("r"), ev.RunFinished()]])
        async with on_stage(backend, embedded=True) as (app, pilot):
            app.pane.talk.opening.commands = lambda: [("blocking", "a tool that blocks")]
            await pilot.press("/")
            await until(pilot, lambda: "blocking" in app.pane.composer.completing.theirs)
            await say(pilot, "/blokcing now")
            await until(pilot, lambda: "Did you mean /blocking?" in screen_of(app))
            assert not backend.prompts and app.pane.box.text == "/blokcing now"
            await say(pilot, "/blocking now")
            await until(pilot, lambda: len(backend.prompts) == 1)

    asyncio.run(run())


def test_while_nothing_is_completed_there_is_no_list_at_all() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            await pilot.press(*"hello")
            assert app.pane.composer.completing.popup is None

    asyncio.run(run())
