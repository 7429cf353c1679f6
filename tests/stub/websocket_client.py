"""A WebSocket client of a few lines, for tests: what a browser would send, byte for byte."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from backend_stub.websocket_frames import Op, Reader, accept_key, frame

KEY = base64.b64encode(b"sixteen bytes!!!")
MASK = b"\x11\x22\x33\x44"


class Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class WebSocketClient:
    """Talks to one server. `closed` is the close code once the server sent one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._frames = Reader(1 << 22, masked=False)
        self._messages: list[tuple[Op, bytes]] = []
        self.closed: int | None = None

    @classmethod
    async def open(cls, port: int, path: str, headers: dict[str, str] | None = None) -> WebSocketClient:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        given = {
            "Host": f"127.0.0.1:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": KEY.decode(),
            "Sec-WebSocket-Version": "13",
        } | (headers or {})
        lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in given.items() if v)]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        if status != 101:
            writer.close()
            raise Refused(status)
        assert accept_key(KEY) in head
        return cls(reader, writer)

    def send(self, op: Op, payload: bytes = b"") -> None:
        self.writer.write(frame(op, payload, MASK))

    def send_json(self, value: Any) -> None:
        self.send(Op.TEXT, json.dumps(value).encode())

    async def receive(self) -> tuple[Op, bytes] | None:
        """The next message; None: the server closed the connection."""
        while not self._messages:
            data = await asyncio.wait_for(self.reader.read(65536), 5)
            if not data:
                return None
            self._messages += self._frames.feed(data)
        op, payload = self._messages.pop(0)
        if op is Op.CLOSE:
            self.closed = int.from_bytes(payload[:2], "big")
        return op, payload

    async def receive_json(self) -> Any:
        message = await self.receive()
        return json.loads(message[1]) if message and message[0] is Op.TEXT else None

    def close(self) -> None:
        self.writer.close()
