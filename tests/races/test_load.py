"""Stop under load: S36 and S37."""

from __future__ import annotations

import asyncio
import json
import ssl
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.faults.ground import QUICK, ground
from tests.faults.oracle import clean
from tui.backends.ag_ui import AgUi
from tui.backends.base import Target
from tui.backends.http import Http
from tui.core import events as ev
from tui.core.turn import Outcome
from tui.session import Session


def _event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


START = _event(type="RUN_STARTED", threadId="t", runId="r") + _event(
    type="TEXT_MESSAGE_START", messageId="m", role="assistant"
)
FLOOD = _event(type="TEXT_MESSAGE_CONTENT", messageId="m", delta="word ") * 500
HUGE = _event(type="TEXT_MESSAGE_CONTENT", messageId="m", delta="x" * 10_000_000)


@contextmanager
def blasting(body: bytes) -> Iterator[str]:
    """A server in a thread of its own that says this again and again, as fast as it is read."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(200)
            if "abort" in self.path:
                self.end_headers()
                return
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            try:
                self.wfile.write(START)
                while True:
                    self.wfile.write(body)
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


async def lags(presses: int, pause: float) -> list[float]:
    """How long a key that another thread hands over waits for the loop, in seconds."""
    loop, found, done = asyncio.get_running_loop(), [], asyncio.Event()

    def press(at: float) -> None:
        found.append(time.monotonic() - at)
        if len(found) == presses:
            done.set()

    def presser() -> None:
        for _ in range(presses):
            loop.call_soon_threadsafe(press, time.monotonic())
            time.sleep(pause)

    thread = threading.Thread(target=presser)
    thread.start()
    await done.wait()
    thread.join()
    return found


@pytest.mark.parametrize("body", [FLOOD, HUGE], ids=["50,000 events a second", "events of 10 MB"])
def test_S36_stop_in_a_flood(body: bytes) -> None:
    async def race() -> None:
        with blasting(body) as url:
            backend = AgUi(Target("ag-ui", url, abort_url=url + "/abort"))
            begun = asyncio.Event()
            session = Session(backend, clocks=QUICK, on_change=lambda turn, record: begun.set())
            turn = session.send("go")
            await begun.wait()
            waited = await lags(20, 0.02)
            session.stop("esc")
            shown = turn.transcript.chars
            await session.settled(turn)
            assert statistics.quantiles(waited, n=20)[-1] < 0.1, [f"{one * 1000:.0f}" for one in waited]
            assert turn.transcript.chars == shown
            await session.close()
            await backend.aclose()

    clean(race)


def test_S37_stop_while_the_pool_is_exhausted_by_streams() -> None:
    def one_connection(target: Target) -> Http:
        def make(*given: object) -> httpx.AsyncBaseTransport:
            context = next(one for one in given if isinstance(one, ssl.SSLContext))
            return httpx.AsyncHTTPTransport(verify=context, limits=httpx.Limits(max_connections=1))

        return Http(target, make_transport=make)

    async def race() -> None:
        async with ground(http=one_connection) as g:
            turn = await g.held("[[words gates=text:5]]")
            blocked = asyncio.create_task(anext(g.backend.resume(g.session._live[1].ref)))
            await asyncio.sleep(0)
            await g.stopped(turn)
            assert turn.outcome is Outcome.CONFIRMED and g.asked() == 1
            blocked.cancel()
            await asyncio.wait([blocked])
            assert not any(isinstance(r.event, ev.AbortAnswered) and r.event.ms > 1000 for r in g.records)

    clean(race)
