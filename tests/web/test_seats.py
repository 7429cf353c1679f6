"""The client behind a page: streams and stops there, outlives a reload, is hung up when nobody comes back."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from tests.e2e.terminal import environment
from tests.web.pages import LIMIT_S, browsing, open_page, page, serving
from tui.store import Store


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def stored(home: Path) -> list[str]:
    """How the conversations ended, as another client sees them."""
    store = Store.open(home / "data" / "stopkey" / "conversations.db")
    try:
        return [row.outcome for row in store.list(10)]
    finally:
        store.close()


async def ended(home: Path) -> list[str]:
    """The client ends by itself, in its own time."""
    async with asyncio.timeout(LIMIT_S):
        while not any(stored(home)):
            await asyncio.sleep(0.05)
    return stored(home)


async def begin(shown: Any) -> None:
    """A reply that streams."""
    await shown.see("IDLE", "Type a message")
    await shown.type("[[demo speed=6]] tell me about stopping\r")
    await shown.see("STREAMING", "Most clients")


def test_a_reply_is_streamed_and_stopped_on_a_page(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as served, browsing(served) as session:
            async with page(session, served) as shown:
                await begin(shown)
                await shown.press("esc")
                await shown.see("STOPPED BY YOU", "remote confirmed")
            assert await served.end() == 0
        assert stored(tmp_path) == ["confirmed"]

    run(scenario())


def test_after_a_reload_the_same_client_is_drawn_anew_and_its_run_has_gone_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as served, browsing(served) as session:
            async with page(session, served) as shown:
                await begin(shown)
            async with page(session, served, columns=100, rows=30) as shown:
                await shown.see("STREAMING", "Most clients", "STOP  Esc")
                await shown.press("f8")
                await shown.see("STOPPED BY YOU", "remote confirmed")
        assert stored(tmp_path) == ["confirmed"]

    run(scenario())


def test_a_second_page_takes_the_client_over_and_the_first_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_page(tmp_path) as (served, session, first):
            await first.see("IDLE")
            async with page(session, served) as second:
                assert await first.closed() == 4001
                await second.see("IDLE")

    run(scenario())


def test_two_seats_are_two_clients_and_a_stop_in_one_leaves_the_other_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            open_page(tmp_path, "--no-store") as (served, session, one),
            page(session, served, "another-seat") as two,
        ):
            await begin(one)
            await begin(two)
            await one.press("esc")
            await one.see("STOPPED BY YOU")
            await two.type("still here")
            await two.see("STREAMING", "still here")
            assert "STOPPED" not in two.text

    run(scenario())


def test_a_client_whose_page_does_not_come_back_is_hung_up_its_run_stopped_and_all_of_it_kept(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, "--keep", "0") as served, browsing(served) as session:
            async with page(session, served) as shown:
                await begin(shown)
            assert await ended(tmp_path) == ["confirmed"]

    run(scenario())


def test_ctrl_c_ends_the_server_stops_what_runs_and_leaves_no_client_behind(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_page(tmp_path) as (served, _, shown):
            await begin(shown)
            assert await asyncio.gather(served.end(), shown.closed()) == [0, 1000]
        assert stored(tmp_path) == ["confirmed"]

    run(scenario())


def test_a_server_that_is_killed_takes_its_clients_along_and_they_keep_everything(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_page(tmp_path) as (served, _, shown):
            await begin(shown)
            served.process.send_signal(signal.SIGKILL)
            await served.process.wait()
        assert await ended(tmp_path) == ["confirmed"]

    run(scenario())


def test_quitting_in_the_page_says_so_with_a_code_of_its_own(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as served, browsing(served) as session:
            async with page(session, served) as shown:
                await shown.see("IDLE")
                await shown.type("\x11")
                assert await shown.closed() == 1000
            async with page(session, served) as shown:  # and the seat is free for a new client
                await shown.see("IDLE")

    run(scenario())


def test_nonsense_from_the_page_ends_the_page_and_not_the_client(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as served, browsing(served) as session:
            for nonsense in ("{", "[]", '["stdin"]', '["resize", 3]', "3"):
                async with page(session, served) as shown:
                    await shown.see("IDLE")
                    await shown.type("x")
                    await shown.socket.send_str(nonsense)
                    assert await shown.closed() == 1008
            await session.ws_connect(f"{served.base}/ws/test-seat?width=99999999999&height=-1")
            async with page(session, served) as shown:
                await shown.see("x" * 5)

    run(scenario())


def test_a_page_that_is_one_too_many_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as served, browsing(served) as session:
            for odd in ("short", "with%20space-space", "a" * 65):
                answer = await session.get(f"{served.base}/ws/{odd}")
                assert answer.status == 404

    run(scenario())


def test_a_mistake_in_the_words_is_told_in_the_terminal_and_not_in_a_browser(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tui", "web", "--bakend", "flue"],
        env=environment(tmp_path, {}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 2 and "--bakend" in told.stderr and told.stdout == ""
