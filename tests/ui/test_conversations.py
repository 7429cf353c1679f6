"""^T: the list of conversations, live where a run is active, with a search over everything that was said."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.desks import HandDesk, Kept, Shelf
from tests.ui.stage import on_stage, say, screen_of, until
from tui.core import events as ev
from tui.core.events import Record
from tui.core.safe_text import safe
from tui.core.turn import Phase
from tui.store import Store
from tui.store.search import Hit
from tui.ui.screens.conversations import ConversationsScreen
from tui.ui.transcript import TranscriptView

KASSEL = Hit(
    "b" * 12, safe("Refund 41"), 3, "reply", 0.0, ((safe("it is in "), False), (safe("Kassel"), True))
)


def shelf() -> Shelf:
    return Shelf([Kept("a" * 12, "Order 42"), Kept("b" * 12, "Refund 41")], {"kassel": [KASSEL]})


def finished(*texts: str) -> ScriptedBackend:
    return ScriptedBackend([[ev.RunStarted("r"), *words(*texts), ev.RunFinished()]])


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (140, 40)])
def test_what_is_typed_is_looked_for_in_titles_and_in_all_that_was_said(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with on_stage(finished(), size, desk=HandDesk([], shelf())) as (app, pilot):
            await pilot.press("ctrl+t")
            await until(pilot, lambda: "Order 42" in screen_of(app) and "Refund 41" in screen_of(app))
            await pilot.press(*"kassel")
            await until(pilot, lambda: "in Kassel" in screen_of(app) and "✓" not in screen_of(app))
            assert "kassel" in screen_of(app), "one sees what one types"

    asyncio.run(run())


def test_a_place_that_was_found_is_opened_in_a_tab_at_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    gone_to: list[tuple[int, ...]] = []
    monkeypatch.setattr(TranscriptView, "go_to", lambda view, *where: gone_to.append(where))

    async def run() -> None:
        desk = HandDesk([finished()], shelf())
        async with on_stage(finished("here"), desk=desk) as (app, pilot):
            await say(pilot, "one")
            await until(pilot, lambda: "here" in screen_of(app))
            await pilot.press("ctrl+t", *"kassel")
            await until(pilot, lambda: "Kassel" in screen_of(app))
            await pilot.press("enter")
            await until(pilot, lambda: len(app.tabs.panes) == 2)
            await until(pilot, lambda: gone_to == [(3,)])
            assert app.pane.talk.opening.conversation.id == "b" * 12

    asyncio.run(run())


def test_one_that_is_open_already_is_shown_and_not_opened_twice() -> None:
    async def run() -> None:
        desk = HandDesk([finished()], Shelf([Kept("3f2a91c0ffee", "this one"), Kept("a" * 12, "other")]))
        async with on_stage(finished("here"), desk=desk) as (app, pilot):
            await say(pilot, "one")
            await pilot.press("ctrl+n")
            await pilot.press("ctrl+t")
            await until(pilot, lambda: "this one" in screen_of(app))
            await pilot.press("enter")
            await until(pilot, lambda: app.pane is app.tabs.panes[0])
            assert len(app.tabs.panes) == 2 and not desk.backends

    asyncio.run(run())


def test_a_running_one_is_shown_as_it_goes_and_is_stopped_from_the_list() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("12345"), gate, *words("678"), Gate()]])
        desk = HandDesk([finished()], Shelf([Kept("3f2a91c0ffee", "this one", phase="streaming")]))
        async with on_stage(backend, desk=desk) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("ctrl+n")
            await pilot.press("ctrl+t")
            await until(pilot, lambda: "running 0." in screen_of(app) and "5 ch" in screen_of(app))
            screen = app.screen
            assert isinstance(screen, ConversationsScreen) and screen._ticking
            gate.open()
            await until(pilot, lambda: "8 ch" in screen_of(app))
            await pilot.press("ctrl+x")
            turn = app.tabs.panes[0].talk.turn
            assert turn and turn.stop and turn.stop.asked.cause == "list"
            await until(pilot, lambda: turn.phase is Phase.STOPPED)
            await until(pilot, lambda: "stopped" in screen_of(app))
            assert not screen._moving(), "and nothing ticks any more"

    asyncio.run(run())


def test_a_conversation_is_renamed_where_it_stands_and_esc_keeps_the_old_name() -> None:
    async def run() -> None:
        desk = HandDesk([], shelf())
        async with on_stage(finished(), desk=desk) as (app, pilot):
            await pilot.press("ctrl+t")
            await until(pilot, lambda: "Order 42" in screen_of(app))
            await pilot.press("ctrl+e", *" late", "enter")
            await until(pilot, lambda: desk.store.kept[0].title == "Order 42 late")
            await until(pilot, lambda: "Order 42 late" in screen_of(app))
            await pilot.press("ctrl+e", *"r!", "escape")
            assert isinstance(app.screen, ConversationsScreen), "Esc ended the renaming, no more"
            assert desk.store.kept[0].title == "Order 42 late"
            await pilot.press("ctrl+e", "ctrl+u")
            screen = app.screen
            await until(pilot, lambda: screen.input.value == "")
            await pilot.press("enter")
            await until(pilot, lambda: "at least one letter" in screen_of(app))

    asyncio.run(run())


def test_several_are_deleted_and_come_back_one_by_one_and_an_open_one_says_why_not() -> None:
    async def run() -> None:
        desk = HandDesk([], Shelf([*shelf().kept, Kept("3f2a91c0ffee", "this one")]))
        async with on_stage(finished("x"), desk=desk) as (app, pilot):
            await say(pilot, "one")
            await pilot.press("ctrl+t")
            await until(pilot, lambda: "Order 42" in screen_of(app))
            await pilot.press("delete")
            await until(pilot, lambda: "Order 42" not in screen_of(app))
            await pilot.press("delete")
            await until(pilot, lambda: "Refund 41" not in screen_of(app))
            await pilot.press("delete")
            await until(pilot, lambda: "close it there first" in screen_of(app))
            await pilot.press("ctrl+z", "ctrl+z")
            await until(pilot, lambda: "Refund 41" in screen_of(app) and "Order 42" in screen_of(app))

    asyncio.run(run())


def test_an_older_answer_never_takes_the_place_of_a_newer_one() -> None:
    class Slow(Shelf):
        def list(self, limit: int = 200, query: str = ""):  # type: ignore[no-untyped-def]
            time.sleep(0.05 if query == "o" else 0)
            return super().list(limit, query)

    async def run() -> None:
        desk = HandDesk([], Slow(shelf().kept))
        async with on_stage(finished(), desk=desk) as (app, pilot):
            await pilot.press("ctrl+t", "o", "backspace", "r", "e", "f")
            await until(pilot, lambda: "Order 42" not in screen_of(app) and "Refund 41" in screen_of(app))
            await pilot.pause(0.1)
            assert "Order 42" not in screen_of(app)

    asyncio.run(run())


def test_over_ten_thousand_conversations_a_search_costs_little_more_than_over_a_hundred(
    tmp_path: Path,
) -> None:
    """A ratio in one run; what it costs is in the figures of the benchmark."""
    cost = {}
    for count in (100, 10_000):
        store = filled(tmp_path / f"{count}.db", count)
        cost[count] = min(timed(store) for _ in range(3))
        store.close()
    assert cost[10_000] < 0.15 or cost[10_000] < 40 * cost[100], cost


def filled(path: Path, count: int) -> Store:
    """A store with so many conversations of one turn each; every hundredth speaks of Kassel."""
    store = Store.open(path)
    for number in range(count):
        journal = store.create("scripted", "http://127.0.0.1", "agent")
        text = f"parcel {number}" + (" in Kassel" if number % 100 == 0 else "")
        for nth, event in enumerate((ev.Prompted(text, "k"), ev.RunStarted("r"), ev.RunFinished()), 1):
            journal.append(Record(nth, 1, 1.0 * number, 0.0, event), urgent=False)
        journal.close()
    return store


def timed(store: Store) -> float:
    began = time.perf_counter()
    assert store.list(200, "kassel") and store.search("kassel", 50)
    return time.perf_counter() - began
