"""The clients of one backend: for streams, for calls, and one kept warm for aborts alone.

Each has its own pool, so no stream can keep an abort waiting. Making a TLS context blocks for 30-150 ms: it
is made once, off the event loop, and only where something speaks https.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal

import httpx

from tui.backends.base import BackendError
from tui.backends.wire import Wire

CONNECT_S, WRITE_S, POOL_S = 5.0, 10.0, 5.0
AGAIN_S = 1.0
"""Before a connection that was held ready, and was closed by the server, is opened again."""

Lane = Literal["stream", "calls", "abort"]
LANES: tuple[Lane, ...] = ("stream", "calls", "abort")
MakeTransport = Callable[[Lane, ssl.SSLContext, str | None], httpx.AsyncBaseTransport]
"""Makes what carries a lane's bytes, from a TLS context and a proxy's URL: the seam for another transport."""


class Lanes:
    """One `httpx.AsyncClient` a lane, made together at the first use. `tls`: whether any address is https."""

    def __init__(
        self, *, tls: bool, ca_file: str = "", proxy: str | None = None, make: MakeTransport | None = None
    ) -> None:
        self._tls, self._ca_file, self._proxy = tls, ca_file, proxy
        self._make = make or transport_for
        self._clients: dict[Lane, httpx.AsyncClient] = {}
        self._transports: dict[Lane, httpx.AsyncBaseTransport] = {}
        self._making = asyncio.Lock()

    async def get(self, lane: Lane) -> httpx.AsyncClient:
        """The client of a lane. Raises BackendError where the certificate authority cannot be read."""
        if not self._clients:
            async with self._making:
                if not self._clients:
                    context = await self._context()
                    self._clients = {lane: self._new(lane, context) for lane in LANES}
        return self._clients[lane]

    async def keep_ready(self, lane: Lane, url: str) -> None:
        """Hold a connection open for the next request of a lane, as long as this is awaited. Returns if the
        lane's transport cannot, or there is no connection to be had."""
        await self.get(lane)
        transport = self._transports[lane]
        try:
            while isinstance(transport, Wire):
                await transport.keep_ready(httpx.URL(url), CONNECT_S)
                await asyncio.sleep(AGAIN_S)
        except httpx.TransportError:
            pass  # the request will open its own

    async def aclose(self) -> None:
        """Close every connection. Idempotent."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def _context(self) -> ssl.SSLContext:
        if not self._tls:
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nothing, as nothing will ask it to
        return await asyncio.to_thread(_tls_context, self._ca_file)

    def _new(self, lane: Lane, context: ssl.SSLContext) -> httpx.AsyncClient:
        self._transports[lane] = self._make(lane, context, self._proxy)
        return httpx.AsyncClient(
            transport=self._transports[lane],
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(None, connect=CONNECT_S, write=WRITE_S, pool=POOL_S),
        )


def transport_for(lane: Lane, context: ssl.SSLContext, proxy: str | None) -> httpx.AsyncBaseTransport:
    """Our own for streams and aborts, httpx's for all else. Its idle connections go before servers close them
    (uvicorn and Node: 5 s), so that no request is lost on one."""
    if lane != "calls" and proxy is None:
        return Wire(context)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=4, keepalive_expiry=4.0)
    return httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits, proxy=proxy)


def _tls_context(ca_file: str) -> ssl.SSLContext:
    """The user's authority, else SSL_CERT_FILE or SSL_CERT_DIR, else the list that httpx ships."""
    try:
        return ssl.create_default_context(cafile=ca_file) if ca_file else httpx.create_ssl_context()
    except OSError:
        raise BackendError("The certificate authority's file cannot be read: check --ca-file.") from None
