"""Bodies of HTTP/1.1 answers, by their framing: as many chunks as there are become one piece of bytes. Pure.

httpx's transport hands on every chunk by itself, which is most of what reading a fast stream costs.
"""

from __future__ import annotations

from typing import Protocol

from tui.backends.wire_head import BadMessage, Head

_DIGITS = frozenset(b"0123456789abcdefABCDEF")
_LINE_LIMIT = 1024  # of a chunk's size line, extensions included
_TRAILER_LIMIT = 16 * 1024


class Body(Protocol):
    """`feed` gives the content in the bytes it is fed; `done` once the body is complete."""

    done: bool

    def feed(self, data: bytes) -> bytes:
        """The content in `data`. Raises BadMessage."""
        ...

    def end(self) -> None:
        """The connection has ended. Raises BadMessage if the body was not complete."""
        ...


def body_of(head: Head, method: str) -> Body:
    """How the body of an answer is framed (RFC 9112 6.3). Raises BadMessage."""
    framed = _framed(head)
    return Counted(0) if method == "HEAD" or head.status in (204, 304) else framed


def _framed(head: Head) -> Body:
    lengths = {length.strip() for value in head.get(b"content-length") for length in value.split(b",")}
    if len(lengths) > 1 or any(not length.isdigit() or len(length) > 18 for length in lengths):
        raise BadMessage("The answer's length is malformed.")
    coding = b",".join(head.get(b"transfer-encoding")).strip().lower()
    if coding not in (b"", b"chunked"):
        raise BadMessage("The answer has a transfer encoding that is not known.")
    if coding:
        return Chunked()
    return Counted(int(lengths.pop())) if lengths else UntilClosed()


class Counted:
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes) -> bytes:
        content = data[: self._left]
        self._left -= len(content)
        self.done = self._left == 0
        return content

    def end(self) -> None:
        if not self.done:
            raise BadMessage("The connection ended before the answer did.")


class UntilClosed:
    """A body that ends with its connection: there is no telling whether it is complete."""

    done = False

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        self.done = True


class Chunked:
    """The chunked coding. Extensions and trailers are read over."""

    def __init__(self) -> None:
        self.done = False
        self._rest = b""  # of a line that is not whole
        self._left = 0  # of the present chunk, with the CRLF behind it
        self._trailers = -1  # bytes of trailers so far, once the last chunk has come

    def feed(self, data: bytes) -> bytes:
        if self._rest:
            data, self._rest = self._rest + data, b""
        content: list[bytes] = []
        at = 0
        while at < len(data) and not self.done:
            if self._left:
                at = self._content(data, at, content)
                continue
            end = data.find(b"\r\n", at)
            if end < 0:
                self._keep(data[at:])
                break
            self._line(data[at:end])
            at = end + 2
        return content[0] if len(content) == 1 else b"".join(content)

    def end(self) -> None:
        if not self.done:
            raise BadMessage("The connection ended before the answer did.")

    def _content(self, data: bytes, at: int, content: list[bytes]) -> int:
        """Take what there is of the present chunk; `_left` counts its CRLF, too."""
        size = self._left - 2
        if size > 0:
            piece = data[at : at + size]
            content.append(piece)
            self._left -= len(piece)
            return at + len(piece)
        ending = data[at : at + self._left]
        if ending != b"\r\n"[2 - self._left :][: len(ending)]:
            raise BadMessage("A chunk of the answer is longer than it says.")
        self._left -= len(ending)
        return at + len(ending)

    def _line(self, line: bytes) -> None:
        if self._trailers >= 0:
            self._trailers += len(line) + 2
            self.done = not line
            if self._trailers > _TRAILER_LIMIT:
                raise BadMessage("The answer's trailers are too long.")
            return
        size = line.partition(b";")[0].rstrip(b" \t")
        if not 0 < len(size) <= 15 or not _DIGITS.issuperset(size) or len(line) > _LINE_LIMIT:
            raise BadMessage("A chunk of the answer has no proper size.")
        length = int(size, 16)
        if length:
            self._left = length + 2
        else:
            self._trailers = 0

    def _keep(self, rest: bytes) -> None:
        if len(rest) > (_TRAILER_LIMIT if self._trailers >= 0 else _LINE_LIMIT):
            raise BadMessage("A chunk of the answer has no proper size.")
        self._rest = rest
