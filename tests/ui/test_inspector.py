"""The inspector: every event, filtered, paused, shown whole, and linked to the transcript both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.scenes import Stage, scenes
from tests.ui.stage import on_stage, opening, say, screen_of, until
from tui.core import events as ev
from tui.core.conversation import replay
from tui.core.events import Record
from tui.core.turn import Phase
from tui.ui.app import StopkeyApp
from tui.ui.inspector.log import EventLog
from tui.ui.inspector.panel import Inspector
from tui.ui.inspector.raw import RawScreen

RUN = [
    ev.RunStarted("r-1", raw='{"type":"RUN_STARTED"}'),
    ev.ToolStarted("t1", "look_up", '{"id": 42}', raw='{"type":"TOOL_CALL_START"}'),
    ev.ToolFinished("t1", "found", raw='{"type":"TOOL_CALL_RESULT","content":"\x1b[31mred"}'),
    *[ev.TextDelta("b", f"word{n} ", raw=f'{{"delta":"word{n}"}}') for n in range(20)],
]


def panel(app: StopkeyApp) -> Inspector:
    assert app.pane.inspector
    return app.pane.inspector


def finished(app: StopkeyApp) -> bool:
    return bool(app.pane.talk.turn and app.pane.talk.turn.phase is Phase.COMPLETED)


def test_f2_shows_every_event_with_number_time_direction_type_and_content() -> None:
    async def scenario() -> None:
        async with on_stage(ScriptedBackend([[*RUN, ev.RunFinished()]]), (140, 40)) as (app, pilot):
            await say(pilot, "hi")
            await until(pilot, lambda: finished(app))
            await pilot.press("f2")
            await until(pilot, lambda: "word19" in screen_of(app).split("EVENTS")[1])
            shown = screen_of(app)
            assert "Prompted" in shown and "→ Requested prompt" in shown and "← ToolStarted look_up" in shown
            assert panel(app).events.total() == app.pane.talk.log.last == len(RUN) + 4
            assert "You" in shown, "beside the chat, not over it"

    asyncio.run(scenario())


def test_below_110_columns_it_covers_the_transcript_and_the_run_bar_and_the_box_stay() -> None:
    async def scenario() -> None:
        async with on_stage(ScriptedBackend([[*RUN, Gate()]]), (80, 24)) as (app, pilot):
            await say(pilot, "hi")
            await pilot.press("ctrl+backslash")
            await until(pilot, lambda: "EVENTS" in screen_of(app))
            shown = screen_of(app)
            assert "You  " not in shown and "STREAMING" in shown and "STOP" in shown
            await pilot.press("f8")
            await until(pilot, lambda: "STOP pressed (f8)" in screen_of(app))
            await until(pilot, lambda: "STOP RECEIPT  turn 1" in screen_of(app))
            assert "pressed → abort sent" in screen_of(app)
            await pilot.press("f2")
            await until(pilot, lambda: "EVENTS" not in screen_of(app))
            assert app.focused is app.pane.box

    asyncio.run(scenario())


def test_filters_by_type_and_text_find_also_what_comes_later_and_pause_holds_the_list() -> None:
    async def scenario() -> None:
        gate = Gate()
        backend = ScriptedBackend([[*RUN, gate, *words("needle", "other"), ev.RunFinished()]])
        async with on_stage(backend, (120, 30)) as (app, pilot):
            await say(pilot, "hi")
            await until(pilot, gate.reached.is_set)
            await pilot.press("f2", "slash", *"word1", "enter")
            events = panel(app).events
            await until(pilot, lambda: events.total() == 11)
            assert app.focused is events
            await pilot.press("slash", *["backspace"] * 5, *"needle", "enter")
            assert events.total() == 0
            await pilot.press("p")
            gate.open()
            await until(pilot, lambda: finished(app))
            assert events.total() == 0
            await pilot.press("p")
            await until(pilot, lambda: events.total() == 1)
            await pilot.press("slash", *["backspace"] * 6, "enter", "t", "t", "t")
            assert events.group == "tools"
            await until(pilot, lambda: events.total() == 2)

    asyncio.run(scenario())


def test_enter_shows_one_event_indented_and_as_received_and_no_byte_of_it_acts() -> None:
    async def scenario() -> None:
        async with on_stage(ScriptedBackend([[*RUN, ev.RunFinished()]]), (80, 24)) as (app, pilot):
            await say(pilot, "hi")
            await until(pilot, lambda: finished(app))
            await pilot.press("f2", "home", *["down"] * 4, "enter")
            await until(pilot, lambda: isinstance(app.screen, RawScreen))
            await pilot.pause()
            shown = screen_of(app)
            assert '{"type":"TOOL_CALL_RESULT","content":"␛[31mred"}' in shown and "\x1b" not in shown
            await pilot.press("escape", "up", "enter")
            await until(pilot, lambda: '  "type": "TOOL_CALL_START"' in screen_of(app))
            await pilot.press("r")
            await until(pilot, lambda: '{"type":"TOOL_CALL_START"}' in screen_of(app))
            await pilot.press("y")
            await pilot.pause()
            assert app.clipboard.startswith('{"number":4,') and app.clipboard.isascii()
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, RawScreen))

    asyncio.run(scenario())


def test_an_event_leads_to_its_place_in_the_transcript_and_a_place_to_its_events() -> None:
    async def scenario() -> None:
        async with on_stage(ScriptedBackend([[*RUN, ev.RunFinished()]]), (140, 40)) as (app, pilot):
            await say(pilot, "hi")
            await until(pilot, lambda: finished(app))
            await pilot.press("f2", "home", *["down"] * 3, "g")
            await until(pilot, lambda: app.pane.view.cursor == (1, "block:0"))
            assert app.focused is app.pane.view
            await pilot.press("down")
            await until(pilot, lambda: app.pane.view.cursor == (1, "block:1"))
            await pilot.pause()
            events = panel(app).events
            assert events.current and isinstance(events.current.event, ev.TextDelta)
            assert screen_of(app).count("▌") >= 20

    asyncio.run(scenario())


def test_ten_thousand_events_while_hidden_draw_nothing_and_later_only_a_screenful() -> None:
    async def scenario() -> None:
        many = words(*(f"w{n} " for n in range(10_000)))
        async with on_stage(ScriptedBackend([[ev.RunStarted("r"), *many, ev.RunFinished()]])) as (app, pilot):
            await pilot.press("f2", "f2")
            before = panel(app).events.drawings
            await say(pilot, "hi")
            await until(pilot, lambda: finished(app))
            assert panel(app).events.drawings == before
            made: list[int] = []
            real = panel(app).events.pieces
            panel(app).events.pieces = lambda index, width: made.append(index) or real(index, width)  # type: ignore
            await pilot.press("f2")
            await until(pilot, lambda: "RunFinished" in screen_of(app))
            assert len(set(made)) < 60

    asyncio.run(scenario())


def test_the_waterfall_shows_the_turn_on_a_time_axis_and_its_rows_lead_to_the_transcript() -> None:
    async def scenario() -> None:
        async with on_stage(ScriptedBackend([[*RUN, Gate()]]), (140, 40)) as (app, pilot):
            await say(pilot, "hi")
            await pilot.press("f2", "w")
            await pilot.press("f8")
            await until(pilot, lambda: "STOP pressed" in screen_of(app).split("WATERFALL")[1])
            shown = screen_of(app)
            for label in ("first event", "tool look_up", "text", "abort"):
                assert label in shown
            panel(app).waterfall.stand(2)
            assert panel(app).waterfall.span(2)
            await pilot.press("plus", "plus", "right", "minus", "0", "enter")
            await until(pilot, lambda: app.pane.view.cursor is not None)
            assert app.pane.view.cursor == (1, panel(app).waterfall.span(2).section)  # type: ignore[union-attr]

    asyncio.run(scenario())


def stored(count: int) -> list[Record]:
    """A conversation of `count` records in one turn, as the store gives it back."""
    events: list[ev.Event] = [ev.Prompted("hi", "k"), ev.RunStarted("r")]
    events += [ev.TextDelta("b", f"word{n} ", raw=f'{{"delta":"word{n}"}}') for n in range(count - 3)]
    events.append(ev.RunFinished())
    return [Record(n, 1, 1000.0 + n / 100, 50.0 + n / 100, event) for n, event in enumerate(events, 1)]


def test_events_of_an_earlier_client_come_from_the_store_page_by_page_as_they_come_into_sight() -> None:
    async def scenario() -> None:
        records, asked = stored(3_000), list[tuple[int, int]]()

        def older(first: int, last: int) -> list[Record]:
            asked.append((first, last))
            return records[first - 1 : last]

        opened = opening(ScriptedBackend([]))
        opened.conversation, opened.older = replay("3f2a91", records), older
        app = StopkeyApp(opened, still=True)
        async with asyncio.timeout(20), app.run_test(size=(120, 30)) as pilot:
            await pilot.press("f2")
            await until(pilot, lambda: "RunFinished" in screen_of(app))
            assert panel(app).events.total() == 3_000 and len(asked) == 1 and asked[0][1] == 3_000
            await pilot.press("home")
            await until(pilot, lambda: "Prompted hi" in screen_of(app) and "+0.010" in screen_of(app))
            assert sum(last - first for first, last in asked) < 1_500
            await pilot.press("slash", *"word2999", "enter")
            await until(pilot, lambda: "shown 0 of" in screen_of(app))
            await pilot.press("slash", "backspace", "backspace", "enter")
            await until(
                pilot, lambda: "shown 108 of" in screen_of(app)
            )  # word29, word290 to 299, word2900 to 2996
            await pilot.press("slash", *["backspace"] * 6, "enter")
            app.pane.view.focus()
            app.pane.view.go_to(1, "prompt")
            await until(pilot, lambda: panel(app).events.cursor == 0 and "Prompted hi" in screen_of(app))
            await app.pane.talk.leave()

    asyncio.run(scenario())


def test_memory_is_bounded_by_number_and_by_weight_and_the_order_is_that_of_the_numbers() -> None:
    log = EventLog(kept=100, heaviest=1_000)
    for record in stored(500):
        log.append(record)
    assert log.last == 500 and len(log.newest) <= 100 and log.get(500) and log.get(1) is None
    assert sum(len(r.event.raw) for r in log.newest) <= 1_000
    log = EventLog()
    one, two, three, *_ = stored(10)
    for record in (two, three, one):  # the session tells of what followed first
        log.append(record)
    assert [r.number for r in log.newest] == [1, 2, 3] and log.get(1) is one and log.last == 3


SnapCompare = Callable[..., bool]


@pytest.mark.parametrize("keys", [("f2",), ("f2", "w")], ids=["events", "waterfall"])
@pytest.mark.parametrize("size", [(80, 24), (140, 40), (40, 24)], ids=["80", "140", "40"])
def test_the_inspector_looks_like_this(
    snap_compare: SnapCompare, keys: tuple[str, ...], size: tuple[int, int]
) -> None:
    stage = Stage(scenes()["stopped"])

    async def play(pilot: object) -> None:
        await stage.play(pilot)  # type: ignore[arg-type]
        await stage.pilot.press(*keys)
        await stage.pilot.pause(0.05)

    assert snap_compare(stage.app, run_before=play, terminal_size=size)
