"""Streams over HTTP: what a fault means depends on whether the prompt may have been heard."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.backends.servers import (
    LAST,
    Arrived,
    Origin,
    chunk,
    client,
    frame,
    go,
    never,
    origin,
    reply,
    stream_head,
    streamed,
)
from tui.backends.base import NEVER_LEFT, BackendError, PromptRejected, StreamLost
from tui.backends.http import Http
from tui.backends.wire import Wire


async def data_of(http: Http) -> list[str]:
    async with http.stream("POST", http.url(), json={}) as stream:
        return [event.data async for event in stream.events]


async def fault_of(server: Origin, **target: Any) -> BackendError:
    async with client(server.url, **target) as http:
        with pytest.raises(BackendError) as caught:
            await data_of(http)
    return caught.value


def test_events_come_as_they_are_sent_and_the_end_is_silent() -> None:
    async def scenario() -> None:
        more = asyncio.Event()

        async def two_halves(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
            writer.write(stream_head() + frame("one")[:-8])
            writer.write(frame("one")[-8:])
            await more.wait()
            writer.write(frame("two") + LAST)

        async with origin(two_halves) as server, client(server.url) as http:
            seen = []
            async with http.stream("POST", http.url(), json={}) as stream:
                async for event in stream.events:
                    seen.append(event.data)
                    more.set()
            assert seen == ['"one"', '"two"']
            (arrived,) = server.arrived
            assert arrived.header("accept") == ["text/event-stream"]
            assert arrived.header("accept-encoding") == ["identity"]

    go(scenario())


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 501, 503])
def test_a_status_that_refuses_means_that_no_run_exists(status: int) -> None:
    async def scenario() -> None:
        async with origin(reply(status, {}, "retry-after: 7")) as server:
            fault = await fault_of(server)
            assert type(fault) is PromptRejected
            assert (fault.status, fault.retry_after_s) == (status, 7)

    go(scenario())


@pytest.mark.parametrize("status", [408, 502, 504])
def test_a_gateway_that_gave_up_may_have_passed_the_prompt_on(status: int) -> None:
    async def scenario() -> None:
        async with origin(reply(status)) as server:
            fault = await fault_of(server)
            assert type(fault) is StreamLost and fault.status == status

    go(scenario())


@pytest.mark.parametrize("kind", ["text/html", "application/json; x=y", "text/event-stream-bogus", ""])
def test_an_answer_that_is_no_event_stream_is_named(kind: str) -> None:
    async def scenario() -> None:
        async with origin(reply(200, b"<html>", type=kind)) as server:
            fault = await fault_of(server)
            assert type(fault) is PromptRejected
            assert str(fault).startswith("This URL is not an event stream: it sent ")

    go(scenario())


def test_a_hostile_content_type_reaches_the_sentence_only_cleaned() -> None:
    async def scenario() -> None:
        async with origin(reply(200, b"", type="x/\x1b]0;owned\x07" + "y" * 500)) as server:
            fault = await fault_of(server)
            assert "\x1b" not in str(fault) and len(str(fault)) < 200

    go(scenario())


def test_a_compressed_stream_is_refused_unread() -> None:
    async def scenario() -> None:
        bomb = chunk(gzip.compress(b"data: " + b"0" * 10_000_000 + b"\n\n"))
        async with origin(stream_head("content-encoding: gzip") + bomb + LAST) as server:
            fault = await fault_of(server)
            assert type(fault) is StreamLost and "compresses" in str(fault)

    go(scenario())


def reset(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize("end", ["cut inside a chunk", "cut between chunks", "reset", "no end"])
def test_a_stream_that_breaks_gives_what_was_whole_and_is_then_lost(end: str) -> None:
    async def breaks(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head() + frame("one") + frame("two"))
        if end == "cut inside a chunk":
            writer.write(frame("three")[:-6])
        await writer.drain()
        await seen_two.wait()
        if end == "reset":
            reset(arrived, writer)
        else:
            writer.close()

    async def scenario() -> None:
        seen = []
        async with origin(breaks) as server, client(server.url) as http:
            with pytest.raises(StreamLost, match=r"broke off|may still") as caught:
                async with http.stream("POST", http.url(), json={}) as stream:
                    async for event in stream.events:
                        seen.append(event.data)
                        if len(seen) == 2:
                            seen_two.set()
            assert seen == ['"one"', '"two"']
            assert caught.value.__suppress_context__, "no bytes of the wire in a printed traceback"

    seen_two = asyncio.Event()
    go(scenario())


def test_an_event_that_is_too_long_ends_the_reading_and_keeps_what_came_before() -> None:
    async def scenario() -> None:
        long = chunk(b"data: " + b"x" * 9_000_000)
        async with origin(stream_head() + frame("kept") + long) as server, client(server.url) as http:
            seen = []
            with pytest.raises(StreamLost, match="longer than this client reads"):
                async with http.stream("POST", http.url(), json={}) as stream:
                    async for event in stream.events:
                        seen.append(event.data)
            assert seen == ['"kept"']

    go(scenario())


def test_silence_is_no_fault() -> None:
    async def scenario() -> None:
        async with origin(never) as server, client(server.url) as http:
            reading = asyncio.create_task(data_of(http))
            await server.until(lambda: server.arrived)
            done, _ = await asyncio.wait([reading], timeout=0.2)
            assert not done
            reading.cancel()
            await asyncio.wait([reading])

    go(scenario())


def test_a_cancel_tells_whether_anything_can_have_left() -> None:
    """Nothing can while the connection is being made (S01); from the first byte on, it may."""

    async def cancelled(http: Http, ready: Callable[[], Awaitable[object]]) -> tuple[Any, ...]:
        reading = asyncio.create_task(data_of(http))
        await ready()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await reading
        return caught.value.args

    async def scenario() -> None:
        full = socket.socket()  # its queue is full: a connection to it never gets through
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        async with client(f"http://127.0.0.1:{full.getsockname()[1]}") as http:
            assert await cancelled(http, lambda: asyncio.sleep(0.05)) == (NEVER_LEFT,)
        async with origin(never) as server, client(server.url) as http:
            assert await cancelled(http, lambda: server.until(lambda: server.arrived)) == ()
        for one in (full, *fillers):
            one.close()

    go(scenario())


def test_leaving_the_stream_closes_its_connection() -> None:
    async def endless(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head() + frame("one"))
        await never(arrived, writer)

    async def scenario() -> None:
        async with origin(endless) as server, client(server.url) as http:
            async with http.stream("POST", http.url(), json={}) as stream:
                await anext(stream.events)
            await server.until(lambda: not server.open)

    async def cancelled() -> None:
        async with origin(endless) as server, client(server.url) as http:
            reading = asyncio.create_task(data_of(http))
            await server.until(lambda: server.arrived)
            await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait([reading])
            await server.until(lambda: not server.open)

    go(scenario())
    go(cancelled())


def test_while_a_stream_is_open_an_abort_finds_its_connection_made() -> None:
    async def endless(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head() + frame("one"))
        await never(arrived, writer)

    async def scenario() -> None:
        async with origin(endless, reply(), reply()) as server, client(server.url) as http:
            async with http.stream("POST", http.url(), json={}) as stream:
                await anext(stream.events)
                await _eventually(lambda: server.connections == 2)
                await http.request("POST", http.url("stop"), lane="abort")
                assert server.connections == 2, "no other was made for it"
                await http.request("POST", http.url("stop"), lane="abort")
                assert len(server.arrived) == 3
            await server.until(lambda: not server.open)

    go(scenario())


def test_the_connection_for_the_abort_is_made_where_aborts_go() -> None:
    async def endless(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head() + frame("one"))
        await never(arrived, writer)

    async def scenario() -> None:
        async with (
            origin(endless) as server,
            origin(reply()) as gate,
            client(server.url, abort_url=gate.url + "/stop/{run_id}") as http,
            http.stream("POST", http.url(), json={}) as stream,
        ):
            await anext(stream.events)
            await _eventually(lambda: gate.connections == 1)
            await http.request("POST", gate.url + "/stop/r1", lane="abort")
            assert (gate.connections, server.connections) == (1, 1)

    go(scenario())


def test_a_connection_held_for_an_abort_that_the_server_has_closed_is_not_used() -> None:
    async def scenario() -> None:
        async with origin(reply()) as server:
            wire = Wire(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
            holding = asyncio.create_task(wire.keep_ready(httpx.URL(server.url), 5.0))
            await _eventually(lambda: server.open)
            for writer in server.open:
                writer.close()
            await server.until(lambda: not server.open)
            async with httpx.AsyncClient(transport=wire) as http:
                assert (await http.post(server.url)).status_code == 200
            holding.cancel()
            await asyncio.wait([holding])

    go(scenario())


def test_a_connection_held_for_an_abort_that_the_server_gave_up_with_a_word_is_not_used() -> None:
    """Node and others write a 408 before they close a silent connection: no answer to our abort."""

    async def scenario() -> None:
        async with origin(reply()) as server:
            wire = Wire(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
            holding = asyncio.create_task(wire.keep_ready(httpx.URL(server.url), 5.0))
            await _eventually(lambda: server.open)
            for writer in server.open:
                writer.write(
                    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                )
                writer.close()
            await server.until(lambda: not server.open)
            async with httpx.AsyncClient(transport=wire) as http:
                assert (await http.post(server.url)).status_code == 200
            holding.cancel()
            await asyncio.wait([holding])

    go(scenario())


async def _eventually(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.001)


def test_nothing_is_posted_twice_whatever_breaks() -> None:
    """A connection that was used before and is dead now gives a fault, not a second post."""

    async def scenario() -> None:
        async def then_dead(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with origin(streamed("one"), then_dead) as server, client(server.url) as http:
            assert await data_of(http) == ['"one"']
            with pytest.raises(StreamLost):
                await data_of(http)
            assert len(server.arrived) == 2

    go(scenario())
