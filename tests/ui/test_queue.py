"""F7: the queue, edited, reordered, taken from, and sent from, while a run goes on beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, say, screen_of, until
from tui.core import events as ev
from tui.core.turn import Phase
from tui.ui.app import StopkeyApp

Scene = Callable[[StopkeyApp, Pilot[int], Gate, ScriptedBackend], Awaitable[None]]


def with_queue(scene: Scene, *queued: str) -> None:
    """A run that waits at its gate, and these prompts behind it; the queue is open."""

    async def run() -> None:
        gate = Gate()
        ends = [ev.RunStarted("r"), *words("x"), gate, ev.RunFinished()]
        backend = ScriptedBackend([ends, *[[ev.RunStarted("r2"), *words("y"), Gate()] for _ in queued]])
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            for text in queued:
                await say(pilot, text)
            await pilot.press("f7")
            await until(pilot, lambda: "Shift+↑↓ move" in screen_of(app))
            await scene(app, pilot, gate, backend)

    asyncio.run(run())


def test_prompts_are_moved_up_and_down_and_stay_within_the_queue() -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], gate: Gate, backend: ScriptedBackend) -> None:
        await pilot.press("down", "shift+up")
        assert app.pane.talk.queue == ["two", "one", "three"]
        await pilot.press("shift+up", "shift+up", "shift+down", "shift+down", "shift+down")
        assert app.pane.talk.queue == ["one", "three", "two"]

    with_queue(scene, "one", "two", "three")


def test_one_is_edited_in_the_box_and_goes_back_to_its_place() -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], gate: Gate, backend: ScriptedBackend) -> None:
        await pilot.press("down", "enter")
        assert app.pane.box.text == "two" and app.pane.talk.queue == ["one", "three"]
        assert app.focused is app.pane.box
        app.pane.box.put("two, better")
        await pilot.press("enter")
        assert app.pane.talk.queue == ["one", "two, better", "three"]
        await say(pilot, "four")
        assert app.pane.talk.queue[-1] == "four", "and the next one goes to the end again"

    with_queue(scene, "one", "two", "three")


def test_a_draft_in_the_box_is_not_lost_when_a_queued_prompt_comes_to_be_edited() -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], gate: Gate, backend: ScriptedBackend) -> None:
        app.pane.box.put("a draft")
        await pilot.press("enter")
        assert app.pane.box.text == "one" and app.pane.talk.queue == ["two", "a draft"]

    with_queue(scene, "one", "two")


def test_what_was_taken_out_comes_back_to_its_place() -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], gate: Gate, backend: ScriptedBackend) -> None:
        await pilot.press("delete", "delete")
        assert app.pane.talk.queue == ["three"]
        await pilot.press("ctrl+z", "ctrl+z", "ctrl+z")
        assert app.pane.talk.queue == ["one", "two", "three"]

    with_queue(scene, "one", "two", "three")


def test_one_is_sent_at_once_by_stopping_what_runs() -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], gate: Gate, backend: ScriptedBackend) -> None:
        await pilot.press("down", "s")
        await until(pilot, lambda: len(backend.prompts) == 2)
        assert backend.prompts[1].text == "two" and len(backend.aborts) == 1
        assert app.pane.talk.queue == ["one"]

    with_queue(scene, "one", "two")


def test_a_run_that_ends_meanwhile_sends_the_first_and_the_screen_shows_what_is_left() -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], gate: Gate, backend: ScriptedBackend) -> None:
        gate.open()
        await until(pilot, lambda: app.pane.talk.queue == ["second"])
        await until(pilot, lambda: "1. second" in screen_of(app) and "1. first" not in screen_of(app))

    with_queue(scene, "first", "second")


def test_a_stop_key_stops_while_the_queue_is_open_and_the_queue_is_held() -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], gate: Gate, backend: ScriptedBackend) -> None:
        await pilot.press("f8")
        await until(
            pilot, lambda: app.pane.talk.turn is not None and app.pane.talk.turn.phase is Phase.STOPPED
        )
        assert app.pane.talk.held and app.pane.talk.queue == ["one"]

    with_queue(scene, "one")


def test_an_empty_queue_is_said() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([[]])) as (app, pilot):
            await pilot.press("f7")
            await until(pilot, lambda: "Nothing is queued" in screen_of(app))

    asyncio.run(run())
