"""Our own transport for streams: it reads what h11 reads, refuses the rest, and leaves nothing open."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
from itertools import pairwise
from pathlib import Path
from typing import Any

import h11
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.backends.servers import LAST, Arrived, client, frame, go, never, origin, stream_head, streamed
from tui.backends import wire
from tui.backends.base import PromptNotSent, StreamLost
from tui.backends.http import Http
from tui.backends.wire_body import Chunked, Counted, UntilClosed, body_of
from tui.backends.wire_head import HEAD_LIMIT, BadMessage, Head, request_head, take_head

TLS = Path(__file__).parent / "tls"


async def data_of(http: Http) -> list[str]:
    async with http.stream("POST", http.url(), json={"x": "y"}) as stream:
        return [event.data async for event in stream.events]


def cut(data: bytes, points: set[int]) -> list[bytes]:
    edges = [0, *sorted(point for point in points if point < len(data)), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def read_by_us(data: bytes, points: set[int]) -> tuple[int, bytes] | None:
    """Status and content of a whole answer; None if it is refused or not whole."""
    buffer, head, body, content = bytearray(), None, None, b""
    try:
        for piece in cut(data, points):
            given = piece
            if body is None:
                buffer += piece
                while head is None or head.status < 200:
                    head = take_head(buffer)
                    if head is None:
                        break
                if head is None:
                    continue
                body, given = body_of(head, "GET"), bytes(buffer)
            content += body.feed(given)
        if head is None or body is None:
            return None
        body.end()
    except BadMessage:
        return None
    return head.status, content


def read_by_h11(data: bytes) -> tuple[int, bytes] | None:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    status, content, closed = 0, b"", False
    try:
        while True:
            got = connection.next_event()
            if got is h11.NEED_DATA and not closed:
                connection.receive_data(b"")
                closed = True
            elif isinstance(got, h11.Response):
                status = got.status_code
            elif isinstance(got, h11.Data):
                content += bytes(got.data)
            elif isinstance(got, h11.EndOfMessage):
                return status, content
            elif not isinstance(got, h11.InformationalResponse):
                return None
    except h11.RemoteProtocolError:
        return None


NAMES = st.sampled_from(
    [b"content-type: text/event-stream", b"X-A:b", b"x-empty:", b"a:  b \t", b"set-cookie: \xe9"]
)
CHUNKS = st.lists(
    st.tuples(st.binary(min_size=1, max_size=40), st.sampled_from([b"", b";a=b", b" "])), max_size=6
)
TRAILERS = st.lists(st.sampled_from([b"x-sum: 1", b"y: 2"]), max_size=2)
CUTS = st.sets(st.integers(0, 400), max_size=8)


@given(NAMES, CHUNKS, TRAILERS, st.booleans(), CUTS)
def test_a_chunked_answer_is_read_whatever_its_pieces(
    name: bytes, chunks: list[tuple[bytes, bytes]], trailers: list[bytes], early: bool, points: set[int]
) -> None:
    coded = b"".join(b"%x%s\r\n%s\r\n" % (len(data), ext, data) for data, ext in chunks)
    data = b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" if early else b""
    data += b"HTTP/1.1 200 OK\r\n" + name + b"\r\nTransfer-Encoding: Chunked\r\n\r\n" + coded + b"0\r\n"
    data += b"".join(line + b"\r\n" for line in trailers) + b"\r\n"
    expected = (200, b"".join(data for data, _ in chunks))
    assert read_by_us(data, points) == expected == read_by_h11(data)


STATUS_LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 404 ",
        b"HTTP/1.1 204 x",
        b"HTTP/1.1 304",
        b"HTTP/2 200",
        b"HTTP/1.1 099 x",
    ]
)
LINES = st.sampled_from(
    [b"content-length: 3", b"Content-Length: 3, 3", b"content-length: +3", b"content-length: 4", b" f",
     b"a: b", b"transfer-encoding: chunked", b"transfer-encoding: gzip,chunked", b"b d: x", b":x", b"nul: \0"]
)  # fmt: skip
LINE_ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])
BODIES = st.sampled_from(
    [b"abc", b"abcd", b"3\r\nabc\r\n", b"3\r\nabcd\r\n", b"0\r\n\r\n", b"0x3\r\nabc\r\n", b"-1\r\n",
     b"3;x=y\r\nabc\r\n", b"3 \r\nabc\r\n", b"0\r\nx: y\r\n\r\n", b"3\nabc\n", b"ffffffffffffffffff\r\n"]
)  # fmt: skip


@given(STATUS_LINES, st.lists(st.tuples(LINES, LINE_ENDS), max_size=3), st.lists(BODIES, max_size=4), CUTS)
def test_whatever_we_accept_h11_accepts_and_reads_the_same(
    status: bytes, lines: list[tuple[bytes, bytes]], bodies: list[bytes], points: set[int]
) -> None:
    """Being stricter is no harm; being laxer, or reading something else, would be."""
    data = b"".join([status, b"\r\n", *(line + end for line, end in lines), b"\r\n", *bodies])
    ours = read_by_us(data, points)
    event("accepted" if ours else "refused")
    if ours is not None:
        assert read_by_h11(data) == ours


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\na b: c", b"HTTP/1.1 200 OK\r\n a: c", b"HTTP/1.1 200 OK\r\na: b\r\n folded",
        b"HTTP/1.1 200 OK\r\n: c", b"HTTP/1.1 200 OK\r\na: b\0c", b"HTTP/1.1 200 OK\r\na: b\nc: d",
        b"HTTP/2 200", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"ICY 200 OK", b"<html>", b"HTTP/1.1\t200 OK",
    ],
)  # fmt: skip
def test_a_head_that_is_malformed_is_refused(head: bytes) -> None:
    with pytest.raises(BadMessage):
        take_head(bytearray(head + b"\r\n\r\n"))


@pytest.mark.parametrize(
    "headers",
    [
        [(b"Content-Length", b"-1")], [(b"Content-Length", b"1"), (b"content-length", b"2")],
        [(b"Content-Length", b"1e3")], [(b"Content-Length", b"9" * 30)], [(b"Content-Length", b"")],
        [(b"Transfer-Encoding", b"gzip")], [(b"Transfer-Encoding", b"chunked, gzip")],
        [(b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"chunked")],
    ],
)  # fmt: skip
def test_a_framing_that_is_malformed_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(BadMessage):
        body_of(Head(200, headers), "GET")


def test_each_framing_is_recognised() -> None:
    assert isinstance(body_of(Head(200, [(b"transfer-encoding", b"CHUNKED")]), "GET"), Chunked)
    assert isinstance(body_of(Head(200, []), "GET"), UntilClosed)
    for head, method in ((Head(204, []), "GET"), (Head(304, []), "GET"), (Head(200, []), "HEAD")):
        body = body_of(head, method)
        assert isinstance(body, Counted) and body.done
    both = [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")]
    assert isinstance(body_of(Head(200, both), "GET"), Chunked), "as RFC 9112 6.3 has it"


@pytest.mark.parametrize(
    "data",
    [
        b"3\r\nabcd\r\n", b"x\r\n", b"\r\n", b"-1\r\n", b"+3\r\n", b"0x3\r\n", b" 3\r\n", b"1" * 16 + b"\r\n",
        b"3\r\nabc\n", b"1" * 2000, b"3;" + b"x" * 2000, b"0\r\n" + b"x: y\r\n" * 4000,
        b"0\r\n" + b"x" * 20000,
    ],
)  # fmt: skip
def test_a_chunk_that_is_malformed_is_refused_and_never_buffered_without_end(data: bytes) -> None:
    for pieces in ([data], [data[n : n + 1] for n in range(len(data))]):
        body = Chunked()
        with pytest.raises(BadMessage):
            for piece in pieces:
                body.feed(piece)


def test_a_head_that_never_ends_is_refused() -> None:
    buffer = bytearray(b"HTTP/1.1 200 OK\r\nx: " + b"y" * HEAD_LIMIT)
    with pytest.raises(BadMessage, match="too long"):
        take_head(buffer)


@pytest.mark.parametrize(
    ("target", "value"),
    [(b"/a b", b"x"), (b"/\r\nx: y", b"x"), (b"/", b"x\r\ny: z"), (b"/", b"x\ny"), (b"/", b"\0")],
)
def test_nothing_breaks_out_of_its_line_in_a_request(target: bytes, value: bytes) -> None:
    with pytest.raises(BadMessage):
        request_head("POST", target, [(b"X", value)])


# --- over sockets -----------------------------------------------------------------------------------------


def test_a_stream_over_tls_is_read_to_its_end_and_past_an_early_hint() -> None:
    async def scenario() -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
        answer = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + streamed("one", "two")
        async with origin(answer, tls=tls) as server:
            async with client(server.url, ca_file=str(TLS / "cert.pem")) as http:
                assert await data_of(http) == ['"one"', '"two"']
            async with client(server.url) as http:
                with pytest.raises(PromptNotSent, match="is not trusted"):
                    await data_of(http)
            (arrived,) = server.arrived
            assert arrived.json == {"x": "y"} and arrived.header("connection") == ["close"]

    go(scenario())


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nbad\r\n\r\n", b"\0" * 100_000, b""]
)
def test_an_answer_that_is_no_http_is_lost_and_shows_none_of_its_bytes(answer: bytes) -> None:
    async def garbage(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async def scenario() -> None:
        async with origin(garbage) as server, client(server.url) as http:
            with pytest.raises(StreamLost) as caught:
                await data_of(http)
            assert "SSH" not in str(caught.value) and "\0" not in str(caught.value)

    go(scenario())


def test_a_stream_of_a_server_that_just_closes_ends_with_the_connection() -> None:
    async def old(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n")
        writer.close()

    async def scenario() -> None:
        async with origin(old) as server, client(server.url) as http:
            assert await data_of(http) == ["1"]

    go(scenario())


def test_the_next_address_is_tried_where_the_first_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with (
            origin(streamed("one")) as server,
            client(server.url.replace("127.0.0.1", "localhost")) as http,
        ):
            port = int(server.url.rpartition(":")[2])
            full = socket.socket()  # its queue is full: a connection to it never gets through
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            fillers = [socket.socket() for _ in range(3)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            tcp = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
            refused = (*tcp, ("127.0.0.1", 1))
            found = [refused, (*tcp, full.getsockname()), (*tcp, ("127.0.0.1", port))]

            async def getaddrinfo(*args: Any, **more: Any) -> list[Any]:
                return found

            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
            monkeypatch.setattr(wire, "ADDRESS_S", 0.1)
            assert await data_of(http) == ['"one"']
            for one in (full, *fillers):
                one.close()

    go(scenario())


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc to count open files")
def test_a_reading_cancelled_at_any_moment_leaves_no_connection() -> None:
    """asyncio's own race of addresses leaked one of 400 here; httpx's pool leaks on a double cancel."""

    async def endless(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head() + frame("one"))
        await never(arrived, writer)

    async def scenario() -> None:
        async with origin(endless) as server, client(server.url) as http:
            first = asyncio.create_task(data_of(http))
            await server.until(lambda: server.arrived)
            first.cancel()
            await asyncio.wait([first])
            await server.until(lambda: not server.open)
            before, tasks = open_files(), len(asyncio.all_tasks())
            for turns in range(120):
                task = asyncio.create_task(data_of(http))
                for _ in range(turns % 30):
                    await asyncio.sleep(0)
                task.cancel()
                if turns % 2:
                    await asyncio.sleep(0)
                    task.cancel()
                await asyncio.wait([task])
            await server.until(lambda: not server.open)
            gc.collect()
            while len(asyncio.all_tasks()) > tasks or open_files() > before:
                await asyncio.sleep(0.01)

    go(scenario())


def test_many_events_in_one_piece_are_read_as_one() -> None:
    """What makes it fast: a burst costs a read, not a read for each chunk."""
    pieces = []
    body = Chunked()
    burst = (frame("x") * 1000) + LAST
    for at in range(0, len(burst), 64 * 1024):
        pieces.append(body.feed(burst[at : at + 64 * 1024]))
    assert len(pieces) <= 2 and body.done
    assert b"".join(pieces) == b'data: "x"\n\n' * 1000
