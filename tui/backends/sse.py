"""Bytes of an event stream in, events out: bounded, always UTF-8, and never ahead of nor behind the bytes.

The rules are those of WHATWG HTML 9.2.6. `Decoder` does no I/O; `read` drives it over the chunks of a
response and gives the event loop back by time. httpx-sse's own decoder loses the first event after a
byte-order mark, makes events out of heartbeats, and buffers without a limit; its `ServerSentEvent` we use.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from enum import Enum, auto
from time import perf_counter

from httpx_sse import ServerSentEvent

from tui.backends.base import HALF_EVENT

MIB = 1024 * 1024
EVENT_LIMIT = 8 * MIB
STREAM_LIMIT = 256 * MIB
"""Wire data is some 30 times the text in it: this is a reply of a size that nobody reads."""
MAX_RETRY_MS = 30_000
SLICE_S = 0.003
"""How long a burst may hold the event loop: well under a frame, so that a key is seen in between."""

_BOM = b"\xef\xbb\xbf"
_FIELDS = (b"data", b"event", b"id", b"retry")
_BEGINNINGS = {name[:size] for name in _FIELDS for size in range(1, len(name) + 1)}
_LONGEST_FIELD = 6  # "event:" and "retry:"


class _Line(Enum):
    """What is done with a line whose end has not come."""

    KEPT = auto()  # it is, or may become, a field
    COUNTED = auto()  # neither a field nor a comment so far: not kept, but it must end within the limit
    SKIPPED = auto()  # a comment or an unknown field: of any length


class LimitExceeded(Exception):
    """The stream outgrew a limit. `events` holds what was complete before it did; feed no more."""

    def __init__(self, sentence: str, events: list[ServerSentEvent]) -> None:
        super().__init__(sentence)
        self.events = events


class Decoder:
    """Feed it bytes as they come; it answers with the events that these bytes completed.

    `event_limit` bounds one event (and one line), `stream_limit` the bytes that are kept of a whole stream,
    both in bytes. Comments and unknown fields are thrown away unbuffered. `last_event_id` and `retry_ms`
    are what the stream said last; an id counts once its block is complete.
    """

    def __init__(self, event_limit: int = EVENT_LIMIT, stream_limit: int = STREAM_LIMIT) -> None:
        self.last_event_id = ""
        self.retry_ms: int | None = None
        self._event_limit = event_limit
        self._left = stream_limit
        self._head: bytes | None = b""  # the first bytes, until a byte-order mark is ruled out
        self._after_cr = False  # the last byte was a CR: an LF that follows belongs to it
        self._kind = _Line.KEPT
        self._line: list[bytes] = []  # the pieces of a line whose end has not come
        self._line_size = 0
        self._data: list[str] = []
        self._data_size = 0
        self._type = ""
        self._id: str | None = None

    @property
    def half(self) -> int:
        """Bytes of an event that has begun and not ended."""
        return self._line_size + self._data_size

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events completed by `chunk`. Raises LimitExceeded."""
        self._left -= len(chunk)
        if self._head is not None:
            chunk = self._without_bom(chunk)
        if self._after_cr or b"\r" in chunk:
            chunk = self._with_lf_only(chunk)
        events: list[ServerSentEvent] = []
        complete, newline, rest = chunk.rpartition(b"\n")
        if newline:
            self._lines(self._joined(complete), events)
        if rest:
            self._hold(rest, events)
        if self._left < 0:
            raise LimitExceeded("The stream is longer than this client reads.", events)
        return events

    def _without_bom(self, chunk: bytes) -> bytes:
        head = (self._head or b"") + chunk
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._head = head
            return b""
        self._head = None
        return head.removeprefix(_BOM)

    def _with_lf_only(self, chunk: bytes) -> bytes:
        """One kind of line end. A CR at the end counts at once: its LF, if one follows, is dropped then."""
        if not chunk:
            return chunk
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _hold(self, piece: bytes, events: list[ServerSentEvent]) -> None:
        """Keep the beginning of a line, unless it is one that means nothing whatever its end."""
        if self._kind is _Line.SKIPPED:
            return
        self._line_size += len(piece)
        if self._line_size > self._event_limit:
            raise LimitExceeded("A line of the stream is longer than this client reads.", events)
        if self._kind is _Line.KEPT:
            self._line.append(piece)
            if self._line_size - len(piece) >= _LONGEST_FIELD:
                return  # its beginning was looked at before
            piece = b"".join(self._line)
            if piece in _BEGINNINGS or piece.partition(b":")[0] in _FIELDS:
                return
            self._kind, self._line = _Line.COUNTED, []
        if b":" in piece:
            self._kind = _Line.SKIPPED

    def _joined(self, complete: bytes) -> bytes:
        """What was held of the first line, and the complete lines of this chunk."""
        if self._kind is not _Line.KEPT:
            complete = b":" + complete  # the end of a line without meaning, as the end of a comment
        elif self._line:
            complete = b"".join([*self._line, complete])
        self._kind, self._line, self._line_size = _Line.KEPT, [], 0
        return complete

    def _lines(self, complete: bytes, events: list[ServerSentEvent]) -> None:
        """Decode whole lines (the last newline is taken off), a block at a time."""
        blocks = (complete.decode("utf-8", "replace") + "\n").split("\n\n")
        rest = blocks.pop()
        plain = not (self._data or self._type) and self._id is None  # no block is open
        limit, last_id = self._event_limit, self.last_event_id
        for block in blocks:
            if plain and block.startswith("data: ") and "\n" not in block and len(block) <= limit:
                events.append(ServerSentEvent("message", block[6:], last_id))
                continue
            self._block(block, events)
            self._dispatch(events)
            plain, last_id = True, self.last_event_id
        if rest:
            self._block(rest[:-1], events)

    def _block(self, block: str, events: list[ServerSentEvent]) -> None:
        for line in block.split("\n"):
            if line:
                self._field(line, events)
            else:
                self._dispatch(events)

    def _field(self, line: str, events: list[ServerSentEvent]) -> None:
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "data":
            self._data_size += len(value) + 1
            if self._data_size > self._event_limit:
                raise LimitExceeded("An event is longer than this client reads.", events)
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = min(int(value[:9]), MAX_RETRY_MS)

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        """An empty line: an event if there was a data field, and a clean slate either way."""
        if self._id is not None:
            self.last_event_id, self._id = self._id, None
        if self._data:
            events.append(ServerSentEvent(self._type, "\n".join(self._data), self.last_event_id))
            self._data, self._data_size = [], 0
        self._type = ""


async def read(
    chunks: AsyncIterator[bytes], decoder: Decoder, slice_s: float = SLICE_S
) -> AsyncGenerator[ServerSentEvent, None]:
    """The events of a byte stream. Lets other tasks run every `slice_s` seconds however fast it comes.

    Raises LimitExceeded after the events that were complete, and whatever `chunks` raises.
    """
    over: LimitExceeded | None = None
    until = perf_counter() + slice_s
    try:
        async for chunk in chunks:
            try:
                events = decoder.feed(chunk)
            except LimitExceeded as limit:
                over, events = limit, limit.events
            for event in events:
                yield event
                if perf_counter() >= until:
                    await asyncio.sleep(0)
                    until = perf_counter() + slice_s
            if over:
                raise over
    finally:
        half = HALF_EVENT.get()
        if half is not None:
            half[0] = decoder.half


def is_event_stream(content_type: str) -> bool:
    """Whether a Content-Type header names an event stream. Its charset means nothing: always UTF-8."""
    return content_type.partition(";")[0].strip().lower() == "text/event-stream"
