"""RFC 6455 without any I/O: the server's half of the handshake, and frames in and out of bytes.

The standard WebSocket libraries are no dependency of this project, and one dialect (ADK's `/run_live`) needs
a WebSocket that a test can talk to. What is here is the whole base protocol, without extensions.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Op(IntEnum):
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Violation(Exception):
    """The peer broke the protocol; `code` is the close code to answer with (RFC 6455, 7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def accept_key(key: bytes) -> bytes:
    """The value of Sec-WebSocket-Accept for a client's Sec-WebSocket-Key (RFC 6455, 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + _GUID).digest())


def is_key(key: bytes) -> bool:
    """Whether this is a client's key: 16 bytes in base64."""
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except ValueError:
        return False


def frame(op: Op, payload: bytes = b"", mask: bytes = b"") -> bytes:
    """One whole frame. A server sends without a mask; a client must give one of 4 bytes."""
    size, masked = len(payload), 0x80 if mask else 0
    head = bytes([0x80 | op])
    if size < 126:
        head += bytes([masked | size])
    elif size < 1 << 16:
        head += struct.pack("!BH", masked | 126, size)
    else:
        head += struct.pack("!BQ", masked | 127, size)
    return head + mask + (_masked(payload, mask) if mask else payload)


def close_frame(code: int, reason: str = "") -> bytes:
    return frame(Op.CLOSE, struct.pack("!H", code) + reason.encode()[:123])


def close_code(payload: bytes) -> int:
    """The code in a close frame's payload; 1005: it has none."""
    if len(payload) == 1:
        raise Violation(1002, "a close code of one byte")
    return int(struct.unpack("!H", payload[:2])[0]) if payload else 1005


@dataclass(slots=True)
class Reader:
    """Bytes in, whole messages out: `feed` gives (op, payload), fragments put together.

    `limit` caps a message, in bytes. `masked`: the peer is a client. Raises Violation; nothing may be fed
    after that.
    """

    limit: int = 1 << 20
    masked: bool = True
    _buffer: bytearray = field(default_factory=bytearray)
    _op: Op | None = None
    _parts: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Iterator[tuple[Op, bytes]]:
        self._buffer += data
        while (found := self._frame()) is not None:
            message = self._assemble(*found)
            if message is not None:
                yield message

    def _frame(self) -> tuple[bool, Op, bytes] | None:
        if len(self._buffer) < 2:
            return None
        first, second = self._buffer[0], self._buffer[1]
        op = _op_of(first)
        _check(op, first, second, self.masked)
        size, start = self._size(second & 0x7F)
        if size > self.limit:
            raise Violation(1009, "message too big")
        begin = start + 4 * self.masked
        if start == 0 or len(self._buffer) < begin + size:
            return None
        payload = bytes(self._buffer[begin : begin + size])
        if self.masked:
            payload = _masked(payload, bytes(self._buffer[start:begin]))
        del self._buffer[: begin + size]
        return bool(first & 0x80), op, payload

    def _size(self, short: int) -> tuple[int, int]:
        """Payload size, and where the head ends; 0: not all of it is here."""
        if short < 126:
            return short, 2
        width, shape = (2, "!H") if short == 126 else (8, "!Q")
        if len(self._buffer) < 2 + width:
            return 0, 0
        return int(struct.unpack_from(shape, self._buffer, 2)[0]), 2 + width

    def _assemble(self, final: bool, op: Op, payload: bytes) -> tuple[Op, bytes] | None:
        if op >= Op.CLOSE:
            return op, payload
        if (op is Op.CONTINUATION) is (self._op is None):
            raise Violation(1002, "fragments out of order")
        self._op = self._op or op
        self._parts += payload
        if len(self._parts) > self.limit:
            raise Violation(1009, "message too big")
        if not final:
            return None
        whole, kind = bytes(self._parts), self._op
        self._op, self._parts = None, bytearray()
        return kind, whole


def _op_of(first: int) -> Op:
    try:
        return Op(first & 0x0F)
    except ValueError:
        raise Violation(1002, "unknown opcode") from None


def _check(op: Op, first: int, second: int, masked: bool) -> None:
    if first & 0x70:
        raise Violation(1002, "an extension that was not agreed")
    if bool(second & 0x80) is not masked:
        raise Violation(1002, "a client's frame without a mask, or a server's with one")
    if op >= Op.CLOSE and (not first & 0x80 or second & 0x7F > 125):
        raise Violation(1002, "a control frame in pieces, or too long")


def _masked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
