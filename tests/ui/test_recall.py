"""Up and Down in the text box: everything ever asked comes back into it, and the draft is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from tests.fakes import Gate, ScriptedBackend, words
from tests.store.made import Log, drain
from tests.ui.stage import on_stage, say, screen_of, until
from tui.config import Settings
from tui.core import events as ev
from tui.core.turn import Phase
from tui.desk import Desk
from tui.store import Store
from tui.ui.app import StopkeyApp

WHOLE = [ev.RunStarted("r"), *words("ok"), ev.RunFinished()]


def asked(store: Store, *prompts: str) -> str:
    """A conversation in the store in which this was asked."""
    log = Log(store.create("stub"))
    for prompt in prompts:
        log.prompt(prompt)
        log.complete()
    drain(store)
    assert log.journal and log.journal.close()
    return log.journal.conversation_id


@asynccontextmanager
async def remembering(
    *prompts: str, backend: ScriptedBackend | None = None
) -> AsyncIterator[tuple[StopkeyApp, Pilot[int], Store]]:
    """The app, with a store in which this was asked before."""
    store = Store.memory()
    if prompts:
        asked(store, *prompts)
    desk: Any = Desk(Settings(), store, None, None)
    async with on_stage(backend or ScriptedBackend([WHOLE] * 5), desk=desk) as (app, pilot):
        yield app, pilot, store
    store.close()


def text(app: StopkeyApp) -> str:
    return app.pane.box.text


def test_up_walks_back_through_all_conversations_each_prompt_once_and_down_comes_forward() -> None:
    async def run() -> None:
        async with remembering("oldest", "twice", "twice", "newest") as (app, pilot, _):
            for expected in ("newest", "twice", "oldest"):
                await pilot.press("up")
                await until(pilot, lambda expected=expected: text(app) == expected)
            await pilot.press("up")
            await until(pilot, lambda: "That is the oldest prompt." in screen_of(app))
            assert text(app) == "oldest"
            for expected in ("twice", "newest", ""):
                await pilot.press("down")
                assert text(app) == expected
            await pilot.press("down")
            assert text(app) == ""

    asyncio.run(run())


def test_the_first_up_brings_the_last_prompt_of_this_conversation() -> None:
    async def run() -> None:
        async with remembering("of another one") as (app, pilot, _):
            await say(pilot, "of this one")
            await until(pilot, lambda: app.pane.talk.turn.phase is Phase.COMPLETED)
            await pilot.press("up")
            assert text(app) == "of this one"
            await pilot.press("up")
            await until(pilot, lambda: text(app) == "of another one")
            await pilot.press("down", "down")
            assert text(app) == ""

    asyncio.run(run())


def test_a_prompt_taken_out_of_the_queue_is_the_draft_that_down_comes_back_to() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("a"), gate], WHOLE])
        async with remembering("before", backend=backend) as (app, pilot, _):
            await say(pilot, "first")
            await until(pilot, gate.reached.is_set)
            await say(pilot, "queued")
            await until(pilot, lambda: app.pane.talk.queue == ["queued"])
            await pilot.press("up")
            assert text(app) == "queued" and app.pane.talk.queue == []
            await pilot.press("up")
            await until(pilot, lambda: text(app) == "before")
            await pilot.press("down")
            assert text(app) == "queued"

    asyncio.run(run())


def test_editing_what_came_back_ends_the_walk_and_makes_it_the_draft() -> None:
    async def run() -> None:
        async with remembering("one", "two") as (app, pilot, _):
            await pilot.press("up")
            await until(pilot, lambda: text(app) == "two")
            await pilot.press("!")
            await pilot.press("down")
            assert text(app) == "two!"
            await pilot.press("home", "up")
            await until(pilot, lambda: text(app) == "two")
            await pilot.press("down")
            assert text(app) == "two!"

    asyncio.run(run())


def test_inside_a_text_of_several_lines_the_arrows_move_the_cursor() -> None:
    async def run() -> None:
        async with remembering("old", "above\nbelow") as (app, pilot, _):
            app.pane.box.put("1\n2\n3")
            await pilot.press("up", "up")
            assert text(app) == "1\n2\n3" and app.pane.box.cursor_location[0] == 0
            app.pane.box.put("")
            await pilot.press("up")
            await until(pilot, lambda: text(app) == "above\nbelow")
            await pilot.press("down")
            assert text(app) == "above\nbelow" and app.pane.box.cursor_location[0] == 1
            await pilot.press("up", "up")
            await until(pilot, lambda: text(app) == "old")

    asyncio.run(run())


def test_a_draft_comes_back_as_it_was_and_undo_has_it_too() -> None:
    async def run() -> None:
        async with remembering("old") as (app, pilot, _):
            app.pane.box.put("my draft")
            await pilot.press("home", "up")
            await until(pilot, lambda: text(app) == "old")
            await pilot.press("ctrl+z")
            assert text(app) == "my draft"
            await pilot.press("home", "up")
            await until(pilot, lambda: text(app) == "old")
            await pilot.press("down")
            assert text(app) == "my draft"

    asyncio.run(run())


def test_what_was_sent_after_a_walk_is_the_first_of_the_next_one() -> None:
    async def run() -> None:
        async with remembering("old") as (app, pilot, _):
            await pilot.press("up")
            await until(pilot, lambda: text(app) == "old")
            await pilot.press("down")
            await say(pilot, "new")
            await until(pilot, lambda: app.pane.talk.turn.phase is Phase.COMPLETED)
            await pilot.press("up")
            assert text(app) == "new"

    asyncio.run(run())


def test_prompts_of_deleted_conversations_do_not_come_back() -> None:
    async def run() -> None:
        async with remembering("kept") as (app, pilot, store):
            await asyncio.to_thread(lambda: store.delete(asked(store, "a secret")))
            await pilot.press("up")
            await until(pilot, lambda: text(app) == "kept")
            await pilot.press("up")
            await until(pilot, lambda: "That is the oldest prompt." in screen_of(app))

    asyncio.run(run())


def test_a_walk_goes_on_from_page_to_page_with_ups_that_come_faster_than_the_store() -> None:
    async def run() -> None:
        async with remembering(*(f"prompt {n}" for n in range(250))) as (app, pilot, _):
            recall = app.pane.composer.recall
            for _ in range(250):
                recall.back()
                await asyncio.sleep(0)
            await until(pilot, lambda: text(app) == "prompt 0")

    asyncio.run(run())


def test_without_a_store_it_is_this_conversation() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([WHOLE] * 2)) as (app, pilot):
            for prompt in ("one", "two"):
                await say(pilot, prompt)
                await until(pilot, lambda: app.pane.talk.turn.phase is Phase.COMPLETED)
            await pilot.press("up")
            await pilot.press("up")
            await until(pilot, lambda: text(app) == "one")

    asyncio.run(run())
