"""The embedded backend's own WebSocket: frames by the RFC's examples, and a server driven over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from backend_stub.websocket import WebSocketProtocol
from backend_stub.websocket_frames import Op, Reader, Violation, accept_key, close_frame, frame
from tests.stub.websocket_client import MASK, Refused, WebSocketClient


def test_the_accept_key_is_the_one_of_the_rfc() -> None:
    assert accept_key(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_the_frames_of_the_rfc_are_read_and_written() -> None:
    assert list(Reader().feed(bytes.fromhex("818537fa213d7f9f4d5158"))) == [(Op.TEXT, b"Hello")]
    assert frame(Op.TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")
    assert frame(Op.TEXT, b"Hello", bytes.fromhex("37fa213d")) == bytes.fromhex("818537fa213d7f9f4d5158")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 100_000])
def test_a_frame_of_any_length_cut_at_any_byte_is_read_whole(size: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    wire = frame(Op.BINARY, payload[:size], MASK)
    reader = Reader()
    pieces = [wire[:1], wire[1:2], wire[2:5], wire[5:20], wire[20:]]
    assert [m for piece in pieces for m in reader.feed(piece)] == [(Op.BINARY, payload[:size])]


def test_fragments_are_put_together_around_a_ping() -> None:
    first = bytes([0x01, 0x83]) + MASK + bytes(a ^ b for a, b in zip(b"Hel", MASK, strict=False))
    last = bytes([0x80, 0x82]) + MASK + bytes(a ^ b for a, b in zip(b"lo", MASK, strict=False))
    assert list(Reader().feed(first + frame(Op.PING, b"?", MASK) + last)) == [
        (Op.PING, b"?"),
        (Op.TEXT, b"Hello"),
    ]


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (frame(Op.TEXT, b"no mask"), 1002),
        (bytes([0xC1, 0x80]) + MASK, 1002),  # an extension bit
        (bytes([0x83, 0x80]) + MASK, 1002),  # an unknown opcode
        (bytes([0x09, 0x80]) + MASK, 1002),  # a ping in pieces
        (bytes([0x80, 0x80]) + MASK, 1002),  # a continuation of nothing
        (bytes([0x89, 0xFE, 0, 200]) + MASK, 1002),  # a ping too long
        (bytes([0x82, 0xFF, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF]) + MASK, 1009),
    ],
)
def test_a_client_that_breaks_the_protocol_is_told_how(wire: bytes, code: int) -> None:
    with pytest.raises(Violation) as violation:
        list(Reader().feed(wire))
    assert violation.value.code == code


# --- the server ---

App = Callable[[Any, Any, Any], Awaitable[None]]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Says back what it hears; "bye" closes, "crash" raises; a path of /no is refused."""
    if scope["type"] != "websocket":
        return
    await receive()
    if scope["path"] == "/no":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "bye":
            await send({"type": "websocket.close", "code": 1000})
            return
        if message.get("text") == "crash":
            raise ValueError("as asked")
        await send({"type": "websocket.send", "text": message.get("text") or message["bytes"].decode()})


@asynccontextmanager
async def serving(app: App) -> AsyncGenerator[int, None]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, ws=WebSocketProtocol, http="h11", log_level="critical", lifespan="off"
    )
    server = uvicorn.Server(config)
    server.capture_signals = _no_signals  # type: ignore[assignment]
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def _no_signals() -> Any:
    from contextlib import nullcontext

    return nullcontext()


def test_a_conversation_over_the_socket_ends_with_the_close_of_whoever_says_it() -> None:
    async def scenario() -> None:
        async with serving(echo) as port:
            client = await WebSocketClient.open(port, "/chat")
            client.send(Op.TEXT, "grüße".encode())
            assert await client.receive() == (Op.TEXT, "grüße".encode())
            client.send(Op.PING, b"alive?")
            assert await client.receive() == (Op.PONG, b"alive?")
            client.send(Op.TEXT, b"bye")
            await client.receive()
            assert client.closed == 1000
            client.close()

    asyncio.run(scenario())


def test_an_application_that_crashes_closes_with_1011() -> None:
    async def scenario() -> None:
        async with serving(echo) as port:
            client = await WebSocketClient.open(port, "/chat")
            client.send(Op.TEXT, b"crash")
            await client.receive()
            assert client.closed == 1011
            client.close()

    asyncio.run(scenario())


def test_a_refused_upgrade_is_a_403_and_a_bad_one_a_400() -> None:
    async def scenario() -> None:
        async with serving(echo) as port:
            with pytest.raises(Refused) as refused:
                await WebSocketClient.open(port, "/no")
            assert refused.value.status == 403
            with pytest.raises(Refused) as refused:
                await WebSocketClient.open(port, "/chat", {"Sec-WebSocket-Key": "short"})
            assert refused.value.status == 400

    asyncio.run(scenario())


def test_an_unmasked_frame_and_broken_utf8_close_the_connection_with_their_codes() -> None:
    async def scenario() -> None:
        async with serving(echo) as port:
            for wire, code in [(frame(Op.TEXT, b"x"), 1002), (frame(Op.TEXT, b"\xff", MASK), 1007)]:
                client = await WebSocketClient.open(port, "/chat")
                client.writer.write(wire)
                await client.receive()
                assert client.closed == code
                client.close()

    asyncio.run(scenario())


def test_the_application_hears_of_a_client_that_leaves_in_either_way() -> None:
    heard: list[int] = []

    async def listen(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        heard.append((await receive())["code"])

    async def scenario() -> None:
        async with serving(listen) as port:
            polite = await WebSocketClient.open(port, "/")
            polite.writer.write(frame(Op.CLOSE, (4001).to_bytes(2, "big"), MASK))
            assert await polite.receive() == (Op.CLOSE, close_frame(4001)[2:])
            rude = await WebSocketClient.open(port, "/")
            rude.close()
            async with asyncio.timeout(3):
                while len(heard) < 2:
                    await asyncio.sleep(0.005)
            polite.close()

    asyncio.run(scenario())
    assert heard == [4001, 1006]


def test_a_server_that_stops_closes_its_sockets_with_1012() -> None:
    async def scenario() -> WebSocketClient:
        async with serving(echo) as port:
            client = await WebSocketClient.open(port, "/chat")
        await client.receive()
        client.close()
        return client

    assert asyncio.run(scenario()).closed == 1012
