"""F5: finding an earlier prompt by a few letters."""

from __future__ import annotations

import asyncio
import time

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import say, screen_of, until
from tests.ui.test_recall import remembering
from tui.core import events as ev
from tui.store.prompts import Past
from tui.ui.composing.search import find


def found(query: str, *texts: str) -> list[str]:
    return [past.text for past in find([Past(text, 0.0) for text in texts], query, lambda: False)]


def test_words_are_found_in_any_order_before_letters_that_stand_apart() -> None:
    texts = ("fix the order list", "list of Orders", "older than dirt", "nothing")
    assert found("order list", *texts) == ["fix the order list", "list of Orders"]
    assert found("odr", *texts) == ["fix the order list", "list of Orders", "older than dirt"]
    assert found("", *texts) == list(texts)
    assert found("(.*", *texts) == []


def test_a_hundred_thousand_prompts_are_looked_through_in_a_moment_whatever_is_asked() -> None:
    texts = [Past(f"{'a' * 60} prompt number {n} about something", 0.0) for n in range(100_000)]
    began = time.monotonic()
    assert find(texts, "a" * 40 + "zz", lambda: False) == []
    assert time.monotonic() - began < 2.0  # measured 0.1 s; a search that backtracks takes minutes


def test_an_outdated_search_ends_at_once() -> None:
    asked = []
    find([Past("x", 0.0)] * 10_000, "no", lambda: bool(asked.append(1)) or True)
    assert len(asked) <= 2


def test_f5_finds_a_prompt_and_enter_brings_it_into_the_box_without_sending() -> None:
    async def run() -> None:
        backend = ScriptedBackend([[ev.RunStarted("r"), Gate()]])
        async with remembering("where is order 42?", "something else", backend=backend) as (app, pilot, _):
            app.pane.box.put("a draft")
            await pilot.press("f5")
            await until(pilot, lambda: "2 of 2" in screen_of(app))
            await pilot.press(*"ordr")
            await until(pilot, lambda: "1 of 2" in screen_of(app))
            await pilot.press("enter")
            await until(pilot, lambda: app.pane.box.text == "where is order 42?")
            assert len(app.screen_stack) == 1 and not backend.prompts
            await pilot.press("ctrl+z")
            assert app.pane.box.text == "a draft"

    asyncio.run(run())


def test_esc_closes_it_with_the_draft_as_it_was_and_f8_stops_behind_it() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("a"), gate]])
        async with remembering("old", backend=backend) as (app, pilot, _):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            app.pane.box.put("a draft")
            await pilot.press("f5")
            await until(pilot, lambda: "F8 · ^C" in screen_of(app))
            await pilot.press("f8")
            assert app.pane.talk.turn.stop
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
            assert app.pane.box.text == "a draft"

    asyncio.run(run())


def test_a_long_prompt_comes_whole_and_the_slash_command_opens_the_list() -> None:
    async def run() -> None:
        long = "begin " + "words " * 5000 + "end"
        async with remembering(long) as (app, pilot, _):
            await say(pilot, "/history")
            await until(pilot, lambda: "1 of 1" in screen_of(app))
            await pilot.press("enter")
            await until(pilot, lambda: app.pane.box.written == long)

    asyncio.run(run())


def test_hostile_prompts_are_shown_without_effect() -> None:
    async def run() -> None:
        async with remembering("\x1b]0;title\x07 [bold]markup[/]") as (app, pilot, _):
            await pilot.press("f5")
            await until(pilot, lambda: "␛]0;title␇ [bold]markup[/]" in screen_of(app))

    asyncio.run(run())
