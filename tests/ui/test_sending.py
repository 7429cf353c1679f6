"""Sending, queueing, resending, steering: nothing that was typed is ever lost."""

from __future__ import annotations

import asyncio

from textual import events

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, say, screen_of, until
from tui.backends.base import AbortAnswer, Capabilities, PromptNotSent, PromptRejected, RemoteStop
from tui.core import events as ev
from tui.core.events import Answer
from tui.core.turn import Outcome, Phase

STARTED = ev.RunStarted("r1")


def stopped_twice(gate: Gate) -> ScriptedBackend:
    first = [STARTED, *words("a partial reply"), gate]
    second = [ev.RunStarted("r2"), *words("whole"), ev.RunFinished()]
    return ScriptedBackend([first, second, second])


def test_resend_sends_the_same_prompt_as_a_new_turn() -> None:
    async def run() -> None:
        gate = Gate()
        backend = stopped_twice(gate)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "why?")
            await until(pilot, gate.reached.is_set)
            await pilot.press("f8")
            await until(pilot, lambda: app.pane.talk.turn.phase is Phase.STOPPED)
            await pilot.press("ctrl+r")
            await until(pilot, lambda: app.pane.talk.turn.phase is Phase.COMPLETED)
            assert [p.text for p in backend.prompts] == ["why?", "why?"]
            assert backend.prompts[0].key != backend.prompts[1].key
            assert [said.partial for said in backend.prompts[1].earlier] == [False, True]

    asyncio.run(run())


def test_resend_quoting_gives_the_partial_to_a_backend_that_forgets_it() -> None:
    async def run() -> None:
        gate = Gate()
        backend = stopped_twice(gate)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "why?")
            await until(pilot, gate.reached.is_set)
            await pilot.press("f8")
            await until(pilot, lambda: app.pane.talk.turn.phase is Phase.STOPPED)
            await pilot.press("ctrl+l")
            await until(pilot, lambda: len(backend.prompts) == 2)
            assert "> a partial reply" in backend.prompts[1].text and backend.prompts[1].text.endswith("why?")

    asyncio.run(run())


def test_up_in_an_empty_box_takes_back_the_queue_first_and_then_the_last_prompt() -> None:
    async def run() -> None:
        gate = Gate()
        backend = stopped_twice(gate)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "first")
            await until(pilot, gate.reached.is_set)
            await say(pilot, "second")
            await until(pilot, lambda: 'queued 1: "second"' in screen_of(app))
            await pilot.press("up")
            assert app.pane.box.text == "second" and app.pane.talk.queue == []
            app.pane.box.clear_draft()
            await pilot.press("f8")
            await until(pilot, lambda: app.pane.talk.turn.phase is Phase.STOPPED)
            await pilot.press("up")
            assert app.pane.box.text == "first"

    asyncio.run(run())


def test_a_stop_holds_the_queue_and_enter_on_an_empty_box_lets_it_go() -> None:
    async def run() -> None:
        gate = Gate()
        backend = stopped_twice(gate)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "first")
            await until(pilot, gate.reached.is_set)
            await say(pilot, "second")
            await pilot.press("f8")
            await until(pilot, lambda: app.pane.talk.turn.phase is Phase.STOPPED)
            await until(pilot, lambda: 'held 1: "second"' in screen_of(app))
            assert len(backend.prompts) == 1
            await pilot.press("enter")
            await until(pilot, lambda: len(backend.prompts) == 2)
            assert backend.prompts[1].text == "second"

    asyncio.run(run())


def test_a_queue_goes_on_by_itself_after_a_reply_that_was_not_stopped() -> None:
    async def run() -> None:
        gate = Gate()
        first = [STARTED, *words("x"), gate, ev.RunFinished()]
        backend = ScriptedBackend([first, [ev.RunStarted("r2"), ev.RunFinished()]])
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "first")
            await until(pilot, gate.reached.is_set)
            await say(pilot, "second")
            gate.open()
            await until(pilot, lambda: len(backend.prompts) == 2)
            assert backend.prompts[1].text == "second" and app.pane.talk.queue == []

    asyncio.run(run())


def test_stop_and_send_waits_until_the_stop_has_settled() -> None:
    async def run() -> None:
        gate = Gate()
        backend = stopped_twice(gate)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "first")
            await until(pilot, gate.reached.is_set)
            app.pane.box.put("just the answer")
            backend.abort_gate = Gate()
            await pilot.press("ctrl+s")
            assert app.pane.talk.turn.stop and len(backend.prompts) == 1
            backend.abort_gate.open()
            await until(pilot, lambda: len(backend.prompts) == 2)
            assert backend.prompts[1].text == "just the answer" and app.pane.box.text == ""
            assert app.pane.talk.session.conversation.turn(1).outcome is Outcome.CONFIRMED

    asyncio.run(run())


def test_keys_that_come_in_one_burst_with_enter_are_the_next_prompt_and_not_part_of_it() -> None:
    async def run() -> None:
        gate = Gate()
        async with on_stage(stopped_twice(gate)) as (app, pilot):
            await say(pilot, "first")
            await until(pilot, gate.reached.is_set)
            for key in ["a", "enter", "b", "enter", "c"]:
                app.pane.box.post_message(events.Key(key, "\r" if key == "enter" else key))
            await until(pilot, lambda: app.pane.box.text.endswith("c"))
            assert app.pane.box.text == "c" and app.pane.talk.queue == ["a", "b"]

    asyncio.run(run())


def test_stop_and_send_keeps_the_text_back_if_the_old_run_may_still_be_going() -> None:
    async def run() -> None:
        gate = Gate()
        backend = stopped_twice(gate)
        backend.answers, backend.statuses = [AbortAnswer(Answer.REFUSED, status=503)], [None]
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "first")
            await until(pilot, gate.reached.is_set)
            app.pane.box.put("second")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: app.pane.talk.turn.outcome is Outcome.UNCONFIRMED)
            await until(pilot, lambda: 'held 1: "second"' in screen_of(app))
            assert len(backend.prompts) == 1

    asyncio.run(run())


def test_sending_after_an_unproven_stop_asks_first() -> None:
    async def run() -> None:
        gate = Gate()
        backend = stopped_twice(gate)
        backend.answers, backend.statuses = [AbortAnswer(Answer.REFUSED, status=503)], [None]
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "first")
            await until(pilot, gate.reached.is_set)
            await pilot.press("f8")
            await until(pilot, lambda: app.pane.talk.turn.outcome is Outcome.UNCONFIRMED)
            await say(pilot, "second")
            await until(pilot, lambda: "Nothing has shown that the stopped run ended" in screen_of(app))
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
            assert app.pane.box.text == "second" and len(backend.prompts) == 1
            await pilot.press("enter")
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await pilot.press("s")
            await until(pilot, lambda: len(backend.prompts) == 2)

    asyncio.run(run())


def test_a_prompt_that_could_not_be_sent_says_why_and_can_be_edited() -> None:
    async def run() -> None:
        lost = PromptNotSent("Nothing answers at http://127.0.0.1:9: see whether the agent runs there.")
        async with on_stage(ScriptedBackend([[lost]])) as (app, pilot):
            await say(pilot, "hello")
            await until(pilot, lambda: "FAILED" in screen_of(app))
            assert "see whether the agent runs there" in " ".join(screen_of(app).split())
            await pilot.press("up")
            assert app.pane.box.text == "hello"

    asyncio.run(run())


def test_a_refused_token_says_what_to_do() -> None:
    async def run() -> None:
        refused = PromptRejected("The server wants a token: name its variable with --token-env.", status=401)
        async with on_stage(ScriptedBackend([[refused]])) as (app, pilot):
            await say(pilot, "hello")
            await until(pilot, lambda: "--token-env" in screen_of(app))

    asyncio.run(run())


def test_typing_an_answer_answers_the_agents_question() -> None:
    async def run() -> None:
        gate = Gate()
        able = Capabilities(RemoteStop.ABORT, answers_questions=True)
        steps = [STARTED, ev.QuestionAsked("q1", "Which one?", "input"), gate, *words("ok"), ev.RunFinished()]
        backend = ScriptedBackend([steps], capabilities=able)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await say(pilot, "the red one")
            gate.open()
            await until(pilot, lambda: app.pane.talk.turn.phase is Phase.COMPLETED)
            assert backend.replies == [("q1", "the red one")]

    asyncio.run(run())
