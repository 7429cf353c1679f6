"""What a network does to a reply, and what the person is told: through the whole client.

The bytes of each answer are judged in `tests/backends` (`test_http`, `test_stream`, `test_abort`), the disk
in `tests/store`, the embedded backend's own rules in `tests/stub`; `table.py` names them.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.ground import QUICK, WORDS, ground
from tests.faults.oracle import clean
from tests.faults.table import FAULTS
from tests.races.table import exists
from tui.backends.base import BackendError
from tui.core import events as ev
from tui.core import view
from tui.core.turn import FINAL, Outcome, Phase
from tui.session import Clocks


def test_silence_is_only_told_and_never_ends_a_run() -> None:
    """An hour of it, by the client's clock: the bar says quiet, the stream stays open, the run goes on."""

    async def fault() -> None:
        ahead = [0.0]
        loop = asyncio.get_running_loop()
        async with ground(mono=lambda: loop.time() + ahead[0]) as g:
            turn = await g.held("[[words gates=text:5]]")
            assert "quiet" not in view.detail(turn, g.session.mono())
            ahead[0] = 3600.0
            assert "quiet 3600s" in view.detail(turn, g.session.mono())
            assert turn.phase is Phase.STREAMING and g.count(ev.StreamBroke) == 0
            g.open()
            await g.settle(turn)
            assert turn.phase is Phase.COMPLETED and turn.transcript.reply() == WORDS

    clean(fault)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_reply_in_slices_is_the_same_reply(size: int) -> None:
    async def fault() -> None:
        async with ground() as g:
            g.proxy.down.slice = size
            turn = await g.settle(g.session.send("[[short]]"))
            assert turn.phase is Phase.COMPLETED
            assert turn.transcript.reply() == g.run.summary()["text"]

    clean(fault)


def test_a_reply_that_drips_is_the_same_reply_and_can_be_stopped() -> None:
    async def fault() -> None:
        async with ground() as g:
            g.proxy.down.slice, g.proxy.down.drip = 40, 0.001
            turn = await g.held("[[words gates=text:5]]")
            shown = turn.transcript.reply()
            await g.stopped(turn)
            assert turn.outcome is Outcome.CONFIRMED and turn.transcript.reply() == shown

    clean(fault)


def test_latency_delays_the_end_and_nothing_that_a_person_does() -> None:
    async def fault() -> None:
        async with ground(Clocks(abort=5, grace=2, pending=2, look_up=0, poll=0.01)) as g:
            g.proxy.down.latency = 0.05
            turn = await g.held("[[words gates=text:5]]")
            g.session.stop("esc")
            assert turn.phase is Phase.ASKING
            await g.settle(turn)
            assert turn.outcome is Outcome.CONFIRMED

    clean(fault)


@pytest.mark.parametrize("how", ["cut", "reset"])
@pytest.mark.parametrize("after", [0, 20, 400, 700, 1500, 3000])
def test_wherever_the_connection_ends_nothing_is_lost_twice_or_made_up(how: str, after: int) -> None:
    """Even in the middle of the headers: the prompt is not posted again, and the end is not claimed."""

    async def fault() -> None:
        async with ground() as g:
            setattr(g.proxy.down, f"{how}_after", after)
            turn = g.session.send("[[words]]")
            await g.until(lambda: turn.phase is Phase.LOST or turn.phase in FINAL)
            g.proxy.down.cut_after = g.proxy.down.reset_after = None
            await g.until(lambda: turn.phase in FINAL or (turn.phase is Phase.LOST and not turn.reattaching))
            assert len(g.stub.engine.runs) == 1 and g.count(ev.Prompted) == 1
            assert WORDS.startswith(turn.transcript.reply())
            assert turn.phase is not Phase.COMPLETED or turn.transcript.reply() == WORDS

    clean(fault)


@pytest.mark.parametrize("place", range(250, 2650, 60))
def test_a_flipped_bit_never_ends_a_run_that_did_not_end_or_breaks_the_client(place: int) -> None:
    async def fault() -> None:
        async with ground(plain=True) as g:
            g.proxy.down.flip_at = place
            turn = g.session.send("[[words gates=end]]")
            assert await g.stub.engine.gates.reached("end")
            g.proxy.cut()
            await g.until(lambda: turn.phase is not Phase.SENDING and turn.phase is not Phase.STREAMING)
            assert turn.phase in (Phase.LOST, Phase.FAILED) and turn.problem.isprintable()
            assert turn.phase is Phase.LOST or turn.events == 0, "failed: its answer could not be read at all"
            g.open("end")

    clean(fault)


@pytest.mark.parametrize(("status", "words"), [(401, "token"), (403, "does not allow")])
def test_a_prompt_that_is_not_allowed_fails_with_what_to_do_and_is_not_sent_again(
    status: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fault() -> None:
        async with ground() as g:
            if status == 401:
                g.backend._http._credentials.headers = [("Authorization", "Bearer canary-wrong")]
            else:
                monkeypatch.setattr(g.backend._http, "_merged", _as_a_web_page(g.backend._http._merged))
            turn = await g.settle(g.session.send("[[short]]"))
            assert turn.phase is Phase.FAILED and words in turn.problem and "canary" not in turn.problem
            assert not g.stub.engine.runs and g.proxy.accepted <= 2

    clean(fault)


def _as_a_web_page(merged):  # type: ignore[no-untyped-def]
    def foreign(url, headers):  # type: ignore[no-untyped-def]
        found = merged(url, headers)
        found["Origin"] = "https://evil.example"
        return found

    return foreign


def test_a_server_that_is_restarted_is_found_again() -> None:
    """Connections die while idle; the next prompt goes out on a new one, once."""

    async def fault() -> None:
        async with ground() as g:
            await g.settle(g.session.send("[[short]]"))
            g.proxy.cut(reset=True)
            turn = await g.settle(g.session.send("[[short]]"))
            assert turn.phase is Phase.COMPLETED and len(g.stub.engine.runs) == 2

    clean(fault)


def test_a_look_up_into_a_black_hole_is_given_up() -> None:
    async def fault() -> None:
        async with ground(QUICK, plain=False) as g:
            turn = await g.held("[[words gates=text:5]]")
            g.proxy.black_hole()
            with pytest.raises((BackendError, TimeoutError)):
                async with asyncio.timeout(0.2):
                    await g.backend.status(g.session._live[1].ref)
            assert turn.phase is Phase.STREAMING

    clean(fault)


def test_every_fault_of_the_table_has_a_test_that_exists() -> None:
    assert [test for tests in FAULTS.values() for test in tests if not exists(test)] == []
    assert all(FAULTS.values())
