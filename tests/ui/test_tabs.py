"""Several conversations open at once: each goes on by itself and has its own Stop; one key stops all."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.desks import HandDesk
from tests.ui.stage import on_stage, say, screen_of, until
from tui.backends.base import AbortAnswer
from tui.core import events as ev
from tui.core.events import Answer
from tui.core.turn import Phase
from tui.ui.app import StopkeyApp

STOP_ALL = ("f20", "shift+f8")
"""One key, as terminals without and with the newer protocol name it."""


def running(text: str, gate: Gate, *more: str) -> ScriptedBackend:
    """A run that says `text`, waits at the gate, and goes on."""
    return ScriptedBackend([[ev.RunStarted(text), *words(text), gate, *words(*more), Gate()]])


def phases(app: StopkeyApp) -> list[Phase | None]:
    return [pane.talk.turn.phase if pane.talk.turn else None for pane in app.tabs.panes]


def in_two_tabs(key: str) -> tuple[list[ScriptedBackend], list[Phase | None], str]:
    """Two runs, one a tab; a press in the second one. The backends, the phases, and the screen."""
    gates = [Gate(), Gate()]
    backends = [running("the first ", gates[0], "goes on"), running("the second ", gates[1], "too")]
    seen: list[tuple[list[Phase | None], str]] = []

    async def run() -> None:
        async with on_stage(backends[0], desk=HandDesk(backends[1:])) as (app, pilot):
            await say(pilot, "one")
            await until(pilot, gates[0].reached.is_set)
            await pilot.press("ctrl+n")
            await say(pilot, "two")
            await until(pilot, gates[1].reached.is_set)
            await pilot.press(key)
            stopped = [pane.talk.turn.state.frozen for pane in app.tabs.panes if pane.talk.turn]
            assert stopped == ([True, True] if key in ("f20", "shift+f8") else [False, True]), (
                "frozen at once"
            )
            gates[0].open()
            await until(pilot, lambda: phases(app)[1] is Phase.STOPPED)
            if key in STOP_ALL:
                await until(pilot, lambda: phases(app)[0] is Phase.STOPPED)
            else:
                first = app.tabs.panes[0].talk.turn
                await until(pilot, lambda: first is not None and "goes on" in first.transcript.reply())
            seen.append((phases(app), screen_of(app)))

    asyncio.run(run())
    return backends, *seen[0]


@pytest.mark.parametrize("key", ["escape", "f8", "ctrl+c"])
def test_a_stop_is_for_the_conversation_that_is_seen_and_the_others_go_on(key: str) -> None:
    backends, after, screen = in_two_tabs(key)
    assert after == [Phase.STREAMING, Phase.STOPPED]
    assert [len(backend.aborts) for backend in backends] == [0, 1]
    assert "the first" not in screen and "the second" in screen


@pytest.mark.parametrize("key", STOP_ALL)
def test_stop_all_freezes_every_text_at_once_and_aborts_every_run(key: str) -> None:
    backends, after, _ = in_two_tabs(key)
    assert after == [Phase.STOPPED, Phase.STOPPED]
    assert [backend.aborts[0][0] for backend in backends] == ["the first ", "the second "]


def test_stop_all_works_under_a_dialog_and_by_word() -> None:
    async def run() -> None:
        gate = Gate()
        backend = running("text", gate)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("f1")
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await pilot.press("f20")
            await until(pilot, lambda: phases(app) == [Phase.STOPPED])
            await pilot.press("escape")
            await say(pilot, "/stop all")
            await until(pilot, lambda: "nothing is running in any tab" in screen_of(app))

    asyncio.run(run())


def test_the_bar_names_each_conversation_with_its_state_and_is_not_there_for_one() -> None:
    async def run() -> None:
        gates = [Gate(), Gate()]
        backends = [running("a", gates[0]), running("b", gates[1])]
        async with on_stage(backends[0], desk=HandDesk(backends[1:])) as (app, pilot):
            await say(pilot, "where is order 42?")
            await until(pilot, gates[0].reached.is_set)
            assert not app.tabs.bar.display
            await pilot.press("ctrl+n")
            assert "1 where is order 42?" in screen_of(app) and "2 new" in screen_of(app)
            await say(pilot, "refund 41")
            await until(pilot, gates[1].reached.is_set)
            await pilot.press("f8")
            await until(pilot, lambda: "2 refund 41 ■" in screen_of(app))
            await pilot.click(app.tabs.bar, offset=(3, 0))
            await until(pilot, lambda: app.pane is app.tabs.panes[0])
            await until(pilot, lambda: "STREAMING" in screen_of(app))

    asyncio.run(run())


@pytest.mark.parametrize(("forth", "back"), [("f6", "f18"), ("ctrl+pagedown", "ctrl+pageup")])
def test_the_tabs_are_gone_through_by_keys_and_each_keeps_its_draft(forth: str, back: str) -> None:
    async def run() -> None:
        gate = Gate()
        desk = HandDesk([ScriptedBackend([[]]), ScriptedBackend([[]])])
        async with on_stage(running("a", gate), desk=desk) as (app, pilot):
            await say(pilot, "one")
            await until(pilot, gate.reached.is_set)
            app.pane.box.put("a draft")
            await pilot.press("ctrl+n")
            app.pane.box.put("another")
            await pilot.press(forth)
            assert app.focused is app.pane.box and app.pane.box.text == "a draft"
            await pilot.press(back)
            assert app.focused is app.pane.box and app.pane.box.text == "another"

    asyncio.run(run())


def test_what_came_behind_another_tab_is_there_when_it_is_shown_again() -> None:
    async def run() -> None:
        gate = Gate()
        more = [f"line {n}\n\n" for n in range(50)]
        backend = running("begin ", gate, *more)
        async with on_stage(backend, desk=HandDesk([ScriptedBackend([[]])])) as (app, pilot):
            await say(pilot, "one")
            await until(pilot, gate.reached.is_set)
            await pilot.press("ctrl+n")
            behind = app.tabs.panes[0]
            drawn = behind.view.screen_rows
            gate.open()
            await until(pilot, lambda: "line 49" in behind.talk.turn.transcript.reply())  # type: ignore[union-attr]
            assert behind.view.screen_rows is drawn, "nothing is laid out that nobody sees"
            await pilot.press("f6")
            await until(pilot, lambda: "line 49" in screen_of(app))

    asyncio.run(run())


def test_a_new_conversation_takes_the_place_of_one_in_which_nothing_was_said() -> None:
    async def run() -> None:
        desk = HandDesk([ScriptedBackend([[]])])
        async with on_stage(ScriptedBackend([[]]), desk=desk) as (app, pilot):
            await pilot.press("ctrl+n")
            assert desk.made == 0 and "it is new" in screen_of(app)

    asyncio.run(run())


@pytest.mark.parametrize(("key", "aborts"), [("s", 1), ("l", 0), ("y", None)])
def test_closing_a_tab_in_which_a_run_is_active_asks_what_is_to_become_of_it(
    key: str, aborts: int | None
) -> None:
    async def run() -> None:
        gate = Gate()
        backend = running("b", gate)
        async with on_stage(ScriptedBackend([[]]), desk=HandDesk([backend])) as (app, pilot):
            app.pane.box.put("a draft, so that this one is not taken for new")
            app.action_new_conversation()
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            app.action_close_tab()
            await until(pilot, lambda: "A run is still going" in screen_of(app))
            await pilot.press(key)
            await until(pilot, lambda: len(app.tabs.panes) == (2 if aborts is None else 1))
            await until(pilot, lambda: len(backend.aborts) == (aborts or 0))
            await until(pilot, lambda: len(app.query("ChatPane")) == len(app.tabs.panes))

    asyncio.run(run())


def test_the_last_tab_is_not_closed_and_says_how_to_quit() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([[]])) as (app, pilot):
            await say(pilot, "/close")
            await until(pilot, lambda: "^Q quits" in screen_of(app))
            assert len(app.tabs.panes) == 1

    asyncio.run(run())


def test_quitting_with_two_runs_active_counts_them_and_stops_both() -> None:
    async def run() -> None:
        gates = [Gate(), Gate()]
        backends = [running("a", gates[0]), running("b", gates[1])]
        async with on_stage(backends[0], desk=HandDesk(backends[1:])) as (app, pilot):
            await say(pilot, "one")
            await pilot.press("ctrl+n")
            await say(pilot, "two")
            await until(pilot, lambda: all(gate.reached.is_set() for gate in gates))
            await pilot.press("ctrl+q")
            await until(pilot, lambda: "2 runs are still going" in screen_of(app))
            await pilot.press("s")
            await until(pilot, lambda: app.return_code is not None)
        assert [len(backend.aborts) for backend in backends] == [1, 1]

    asyncio.run(run())


def test_an_unproven_stop_in_one_tab_is_no_reason_to_ask_in_another() -> None:
    async def run() -> None:
        gate = Gate()
        first = running("a", gate)
        first.answers, first.statuses = [AbortAnswer(Answer.REFUSED)], [None]
        second = ScriptedBackend([[ev.RunStarted("r"), *words("fine"), ev.RunFinished()]])
        async with on_stage(first, desk=HandDesk([second])) as (app, pilot):
            await say(pilot, "one")
            await until(pilot, gate.reached.is_set)
            await pilot.press("f8")
            await until(pilot, lambda: phases(app) == [Phase.STOPPED])
            await pilot.press("ctrl+n")
            await say(pilot, "two")
            await until(pilot, lambda: phases(app)[1] is Phase.COMPLETED)

    asyncio.run(run())
