"""Stops of an ADK run through the driver: what the person is told, on every kind of server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from tests.backends.fake_adk import FakeAdk, call, play, say, whole
from tests.fakes import Gate
from tui.backends import adk, adk_turn
from tui.core.conversation import Turn
from tui.core.events import Answer, End
from tui.core.turn import Outcome, Phase
from tui.session import Clocks, Session


@pytest.fixture(autouse=True)
def _short_graces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adk, "_STOCK", replace(adk._STOCK, grace_s=0.2))
    monkeypatch.setattr(adk, "_WITH_ROUTE", replace(adk._WITH_ROUTE, grace_s=0.05))


QUICK = Clocks(abort=0.1, grace=0.2, pending=0.2, quit=0.5, look_up=0.01, poll=0.005)


@asynccontextmanager
async def chatting(server: FakeAdk) -> AsyncIterator[Session]:
    backend = server.backend()
    await backend.connect()
    session = Session(backend, clocks=QUICK)
    try:
        yield session
    finally:
        await session.close()
        await backend.aclose()
        for task in server.tasks:
            task.cancel()
        if server.tasks:
            await asyncio.wait(server.tasks)
        assert server.open_streams == 0


async def stopped(session: Session, gate: Gate) -> Turn:
    """Send, press Stop once the run stands at the gate, and wait until that is settled."""
    turn = session.send("go")
    await gate.reached.wait()
    await asyncio.sleep(0)
    session.stop("esc")
    await session.settled(turn)
    return turn


def aborts(server: FakeAdk) -> list[str]:
    return [request for request in server.requests if request.startswith("POST") and "cancel" in request]


@pytest.mark.parametrize("script", [[say("one ")], [call("look", slow=True)], []])
def test_on_a_stock_server_the_seal_in_the_session_confirms_the_close(
    script: list[dict[str, object]],
) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with chatting(server := FakeAdk([[*script, gate, whole("never")]])) as session:
            turn = await stopped(session, gate)
            assert turn.outcome is Outcome.CONFIRMED
            assert turn.stop and turn.stop.answer and turn.stop.answer.answer is Answer.CLOSED
            assert turn.stop.evidence == "look-up"
            assert aborts(server) == []

    play(scenario)


@pytest.mark.parametrize("script", [[say("one ")], [call("look", slow=True)], []])
def test_on_a_server_with_the_route_the_abort_on_the_stream_confirms(script: list[dict[str, object]]) -> None:
    async def scenario() -> None:
        gate = Gate()
        server = FakeAdk([[*script, gate, whole("never")]], listed=True, cancel="works")
        async with chatting(server) as session:
            turn = await stopped(session, gate)
            assert turn.outcome is Outcome.CONFIRMED
            assert turn.stop and turn.stop.answer and turn.stop.answer.answer is Answer.ACKNOWLEDGED
            assert len(aborts(server)) == 1

    play(scenario)


def test_a_stop_while_the_session_is_being_made_means_that_nothing_was_sent() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with chatting(server := FakeAdk(create=gate)) as session:
            turn = await stopped(session, gate)
            assert turn.outcome is Outcome.NEVER_SENT
        assert server.bodies == []

    play(scenario)


def test_where_a_stop_waits_for_the_run_it_learns_afterwards_that_nothing_was_sent() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with chatting(server := FakeAdk(create=gate, listed=True, cancel="works")) as session:
            turn = await stopped(session, gate)
            while turn.outcome is Outcome.UNCONFIRMED:
                await asyncio.sleep(0)
            assert turn.outcome is Outcome.NEVER_SENT
        assert server.bodies == [] and aborts(server) == []

    play(scenario)


def test_a_shadowed_route_falls_back_to_the_close_within_the_same_stop() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with chatting(server := FakeAdk([[say("one "), gate]], listed=True)) as session:
            turn = await stopped(session, gate)
            assert turn.outcome is Outcome.CONFIRMED
            assert turn.stop and turn.stop.answer and "stray session" in turn.stop.answer.detail
        assert list(server.sessions) == [session.conversation.id]

    play(scenario)


@pytest.mark.parametrize(
    ("cancel", "answer"),
    [
        ("hangs", Answer.UNANSWERED),  # a blocking tool holds up the whole server
        (httpx.Response(500), Answer.REFUSED),
        (httpx.Response(403), Answer.REFUSED),
        (httpx.Response(404, json={"detail": "No active run found"}), Answer.NOTHING_RUNNING),
    ],
)
def test_a_route_that_hangs_or_fails_is_followed_by_the_close(
    cancel: str | httpx.Response, answer: Answer
) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with chatting(FakeAdk([[say("one "), gate]], listed=True, cancel=cancel)) as session:
            turn = await stopped(session, gate)
            assert turn.outcome is Outcome.CONFIRMED
            assert turn.stop and turn.stop.answer and turn.stop.answer.answer is answer

    play(scenario)


def test_a_proxy_that_swallows_the_close_leaves_the_stop_unconfirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adk_turn, "TOO_LATE_S", 0.05)

    async def scenario() -> None:
        gate = Gate()
        async with chatting(FakeAdk([[say("one "), gate, whole("one two")]], swallows_close=True)) as session:
            turn = await stopped(session, gate)
            assert turn.outcome is Outcome.UNCONFIRMED
            assert turn.transcript.reply() == "one "
            assert turn.stop and turn.stop.looked_up and "no end of this run" in turn.stop.looked_up.detail

    play(scenario)


def test_a_run_that_went_on_behind_such_a_proxy_is_not_called_finished_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adk_turn, "TOO_LATE_S", 0.01)

    async def scenario() -> None:
        gate, last = Gate(), Gate()
        script = [say("one "), gate, call("look"), last, whole("one two", "t2")]
        async with chatting(server := FakeAdk([script], swallows_close=True)) as session:
            turn = session.send("go")
            await gate.reached.wait()
            session.stop("esc")
            while sum(request.startswith("GET /apps") for request in server.requests) < 4:
                await asyncio.sleep(0.002)
            gate.open()
            last.open()
            await session.settled(turn)
            assert turn.outcome is Outcome.UNCONFIRMED
            assert turn.stop and turn.stop.looked_up and "went on" in turn.stop.looked_up.detail
            assert turn.server_text == "one two"

    play(scenario)


def test_a_run_that_ended_by_itself_as_stop_was_pressed_finished_first() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with chatting(FakeAdk([[say("one "), gate, whole("one two")]], swallows_close=True)) as session:
            turn = session.send("go")
            await gate.reached.wait()
            session.stop("esc")
            gate.open()
            await session.settled(turn)
            assert turn.outcome is Outcome.FINISHED_FIRST
            assert (turn.transcript.reply(), turn.server_text) == ("one ", "one two")

    play(scenario)


def test_a_stop_while_the_run_waits_for_an_answer_is_confirmed_as_nothing_runs() -> None:
    async def scenario() -> None:
        async with chatting(FakeAdk([[call("ask_boss", wait=True)]])) as session:
            turn = session.send("go")
            await session.settled(turn)
            assert turn.phase is Phase.WAITING
            session.stop("esc")
            await session.settled(turn)
            assert turn.outcome is Outcome.CONFIRMED
            assert turn.stop and turn.stop.looked_up and turn.stop.looked_up.end is End.UNSPECIFIED

    play(scenario)


def test_the_next_prompt_is_sent_at_once_and_keeps_its_own_end() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with chatting(FakeAdk([[say("one "), gate], [whole("two", "t2")]])) as session:
            first = await stopped(session, gate)
            second = session.send("again")
            await session.settled(second)
            assert (first.outcome, second.phase) == (Outcome.CONFIRMED, Phase.COMPLETED)
            assert second.transcript.reply() == "two"
            assert (first.run_id, second.run_id) == ("e-1", "e-2")

    play(scenario)


def test_a_run_that_someone_else_cancelled_is_said_to_be() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with chatting(server := FakeAdk([[say("one "), gate]])) as session:
            turn = session.send("go")
            await gate.reached.wait()
            server.running[session.conversation.id].set()
            await session.settled(turn)
            assert turn.phase is Phase.FAILED
            assert turn.state.end is End.CANCELLED

    play(scenario)
