"""Who gets in: the rules of a server on loopback, each as a test."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import Any

import httpx
import pytest
from starlette.routing import Route, Router, WebSocketRoute
from starlette.websockets import WebSocket

from backend_stub.app import create_app
from backend_stub.engine import Engine
from backend_stub.guard import BODY_LIMIT, Guard
from backend_stub.protocol import TimedProtocol
from tests.stub.serving import Stub, go, run_input, stub

GOOD = "authorization: Bearer test-token\r\n"


async def raw(served: Stub, head: str, body: bytes = b"") -> bytes:
    """What a hand-written request is answered, until the connection closes or the answer is whole."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        writer.write(head.replace("\n", "\r\n").replace("\r\r", "\r").encode("latin-1") + body)
        await writer.drain()
        async with asyncio.timeout(5):
            return await reader.read(65536)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def every_route() -> list[tuple[str, str]]:
    guard = create_app(Engine(), "t")
    assert isinstance(guard, Guard)
    router = guard._app
    assert isinstance(router, Router)
    return [
        (method, re.sub(r"{[^}]*}", "x", route.path))
        for route in router.routes
        if isinstance(route, Route)
        for method in sorted(route.methods or ())
    ]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("authorization", "Bearer wrong")],
        [("authorization", "Bearer test-toke")],
        [("authorization", "Basic test-token")],
        [("authorization", "test-token")],
        [("authorization", "Bearer")],
        [("authorization", "Bearer test-token"), ("authorization", "Bearer test-token")],
    ],
)
def test_every_route_wants_the_token(headers: list[tuple[str, str]]) -> None:
    async def scenario() -> None:
        async with (
            stub() as s,
            httpx.AsyncClient(base_url=s.running.url, trust_env=False, verify=False) as stranger,
        ):
            for method, path in [*every_route(), ("GET", "/no/such/route")]:
                answer = await stranger.request(method, path, headers=headers)
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"] == "Bearer"

    assert len(every_route()) > 10
    go(scenario())


def test_a_token_that_is_not_ascii_is_refused_and_not_a_crash() -> None:
    async def scenario() -> None:
        async with stub() as s:
            answer = await raw(
                s, f"GET /health HTTP/1.1\nhost: 127.0.0.1:{s.port}\nauthorization: Bearer t\xe9st\n\n"
            )
            assert status(answer) == 401

    go(scenario())


def test_a_token_in_the_query_opens_nothing() -> None:
    async def scenario() -> None:
        async with (
            stub() as s,
            httpx.AsyncClient(base_url=s.running.url, trust_env=False, verify=False) as stranger,
        ):
            assert (await stranger.get("/health?token=test-token")).status_code == 401
            assert (await stranger.get("/health?authorization=Bearer%20test-token")).status_code == 401

    go(scenario())


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:{port}", 200),
        ("127.0.0.1", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST", 200),
        ("[::1]:{port}", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("127.0.0.1:80@evil.example", 403),
        ("localhost.", 403),
        ("localhost:80:80", 403),
        ("[::1", 403),
        ("", 403),
        ("0.0.0.0", 403),
    ],
)
def test_only_this_machines_names_are_answered_to(host: str, expected: int) -> None:
    async def scenario() -> None:
        async with stub() as s:
            name = host.format(port=s.port)
            answer = await raw(s, f"GET /health HTTP/1.1\nhost: {name}\n{GOOD}\n")
            assert status(answer) == expected

    go(scenario())


@pytest.mark.parametrize("hosts", ["", "host: 127.0.0.1\nhost: 127.0.0.1\n", "host: a\nhost: 127.0.0.1\n"])
def test_no_host_and_two_hosts_are_bad_requests(hosts: str) -> None:
    async def scenario() -> None:
        async with stub() as s:
            assert status(await raw(s, f"GET /health HTTP/1.1\n{hosts}{GOOD}\n")) == 400

    go(scenario())


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1", ""])
def test_requests_of_web_pages_are_refused_even_with_the_token(origin: str) -> None:
    async def scenario() -> None:
        async with stub() as s:
            answer = await s.http.post("/runs/r1/abort", json={}, headers={"origin": origin})
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "origin_refused"

    go(scenario())


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
def test_a_body_must_say_that_it_is_json(kind: str | None) -> None:
    async def scenario() -> None:
        async with stub() as s:
            headers = {"content-type": kind} if kind else {}
            for path in ("/agents/demo", "/runs/r1/abort"):
                answer = await s.http.post(path, content=b'{"a": 1}', headers=headers)
                assert answer.status_code == 415

    go(scenario())


def test_an_abort_without_a_body_needs_no_content_type() -> None:
    async def scenario() -> None:
        async with stub() as s:
            assert (await s.http.post("/runs/nobody/abort")).status_code == 404

    go(scenario())


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_larger_than_a_mebibyte_is_refused_and_not_kept(chunked: bool) -> None:
    async def scenario() -> None:
        async def pieces() -> Any:
            for _ in range(9 * BODY_LIMIT // 65536):
                yield b" " * 65536

        async with stub() as s:
            content = pieces() if chunked else b" " * (9 * BODY_LIMIT)
            headers = {"content-type": "application/json"}
            answer = await s.http.post("/agents/demo", content=content, headers=headers)
            assert answer.status_code == 413
            assert (await s.http.get("/health")).status_code == 200

    go(scenario())


def test_a_body_of_just_a_mebibyte_is_read() -> None:
    async def scenario() -> None:
        async with stub() as s:
            body = run_input("[[error-at-once]]" + "x" * (BODY_LIMIT - 400))
            answer = await s.http.post("/agents/demo", json=body)
            assert answer.status_code == 200

    go(scenario())


def test_an_endless_body_is_cut_off() -> None:
    async def scenario() -> None:
        async with stub() as s:
            reader, writer = await asyncio.open_connection("127.0.0.1", s.port)
            head = (
                f"POST /agents/demo HTTP/1.1\r\nhost: 127.0.0.1\r\n{GOOD}content-type: application/json\r\n"
            )
            writer.write(f"{head}content-length: 1000000000\r\n\r\n".encode())
            sent = 0
            try:
                while sent < 200 * BODY_LIMIT:
                    writer.write(b" " * BODY_LIMIT)
                    await writer.drain()
                    sent += BODY_LIMIT
            except ConnectionError:
                pass
            writer.close()
            assert sent < 100 * BODY_LIMIT
            assert reader is not None

    go(scenario())


@pytest.mark.parametrize("size", [20_000, 8_000_000])
def test_headers_larger_than_16_kib_are_refused(size: int) -> None:
    async def scenario() -> None:
        async with stub() as s:
            head = f"GET /health HTTP/1.1\nhost: 127.0.0.1\n{GOOD}x: "
            answer = await raw(s, head, b"y" * size)
            assert status(answer) in (400, 0)  # 0: it closed on us while we were still sending
            assert (await s.http.get("/health")).status_code == 200

    go(scenario())


class HastyProtocol(TimedProtocol):
    request_s = 0.15


@pytest.mark.parametrize(
    ("name", "first", "drip"),
    [
        ("silent", b"", b""),
        ("slow headers", b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n", b"x: y\r\n"),
        (
            "slow body",
            b"POST /agents/demo HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer test-token\r\n"
            b"content-type: application/json\r\ncontent-length: 1000\r\n\r\n",
            b" ",
        ),
    ],
)
def test_a_request_that_never_becomes_whole_is_closed(name: str, first: bytes, drip: bytes) -> None:
    async def scenario() -> None:
        async with stub(protocol=HastyProtocol) as s:
            reader, writer = await asyncio.open_connection("127.0.0.1", s.port)
            writer.write(first)

            async def dripping() -> None:
                while drip:
                    writer.write(drip)
                    await asyncio.sleep(0.02)

            task = asyncio.create_task(dripping())
            answer = b""
            with contextlib.suppress(ConnectionResetError):  # it closed on us while we were still sending
                async with asyncio.timeout(3):
                    answer = await reader.read()
            task.cancel()
            writer.close()
            assert status(answer) in ((408, 0) if drip else (408,))

    go(scenario())


def test_a_second_request_on_a_connection_is_timed_as_the_first() -> None:
    async def scenario() -> None:
        async with stub(protocol=HastyProtocol) as s:
            reader, writer = await asyncio.open_connection("127.0.0.1", s.port)
            head = f"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n{GOOD}\r\n".encode()
            writer.write(head)
            assert b"200 OK" in await reader.readuntil(b"}")
            await asyncio.sleep(0.3)  # longer than a request may take: an idle connection is none
            writer.write(head)
            assert b"200 OK" in await reader.readuntil(b"}")
            writer.write(head[:20])
            async with asyncio.timeout(3):
                assert status(await reader.read()) == 408
            writer.close()

    go(scenario())


def test_a_long_stream_is_not_timed() -> None:
    async def scenario() -> None:
        async with stub(protocol=HastyProtocol) as s, s.prompt("[[words gates=text]]") as stream:
            await stream.until("TEXT_MESSAGE_CONTENT")
            await asyncio.sleep(0.3)
            s.engine.gates.open("text")
            assert (await stream.until("RUN_FINISHED"))["outcome"] == {"type": "success"}

    go(scenario())


def test_more_connections_than_allowed_are_told_503() -> None:
    async def scenario() -> None:
        async with stub(connections=4) as s:
            assert (await s.http.get("/health")).status_code == 200
            others = [await asyncio.open_connection("127.0.0.1", s.port) for _ in range(6)]
            assert status(await raw(s, f"GET /health HTTP/1.1\nhost: 127.0.0.1\n{GOOD}\n")) == 503
            for _, writer in others:
                writer.close()
            for _, writer in others:
                await writer.wait_closed()
            answer = 503
            while answer == 503:
                answer = status(await raw(s, f"GET /health HTTP/1.1\nhost: 127.0.0.1\n{GOOD}\n"))
            assert answer == 200

    go(scenario())


def test_a_path_that_climbs_is_no_route() -> None:
    async def scenario() -> None:
        async with stub() as s:
            for path in ("/runs/../audit", "/runs/%2e%2e/audit", "/runs/r%2F..%2Fabort", "//audit"):
                answer = await raw(s, f"GET {path} HTTP/1.1\nhost: 127.0.0.1\n{GOOD}connection: close\n\n")
                assert status(answer) == 404, path

    go(scenario())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (GOOD, 101),
        ("", 403),
        ("authorization: Bearer wrong\r\n", 403),
        (GOOD + "origin: http://evil.example\r\n", 403),
        (GOOD.replace("test", "t\xe9st"), 403),
    ],
)
def test_a_websocket_is_guarded_like_every_other_route(headers: str, expected: int) -> None:
    async def scenario() -> None:
        async def echo(socket: WebSocket) -> None:
            await socket.accept()
            await socket.close()

        async with stub() as s:
            guard = s.running.server.config.app
            assert isinstance(guard, Guard)
            assert isinstance(guard._app, Router)
            guard._app.routes.append(WebSocketRoute("/echo", echo))
            upgrade = "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
            key = "sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
            for path, wanted in (("/echo", expected), ("/nowhere", 403)):
                head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}{upgrade}{key}\r\n"
                assert status(await raw(s, head)) == wanted

    go(scenario())


def test_a_half_closed_connection_counts_as_a_client_that_went_away() -> None:
    async def scenario() -> None:
        async with stub() as s:
            body = json.dumps(run_input("[[words gates=text disconnect=stops]]")).encode()
            _, writer = await asyncio.open_connection("127.0.0.1", s.port)
            head = (
                f"POST /agents/demo HTTP/1.1\r\nhost: 127.0.0.1\r\n{GOOD}content-type: application/json\r\n"
            )
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            assert await s.engine.gates.reached("text", "r1")
            writer.write_eof()
            await s.engine.runs["r1"].over.wait()
            assert s.engine.runs["r1"].token.by == "disconnect"
            writer.close()

    go(scenario())
