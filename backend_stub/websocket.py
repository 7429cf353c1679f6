"""A WebSocket for uvicorn without a WebSocket library: hand `WebSocketProtocol` to it as `ws=`.

uvicorn serves WebSockets through whatever class its `ws` setting names; this one speaks `websocket_frames`
on one side and ASGI on the other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any
from urllib.parse import unquote

import h11
from uvicorn.config import Config
from uvicorn.server import ServerState

from backend_stub.websocket_frames import (
    Op,
    Reader,
    Violation,
    accept_key,
    close_code,
    close_frame,
    frame,
    is_key,
)

Message = dict[str, Any]
_LIMIT = 1 << 20  # bytes of one message; the same cap as for a request body
_QUEUED = 32  # messages the application may be behind before we stop reading
_CLOSE_S = 1.0  # how long we wait for the other side's close frame


class _Phase(Enum):
    CONNECTING = auto()
    OPEN = auto()
    CLOSING = auto()  # our close frame is out
    CLOSED = auto()


class WebSocketProtocol(asyncio.Protocol):
    """One connection, from the upgrade request to its close, as uvicorn drives it."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._config, self._state, self._app_state = config, server_state, app_state
        self._app: Callable[..., Awaitable[None]] = config.loaded_app
        self._request = h11.Connection(h11.SERVER)
        self._reader = Reader(_LIMIT)
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._writable = asyncio.Event()
        self._writable.set()
        self._phase = _Phase.CONNECTING
        self._key = b""
        self._transport: asyncio.Transport

    # --- what uvicorn and the event loop call ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._state.connections.add(self)  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._gone(1006)
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        try:
            if self._key:
                self._read(data)
            else:
                self._open(data)
        except Violation as violation:
            self._close(violation.code, str(violation))
            self._transport.close()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def shutdown(self) -> None:
        """The server stops: say so (1012, service restart) and close."""
        if self._phase is _Phase.CONNECTING:
            self._refuse(503)
        self._close(1012, "the server is stopping")
        self._transport.close()

    # --- the request ---

    def _open(self, data: bytes) -> None:
        self._request.receive_data(data)
        request = self._request.next_event()
        assert isinstance(request, h11.Request)
        headers = [(name.lower(), value) for name, value in request.headers]
        key = dict(headers).get(b"sec-websocket-key", b"")
        if not is_key(key) or dict(headers).get(b"sec-websocket-version") != b"13":
            self._refuse(400)
            return
        self._key = key
        self._inbox.put_nowait({"type": "websocket.connect"})
        task = asyncio.get_running_loop().create_task(self._run(self._scope(request.target, headers)))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    def _scope(self, target: bytes, headers: list[tuple[bytes, bytes]]) -> Message:
        path, _, query = target.partition(b"?")
        root = self._config.root_path
        return {
            "type": "websocket",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "ws",
            "server": self._transport.get_extra_info("sockname")[:2],
            "client": self._transport.get_extra_info("peername")[:2],
            "root_path": root,
            "path": root + unquote(path.decode("ascii")),
            "raw_path": root.encode() + path,
            "query_string": query,
            "headers": headers,
            "subprotocols": [],
            "state": self._app_state.copy(),
        }

    async def _run(self, scope: Message) -> None:
        code = 1000
        try:
            await self._app(scope, self._receive, self._send)
        except OSError:
            pass  # the client went away while the application was sending
        except Exception:
            code = 1011
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
        finally:
            if self._phase is _Phase.CONNECTING:
                self._refuse(500)
            self._close(code)

    # --- frames ---

    def _read(self, data: bytes) -> None:
        if self._phase is _Phase.CLOSED:
            return
        for op, payload in self._reader.feed(data):
            if op is Op.CLOSE:
                self._closed_by_peer(payload)
                return
            if op is Op.PING:
                self._write(frame(Op.PONG, payload))
            elif op is not Op.PONG and self._phase is _Phase.OPEN:
                self._deliver(op, payload)

    def _deliver(self, op: Op, payload: bytes) -> None:
        if op is Op.TEXT:
            try:
                self._inbox.put_nowait({"type": "websocket.receive", "text": payload.decode()})
            except UnicodeDecodeError:
                raise Violation(1007, "text that is not UTF-8") from None
        else:
            self._inbox.put_nowait({"type": "websocket.receive", "bytes": payload})
        if self._inbox.qsize() >= _QUEUED:
            self._transport.pause_reading()

    def _closed_by_peer(self, payload: bytes) -> None:
        code = close_code(payload)
        if self._phase is _Phase.OPEN:
            self._write(frame(Op.CLOSE, payload[:2]))
        self._gone(code)
        self._transport.close()

    # --- ASGI ---

    async def _receive(self) -> Message:
        message = await self._inbox.get()
        if not self._transport.is_closing():
            self._transport.resume_reading()
        return message

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "websocket.accept" and self._phase is _Phase.CONNECTING:
            self._accept(message)
        elif kind == "websocket.close" and self._phase is _Phase.CONNECTING:
            self._refuse(403)
        elif kind == "websocket.close":
            self._close(message.get("code") or 1000, message.get("reason") or "")
        elif kind == "websocket.send":
            await self._say(message)
        else:
            raise RuntimeError(f"unexpected ASGI message {kind}")

    def _accept(self, message: Message) -> None:
        headers = [
            (b"upgrade", b"websocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-accept", accept_key(self._key)),
            *message.get("headers", ()),
        ]
        lines = [b"HTTP/1.1 101 Switching Protocols", *(name + b": " + value for name, value in headers)]
        self._write(b"\r\n".join(lines) + b"\r\n\r\n")
        self._phase = _Phase.OPEN

    async def _say(self, message: Message) -> None:
        if self._phase is not _Phase.OPEN:
            raise OSError("the WebSocket is closed")  # as ASGI wants it
        text = message.get("text")
        self._write(frame(Op.TEXT, text.encode()) if text is not None else frame(Op.BINARY, message["bytes"]))
        await self._writable.wait()

    # --- ends ---

    def _refuse(self, status: int) -> None:
        self._write(b"HTTP/1.1 %d Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % status)
        self._gone(1006)
        self._transport.close()

    def _close(self, code: int, reason: str = "") -> None:
        if self._phase is not _Phase.OPEN:
            return
        self._write(close_frame(code, reason))
        self._phase = _Phase.CLOSING
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        asyncio.get_running_loop().call_later(_CLOSE_S, self._transport.close)

    def _gone(self, code: int) -> None:
        if self._phase is not _Phase.CLOSED:
            self._phase = _Phase.CLOSED
            self._inbox.put_nowait({"type": "websocket.disconnect", "code": code})

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)
