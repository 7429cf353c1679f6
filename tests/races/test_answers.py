"""What the backend says to the abort, and what it does then: S14 to S26, through driver, adapter and sockets.

What each answer may claim is also stated byte for byte in `tests/backends/test_abort.py`.
"""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

import pytest

from tests.faults.ground import QUICK, WORDS, ground
from tests.faults.oracle import clean
from tests.races.test_reconnecting import answer_of
from tests.stub.serving import eventually
from tui.core import events as ev
from tui.core.events import Answer, End
from tui.core.turn import FINAL, Outcome, Phase
from tui.session import Clocks

CLAIM = tuple[Outcome, Answer, str]


def told(switches: str, *expected: object, clocks: Clocks = QUICK, aborts: int = 1) -> None:
    """Stop in the middle of the text of a run that is switched so; compare outcome, answer and words."""
    outcome, answer, words = expected

    async def race() -> None:
        async with ground(clocks) as g:
            turn = await g.held(f"[[words gates=text:5 {switches}]]")
            shown = turn.transcript.reply()
            await g.stopped(turn)
            assert (turn.outcome, answer_of(turn)[0]) == (outcome, answer), answer_of(turn)
            detail = answer_of(turn)[1]
            assert str(words) in detail and "test-token" not in detail and detail.isprintable()
            assert turn.transcript.reply() == shown and g.asked() == aborts

    clean(race)


def test_S14_abort_that_finds_nobody_there() -> None:
    async def race() -> None:
        async with ground(Clocks(abort=5, grace=0.05, look_up=0, poll=0.01, quit=0.2, reattach=())) as g:
            turn = await g.held("[[words gates=text:5]]")
            shown = turn.transcript.reply()
            g.proxy.refuse()
            g.proxy.cut()
            await g.until(lambda: turn.phase is Phase.LOST)
            await g.stopped(turn)
            assert turn.outcome is Outcome.UNCONFIRMED and answer_of(turn)[0] is Answer.UNANSWERED
            assert "did not reach the server" in answer_of(turn)[1] and g.asked() == 0
            assert turn.transcript.reply() == shown

    clean(race)


def test_S15_abort_without_an_answer_and_evidence_that_comes_later() -> None:
    async def race() -> None:
        async with ground(Clocks(abort=0.2, grace=0.05, look_up=10, poll=0.01, quit=0.2)) as g:
            turn = await g.held("[[words gates=text:5 abort=hang]]")
            await g.stopped(turn)
            assert turn.outcome is Outcome.UNCONFIRMED and "No answer to the abort" in answer_of(turn)[1]
            before = list(g.records)
            g.run.token.cancel("someone else", "test")
            await g.until(lambda: turn.outcome is Outcome.CONFIRMED)
            assert g.records[: len(before)] == before, "appended, never rewritten"
            assert turn.stop and turn.stop.evidence == "look-up" and turn.phase is Phase.STOPPED

    clean(race)


@pytest.mark.parametrize("status", [401, 403])
def test_S16_abort_that_is_not_allowed(status: int) -> None:
    told(f"abort={status}", Outcome.UNCONFIRMED, Answer.REFUSED, "not allowed to stop this run")


def test_S17_abort_of_a_run_that_the_server_does_not_know() -> None:
    unknown = "does not know this run"
    told("abort=404 status=404", Outcome.UNCONFIRMED, Answer.NOTHING_RUNNING, unknown)


def test_S17_abort_of_a_run_that_a_look_up_knows_to_have_ended() -> None:
    told("abort=404 acts=1", Outcome.CONFIRMED, Answer.NOTHING_RUNNING, "does not know this run")


def test_S18_abort_of_a_run_that_had_just_finished() -> None:
    async def race() -> None:
        async with ground() as g:
            turn = await g.held("[[words gates=text:5 abort=finishes]]")
            shown = turn.transcript.reply()
            await g.stopped(turn)
            assert turn.outcome is Outcome.FINISHED_FIRST
            await g.until(lambda: turn.stop and turn.stop.answer)
            assert turn.transcript.reply() == shown
            assert shown + turn.late.reply() == WORDS, "the late result is kept"

    clean(race)


@pytest.mark.parametrize("status", [409, 410])
def test_S18_abort_refused_with_a_conflict_that_names_no_end(status: int) -> None:
    told(f"abort={status}", Outcome.UNCONFIRMED, Answer.REFUSED, f"({status})")


@pytest.mark.parametrize("status", [405, 501])
def test_S19_abort_that_the_server_does_not_have(status: int) -> None:
    told(f"abort={status}", Outcome.LOCAL_ONLY, Answer.UNSUPPORTED, f"({status})")


DATE = formatdate(time.time() + 900, usegmt=True).replace(" ", "_")


@pytest.mark.parametrize("wait", ["3600", "-1", "garbage", pytest.param(DATE, id="date")])
def test_S20_abort_that_is_to_wait_longer_than_the_deadline_or_for_nonsense(wait: str) -> None:
    told(f"abort=503 retry_after={wait}", Outcome.UNCONFIRMED, Answer.REFUSED, "too busy")


def test_S20_abort_that_is_to_wait_a_second_is_sent_once_more() -> None:
    patient = Clocks(abort=5, grace=0.05, look_up=0, poll=0.01, quit=0.2)
    told("abort=429 retry_after=1", Outcome.UNCONFIRMED, Answer.REFUSED, "too many", clocks=patient, aborts=2)


def test_S21_abort_that_is_redirected() -> None:
    redirected = "was redirected to http://192.0.2.1, which was not followed"
    told("abort=redirect", Outcome.UNCONFIRMED, Answer.REFUSED, redirected)


@pytest.mark.parametrize("body", ["html", "huge", "gzip", "garbage", "empty"])
def test_S22_abort_with_a_body_that_says_nothing(body: str) -> None:
    """A yes; and a look-up that says that the run goes on: never more than that."""
    told(f"abort={body}", Outcome.UNCONFIRMED, Answer.ACKNOWLEDGED, "")
    told(f"abort={body} status=503", Outcome.ACKNOWLEDGED, Answer.ACKNOWLEDGED, "")


def test_S23_abort_accepted_and_the_end_never_comes() -> None:
    told("abort=never-settles", Outcome.ACKNOWLEDGED, Answer.ACKNOWLEDGED, "")


def test_S23_abort_accepted_and_the_end_comes_after_the_grace() -> None:
    async def race() -> None:
        async with ground(Clocks(abort=1, grace=0.05, look_up=10, poll=0.01, quit=0.2)) as g:
            turn = await g.held("[[words gates=text:5 abort=settles-late]]")
            await g.stopped(turn)
            assert turn.outcome is Outcome.ACKNOWLEDGED
            g.open("settle")
            await g.until(lambda: turn.outcome is Outcome.CONFIRMED)
            assert turn.stop and turn.stop.evidence == "look-up"

    clean(race)


def test_S24_the_server_says_yes_and_goes_on() -> None:
    async def race() -> None:
        async with ground(Clocks(abort=1, grace=0.3, look_up=0, poll=0.01, quit=0.2)) as g:
            turn = await g.held("[[words gates=text:5 abort=lie speed=5]]")
            shown = turn.transcript.reply()
            g.session.stop("esc")
            await g.until(lambda: turn.phase is Phase.READING_ON)
            g.open()
            await g.settle(turn)
            assert turn.outcome is Outcome.UNCONFIRMED and turn.state.end is End.ALIVE
            assert turn.stop and turn.stop.late_events > 3 and turn.late.reply()
            assert turn.transcript.reply() == shown and g.session._live[1].deaf, "closed at the grace's end"

    clean(race)


def test_S25_late_events_that_were_in_flight() -> None:
    async def race() -> None:
        async with ground(Clocks(abort=5, grace=5, look_up=0, poll=0.01)) as g:
            turn = await g.held("[[gated gates=first]]", "first")
            shown = turn.transcript.reply()
            g.proxy.hold()
            g.open("first")
            assert await g.stub.engine.gates.reached("second")
            g.session.stop("esc")
            await g.until(lambda: turn.phase is Phase.READING_ON)
            g.proxy.let_go()
            await g.settle(turn)
            assert (turn.transcript.reply(), turn.late.reply()) == (shown, "four five six ")
            late = [record for record in g.records if record.late]
            assert late and all(turn.stop and record.mono > turn.stop.asked_at for record in late)
            assert turn.outcome is Outcome.CONFIRMED

    clean(race)


def test_S26_abort_done_and_the_stream_never_closes() -> None:
    async def race() -> None:
        async with ground() as g:
            turn = g.session.send("[[words gates=end end=stall after=9]]")
            assert await g.stub.engine.gates.reached("end")
            await g.until(lambda: turn.transcript.chars)
            await g.stopped(turn)
            assert turn.outcome is Outcome.CONFIRMED and turn.stop and turn.stop.evidence == "look-up"
            streams = g.stub.running.server.server_state.connections
            await eventually(lambda: len(streams) <= 3)  # the lanes' own; the stream's is gone
            assert turn.stop.closed_at is not None and g.count(ev.StreamClosed) == 1

    clean(race)


@pytest.mark.parametrize("gate", ["abort", "answer"])
def test_a_stop_is_usable_all_the_while_an_abort_is_held(gate: str) -> None:
    async def race() -> None:
        async with ground() as g:
            turn = await g.held(f"[[words gates=text:5,{gate}]]")
            g.session.stop("esc")
            assert await g.stub.engine.gates.reached(gate)
            lag = asyncio.get_running_loop().time()
            await asyncio.sleep(0)
            assert asyncio.get_running_loop().time() - lag < 0.1
            g.open(gate)
            await g.until(lambda: turn.phase in FINAL)
            assert turn.outcome is Outcome.CONFIRMED

    clean(race)
