"""Stop on the screen: every way to say it, in every state, with the text frozen when the key is through."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, say, screen_of, until
from tui.backends.base import AbortAnswer, Capabilities, RemoteStop, StreamLost
from tui.core import events as ev
from tui.core.events import Answer, End
from tui.core.turn import Outcome, Phase
from tui.session import Clocks
from tui.ui.transcript.items import Acted

STARTED = ev.RunStarted("r1")


def streaming(gate: Gate, *more: object) -> ScriptedBackend:
    steps = [STARTED, *words("Order 42 left ", "the warehouse"), gate, *words(" and is late."), *more]
    return ScriptedBackend([steps, [ev.RunStarted("r2"), *words("Second answer."), ev.RunFinished()]])  # type: ignore[list-item]


@pytest.mark.parametrize("key", ["escape", "f8", "ctrl+c"])
@pytest.mark.parametrize("draft", ["", "and also "])
def test_a_key_stops_the_run_and_leaves_the_draft_alone(key: str, draft: str) -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(streaming(gate)) as (app, pilot):
            await say(pilot, "where is it?")
            await until(pilot, gate.reached.is_set)
            await pilot.press(*draft)
            await pilot.press(key)
            turn = app.pane.talk.turn
            assert turn and turn.stop and turn.stop.asked.cause == key and app.pane.box.text == draft
            await until(pilot, lambda: turn.phase is Phase.STOPPED)
            assert turn.transcript.reply() == "Order 42 left the warehouse"
            await until(pilot, lambda: "STOPPED BY YOU" in screen_of(app))
            assert "remote confirmed" in screen_of(app)

    asyncio.run(run())


def test_the_slash_command_stops() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(streaming(gate)) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await say(pilot, "/stop")
            turn = app.pane.talk.turn
            assert turn and turn.stop and turn.stop.asked.cause == "/stop"

    asyncio.run(run())


def test_a_click_on_the_cell_stops_and_does_not_take_the_focus() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(streaming(gate)) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.click("RunBar", offset=(70, 0))
            turn = app.pane.talk.turn
            assert turn and turn.stop and turn.stop.asked.cause == "click"
            assert app.focused is app.pane.box

    asyncio.run(run())


@pytest.mark.parametrize("opener", ["f1", "ctrl+p"])
def test_over_a_modal_esc_closes_it_and_f8_stops(opener: str) -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(streaming(gate)) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press(opener)
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await until(pilot, lambda: "STOP  F8 · ^C" in screen_of(app))
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
            assert app.pane.talk.turn and not app.pane.talk.turn.stop
            await pilot.press(opener)
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await pilot.press("f8")
            assert app.pane.talk.turn.stop and len(app.screen_stack) == 2

    asyncio.run(run())


def test_ctrl_c_copies_selected_text_first_and_stops_at_the_next_press() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(streaming(gate)) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press(*"draft")
            app.pane.box.select_all()
            await pilot.press("ctrl+c")
            turn = app.pane.talk.turn
            assert turn and not turn.stop and app.clipboard == "draft"
            app.pane.box.move_cursor((0, 0))
            await pilot.press("ctrl+c")
            assert turn.stop

    asyncio.run(run())


def test_a_stop_before_the_first_event_puts_the_prompt_back_into_the_empty_box() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(ScriptedBackend([[gate]], statuses=[None])) as (app, pilot):
            await say(pilot, "go there")
            await until(pilot, gate.reached.is_set)
            assert "SENDING" in screen_of(app)
            await pilot.press("escape")
            assert app.pane.box.text == "go there"
            turn = app.pane.talk.turn
            assert turn and turn.phase is Phase.STOP_PENDING
            await until(pilot, lambda: turn.outcome is Outcome.UNCONFIRMED)

    asyncio.run(run())


def test_while_the_agent_waits_for_an_answer_esc_does_not_stop_and_f8_does() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[STARTED, ev.QuestionAsked("q", "Refund 42?"), gate]])
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await until(pilot, lambda: "WAITING FOR YOU" in screen_of(app))
            await pilot.press("escape")
            turn = app.pane.talk.turn
            assert turn and not turn.stop
            await pilot.press("f8")
            assert turn.stop

    asyncio.run(run())


def test_an_unconfirmed_stop_offers_retry_and_the_key_sends_the_abort_again() -> None:
    async def run() -> None:
        gate = Gate()
        backend = streaming(gate)
        backend.answers = [StreamLost("no connection"), AbortAnswer(Answer.ACKNOWLEDGED)]
        backend.statuses = [None]
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("escape")
            turn = app.pane.talk.turn
            assert turn
            await until(pilot, lambda: turn.outcome is Outcome.UNCONFIRMED)
            await until(pilot, lambda: "RETRY" in screen_of(app) and "NOT CONFIRMED" in screen_of(app))
            await pilot.press("escape")
            assert len(backend.aborts) == 1, "swallowed: it was meant for the run"
            await pilot.pause(0.75)
            await pilot.press("escape")
            await until(pilot, lambda: len(backend.aborts) == 2)

    asyncio.run(run())


def test_a_backend_without_an_abort_says_so_before_and_after_the_stop() -> None:
    async def run() -> None:
        gate = Gate()
        backend = streaming(gate)
        backend.capabilities = Capabilities(RemoteStop.NONE)
        async with on_stage(backend, (110, 24)) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await until(pilot, lambda: "Stop ends it here only" in screen_of(app))
            await pilot.press("f8")
            await until(pilot, lambda: "STOPPED HERE ONLY" in screen_of(app))

    asyncio.run(run())


def test_a_press_meant_for_a_run_that_just_ended_does_nothing_else() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(streaming(gate, ev.RunFinished())) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            gate.open()
            turn = app.pane.talk.turn
            assert turn
            await until(pilot, lambda: turn.phase is Phase.COMPLETED)
            await pilot.press("ctrl+c", "ctrl+c", "escape")
            assert app.is_running and not turn.stop
            await pilot.press("f8")
            await until(pilot, lambda: "already finished" in screen_of(app))

    asyncio.run(run())


def test_with_double_confirmation_the_first_press_only_asks() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(streaming(gate), double=True) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("escape")
            turn = app.pane.talk.turn
            assert turn and not turn.stop
            await pilot.press("escape")
            assert turn.stop

    asyncio.run(run())


def test_idle_ctrl_c_clears_the_draft_then_arms_then_quits() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            await pilot.press(*"draft", "ctrl+c")
            assert app.pane.box.text == ""
            await pilot.press("ctrl+z")
            assert app.pane.box.text == "draft"
            await pilot.press("ctrl+c", "ctrl+c")
            assert "^C again to quit" in screen_of(app)
            await pilot.press("ctrl+c")
            await until(pilot, lambda: app.return_code is not None or not app.is_running)

    asyncio.run(run())


def test_what_comes_after_the_stop_is_kept_apart_and_can_be_shown() -> None:
    async def run() -> None:
        gate = Gate()
        backend = streaming(gate, ev.RunFinished(End.CANCELLED))
        async with on_stage(backend, (100, 30), clocks=Clocks(grace=5, look_up=0.02)) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("escape")
            gate.open()
            turn = app.pane.talk.turn
            assert turn
            await until(pilot, lambda: turn.phase is Phase.STOPPED)
            await until(pilot, lambda: "+13 after the stop" in screen_of(app))
            assert "and is late" not in screen_of(app)
            app.pane.talk.shown[1].late_shown = True
            app.pane.talk.shown[1].revision += 1
            app.pane.view.touch(1)
            await until(pilot, lambda: "and is late" in screen_of(app))

    asyncio.run(run())


def test_the_reason_can_be_given_by_a_click_on_the_card_and_never_costs_a_draft() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(streaming(gate)) as (app, pilot):
            await say(pilot, "where is it?")
            await until(pilot, gate.reached.is_set)
            await pilot.press("f8")
            turn = app.pane.talk.turn
            assert turn and turn.stop
            await until(pilot, lambda: "Add reason" in screen_of(app))
            app.pane.box.put("half a draft")
            app.post_message(Acted(turn.number, "card:stop", "reason"))
            await until(pilot, lambda: "/reason TEXT" in screen_of(app))
            assert app.pane.box.text == "half a draft"
            app.pane.box.put("")
            app.post_message(Acted(turn.number, "card:stop", "reason"))
            await until(pilot, lambda: app.pane.box.text == "/reason ")
            await say(pilot, "/reason it named a customer")
            assert turn.stop.reason == "it named a customer"
            await until(pilot, lambda: "reason: it named a customer" in screen_of(app))
            assert "Add reason" not in screen_of(app)

    asyncio.run(run())


def test_a_reason_after_the_slash_command_goes_along_with_the_abort() -> None:
    async def run() -> None:
        gate = Gate()
        backend = streaming(gate)
        async with on_stage(backend) as (_, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await say(pilot, "/stop too expensive")
            await until(pilot, lambda: bool(backend.aborts))
            assert backend.aborts == [("r1", "too expensive")]

    asyncio.run(run())
