"""The door of the web client: which requests are ours. Token, Host and Origin, before any route sees one.

The page can type into a shell's worth of trust (the person's agents, their stored conversations), so that a
page of somebody else that guesses the port must get nowhere: the token is the lock, Host keeps out names that
were bent to this machine, Origin keeps out other pages that the browser would lend its cookie.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self';"
        " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer. Styles are inline because the terminal in the page sets its own."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
KNOCK = "Open the address that stopkey printed when it started: it holds the key to this page."


class Door:
    """Lets through who has the token: in the address once, as a cookie from then on."""

    def __init__(self, token: str = "") -> None:
        self.token = token or secrets.token_urlsafe(32)

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every request goes through here. Raises an HTTP answer for what is refused."""
        _check_host(request)
        _check_origin(request)
        if request.path == "/" and "token" in request.query:
            return self._let_in(request)
        if not self._same(request.cookies.get(_cookie(request), "")):
            raise web.HTTPForbidden(text=KNOCK, headers=HEADERS)
        answer = await handler(request)
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    def _let_in(self, request: web.Request) -> web.StreamResponse:
        """The token leaves the address at once: addresses end up in histories and on projectors."""
        if not self._same(request.query["token"]):
            raise web.HTTPForbidden(text=KNOCK, headers=HEADERS)
        answer = web.Response(status=303, headers={**HEADERS, "Location": "/"})
        answer.set_cookie(_cookie(request), self.token, httponly=True, samesite="Strict", path="/")
        return answer

    def _same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())


def _cookie(request: web.Request) -> str:
    """A name with the port in it: browsers share cookies between the ports of a host."""
    socket = request.transport.get_extra_info("sockname") if request.transport else None
    return f"stopkey-{socket[1]}" if socket else "stopkey"


def _check_host(request: web.Request) -> None:
    """A name that somebody pointed at 127.0.0.1 is not ours, although the packets arrive here."""
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or _name(hosts[0]) not in LOOPBACK:
        raise web.HTTPForbidden(text="This server answers to 127.0.0.1 and localhost only.", headers=HEADERS)


def _check_origin(request: web.Request) -> None:
    """Other origins are refused, and so is a web socket that names none: only a page opens one."""
    origin = request.headers.get("Origin")
    socket = request.headers.get("Upgrade", "").lower() == "websocket"
    if origin is None and not socket:
        return
    if origin != f"http://{request.headers['Host']}":
        raise web.HTTPForbidden(text="Requests of other web pages are refused.", headers=HEADERS)


def _name(host: str) -> str:
    try:
        parts = urlsplit(f"//{host}")
        return (parts.hostname or "") if not parts.username and parts.path == "" else ""
    except ValueError:
        return ""
