"""The door: token, Host, Origin, content type and body size of every request, before any route sees it."""

from __future__ import annotations

import hmac
import re

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 1024 * 1024
_DRAIN_LIMIT = 16 * BODY_LIMIT
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"(\[[0-9a-f:]+\]|[^:\[\]@]+)(:\d{1,5})?")


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Guard:
    """An ASGI app around another. `hosts` are allowed beside the loopback names.

    The token is the lock; Host and Origin keep a web page that guessed the port from reaching even that.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._secret = b"bearer " + token.encode()
        self._hosts = {host.lower() for host in (*_LOOPBACK, *hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        try:
            self._check(scope["headers"])
            body = await _read(scope["headers"], receive)
        except _Refused as refused:
            await _refuse(refused)(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check(scope["headers"])
        except _Refused:
            await send({"type": "websocket.close", "code": 1008})  # before it was accepted: a 403
            return
        await self._app(scope, receive, send)

    def _check(self, headers: list[tuple[bytes, bytes]]) -> None:
        host = _HOST.fullmatch(_one(headers, b"host").decode("latin-1").lower())
        if not host or host[1] not in self._hosts:
            raise _Refused(403, "host_refused", "This server does not answer to that Host.")
        if any(name == b"origin" for name, _ in headers):
            raise _Refused(403, "origin_refused", "Requests of web pages are refused.")
        scheme, _, secret = _one(headers, b"authorization").partition(b" ")
        if not hmac.compare_digest(scheme.lower() + b" " + secret.strip(), self._secret):
            raise _Refused(401, "unauthorized", "A bearer token is required, and this is not it.")


def _one(headers: list[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The header's value; empty when it is missing or there are two."""
    values = [value for key, value in headers if key == name]
    return values[0] if len(values) == 1 else b""


async def _read(headers: list[tuple[bytes, bytes]], receive: Receive) -> bytes:
    """The body, if it is small enough and says that it is JSON. Its sender is timed by the protocol.

    What is too much is read and dropped up to a point: closing on a sender would cost it the answer.
    """
    kind = _one(headers, b"content-type").split(b";")[0].strip().lower()
    if kind and kind != b"application/json":
        raise _Refused(415, "not_json", "The body must be application/json.")
    body, size, more = bytearray(), 0, True
    while more and size < _DRAIN_LIMIT:
        message = await receive()
        piece = message.get("body", b"")
        size += len(piece)
        if size <= BODY_LIMIT:
            body += piece
        more = message.get("more_body", False)
    if size > BODY_LIMIT:
        raise _Refused(413, "too_large", "The body is larger than 1 MiB.")
    if body and not kind:
        raise _Refused(415, "not_json", "The body must be application/json.")
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """`receive` for the app: the body that was read, then whatever comes."""
    told = False

    async def replayed() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _refuse(refused: _Refused) -> JSONResponse:
    headers = {"connection": "close"}
    if refused.status == 401:
        headers["www-authenticate"] = "Bearer"
    error = {"code": refused.code, "message": str(refused)}
    return JSONResponse({"error": error}, refused.status, headers)
