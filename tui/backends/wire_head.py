"""Heads of HTTP/1.1 messages: our request as bytes, the answer's head read strictly. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

Headers = list[tuple[bytes, bytes]]
HEAD_LIMIT = 64 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n\0]*)?\Z")
_FIELD = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([^\r\n\0]*?)[ \t]*\Z")
_LINE_ENDS = re.compile(rb"[\r\n\0]")


class BadMessage(Exception):
    """The bytes are not what HTTP/1.1 allows. `str()` says what is wrong, without any of the bytes."""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an answer. Header names are as they came."""

    status: int
    headers: Headers

    def get(self, name: bytes) -> list[bytes]:
        """All values of a header, by its name in small letters."""
        return [value for key, value in self.headers if key.lower() == name]


def request_head(method: str, target: bytes, headers: Headers) -> bytes:
    """The request line and headers. Raises BadMessage rather than let a value break out of its line."""
    lines = [method.encode("ascii") + b" " + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in headers]
    if any(_LINE_ENDS.search(line) for line in lines) or b" " in target:
        raise BadMessage("A part of the request would break out of its line.")
    return b"\r\n".join([*lines, b"", b""])


def take_head(buffer: bytearray) -> Head | None:
    """The head at the beginning of `buffer`, taken out of it; None while it is not whole.

    Raises BadMessage, also where it is longer than `HEAD_LIMIT`.
    """
    end = buffer.find(b"\r\n\r\n", 0, HEAD_LIMIT)
    if end < 0:
        if len(buffer) >= HEAD_LIMIT:
            raise BadMessage("The answer's headers are too long.")
        return None
    first, *lines = bytes(buffer[:end]).split(b"\r\n")
    del buffer[: end + 4]
    status = _STATUS.match(first)
    if not status:
        raise BadMessage("The answer is not HTTP/1.1.")
    return Head(int(status[1]), [_field(line) for line in lines])


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.match(line)
    if not found:
        raise BadMessage("A header of the answer is malformed.")
    return found[1], found[2]
