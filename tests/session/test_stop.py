"""The driver's stop: what it does, in which order, and what it claims."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tui import receipt
from tui.backends.base import (
    AbortAnswer,
    Capabilities,
    PromptNotSent,
    PromptRejected,
    RemoteStop,
    RunStatus,
    StreamLost,
)
from tui.core import events as ev
from tui.core.events import Answer, End
from tui.core.turn import Outcome, Phase
from tui.session import Clocks, NotNow, Pressed, Session

QUICK = Clocks(
    abort=0.2, grace=0.05, pending=0.05, quit=0.2, look_up=0.02, poll=0.005, reattach=(0.001, 0.001)
)
STARTED = ev.RunStarted("r1")


def scene(test: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(5):
            await test()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left over: {left}"

    asyncio.run(whole())


async def reach(gate: Gate) -> None:
    async with asyncio.timeout(2):
        await gate.reached.wait()


def session(backend: ScriptedBackend, clocks: Clocks = QUICK) -> Session:
    return Session(backend, clocks=clocks)


def test_a_stop_freezes_the_text_before_it_returns_and_is_confirmed_by_the_stream() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend(
            [[STARTED, *words("one ", "two "), gate, *words("late"), ev.RunFinished(End.CANCELLED)]]
        )
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        assert s.stop("esc", "wrong answer") is Pressed.STOPPED
        assert (turn.phase, turn.transcript.reply()) == (Phase.ASKING, "one two ")
        gate.open()
        await s.settled(turn)
        assert (turn.phase, turn.outcome) == (Phase.STOPPED, Outcome.CONFIRMED)
        assert turn.transcript.reply() == "one two " and turn.late.reply() == "late"
        assert turn.stop and turn.stop.late_events == 2 and turn.stop.evidence == "stream"
        assert backend.aborts == [("r1", "wrong answer")]
        await s.close()
        assert backend.open_streams == 0

    scene(run)


def test_a_stop_before_the_run_is_known_holds_the_abort_until_it_is() -> None:
    async def run() -> None:
        gate, after = Gate(), Gate()
        backend = ScriptedBackend([[gate, STARTED, *words("x"), after, ev.RunFinished(End.CANCELLED)]])
        s = session(backend, Clocks(grace=0.05, pending=2, poll=0.005, look_up=0.02))
        turn = s.send("go")
        await reach(gate)
        s.stop("esc")
        assert turn.phase is Phase.STOP_PENDING and backend.aborts == []
        gate.open()
        await reach(after)
        after.open()
        await s.settled(turn)
        assert backend.aborts == [("r1", "")] and turn.outcome is Outcome.CONFIRMED
        assert turn.transcript.reply() == ""
        await s.close()

    scene(run)


def test_a_run_that_ends_in_the_loop_turn_of_the_stop_is_not_aborted_any_more() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[gate, STARTED, ev.RunFinished(End.COMPLETED)]])
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        s.stop("esc")
        gate.open()
        await s.settled(turn)
        assert turn.outcome is Outcome.FINISHED_FIRST
        await s.close()
        assert backend.aborts == []

    scene(run)


def test_a_run_that_never_becomes_known_ends_unconfirmed_without_an_abort() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[gate]], statuses=[None])
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        s.stop("esc")
        await s.settled(turn)
        assert turn.outcome is Outcome.UNCONFIRMED and backend.aborts == []
        await s.close()
        assert backend.open_streams == 0

    scene(run)


def test_a_prompt_that_never_left_is_never_sent() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[gate, PromptNotSent("No server there: start it.")]])
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        s.stop("esc")
        gate.open()
        await s.settled(turn)
        assert turn.outcome is Outcome.NEVER_SENT and backend.aborts == []
        await s.close()

    scene(run)


ANSWERS = [
    (AbortAnswer(Answer.ACKNOWLEDGED), None, Outcome.ACKNOWLEDGED),
    (AbortAnswer(Answer.ACKNOWLEDGED), RunStatus(End.CANCELLED), Outcome.CONFIRMED),
    (AbortAnswer(Answer.ACKNOWLEDGED), RunStatus(End.ALIVE), Outcome.UNCONFIRMED),
    (AbortAnswer(Answer.ACKNOWLEDGED), RunStatus(End.COMPLETED), Outcome.FINISHED_FIRST),
    (AbortAnswer(Answer.ALREADY_OVER), None, Outcome.FINISHED_FIRST),
    (AbortAnswer(Answer.NOTHING_RUNNING), None, Outcome.UNCONFIRMED),
    (AbortAnswer(Answer.NOTHING_RUNNING), RunStatus(End.COMPLETED), Outcome.FINISHED_FIRST),
    (AbortAnswer(Answer.REFUSED, status=403), None, Outcome.UNCONFIRMED),
    (AbortAnswer(Answer.UNSUPPORTED), None, Outcome.LOCAL_ONLY),
    (StreamLost("reset"), None, Outcome.UNCONFIRMED),
    (RuntimeError("a bug"), None, Outcome.UNCONFIRMED),
    (AbortAnswer(Answer.ACKNOWLEDGED, over=True), None, Outcome.CONFIRMED),
]


@pytest.mark.parametrize(("answer", "status", "outcome"), ANSWERS)
def test_a_silent_stream_leaves_the_word_to_the_answer_and_the_look_up(
    answer: AbortAnswer | Exception, status: RunStatus | None, outcome: Outcome
) -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[STARTED, *words("x"), gate]], answers=[answer], statuses=[status])
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        s.stop("esc")
        await s.settled(turn)
        assert turn.outcome is outcome
        await s.close()
        assert backend.open_streams == 0 and backend.most_aborting == 1

    scene(run)


def test_an_abort_that_hangs_is_unanswered_after_its_deadline() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[STARTED, gate]], abort_gate=Gate(), statuses=[None])
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        s.stop("esc")
        await s.settled(turn)
        assert turn.outcome is Outcome.UNCONFIRMED
        assert turn.stop and turn.stop.answer and "No answer" in turn.stop.answer.detail
        await s.close()

    scene(run)


def test_a_run_that_goes_on_after_a_yes_is_found_out() -> None:
    async def run() -> None:
        async def talk() -> None:
            while not gone.is_set():
                turn_session.record(1, ev.TextDelta("b", "more "))
                await asyncio.sleep(0.002)

        gate, gone = Gate(), asyncio.Event()
        backend = ScriptedBackend([[STARTED, *words("x"), gate]], statuses=[None])
        turn_session = s = session(backend)
        turn = s.send("go")
        await reach(gate)
        s.stop("esc")
        talking = asyncio.create_task(talk())
        await s.settled(turn)
        gone.set()
        await talking
        assert turn.outcome is Outcome.UNCONFIRMED and turn.transcript.reply() == "x"
        assert turn.state.end is End.ALIVE and turn.stop and turn.stop.late_events > 3
        await s.close()

    scene(run)


def test_pressing_again_while_stopping_does_nothing() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[STARTED, gate]], abort_gate=Gate())
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        assert s.stop("esc") is Pressed.STOPPED
        for _ in range(5):
            assert s.stop("f8") is Pressed.ALREADY_STOPPING
            await asyncio.sleep(0)
        assert len(backend.aborts) == 1 and turn.stop and turn.stop.asked.cause == "esc"
        await s.close()

    scene(run)


def test_an_unconfirmed_stop_can_be_retried_and_its_outcome_rises() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend(
            [[STARTED, gate]],
            answers=[StreamLost("no connection"), AbortAnswer(Answer.ACKNOWLEDGED)],
            statuses=[None, None, None, None, None, None, None, None, RunStatus(End.CANCELLED)],
        )
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        s.stop("esc")
        await s.settled(turn)
        assert turn.outcome is Outcome.UNCONFIRMED
        backend.statuses = [RunStatus(End.CANCELLED)]
        assert s.stop("f8") is Pressed.RETRIED
        async with asyncio.timeout(2):
            while turn.outcome is not Outcome.CONFIRMED:
                await asyncio.sleep(0.002)
        assert len(backend.aborts) == 2 and backend.most_aborting == 1
        await s.close()

    scene(run)


def test_a_stop_when_nothing_runs_does_nothing() -> None:
    async def run() -> None:
        backend = ScriptedBackend([[STARTED, *words("x"), ev.RunFinished()]])
        s = session(backend)
        assert s.stop("esc") is Pressed.NOTHING_RUNNING
        turn = s.send("go")
        await s.settled(turn)
        assert turn.phase is Phase.COMPLETED
        assert s.stop("esc") is Pressed.NOTHING_RUNNING and backend.aborts == []
        await s.close()

    scene(run)


def test_a_backend_without_an_abort_is_stopped_here_only() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[STARTED, gate]], capabilities=Capabilities(RemoteStop.NONE))
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        s.stop("esc")
        await s.settled(turn)
        assert turn.outcome is Outcome.LOCAL_ONLY and backend.aborts == []
        await s.close()
        assert backend.open_streams == 0

    scene(run)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (RunStatus(End.CANCELLED), Outcome.CONFIRMED),
        (RunStatus(End.COMPLETED), Outcome.FINISHED_FIRST),
        (RunStatus(End.ALIVE), Outcome.UNCONFIRMED),
        (None, Outcome.UNCONFIRMED),
    ],
)
def test_where_closing_is_the_stop_the_stream_is_closed_first_and_then_looked_up(
    status: RunStatus | None, outcome: Outcome
) -> None:
    async def run() -> None:
        gate = Gate()
        able = Capabilities(RemoteStop.CLOSE, status=True)
        backend = ScriptedBackend([[STARTED, gate]], capabilities=able, statuses=[status])
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        s.stop("esc")
        await s.settled(turn)
        assert turn.outcome is outcome and backend.aborts == [] and backend.open_streams == 0
        await s.close()

    scene(run)


def test_an_end_without_a_marker_is_lost_and_not_completed() -> None:
    async def run() -> None:
        backend = ScriptedBackend([[STARTED, *words("x")]])
        s = session(backend)
        turn = s.send("go")
        await s.settled(turn)
        assert turn.phase is Phase.LOST and "end marker" in turn.problem
        assert s.stop("esc") is Pressed.STOPPED
        await s.settled(turn)
        assert turn.outcome is Outcome.CONFIRMED and backend.aborts == [("r1", "")]
        await s.close()

    scene(run)


def test_a_broken_stream_is_taken_up_again_where_the_protocol_has_it() -> None:
    async def run() -> None:
        able = Capabilities(RemoteStop.ABORT, resume=True)
        backend = ScriptedBackend(
            [[STARTED, *words("a"), StreamLost("cut")]],
            capabilities=able,
            resumes=[[StreamLost("cut again")], [*words("b"), ev.RunFinished()]],
        )
        s = session(backend)
        turn = s.send("go")
        await s.settled(turn)
        assert turn.phase is Phase.COMPLETED and turn.transcript.reply() == "ab" and len(backend.prompts) == 1
        await s.close()

    scene(run)


def test_a_stop_while_reconnecting_ends_the_reconnecting_at_once() -> None:
    async def run() -> None:
        able = Capabilities(RemoteStop.ABORT, resume=True)
        backend = ScriptedBackend([[STARTED, StreamLost("cut")]], capabilities=able)
        s = session(backend, Clocks(grace=0.05, poll=0.005, look_up=0.02, reattach=(60.0,)))
        turn = s.send("go")
        async with asyncio.timeout(2):
            while turn.phase is not Phase.LOST:
                await asyncio.sleep(0.001)
        s.stop("esc")
        await s.settled(turn)
        assert len(backend.aborts) == 1 and turn.outcome is Outcome.ACKNOWLEDGED
        await s.close()

    scene(run)


def test_a_prompt_that_is_refused_fails_with_the_backends_sentence() -> None:
    async def run() -> None:
        backend = ScriptedBackend(
            [[PromptRejected("The server wants a token: set --token-env.", status=401)]]
        )
        s = session(backend)
        turn = s.send("go")
        await s.settled(turn)
        assert turn.phase is Phase.FAILED and "--token-env" in turn.problem
        await s.close()

    scene(run)


def test_a_new_prompt_waits_until_the_last_turn_is_over() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend(
            [[STARTED, gate, ev.RunFinished()], [ev.RunStarted("r2"), ev.RunFinished()]]
        )
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        with pytest.raises(NotNow):
            s.send("more")
        gate.open()
        await s.settled(turn)
        await s.settled(s.send("more"))
        assert [said.text for said in backend.prompts[1].earlier] == ["go"]
        await s.close()

    scene(run)


def test_quitting_waits_for_the_answer_to_the_abort() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[STARTED, gate]])
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        await s.close(stop_first=True)
        assert len(backend.aborts) == 1 and turn.phase is Phase.STOPPED and backend.open_streams == 0

    scene(run)


def test_a_fault_in_the_stop_path_itself_still_leads_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[STARTED, *words("kept"), gate]], statuses=[None])
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        monkeypatch.setattr(s, "_spawn", lambda work: (work.close(), 1 / 0))
        s.stop("esc")
        async with asyncio.timeout(2):
            while turn.phase is not Phase.STOPPED:
                await asyncio.sleep(0.002)
        assert turn.outcome is Outcome.UNCONFIRMED and turn.transcript.reply() == "kept"
        monkeypatch.undo()
        await s.close()

    scene(run)


def test_the_backends_question_makes_the_turn_wait_and_an_answer_goes_on() -> None:
    async def run() -> None:
        gate = Gate()
        question = ev.QuestionAsked("q1", "May I?")
        backend = ScriptedBackend([[STARTED, question, gate, *words("done"), ev.RunFinished()]])
        s = session(backend)
        turn = s.send("go")
        await reach(gate)
        assert turn.phase is Phase.WAITING
        s.answer("q1", "yes")
        gate.open()
        await s.settled(turn)
        assert turn.phase is Phase.COMPLETED and backend.replies == [("q1", "yes")]
        await s.close()

    scene(run)


def test_an_answer_that_opens_a_stream_of_its_own_goes_on_in_the_same_turn() -> None:
    async def run() -> None:
        able = Capabilities(RemoteStop.ABORT, answers_questions=True, answer_streams=True)
        backend = ScriptedBackend(
            [[STARTED, ev.QuestionAsked("q1", "May I?")]],
            capabilities=able,
            answering_scripts=[[ev.RunStarted("r2"), *words("done"), ev.RunFinished()]],
        )
        s = session(backend)
        turn = s.send("go")
        await s.settled(turn)
        assert turn.phase is Phase.WAITING
        s.answer("q1", "yes")
        await s.settled(turn)
        assert turn.phase is Phase.COMPLETED and turn.run_id == "r2" and turn.transcript.reply() == "done"
        await s.close()

    scene(run)


def test_an_answer_that_could_not_be_sent_leaves_the_agent_waiting_and_says_why() -> None:
    async def run() -> None:
        able = Capabilities(RemoteStop.ABORT, answers_questions=True, answer_streams=True)
        backend = ScriptedBackend(
            [[STARTED, ev.QuestionAsked("q1", "May I?")]],
            capabilities=able,
            answering_scripts=[[PromptNotSent("No server there.")], [PromptRejected("Not you.", status=403)]],
        )
        s = session(backend)
        turn = s.send("go")
        await s.settled(turn)
        for sentence in ("No server there.", "Not you."):
            s.answer("q1", "yes")
            async with asyncio.timeout(2):
                while turn.phase is not Phase.WAITING:
                    await asyncio.sleep(0.001)
            assert turn.problem == sentence
        await s.close()

    scene(run)


def test_an_answer_given_before_the_old_stream_has_returned_loses_nothing() -> None:
    async def run() -> None:
        able = Capabilities(RemoteStop.ABORT, answers_questions=True, answer_streams=True)
        old, gate = Gate(), Gate()
        backend = ScriptedBackend(
            [[STARTED, ev.QuestionAsked("q1", "May I?"), old]],
            capabilities=able,
            answering_scripts=[[ev.RunStarted("r2"), gate, *words("done"), ev.RunFinished()]],
        )
        s = session(backend)
        turn = s.send("go")
        await reach(old)
        s.answer("q1", "yes")
        await reach(gate)
        old.open()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert turn.phase is Phase.STREAMING
        gate.open()
        await s.settled(turn)
        assert turn.phase is Phase.COMPLETED
        await s.close()

    scene(run)


def test_a_stop_while_the_agent_waits_says_that_nothing_was_answered() -> None:
    async def run() -> None:
        backend = ScriptedBackend(
            [[STARTED, ev.QuestionAsked("q1", "May I?")]],
            answers=[AbortAnswer(Answer.NOTHING_RUNNING)],
            statuses=[RunStatus(End.COMPLETED)],
        )
        s = session(backend)
        turn = s.send("go")
        await s.settled(turn)
        s.stop("f8")
        await s.settled(turn)
        assert turn.outcome is Outcome.FINISHED_FIRST
        assert any("nothing was answered from here" in line for line in receipt.cautions(turn))
        await s.close()

    scene(run)
