"""The Flue adapter against a server that does what real ones did: races, restarts, resets, refusals."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import pytest

from tests.backends.flue_captures import captured
from tests.backends.flue_fake import (
    CLOSE,
    RUN,
    FakeFlue,
    Step,
    checkpoint,
    delta,
    history,
    settled,
    started,
    ten_lines,
)
from tests.fakes import Gate
from tui.backends.base import Backend, Prompt, PromptNotSent, PromptRejected, RunRef, StreamLost, Target
from tui.backends.flue import SILENCE_S, Flue
from tui.backends.flue_history import keyed_submission
from tui.core import events as ev
from tui.core.events import Answer, End, Event
from tui.core.turn import Outcome, Phase
from tui.session import Clocks, Session

REF = RunRef("c", RUN, "k")
QUICK = Clocks(abort=2, grace=0.1, pending=1, quit=1, look_up=2, poll=0.01, reattach=(0.01, 0.01, 0.01))
PROMPT = Prompt("hello", "c", "", "k")
REPLY = [checkpoint(), started(1), delta(2, "one "), delta(3, "two "), settled(4)]


def scene(
    server: FakeFlue, test: Callable[[FakeFlue, Flue], Awaitable[None]], silence_s: float = SILENCE_S
) -> None:
    async def whole() -> None:
        async with asyncio.timeout(10), server.serving():
            agent = Flue(Target("flue", server.url), silence_s=silence_s)
            try:
                await test(server, agent)
                await server.until(lambda: not server.open_streams)
            finally:
                await agent.aclose()

    asyncio.run(whole())


async def read(events: AsyncGenerator[Event, None]) -> list[Event]:
    async with aclosing(events):
        return [event async for event in events]


class Watched:
    """A session, and a way to wait for what its turn becomes."""

    def __init__(self, agent: Flue) -> None:
        self._changed = asyncio.Event()
        self.session = Session(agent, clocks=QUICK, on_change=lambda turn, record: self._changed.set())

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not true():
                self._changed.clear()
                await self._changed.wait()


def text(events: list[Event]) -> str:
    return "".join(e.text for e in events if isinstance(e, ev.TextDelta))


def test_the_adapter_is_a_backend() -> None:
    assert isinstance(Flue(Target("flue", "http://127.0.0.1:1/agents/worker")), Backend)


def test_a_run_is_posted_once_with_its_key_and_read_to_its_settlement() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        events = await read(agent.run(PROMPT))
        assert events[0] == ev.RunStarted(RUN, "c")
        assert RUN in events[0].raw
        assert text(events) == "one two "
        assert events[-1] == ev.RunFinished(End.COMPLETED)
        assert [a.json for a in server.prompts] == [{"kind": "user", "body": "hello", "idempotencyKey": "k"}]
        assert server.offsets == ["0_0"]

    scene(FakeFlue([REPLY]), run)


def test_the_agents_name_may_be_given_beside_the_applications_url() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        base = server.url.removesuffix("/agents/worker")
        other = Flue(Target("flue", base, agent="worker"))
        await other.abort(RunRef("c"))
        await other.aclose()
        assert server.aborted[0].path == "/agents/worker/c/abort"

    scene(FakeFlue(), run)


def test_a_conversation_id_is_quoted_whole_and_one_that_is_a_path_is_not_sent() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        await agent.abort(RunRef("../admin?x=1#ü"))
        assert server.asked[0].path == "/agents/worker/..%2Fadmin%3Fx%3D1%23%C3%BC/abort"
        for odd in ("", ".", ".."):
            with pytest.raises(PromptNotSent):
                await read(agent.run(Prompt("hello", odd, "", "k")))
            with pytest.raises(PromptNotSent):
                await agent.abort(RunRef(odd))
        assert len(server.asked) == 1

    scene(FakeFlue(), run)


def test_an_abort_waits_for_the_202_of_a_prompt_that_is_on_its_way() -> None:
    gate = Gate()

    async def run(server: FakeFlue, agent: Flue) -> None:
        reading = asyncio.create_task(read(agent.run(PROMPT)))
        await gate.reached.wait()
        aborting = asyncio.create_task(agent.abort(RunRef("c", "", "k")))
        elsewhere = await agent.abort(RunRef("another"))
        assert elsewhere.answer is Answer.ACKNOWLEDGED, "another conversation does not wait"
        assert [a.path for a in server.aborted] == ["/agents/worker/another/abort"]
        gate.open()
        assert (await aborting).answer is Answer.ACKNOWLEDGED
        assert (await reading)[-1] == ev.RunFinished(End.COMPLETED)

    scene(FakeFlue([REPLY], admission_gate=gate), run)


def test_the_ten_lines_of_the_module_abort_a_conversation() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        program = [sys.executable, "-c", ten_lines(server.url, "from-outside")]
        said = await asyncio.to_thread(subprocess.check_output, program, text=True)
        assert said.startswith("acknowledged - Everything that ran")
        assert [a.path for a in server.aborted] == ["/agents/worker/from-outside/abort"]

    scene(FakeFlue(), run)


def test_closing_the_events_closes_the_response() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        events = agent.run(PROMPT)
        async for event in events:
            if isinstance(event, ev.TextDelta):
                break
        assert server.open_streams == 1
        await events.aclose()  # and `scene` waits until the server has seen it

    scene(FakeFlue([[started(1), delta(2, "one ")]]), run)


def test_who_leaves_in_the_middle_of_a_frame_finds_the_rest_of_it_when_coming_back() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        events, first = agent.run(PROMPT), []
        async for event in events:
            first.append(event)
            if isinstance(event, ev.TextDelta):
                break
        await events.aclose()
        rest = await read(agent.resume(REF))
        assert text(first) + text(rest) == "one two three "
        assert rest[-1] == ev.RunFinished(End.COMPLETED)

    frame = [started(1), delta(2, "one "), delta(3, "two ")]
    again: list[Step] = [checkpoint(), frame, delta(4, "three "), settled(5)]
    scene(FakeFlue([[frame], again]), run)


# --- refusals ---------------------------------------------------------------------------------------------


def test_a_refusal_by_the_applications_own_door_is_one_sentence_and_no_run() -> None:
    answer = captured("12-errors/23-secure-no-auth")
    assert answer.json == {"error": "unauthorized"}

    async def run(server: FakeFlue, agent: Flue) -> None:
        with pytest.raises(PromptRejected, match=r"token \(401\)") as refused:
            await read(agent.run(PROMPT))
        assert refused.value.status == 401
        asked = await agent.abort(REF)
        assert (asked.answer, asked.status) == (Answer.REFUSED, 401)
        with pytest.raises(StreamLost, match="401"):
            await agent.status(REF)

    refusal = (answer.status, answer.json)
    scene(
        FakeFlue(admission_status=401, admission=answer.json, aborts=[refusal], histories=[refusal]),
        run,
    )


@pytest.mark.parametrize(
    ("status", "body"), [(200, "<html>hello</html>"), (200, {"ok": True}), (202, {}), (204, "")]
)
def test_a_yes_that_is_not_flues_is_no_run(status: int, body: object) -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        with pytest.raises(PromptRejected, match="not as Flue does"):
            await read(agent.run(PROMPT))

    scene(FakeFlue(admission_status=status, admission=body), run)


@pytest.mark.parametrize(
    "answer",
    [(200, "<html>ok</html>"), (200, {"aborted": "yes"}), (202, {"aborted": True}), (404, "404 Not Found")],
)
def test_a_yes_to_the_abort_that_is_not_flues_is_a_refusal(answer: tuple[int, object]) -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        told = await agent.abort(REF)
        assert (told.answer, told.status) == (Answer.REFUSED, answer[0])
        assert len(server.aborted) == 1

    scene(FakeFlue(aborts=[answer]), run)


def test_a_stream_that_is_refused_after_the_202_is_lost_and_not_a_refused_prompt() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        for _ in range(2):
            with pytest.raises(StreamLost):
                await read(agent.run(PROMPT))

    scene(FakeFlue([(403, {"error": "no"}), (500, "<html>")]), run)


def test_no_server_means_that_nothing_was_sent() -> None:
    async def run() -> None:
        agent = Flue(Target("flue", "http://127.0.0.1:9/agents/worker"))
        with pytest.raises(PromptNotSent):
            await read(agent.run(PROMPT))
        await agent.aclose()

    asyncio.run(run())


# --- the answer to an abort -------------------------------------------------------------------------------


def test_true_is_acknowledged_and_proves_nothing() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        answer = await agent.abort(REF)
        assert (answer.answer, answer.status, answer.over) == (Answer.ACKNOWLEDGED, 200, False)
        assert agent.capabilities.answer_confirms is False

    scene(FakeFlue(), run)


@pytest.mark.parametrize("outcome", ["completed", "failed", "aborted"])
def test_false_of_a_run_that_had_settled_is_already_over(outcome: str) -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        assert (await agent.abort(REF)).answer is Answer.ALREADY_OVER
        assert len(server.aborted) == 1

    scene(FakeFlue(aborts=[{"aborted": False}], histories=[history("one ", outcome)]), run)


def test_false_of_a_run_that_goes_on_is_asked_again() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        assert (await agent.abort(REF)).answer is Answer.ACKNOWLEDGED
        assert len(server.aborted) == 3

    no = {"aborted": False}
    scene(FakeFlue(aborts=[no, no, {"aborted": True}], histories=[history("one ")]), run)


def test_false_for_ever_of_a_run_that_goes_on_is_nothing_running_and_ends() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        answer = await agent.abort(REF)
        assert answer.answer is Answer.NOTHING_RUNNING
        assert "without an end" in answer.detail
        assert len(server.aborted) == 4

    scene(FakeFlue(aborts=[{"aborted": False}], histories=[history("one ")]), run)


@pytest.mark.parametrize("known", [None, history("one ", "completed", run="sub_other"), (500, "<html>")])
def test_false_of_a_run_that_nobody_knows_is_nothing_running(known: object) -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        assert (await agent.abort(RunRef("c", RUN))).answer is Answer.NOTHING_RUNNING
        assert len(server.aborted) == 1

    scene(FakeFlue(aborts=[{"aborted": False}], histories=[known]), run)


def test_a_run_that_was_seen_to_end_is_not_aborted_as_that_would_hit_a_newer_one() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        await read(agent.run(PROMPT))
        assert (await agent.abort(REF)).answer is Answer.ALREADY_OVER
        assert not server.aborted

    scene(FakeFlue([REPLY]), run)


def test_an_abort_without_an_answer_is_asked_once_more() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        assert (await agent.abort(REF)).answer is Answer.ACKNOWLEDGED
        assert len(server.aborted) == 2

    scene(FakeFlue(aborts=[CLOSE, {"aborted": True}]), run)


def test_an_abort_is_not_asked_again_once_a_newer_prompt_was_sent() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        aborting = asyncio.create_task(agent.abort(REF))
        await server.until(lambda: server.aborted)
        await read(agent.run(Prompt("newer", "c", "", "k2")))
        assert (await aborting).answer is Answer.UNANSWERED
        assert len(server.aborted) == 1

    scene(FakeFlue([REPLY], aborts=[CLOSE, {"aborted": True}]), run)


def test_an_abort_from_outside_that_finds_nothing_is_not_proved_by_an_older_end() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        outside = RunRef("c")
        before = await agent.status(outside)
        assert before and before.end is End.CANCELLED
        assert (await agent.abort(outside)).answer is Answer.ALREADY_OVER
        assert await agent.status(outside) is None
        server.histories[:] = [None]
        assert (await agent.abort(RunRef("never used"))).answer is Answer.NOTHING_RUNNING

    scene(FakeFlue(aborts=[{"aborted": False}], histories=[history("one ", "aborted")]), run)


def test_an_abort_from_outside_is_proved_by_what_ran_last() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        outside = RunRef("c")
        assert (await agent.abort(outside)).answer is Answer.ACKNOWLEDGED
        seen = [await agent.status(outside) for _ in range(2)]
        assert [s and s.end for s in seen] == [None, End.CANCELLED]

    scene(FakeFlue(histories=[history("one "), history("one ", "aborted")]), run)


def test_runs_without_a_key_are_told_apart_by_conversation_and_id() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        await read(agent.run(Prompt("hello", "c", "", "")))
        assert (await agent.abort(RunRef("c", RUN))).answer is Answer.ALREADY_OVER
        assert not server.aborted
        assert (await agent.abort(RunRef("another"))).answer is Answer.ACKNOWLEDGED
        assert (await agent.abort(RunRef("c"))).answer is Answer.ACKNOWLEDGED
        assert "idempotencyKey" not in server.prompts[0].json

    scene(FakeFlue([REPLY]), run)


# --- broken streams ---------------------------------------------------------------------------------------


def test_a_stream_that_ends_without_a_settlement_is_lost_and_taken_up_where_it_broke() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        events: list[Event] = []
        with pytest.raises(StreamLost, match="may still be alive"):
            async for event in agent.run(PROMPT):
                events.append(event)
        more = await read(agent.resume(RunRef("c", "not ours", "k")))
        assert more[0] == ev.RunStarted(RUN, "c")
        assert text(events) + text(more) == "one two three "
        assert more[-1] == ev.RunFinished(End.COMPLETED)
        assert server.offsets == ["0_0", "0_3"]
        assert len(server.prompts) == 1, "re-attaching never posts"

    first: list[Step] = [checkpoint(), started(1), delta(2, "one "), delta(3, "two "), CLOSE]
    again = [checkpoint(), delta(2, "one "), delta(3, "two "), delta(4, "three "), settled(5)]
    scene(FakeFlue([first, again]), run)


@pytest.mark.parametrize("gone", [416, 404])
def test_an_offset_that_is_gone_is_made_good_from_the_history(gone: int) -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        with pytest.raises(StreamLost):
            await read(agent.run(PROMPT))
        more = await read(agent.resume(REF))
        assert ev.TextReplaced("m/1", "one two three ") in more
        assert text(more) == "four "
        assert more[-1] == ev.RunFinished(End.COMPLETED)
        assert server.offsets == ["0_0", "0_2", "0_7"]
        assert len(server.prompts) == 1

    first: list[Step] = [checkpoint(), started(1), delta(2, "one "), CLOSE]
    rest = [checkpoint(), delta(8, "four "), settled(9)]
    server = FakeFlue(
        [first, (gone, {"error": {"type": "x"}}), rest], histories=[history("one two three ", at=7)]
    )
    scene(server, run)


def test_another_incarnation_is_made_good_from_the_history_or_said_to_be_lost() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        with pytest.raises(StreamLost):
            await read(agent.run(PROMPT))
        with pytest.raises(StreamLost, match="does not know this run any more"):
            await read(agent.resume(REF))
        more = await read(agent.resume(REF))
        assert more[-1] == ev.RunFinished(End.CANCELLED)

    first: list[Step] = [checkpoint(), started(1), delta(2, "one "), CLOSE]
    other = [checkpoint("inc_2"), delta(9, "of someone else")]
    server = FakeFlue(
        [first, other, other], histories=[history("x", run="sub_9"), history("one ", "aborted")]
    )
    scene(server, run)


def test_a_server_without_memory_is_told_as_such() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        with pytest.raises(StreamLost, match="does not know this run any more"):
            await read(agent.run(PROMPT))
        assert await agent.status(REF) is None

    scene(FakeFlue([(404, {"error": {"type": "stream_not_found"}})]), run)


def test_a_prompt_whose_answer_was_lost_is_found_by_its_key_and_not_posted_again() -> None:
    mine = keyed_submission("Worker", "c", "k")

    async def run(server: FakeFlue, agent: Flue) -> None:
        with pytest.raises(StreamLost):
            await read(agent.run(PROMPT))
        lost = RunRef("c", "made by the client", "k")
        with pytest.raises(StreamLost, match="may not have arrived"):
            await read(agent.resume(lost))
        seen = await agent.status(lost)
        assert seen and seen.end is End.ALIVE
        events = await read(agent.resume(lost))
        assert events[0] == ev.RunStarted(mine, "c")
        assert [e for e in events if isinstance(e, ev.RunStarted)] == events[:1]
        assert events[-1] == ev.RunFinished(End.COMPLETED)
        assert len(server.prompts) == 1

    seen = history("one ", run=mine, at=2)
    scene(
        FakeFlue([[checkpoint(), settled(3, run=mine)]], admission=CLOSE, histories=[None, seen, seen]), run
    )


def test_the_key_of_a_prompt_gives_the_submission_that_the_real_server_gave() -> None:
    """Recorded: agent Chat, conversation m-b52300, key key1."""
    real = captured("12-errors/28-idem-2").json["submissionId"]
    assert keyed_submission("Chat", "m-b52300", "key1") == real


def test_after_a_restart_of_the_client_a_run_is_told_from_the_history_on() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        events = await read(agent.resume(RunRef("c", RUN, "a key of an earlier life")))
        assert events[:2] == [ev.RunStarted(RUN, "c"), ev.TextReplaced("m/1", "one two ")]
        assert text(events) == "three "
        assert events[-1] == ev.RunFinished(End.COMPLETED)
        assert not server.prompts

    rest = [checkpoint(), delta(2, "one "), delta(4, "three "), settled(5)]
    scene(FakeFlue([rest], histories=[history("one two ", at=3)]), run)


def test_a_key_that_was_used_before_gives_the_old_run_from_its_beginning() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        events = await read(agent.run(PROMPT))
        assert text(events) == "one two "
        assert server.offsets == ["-1"]

    replay = {"submissionId": RUN, "offset": "-1", "deduplicated": True}
    scene(FakeFlue([REPLY], admission=replay), run)


def test_a_connection_without_a_frame_is_given_up_heartbeats_or_not() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        with pytest.raises(StreamLost, match=r"silent for 0\.2 s"):
            await read(agent.run(PROMPT))

    beats = [": heartbeat"] * 3
    scene(FakeFlue([[checkpoint(), *beats]]), run, silence_s=0.2)


def test_control_frames_keep_a_quiet_connection() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        reading = asyncio.create_task(read(agent.run(PROMPT)))
        for gate in gates:
            await gate.reached.wait()
            await asyncio.sleep(0.15)
            gate.open()
        assert (await reading)[-1] == ev.RunFinished(End.COMPLETED)

    gates = [Gate(), Gate(), Gate()]
    control = 'event: control\ndata:{"streamNextOffset":"0_1"}'
    steps = [step for gate in gates for step in (control, gate)]
    scene(FakeFlue([[checkpoint(), *steps, settled(2)]]), run, silence_s=0.25)


# --- looking up -------------------------------------------------------------------------------------------


def test_a_look_up_says_how_the_run_ended_and_what_was_saved() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        seen = [await agent.status(REF) for _ in range(3)]
        assert [s and (s.end, s.text) for s in seen] == [
            None,
            (End.ALIVE, "one "),
            (End.CANCELLED, "one two "),
        ]
        newest = await agent.status(RunRef("c"))
        assert newest and newest.end is End.CANCELLED
        assert await agent.status(RunRef("c", "sub_other")) is None

    scene(FakeFlue(histories=[None, history("one "), history("one two ", "aborted")]), run)


def test_an_unsettled_run_is_alive_but_after_a_yes_to_the_abort_there_is_only_no_word() -> None:
    """The history has no *running*: it has no end yet, which after a yes may come 30 s later."""

    async def run(server: FakeFlue, agent: Flue) -> None:
        before = await agent.status(REF)
        assert before and before.end is End.ALIVE
        await agent.abort(REF)
        after = await agent.status(REF)
        assert after and (after.end, after.text, after.over) == (None, "one ", False)
        other = await agent.status(RunRef("c", RUN, "another"))
        assert other and other.end is End.ALIVE
        server.histories[:] = [history("one ", "aborted")]
        after = await agent.status(REF)
        assert after and after.end is End.CANCELLED

    scene(FakeFlue(histories=[history("one ")]), run)


# --- with the driver --------------------------------------------------------------------------------------


def test_a_stop_takes_over_the_longer_partial_that_the_server_saved() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        watched = Watched(agent)
        session = watched.session
        turn = session.send("hello")
        await watched.until(lambda: turn.transcript.chars > 0)
        session.stop("test")
        shown = turn.transcript.reply()
        await server.until(lambda: server.aborted)
        tail.open()
        await session.settled(turn)
        await watched.until(lambda: turn.server_text is not None)
        assert turn.outcome is Outcome.CONFIRMED and turn.stop and turn.stop.evidence == "stream"
        assert turn.transcript.reply() == shown == "one "
        assert turn.kept() == "one two "
        await session.close()

    tail = Gate()
    stream: list[Step] = [
        checkpoint(),
        started(1),
        delta(2, "one "),
        tail,
        delta(3, "two "),
        settled(4, "aborted"),
    ]
    scene(FakeFlue([stream], histories=[history("one two ", "aborted")]), run)


def test_a_run_that_settles_long_after_the_yes_is_acknowledged_first_and_confirmed_then() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        watched = Watched(agent)
        session = watched.session
        turn = session.send("hello")
        await watched.until(lambda: turn.transcript.chars > 0)
        session.stop("test")
        await session.settled(turn)
        assert (turn.phase, turn.outcome) == (Phase.STOPPED, Outcome.ACKNOWLEDGED)
        server.histories[:] = [history("one ", "aborted")]
        await watched.until(lambda: turn.outcome is Outcome.CONFIRMED)
        assert turn.stop and turn.stop.evidence == "look-up"
        assert len(server.aborted) == 1
        await session.close()

    stream = [checkpoint(), started(1), delta(2, "one ")]
    scene(FakeFlue([stream], histories=[history("one ")]), run)


def test_a_stop_before_the_202_is_held_and_then_ends_the_run() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        watched = Watched(agent)
        session = watched.session
        turn = session.send("hello")
        await gate.reached.wait()
        session.stop("test")
        assert turn.phase is Phase.STOP_PENDING and not server.aborted
        gate.open()
        await server.until(lambda: server.aborted)
        aborted.open()
        await session.settled(turn)
        assert turn.outcome is Outcome.CONFIRMED
        assert [a.path for a in server.asked if a.method == "POST"] == [
            "/agents/worker/" + session.conversation.id,
            f"/agents/worker/{session.conversation.id}/abort",
        ]
        await session.close()

    gate, aborted = Gate(), Gate()
    stream = [checkpoint(), started(1), aborted, settled(4, "aborted")]
    scene(FakeFlue([stream], admission_gate=gate), run)


def test_a_dropped_stream_is_taken_up_by_the_driver_and_completes_without_a_second_post() -> None:
    async def run(server: FakeFlue, agent: Flue) -> None:
        watched = Watched(agent)
        session = watched.session
        turn = session.send("hello")
        await session.settled(turn)
        assert turn.phase is Phase.COMPLETED
        assert turn.transcript.reply() == "one two three "
        assert len(server.prompts) == 1 and len(server.offsets) == 3
        await session.close()

    server = FakeFlue(
        [
            [checkpoint(), started(1), delta(2, "one "), CLOSE],
            [checkpoint(), delta(2, "one "), delta(3, "two "), CLOSE],
            [checkpoint(), delta(4, "three "), settled(5)],
        ]
    )
    scene(server, run)
