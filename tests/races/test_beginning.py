"""Stop before anything was seen of the run: S01 to S03."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.ground import QUICK, ground
from tests.faults.oracle import clean
from tui.backends.ag_ui import AgUi
from tui.backends.base import Target
from tui.core import events as ev
from tui.core.turn import Outcome, Phase
from tui.session import Clocks, Session


@contextmanager
def silent_port() -> Iterator[str]:
    """Where a connection is neither taken nor refused: the listener's queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
            waiting.append(one)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for one in waiting:
                one.close()


def test_S01_stop_while_connecting() -> None:
    async def race() -> None:
        with silent_port() as url:
            backend = AgUi(Target("ag-ui", url + "/agents/demo", abort_url=url + "/abort/{run_id}"))
            kept: list[ev.Record] = []
            session = Session(backend, clocks=QUICK, on_change=lambda turn, record: kept.append(record))
            turn = session.send("hi")
            await asyncio.sleep(0.02)  # nothing tells when the first packet has left
            session.stop("esc")
            await session.settled(turn)
            await session.close()
            assert turn.outcome is Outcome.NEVER_SENT
            assert not any(isinstance(r.event, ev.Requested) and r.event.purpose == "abort" for r in kept)
            assert turn.stop and turn.stop.asked.shown == 0
            await backend.aclose()

    clean(race)


def test_S02_stop_after_the_request_and_before_the_headers() -> None:
    async def race() -> None:
        async with ground(Clocks(pending=5, grace=0.2, look_up=0, poll=0.01)) as g:
            turn = await g.held("[[words gates=headers,text:2]]", "headers")
            g.session.stop("esc")
            assert turn.phase is Phase.STOP_PENDING and g.asked() == 0
            g.open("headers")
            await g.settle(turn)
            assert turn.outcome is Outcome.CONFIRMED and g.asked() == 1
            assert turn.transcript.reply() == ""

    clean(race)


def test_S02_stop_before_headers_that_never_come() -> None:
    async def race() -> None:
        async with ground() as g:
            turn = await g.held("[[words gates=headers,text:2]]", "headers")
            await g.stopped(turn)
            assert turn.outcome is Outcome.UNCONFIRMED and g.asked() == 0
            assert not g.run.phase.over, "the run may start: nothing else may be claimed"
            g.open("headers")

    clean(race)


def test_S03_stop_after_the_headers_and_before_the_run_is_known() -> None:
    async def race() -> None:
        async with ground(Clocks(pending=5, grace=0.2, look_up=0, poll=0.01)) as g:
            g.proxy.down.hold_behind = b"\r\n\r\n"
            turn = g.session.send("[[words gates=text:2]]")
            await g.proxy.held.wait()
            g.session.stop("esc")
            assert turn.phase is Phase.STOP_PENDING and g.asked() == 0
            g.proxy.let_go()
            await g.settle(turn)
            assert turn.outcome is Outcome.CONFIRMED and g.asked() == 1

    clean(race)


def test_S03_stop_before_the_run_is_known_and_the_stream_ends_first() -> None:
    async def race() -> None:
        async with ground(Clocks(pending=5, grace=0.2, look_up=0, poll=0.01)) as g:
            g.proxy.down.hold_behind = b"\r\n\r\n"
            turn = g.session.send("[[words gates=text:2]]")
            await g.proxy.held.wait()
            g.session.stop("esc")
            g.proxy.cut()
            await g.settle(turn)
            assert turn.outcome is Outcome.UNCONFIRMED and g.asked() == 0

    clean(race)
