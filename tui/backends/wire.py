"""A transport for httpx that carries one stream: its own connection, read in as large pieces as there are.

The connection is made for the request and closed with the answer, so a prompt never goes out on one that the
server has just given up, and a cancelled reading cannot leak a place in a pool (encode/httpx#3782). httpx's
own transport hands on every chunk by itself, through seven layers: at 20,000 events a second that took 33% of
a core, this takes 12% (bare httpx-sse in the same run: 34%). As fast as they come: 400,000 against 80,000.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, SupportsIndex

import httpx

from tui.backends.wire_body import Body, body_of
from tui.backends.wire_head import BadMessage, Head, request_head, take_head

PIECE = 64 * 1024
ADDRESS_S = 1.0
"""How long one of several addresses may take before the next is tried; the last has the time that is left."""
LOOK_S = 2.0
"""How often a connection that is held ready is looked at: whether the server has closed it."""
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 4}
"""A peer that is gone without a word (a suspended laptop, a forgotten NAT entry) is noticed in 70 s."""


_Place = tuple[str, str, int | None]


def _place(url: httpx.URL) -> _Place:
    return url.scheme, url.host, url.port


class Wire(httpx.AsyncBaseTransport):
    """HTTP/1.1 over a connection for each request. No proxies: those are for httpx's own transport."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._ready: tuple[_Place, _Connection] | None = None

    async def keep_ready(self, url: httpx.URL, timeout_s: float) -> None:
        """Open a connection to where `url` leads and hold it for the next request there; come back when it is
        used or the server has closed it. Raises httpx.TransportError if there can be none."""
        connection = await self._connect(url, timeout_s)
        self._ready = (_place(url), connection)
        try:
            await connection.gone()
        finally:
            if self._ready and self._ready[1] is connection:
                self._ready = None
                connection.close()

    def _taken(self, url: httpx.URL) -> _Connection | None:
        """The connection that was held for this place, if it is still good."""
        if self._ready is None or self._ready[0] != _place(url):
            return None
        (_, connection), self._ready = self._ready, None
        return connection if connection.good else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and answer with the head; the body is read when it is asked for. The extension `trace` hears
        of the same two steps as by httpcore: before these, nothing can have left."""
        limits, note = request.extensions.get("timeout", {}), request.extensions.get("trace", _unheard)
        connection = self._taken(request.url)
        if connection is None:
            await note("connection.connect_tcp.started", {})
            connection = await self._connect(request.url, limits.get("connect"))
        try:
            await note("http11.send_request_headers.started", {})
            await connection.send(request, limits.get("write"))
            head = await connection.head()
            body = body_of(head, request.method)
        except BadMessage as bad:
            connection.close()
            raise httpx.RemoteProtocolError(str(bad)) from None
        except BaseException:
            connection.close()
            raise
        return httpx.Response(head.status, headers=head.headers, stream=_Content(connection, body))

    async def _connect(self, url: httpx.URL, timeout_s: float | None) -> _Connection:
        host = url.raw_host.decode("ascii").strip("[]")
        secure = url.scheme == "https"
        with _as_httpx(httpx.ConnectError):
            try:
                async with asyncio.timeout(timeout_s):
                    loop = asyncio.get_running_loop()
                    reader = _Reader(limit=PIECE)
                    protocol = asyncio.StreamReaderProtocol(reader)
                    transport, _ = await loop.create_connection(
                        lambda: protocol,
                        sock=await _connected(host, url.port or (443 if secure else 80)),
                        ssl=self._context if secure else None,
                        server_hostname=host if secure else None,
                    )
            except TimeoutError:
                raise httpx.ConnectTimeout("no connection in time") from None
        return _Connection(reader, asyncio.StreamWriter(transport, protocol, reader, loop))


async def _connected(host: str, port: int) -> socket.socket:
    """A socket connected to the first address that takes it. Not asyncio's own race of addresses: cancelled
    at the wrong moment, that leaks a connection (1 of 400 here, with Python 3.11)."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for number, (family, kind, protocol, _, address) in enumerate(found, 1):
        try:
            async with asyncio.timeout(None if number == len(found) else ADDRESS_S):
                return await _connect_to(socket.socket(family, kind, protocol), address)
        except OSError:
            if number == len(found):
                raise
    raise OSError("the name has no address")


async def _connect_to(made: socket.socket, address: Any) -> socket.socket:
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE.items():
            if hasattr(socket, name):
                made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        await asyncio.get_running_loop().sock_connect(made, address)
    except BaseException:
        made.close()
        raise
    return made


class _Reader(asyncio.StreamReader):
    """Knows whether anything has come, bytes or the end."""

    heard = False

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        self.heard = True
        super().feed_data(data)

    def feed_eof(self) -> None:
        self.heard = True
        super().feed_eof()


class _Connection:
    """One connection, and the bytes that were read and not used yet."""

    def __init__(self, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._used: asyncio.Future[None] | None = None
        self.unread = bytearray()

    @property
    def good(self) -> bool:
        """Whether a request can go out on it, as far as one can know. What a server says before it is asked
        is a farewell (a 408 after so many idle seconds), and must not be read as the answer to an abort."""
        return not (self._reader.heard or self._writer.transport.is_closing())

    async def gone(self) -> None:
        """Come back when it is used or given up by the server."""
        self._used = asyncio.get_running_loop().create_future()
        while self.good and not self._used.done():
            await asyncio.wait([self._used], timeout=LOOK_S)

    async def send(self, request: httpx.Request, timeout_s: float | None) -> None:
        if self._used and not self._used.done():
            self._used.set_result(None)
        content = b"".join([piece async for piece in request.stream])  # type: ignore[union-attr]
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"connection"]
        headers.append((b"Connection", b"close"))
        head = request_head(request.method, request.url.raw_path, headers)
        with _as_httpx(httpx.WriteError):
            try:
                async with asyncio.timeout(timeout_s):
                    self._writer.write(head + content)
                    await self._writer.drain()
            except TimeoutError:
                raise httpx.WriteTimeout("the request was not taken in time") from None

    async def head(self) -> Head:
        """The final answer's head; informational ones (1xx) are read over."""
        while True:
            while (found := take_head(self.unread)) is None:
                piece = await self.read()
                if not piece:
                    raise BadMessage("The connection ended without an answer.")
                self.unread += piece
            if found.status >= 200:
                return found

    async def read(self) -> bytes:
        """Whatever has come; empty at the end."""
        with _as_httpx(httpx.ReadError):
            return await self._reader.read(PIECE)

    def close(self) -> None:
        """At once: nothing of ours waits to be sent, and a TLS farewell could take half a minute."""
        self._writer.transport.abort()


class _Content(httpx.AsyncByteStream):
    """The body of an answer, as it comes."""

    def __init__(self, connection: _Connection, body: Body) -> None:
        self._connection, self._body = connection, body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            piece = bytes(self._connection.unread)
            while True:
                if piece and (content := self._body.feed(piece)):
                    yield content
                if self._body.done:
                    return
                piece = await self._connection.read()
                if not piece:
                    self._body.end()
                    return
        except BadMessage as bad:
            raise httpx.RemoteProtocolError(str(bad)) from None

    async def aclose(self) -> None:
        self._connection.close()


async def _unheard(what: str, info: dict[str, Any]) -> None:
    """Nobody wants to know how far the request has come."""


@contextlib.contextmanager
def _as_httpx(kind: type[httpx.TransportError]) -> Iterator[None]:
    """Faults of the system (refused, reset, unknown name, bad certificate) as one of httpx's, cause kept."""
    try:
        yield
    except (OSError, ssl.SSLError, UnicodeError) as fault:
        raise kind(type(fault).__name__) from fault
