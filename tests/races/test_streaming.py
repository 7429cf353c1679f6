"""Stop while the reply comes: S04 to S08."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.backends.servers import Arrived, origin, reply
from tests.fakes import Gate, ScriptedBackend, words
from tests.faults.ground import QUICK, ground
from tests.faults.oracle import clean
from tui import receipt
from tui.backends.ag_ui import AgUi
from tui.backends.base import Target
from tui.core import events as ev
from tui.core.conversation import Turn, replay
from tui.core.events import End, Record
from tui.core.turn import Outcome, Phase
from tui.session import Pressed, Session
from tui.store import Store


def test_S04_stop_mid_token_stream(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "data/conversations.db")

    async def race() -> None:
        journal = store.create("ag-ui")
        async with ground(journal=journal) as g:
            turn = await g.held("[[words gates=text:7]]")
            shown = turn.transcript.reply()
            assert shown
            await g.stopped(turn)
            assert turn.outcome is Outcome.CONFIRMED and turn.transcript.reply() == shown
            assert g.asked() == 1
        assert await journal.flush(5)
        again = replay("x", store.load(journal.conversation_id)).turns[0]
        assert (again.transcript.reply(), again.outcome) == (shown, Outcome.CONFIRMED)

    clean(race)
    store.close()


def frames(*events: dict[str, str]) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def test_S05_stop_inside_a_chunk_of_three_events_and_a_half() -> None:
    said = [
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": word}
        for word in ("one ", "two ", "three ", "four ")
    ]
    wire = frames({"type": "RUN_STARTED", "threadId": "t", "runId": "r"}, *said)
    half = wire[: wire.rindex(b"four") + 2]

    async def serve(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        writer.write(head + half)
        await writer.drain()

    async def race() -> None:
        async with origin(serve, reply(202)) as server:
            backend = AgUi(Target("ag-ui", server.url, abort_url=server.url + "/abort"))
            session = Session(backend, clocks=QUICK)

            closed: list[int] = []

            def press(turn: Turn, record: Record) -> None:
                if isinstance(record.event, ev.StreamClosed):
                    closed.append(record.event.half)
                if isinstance(record.event, ev.TextDelta) and record.event.text == "one ":
                    session.stop("esc")  # between two events of one chunk

            session.on_change = press
            turn = session.send("hi")
            await session.settled(turn)
            assert turn.transcript.reply() == "one " and turn.late.reply() == "two three "
            assert turn.stop and turn.stop.late_events == 2
            await session.close()
            assert closed == [len(half) - half.rindex(b"\n") - 1]
            await session.close()
            await backend.aclose()

    clean(race)


def test_S06_stop_during_a_tool_call() -> None:
    async def race() -> None:
        async with ground() as g:
            turn = await g.held("[[blocking gates=tool]]", "tool")
            await g.until(lambda: turn.transcript.open_tools())
            await g.stopped(turn)
            (tool,) = turn.transcript.open_tools()
            assert tool.status is None, "neither failed nor done: nobody knows"
            assert receipt.as_data(turn)["open_tools"] == ["send_letter"]
            g.open("tool")

    clean(race)


@pytest.mark.parametrize("stop_first", [True, False])
def test_S07_stop_in_the_same_loop_turn_as_the_end(stop_first: bool) -> None:
    async def once() -> None:
        gate = Gate()
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("x"), gate, ev.RunFinished(End.COMPLETED)]])
        session = Session(backend, clocks=QUICK)
        turn = session.send("go")
        await gate.reached.wait()
        pressed: list[Pressed] = []
        if stop_first:
            pressed.append(session.stop("esc"))
        else:
            session.on_change = lambda turn, record: (
                pressed.append(session.stop("esc")) if isinstance(record.event, ev.RunFinished) else None
            )
        gate.open()
        await session.settled(turn)
        expected = (Phase.STOPPED, Outcome.FINISHED_FIRST) if stop_first else (Phase.COMPLETED, None)
        assert (turn.phase, turn.outcome) == expected
        assert pressed == [Pressed.STOPPED if stop_first else Pressed.NOTHING_RUNNING]
        await session.close()

    async def race() -> None:
        for _ in range(200):
            await once()

    clean(race)


@pytest.mark.parametrize("turns_between", range(6))
def test_S08_stop_twice_within_five_loop_turns(turns_between: int) -> None:
    async def race() -> None:
        async with ground() as g:
            turn = await g.held("[[words gates=text:2]]")
            for cause in ("esc", "esc", "click", "f8"):
                g.session.stop(cause)
                for _ in range(turns_between):
                    await asyncio.sleep(0)
            await g.settle(turn)
            assert g.count(ev.StopAsked) == g.asked() == 1
            assert turn.stop and turn.stop.aborts == 1 and turn.stop.asked.cause == "esc"
            assert turn.outcome is Outcome.CONFIRMED

    clean(race)


def test_S08_the_stream_is_cancelled_once_however_long_it_takes_to_close() -> None:
    """A second cancel, one loop turn after the first, leaks its connection (encode/httpx#3782)."""

    async def race() -> None:
        told, closing = asyncio.Event(), Gate()

        class Slow(ScriptedBackend):
            async def _play(self, steps: Any) -> Any:
                try:
                    yield ev.RunStarted("r")
                    told.set()
                    await asyncio.Event().wait()
                finally:
                    await closing.wait()

        session = Session(Slow([[]]), clocks=QUICK)
        turn = session.send("go")
        await told.wait()
        session.stop("esc")
        await closing.reached.wait()
        await session.settled(turn)
        reading = session._live[1].reading
        assert turn.phase is Phase.STOPPED and reading and reading.cancelling() == 1
        closing.open()
        await session.close()

    clean(race)
