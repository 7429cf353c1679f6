"""`stopkey web` in a real browser: the page loads from this server alone, and a stop is pressed there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.web.chromium import Tab, binary, browser
from tests.web.pages import serving
from tests.web.test_seats import stored

CELL_HEIGHT = 18
"""Pixels of a row at the page's size of text."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(binary() is None, reason="no Chromium here: install Debian's package chromium"),
]


def test_a_stop_pressed_in_the_browser_ends_the_run(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as served, browser(tmp_path) as tab:
            await tab.open(served.address)
            await begin(tab)
            await tab.press("Escape")
            await tab.see("STOPPED BY YOU", "remote confirmed")
            origins = {
                urlsplit(address).netloc for address in tab.requests if not address.startswith("data:")
            }
            assert origins == {urlsplit(served.base).netloc}, "something came from elsewhere"
            assert not tab.errors
            assert "token" not in await tab.evaluate("location.href")
            assert await tab.evaluate("document.fonts.check(\"16px 'Roboto Mono'\")")
        assert stored(tmp_path) == ["confirmed"]

    asyncio.run(scenario())


def test_a_reload_comes_back_to_the_same_run_which_is_stopped_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as served, browser(tmp_path) as tab:
            await tab.open(served.address)
            await begin(tab)
            await tab.ask("Page.reload")
            await tab.until(lambda: len([a for a in tab.requests if a.startswith("ws:")]) == 2, "the reload")
            await tab.see("STREAMING", "Most clients")
            await tab.press("F8")
            await tab.see("STOPPED BY YOU", "remote confirmed")
        assert stored(tmp_path) == ["confirmed"]

    asyncio.run(scenario())


def test_an_address_in_a_reply_is_not_opened_by_the_terminal_in_the_page(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, "--no-store") as served, browser(tmp_path) as tab:
            await tab.open(served.address)
            await tab.see("IDLE")
            await tab.type("https://example.invalid/")
            await tab.see("https://example.invalid/")
            before = len(tab.requests)
            row = next(n for n, line in enumerate(tab.text.splitlines()) if "https://" in line)
            await tab.click(80, int((row + 0.5) * CELL_HEIGHT))
            # beside the terminal: the keys stay with the client
            await tab.click(80, await tab.evaluate("innerHeight - 2"))
            await tab.type("!")
            await tab.see("!")
            assert len(tab.requests) == before and await tab.tabs() == 1

    asyncio.run(scenario())


async def begin(tab: Tab) -> None:
    """A reply that streams."""
    await tab.see("IDLE", "Type a message")
    await tab.type("[[demo speed=6]] tell me about stopping")
    await tab.press("Enter")
    await tab.see("STREAMING", "Most clients")
