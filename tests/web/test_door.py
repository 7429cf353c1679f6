"""The door of the web client: what is refused, and that nothing on the page comes from elsewhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from tui.web.door import Door
from tui.web.server import FILES, WebClient

Work = Callable[[TestClient, Door], Coroutine[Any, Any, None]]


def through(work: Work) -> None:
    """Run `work` against a server that has not let anyone in."""

    async def scenario() -> None:
        door = Door()
        served = WebClient(["false"], {}, door)
        jar = aiohttp.CookieJar(unsafe=True)
        async with TestClient(TestServer(served.app()), cookie_jar=jar) as client:
            await work(client, door)

    asyncio.run(scenario())


async def opened(client: TestClient, door: Door) -> None:
    answer = await client.get(f"/?token={door.token}")
    assert answer.status == 200 and "token" not in str(answer.url)


ROUTES = ["/", "/alive", "/files/textual.js", "/ws/a-seat-name", "/nowhere"]


@pytest.mark.parametrize("route", ROUTES)
def test_without_the_token_nothing_is_served(route: str) -> None:
    async def work(client: TestClient, door: Door) -> None:
        for headers in ({}, {"Cookie": "stopkey=x"}, {"Authorization": f"Bearer {door.token}"}):
            assert (await client.get(route, headers=headers)).status == 403

    through(work)


@pytest.mark.parametrize("token", ["", "wrong", "é", "x" * 10_000])
def test_a_wrong_token_sets_no_cookie(token: str) -> None:
    async def work(client: TestClient, door: Door) -> None:
        answer = await client.get("/", params={"token": token})
        assert answer.status in (400, 403) and "Set-Cookie" not in answer.headers
        assert (await client.get("/")).status == 403

    through(work)


def test_the_token_is_in_no_address_and_no_script_afterwards() -> None:
    async def work(client: TestClient, door: Door) -> None:
        answer = await client.get(f"/?token={door.token}", allow_redirects=False)
        cookie = answer.headers["Set-Cookie"]
        assert answer.headers["Location"] == "/" and "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert (port := str(client.port)) in cookie.partition("=")[0], (
            f"not told from another port than {port}"
        )
        assert door.token not in await (await client.get("/")).text()

    through(work)


HOSTS = ["evil.example", "127.0.0.1.evil.example", "localhost.", "127.0.0.1:80@evil", "", "[::1", "0x7f.1"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_name_that_was_bent_to_this_machine_is_refused_even_with_the_token(host: str) -> None:
    async def work(client: TestClient, door: Door) -> None:
        await opened(client, door)
        for route in ("/", f"/?token={door.token}"):
            assert (await client.get(route, headers={"Host": host})).status in (400, 403)

    through(work)


ORIGINS = ["null", "http://evil.example", "https://127.0.0.1", "http://127.0.0.1:1", "file://"]


@pytest.mark.parametrize("origin", ORIGINS)
def test_another_page_gets_nothing_although_the_browser_sends_the_cookie_along(origin: str) -> None:
    async def work(client: TestClient, door: Door) -> None:
        await opened(client, door)
        assert (await client.get("/alive", headers={"Origin": origin})).status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await client.ws_connect("/ws/a-seat-name", headers={"Origin": origin})

    through(work)


def test_a_web_socket_that_names_no_origin_is_refused() -> None:
    async def work(client: TestClient, door: Door) -> None:
        await opened(client, door)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await client.ws_connect("/ws/a-seat-name")

    through(work)


@pytest.mark.parametrize("seat", ["short", "with space-space", "a" * 65, "..%2f..%2fetc", "umläut-seat"])
def test_an_odd_name_of_a_seat_is_no_seat(seat: str) -> None:
    async def work(client: TestClient, door: Door) -> None:
        await opened(client, door)
        assert (await client.get(f"/ws/{seat}")).status == 404

    through(work)


@pytest.mark.parametrize("name", ["../door.py", "..%2fdoor.py", "page.html", "", "%2e%2e/door.py"])
def test_only_the_files_of_the_page_are_served(name: str) -> None:
    async def work(client: TestClient, door: Door) -> None:
        await opened(client, door)
        assert (await client.get(f"/files/{name}")).status == 404

    through(work)


def test_all_that_the_page_names_is_there_and_nothing_comes_from_elsewhere() -> None:
    async def work(client: TestClient, door: Door) -> None:
        await opened(client, door)
        page = await client.get("/")
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "http" not in policy and "unsafe-eval" not in policy
        named = set(re.findall(r"/files/([\w.-]+)", await page.text()))
        for name in FILES:
            answer = await client.get(f"/files/{name}")
            text = await answer.text(errors="replace")
            assert answer.status == 200 and answer.headers["X-Content-Type-Options"] == "nosniff"
            if name.endswith(".css"):
                named |= set(re.findall(r"/files/([\w.-]+)", text))
                assert not re.search(r"url\([\"']?(https?:)?//", text)
        assert named == set(FILES)
        assert not re.search(r"(src|href)=\"(https?:)?//", await page.text())

    through(work)
