"""Stop around a connection that breaks: S12, S13, S27 to S33."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.faults.ground import QUICK, WORDS, Ground, ground
from tests.faults.oracle import clean
from tests.stub.serving import eventually, stub
from tui import receipt
from tui.backends.base import Capabilities, RemoteStop, StreamLost
from tui.core import events as ev
from tui.core.conversation import Turn
from tui.core.events import Answer, End
from tui.core.turn import FINAL, Outcome, Phase
from tui.session import Clocks, NotNow, Pressed, Session

PATIENT = Clocks(abort=0.4, grace=0.15, pending=0.3, quit=0.5, look_up=0, poll=0.01, reattach=(60.0,))


def answer_of(turn: Turn) -> tuple[Answer | None, str]:
    assert turn.stop and turn.stop.answer
    return turn.stop.answer.answer, turn.stop.answer.detail


def test_S12_stop_while_reconnecting() -> None:
    async def race() -> None:
        async with ground(PATIENT) as g:
            turn = await g.held("[[words gates=text:5]]")
            g.proxy.refuse()
            g.proxy.cut()
            await g.until(lambda: turn.reattaching)
            shown, tries = turn.transcript.reply(), g.proxy.accepted
            await g.stopped(turn)
            assert turn.outcome is Outcome.UNCONFIRMED and answer_of(turn)[0] is Answer.UNANSWERED
            assert "did not reach the server" in answer_of(turn)[1]
            assert g.proxy.accepted == tries and turn.transcript.reply() == shown and not turn.reattaching
            assert turn.stop and turn.stop.aborts == 1

    clean(race)


def test_S13_stop_when_the_reconnect_has_just_been_accepted() -> None:
    async def race() -> None:
        async with ground() as g:
            turn = await g.held("[[words gates=text:5]]")
            g.proxy.down.hold_behind = b"\r\n\r\n"
            g.proxy.cut()
            await g.proxy.held.wait()
            assert turn.reattaching
            g.proxy.down.hold_behind = b""
            shown = turn.transcript.reply()
            g.session.stop("esc")
            g.proxy.let_go()
            await g.settle(turn)
            assert turn.transcript.reply() == shown and turn.outcome is Outcome.CONFIRMED
            assert g.asked() == 1

    clean(race)


async def _lost(g: Ground, broken: str) -> Turn:
    turn = g.session.send(f"[[words gates=end {broken} after=9]]")
    await g.until(lambda: turn.phase is Phase.LOST)
    assert WORDS.startswith(turn.transcript.reply()) and turn.transcript.chars
    return turn


def test_S27_the_stream_ends_cleanly_without_an_end_marker() -> None:
    async def race() -> None:
        async with ground(plain=True) as g:
            turn = await _lost(g, "end=eof")
            assert "without an end marker" in turn.problem
            await g.stopped(turn)
            assert g.asked() == 1 and turn.outcome is Outcome.ACKNOWLEDGED

    clean(race)


@pytest.mark.parametrize("broken", ["end=cut", "end=reset"])
def test_S28_the_stream_is_cut_in_the_middle_of_an_event(broken: str) -> None:
    async def race() -> None:
        async with ground(plain=True) as g:
            turn = await _lost(g, broken)
            assert "broke off" in turn.problem and turn.problem.isprintable()
            await g.stopped(turn)
            assert g.asked() == 1

    clean(race)


@pytest.mark.parametrize("broken", ["end=eof", "end=cut", "end=reset"])
def test_S28_a_broken_stream_is_taken_up_again_where_the_protocol_has_it(broken: str) -> None:
    async def race() -> None:
        async with ground() as g:
            turn = await g.settle(g.session.send(f"[[words {broken} after=9]]"))
            assert turn.phase is Phase.COMPLETED and turn.transcript.reply() == WORDS
            assert len(g.stub.engine.runs) == 1 and g.count(ev.StreamBroke) == 1

    clean(race)


def test_S29_black_hole_both_ways_then_stop() -> None:
    async def race() -> None:
        async with ground() as g:
            turn = await g.held("[[words gates=text:5]]")
            shown = turn.transcript.reply()
            g.proxy.black_hole()
            g.session.stop("esc")
            assert turn.phase is Phase.ASKING, "frozen at once"
            await g.settle(turn)
            assert turn.outcome is Outcome.UNCONFIRMED and answer_of(turn)[0] is Answer.UNANSWERED
            assert turn.transcript.reply() == shown and g.asked() == 0

    clean(race)


def test_S30_partition_heals_after_the_stop() -> None:
    async def race() -> None:
        async with ground(Clocks(abort=5, grace=0.3, look_up=0, poll=0.01)) as g:
            turn = await g.held("[[gated gates=first]]", "first")
            shown = turn.transcript.reply()
            g.proxy.black_hole()
            g.open("first")
            assert await g.stub.engine.gates.reached("second")
            g.session.stop("esc")
            await g.proxy.held.wait()
            g.proxy.heal()
            await g.settle(turn)
            assert turn.transcript.reply() == shown
            assert turn.late.reply() == "four five six "
            assert g.asked() == 1 and turn.outcome is Outcome.CONFIRMED

    clean(race)


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_S31_suspend_for_an_hour_resume_and_stop(jump: float) -> None:
    """The wall clock jumps, the monotonic one does not: no duration is told from the wall."""

    async def race() -> None:
        gate, jumped, heard = Gate(), [0.0], list[ev.Event]()
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("x"), gate, ev.RunFinished(End.CANCELLED)]])
        loop = asyncio.get_running_loop()
        session = Session(
            backend,
            clocks=QUICK,
            mono=loop.time,
            wall=lambda: 1_700_000_000 + loop.time() + jumped[0],
            on_change=lambda turn, record: heard.append(record.event),
        )
        turn = session.send("go")
        await gate.reached.wait()
        jumped[0] = jump
        session.stop("esc")
        gate.open()
        await session.settled(turn)
        data = receipt.as_data(turn)
        durations = [value for key, value in data.items() if key.endswith("_ms") and value is not None]
        assert durations and all(0 <= value < 5000 for value in durations), data
        assert len(backend.aborts) == 1 and turn.outcome is Outcome.CONFIRMED
        assert [event.seconds for event in heard if isinstance(event, ev.ClockJumped)] == [
            pytest.approx(jump)
        ]
        await session.close()

    clean(race)


def test_S32_the_server_restarts_and_does_not_know_the_run() -> None:
    async def race() -> None:
        async with stub() as other, ground() as g:
            turn = await g.held("[[words gates=text:5]]")
            g.proxy.to(other.running.url)
            g.proxy.cut()
            await g.until(lambda: turn.phase is Phase.LOST and not turn.reattaching)
            await g.stopped(turn)
            assert turn.outcome is Outcome.UNCONFIRMED
            assert answer_of(turn) == (Answer.NOTHING_RUNNING, "The server does not know this run (404).")
            assert turn.run_id == g.run.id and not other.engine.runs
            g.proxy.cut()

    clean(race)


def test_S33_the_server_reuses_a_run_id() -> None:
    """What comes under the old id after the new run began is late of the old turn; no old abort is sent."""

    async def race() -> None:
        old, new = Gate(), Gate()
        backend = ScriptedBackend(
            [[ev.RunStarted("r"), *words("old "), old], [ev.RunStarted("r"), *words("new "), new]],
            answers=[StreamLost("no answer")],
            statuses=[None],
        )
        session = Session(backend, clocks=QUICK)
        first = session.send("one")
        await old.reached.wait()
        session.stop("esc")
        await session.settled(first)
        assert first.outcome is Outcome.UNCONFIRMED
        second = session.send("two")
        await new.reached.wait()
        assert not session.may_retry(first), "its abort would end the new run"
        session.record(1, ev.TextDelta("b", "straggler"))
        assert (first.transcript.reply(), first.late.reply()) == ("old ", "straggler")
        assert second.transcript.reply() == "new "
        await session.close(stop_first=True)
        assert len(backend.aborts) == 2, "one for each stop"

    clean(race)


def test_S34_a_new_prompt_while_the_abort_is_in_flight() -> None:
    async def race() -> None:
        async with ground() as g:
            first = await g.held("[[words gates=text:5,answer]]")
            g.session.stop("esc")
            assert await g.stub.engine.gates.reached("answer")
            with pytest.raises(NotNow):
                g.session.send("[[short]]")
            g.open("answer")
            await g.settle(first)
            shown = first.transcript.reply()
            second = await g.settle(g.session.send("[[short]]"))
            assert second.phase is Phase.COMPLETED and "word" not in second.transcript.reply()
            assert first.transcript.reply() == shown
            runs = list(g.stub.engine.runs.values())
            aborted = {line.run for line in g.stub.engine.ledger.lines(runs[0].id, 0) if line.what == "abort"}
            assert aborted == {runs[0].id} and g.asked() == 0

    clean(race)


def test_S35_stop_with_two_runs_active() -> None:
    async def race() -> None:
        async with ground() as one, ground() as two:
            stopped, going = (
                await one.held("[[words gates=text:5]]"),
                await two.held("[[words gates=text:5]]"),
            )
            await one.stopped(stopped)
            two.open()
            await two.settle(going)
            assert stopped.outcome is Outcome.CONFIRMED and two.asked() == 0
            assert going.phase is Phase.COMPLETED and going.transcript.reply() == WORDS

    clean(race)


def test_S39_stop_before_anything_after_the_end_and_on_an_old_turn() -> None:
    async def race() -> None:
        async with ground() as g:
            assert g.session.stop("esc") is Pressed.NOTHING_RUNNING
            assert g.proxy.accepted == 0, "nothing on the network"
            turn = await g.settle(g.session.send("[[short]]"))
            seen = g.proxy.accepted
            assert g.session.stop("esc") is Pressed.NOTHING_RUNNING
            reopened = Session(g.backend, conversation=g.session.conversation)
            assert reopened.stop("esc") is Pressed.NOTHING_RUNNING
            assert turn.phase is Phase.COMPLETED and g.proxy.accepted == seen and g.asked() == 0

    clean(race)


def test_S42_the_answer_to_the_abort_comes_after_the_client_was_restarted() -> None:
    async def race() -> None:
        async with ground() as g:
            turn = await g.held("[[words gates=text:5,answer]]")
            g.session.stop("esc")
            assert await g.stub.engine.gates.reached("answer")
            g.session.record(1, ev.ClientLeft("killed"))  # what the next start notes
            assert (turn.phase, turn.outcome) == (Phase.STOPPED, Outcome.UNCONFIRMED)
            g.open("answer")
            await eventually(lambda: g.run.phase.over)
            again = Session(g.backend, conversation=g.session.conversation, clocks=QUICK)
            again.check_again(turn)
            await eventually(lambda: turn.outcome is Outcome.CONFIRMED)
            assert turn.stop and turn.stop.evidence == "look-up" and turn.phase in FINAL
            await again.close()

    clean(race)


def test_a_lost_run_that_cannot_be_resumed_is_never_posted_again() -> None:
    async def race() -> None:
        backend = ScriptedBackend(
            [[ev.RunStarted("r"), StreamLost("cut")]], capabilities=Capabilities(RemoteStop.ABORT)
        )
        session = Session(backend, clocks=QUICK)
        turn = session.send("go")
        await session.settled(turn)
        assert turn.phase is Phase.LOST and len(backend.prompts) == 1
        await session.close()

    clean(race)
