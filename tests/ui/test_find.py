"""Finding in the transcript with a key, while the reply streams and Stop stays live; and going by turns."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, say, screen_of, until
from tui.core import events as ev


def told(gate: Gate) -> ScriptedBackend:
    """Two turns; the second one waits at the gate and then speaks of Kassel once more."""
    first = [*words("Order 42 left Leipzig for Kassel.\n\n" + "more\n\n" * 60), ev.RunFinished()]
    thought = ev.ReasoningDelta("t", "Kassel again")
    second = [thought, *words("At Kassel"), gate, *words(" in Kassel"), Gate()]
    return ScriptedBackend([[ev.RunStarted("r1"), *first], [ev.RunStarted("r2"), *second]])


async def both(app: object, pilot: object, gate: Gate) -> None:
    await say(pilot, "where is it?")  # type: ignore[arg-type]
    await until(pilot, lambda: not app.pane.talk.busy)  # type: ignore[attr-defined,arg-type]
    await say(pilot, "and now?")  # type: ignore[arg-type]
    await until(pilot, gate.reached.is_set)  # type: ignore[arg-type]


def test_what_is_typed_is_found_counted_and_gone_through_while_the_reply_streams() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(told(gate)) as (app, pilot):
            await both(app, pilot, gate)
            await pilot.press("ctrl+f", *"kassel")
            await until(pilot, lambda: "3 of 3" in screen_of(app))
            assert app.pane.view.finder and app.pane.view.finder.current
            await pilot.press("up")
            await until(pilot, lambda: "2 of 3" in screen_of(app))
            await pilot.press("up")
            await until(pilot, lambda: "1 of 3" in screen_of(app))
            await until(pilot, lambda: "left Leipzig for Kassel" in screen_of(app))
            await pilot.press("enter", "down")
            await until(pilot, lambda: "3 of 3" in screen_of(app))
            gate.open()
            await until(pilot, lambda: "At Kassel in Kassel" in screen_of(app))

    asyncio.run(run())


def test_a_match_in_a_folded_section_is_unfolded() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(told(gate)) as (app, pilot):
            await both(app, pilot, gate)
            await pilot.press("ctrl+f", *"again")
            await until(pilot, lambda: "Kassel again" in screen_of(app))

    asyncio.run(run())


@pytest.mark.parametrize("key", ["f8", "ctrl+c"])
def test_a_stop_key_stops_while_one_types_what_to_find(key: str) -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(told(gate)) as (app, pilot):
            await both(app, pilot, gate)
            await pilot.press("ctrl+f", *"kas")
            assert "STOP  F8 · ^C" in screen_of(app), "the bar names the keys that work here"
            await pilot.press(key)
            assert app.pane.talk.turn and app.pane.talk.turn.stop
            assert app.pane.search.open

    asyncio.run(run())


def test_esc_closes_the_bar_first_and_stops_only_then_and_nothing_that_was_typed_is_lost() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(told(gate)) as (app, pilot):
            await both(app, pilot, gate)
            app.pane.box.put("a draft")
            await pilot.press("ctrl+f", *"kas", "escape")
            turn = app.pane.talk.turn
            assert not app.pane.search.open and turn and turn.stop is None
            assert app.focused is app.pane.box and app.pane.box.text == "a draft"
            assert app.pane.view.finder is None, "the marks are gone"
            await pilot.press("ctrl+f")
            assert app.pane.search.bar and app.pane.search.bar.input.value == "kas"
            await pilot.press("escape", "escape")
            assert turn.stop

    asyncio.run(run())


def test_nothing_found_is_said_and_another_word_is_looked_for_at_once() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(told(gate)) as (app, pilot):
            await both(app, pilot, gate)
            await pilot.press("ctrl+f", *"zebra")
            await until(pilot, lambda: "nothing found" in screen_of(app))

    asyncio.run(run())


def test_the_turns_are_gone_through_from_the_text_box_and_after_the_last_comes_the_end() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(told(gate)) as (app, pilot):
            await both(app, pilot, gate)
            await pilot.press("ctrl+up")
            await pilot.press("ctrl+up")
            await until(pilot, lambda: "where is it?" in screen_of(app))
            assert app.focused is app.pane.box and not app.pane.view.following
            await pilot.press("ctrl+down", "ctrl+down")
            await until(pilot, lambda: app.pane.view.following)

    asyncio.run(run())
