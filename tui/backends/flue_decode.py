"""What Flue's conversation stream says about one run: frames and snapshots in, our events out. Pure.

A conversation's stream (`GET C?view=updates&offset=O&live=sse`) never ends and belongs to everybody who
talks in that conversation. It has two kinds of frames. `data` holds a JSON array of *chunks*, each with a
`type` and, except for `stream-checkpoint`, a `position` of batch and index that identifies it for good.
`control` holds `streamNextOffset`, from where the stream can be opened again. A *submission* is Flue's word
for our run:

    stream-checkpoint    which incarnation of the store this is; first on every connection
    conversation-reset   everything so far as one snapshot: at offset -1, and when the history was compacted
    message-appended     a prompt was taken up, or an advisory (system) message
    message-started      a model step opened; the same messageId again continues that message
    message-delta        more text or reasoning of it; another kind opens another part
    tool-input           a tool call, its arguments whole
    tool-output, tool-output-error   its end (see `_tool_error` for the one that is none)
    data-part            data of the agent's own; the last of a name counts
    message-completed    the model step ended; no end of the run
    submission-settled   the end of a run, and the only one: completed, failed or aborted
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from tui.backends.flue_history import (
    ABANDONED,
    JSON,
    dicts_in,
    end_of,
    read_json,
    settlement_of,
    submissions_of,
    text_of,
)
from tui.core import events as ev
from tui.core.events import ToolStatus

_ABORTED = "This operation was aborted"
_LAST = 1 << 62  # beyond every index of a batch


@dataclass(slots=True)
class _Message:
    """One message of the run: how many text and reasoning parts it has, and which kind is open."""

    parts: int = 0
    open: str = ""


@dataclass(slots=True)
class RunReader:
    """What is known of one run, and where its stream goes on. Feed it what arrives, in order.

    `offset` is where to open the stream again (exclusive). `finished` is set once the run has settled.
    `stale` is set when the stream is of another incarnation of the store: nothing on it counts, read the
    history. `untold` is for whoever hands the events on: what a reader that left half-way has not taken yet.
    """

    submission: str
    offset: str = "-1"
    incarnation: str = ""
    finished: ev.RunFinished | None = None
    stale: bool = False
    untold: deque[ev.Event] = field(default_factory=deque)
    _seen: tuple[int, int] = (-1, -1)
    _taken_up: bool = False  # our prompt is in the conversation: what opens from here on answers it
    _messages: dict[str, _Message] = field(default_factory=dict)
    _reasoned: dict[str, int] = field(default_factory=dict)  # characters of each reasoning block
    _calls: dict[str, int] = field(default_factory=dict)  # how often each tool call id opened a call
    _told: set[str] = field(default_factory=set)  # calls told of
    _ended: set[str] = field(default_factory=set)  # calls whose end was told

    def frame(self, name: str, data: str) -> list[ev.Event]:
        """Decode one event of the stream. Chunks seen before, and those of other runs, give nothing."""
        value = read_json(data)
        if name == "control" and isinstance(value, dict):
            self.offset = text_of(value.get("streamNextOffset")) or self.offset
            return []
        if name != "data" or not isinstance(value, list):
            return [ev.Unknown(name or "message", raw=data)]
        events = [event for chunk in value if not self.stale for event in self._chunk(chunk)]
        return _with_raw(events, data)

    def snapshot(self, snapshot: object, raw: str = "") -> list[ev.Event]:
        """Take over a snapshot: what of this run was not told yet. Its offset and incarnation become ours."""
        if not isinstance(snapshot, dict):
            return [ev.Unknown("conversation-reset", raw=raw)]
        self.offset = text_of(snapshot.get("offset")) or self.offset
        self.incarnation = text_of(snapshot.get("incarnation")) or self.incarnation
        self._seen, self.stale, self._calls = (_batch_of(self.offset), _LAST), False, {}
        events = [event for message in dicts_in(snapshot, "messages") for event in self._restate(message)]
        settled = settlement_of(snapshot, self.submission)
        if settled and not self.finished:
            events.append(self._finish(settled))
        return _with_raw(events, raw)

    # --- chunks -------------------------------------------------------------------------------------------

    def _chunk(self, chunk: object) -> list[ev.Event]:
        if not isinstance(chunk, dict):
            return [ev.Unknown("chunk")]
        if self.finished or not self._is_new(chunk.get("position")):
            return []
        kind = text_of(chunk.get("type")) or "chunk"
        decode = _CHUNKS.get(kind)
        return list(decode(self, chunk)) if decode else [ev.Unknown(kind)]

    def _is_new(self, position: object) -> bool:
        """Chunks come again after a reconnect; their position tells. Gaps between positions are normal."""
        if not isinstance(position, dict):
            return True
        batch, index = position.get("batch"), position.get("index")
        if not isinstance(batch, int) or not isinstance(index, int):
            return True
        before, self._seen = self._seen, max(self._seen, (batch, index))
        return (batch, index) > before

    def _checkpoint(self, chunk: JSON) -> Iterator[ev.Event]:
        incarnation = text_of(chunk.get("incarnation"))
        self.stale = bool(self.incarnation and incarnation and incarnation != self.incarnation)
        if not self.stale:
            self.incarnation = incarnation or self.incarnation
        yield ev.Unknown("stream-checkpoint")

    def _reset(self, chunk: JSON) -> Iterator[ev.Event]:
        seen, offset = self._seen, self.offset
        yield from self.snapshot(chunk.get("snapshot"))
        self._seen, self.offset = max(seen, self._seen), offset  # the control frame tells where to go on

    def _appended(self, chunk: JSON) -> Iterator[ev.Event]:
        message = chunk.get("message")
        if isinstance(message, dict) and self.submission in submissions_of(message):
            self._taken_up = self._taken_up or message.get("role") == "user"
            yield ev.Unknown("message-appended")

    def _started(self, chunk: JSON) -> Iterator[ev.Event]:
        """A prompt sent while a run is on joins it: the answer grows the other prompt's message."""
        message = text_of(chunk.get("messageId"))
        if self._taken_up or chunk.get("submissionId") == self.submission:
            self._messages.setdefault(message, _Message())
            yield ev.Unknown("message-started")

    def _delta(self, chunk: JSON) -> Iterator[ev.Event]:
        kind, text = text_of(chunk.get("kind")), text_of(chunk.get("delta"))
        message = self._messages.get(text_of(chunk.get("messageId")))
        if message is None or not text:
            return
        if kind not in ("text", "reasoning"):
            yield ev.Unknown("message-delta")
            return
        yield from self._open(chunk, message, kind)
        yield self._grow(_block(chunk, message), kind, text)

    def _open(self, chunk: JSON, message: _Message, kind: str) -> Iterator[ev.Event]:
        if message.open != kind:
            yield from self._close(chunk)
            message.parts, message.open = message.parts + 1, kind

    def _grow(self, block: str, kind: str, text: str) -> ev.Event:
        if kind == "text":
            return ev.TextDelta(block, text)
        self._reasoned[block] = self._reasoned.get(block, 0) + len(text)
        return ev.ReasoningDelta(block, text)

    def _close(self, chunk: JSON) -> Iterator[ev.Event]:
        message = self._messages.get(text_of(chunk.get("messageId")))
        if message and message.open:
            message.open = ""
            yield ev.BlockEnded(_block(chunk, message))

    def _step_over(self, chunk: JSON) -> Iterator[ev.Event]:
        if text_of(chunk.get("messageId")) in self._messages:
            yield from self._close(chunk)
            yield ev.Unknown("message-completed")

    def _tool(self, chunk: JSON) -> Iterator[ev.Event]:
        """A call. Models repeat call ids within a run: the second call of an id is one of its own."""
        if text_of(chunk.get("messageId")) not in self._messages:
            return
        yield from self._close(chunk)
        given = text_of(chunk.get("toolCallId"))
        self._calls[given] = self._calls.get(given, 0) + 1
        call = self._named(given)
        if call not in self._told:
            self._told.add(call)
            yield ev.ToolStarted(call, text_of(chunk.get("toolName")) or "tool", _json(chunk.get("input")))
            yield ev.ToolRunning(call)

    def _named(self, given: str) -> str:
        times = self._calls[given]
        return given if times == 1 else f"{given}#{times}"

    def _open_call(self, chunk: JSON) -> str:
        """Our name for the call of ours that this id has open; "" where there is none."""
        given = text_of(chunk.get("toolCallId"))
        call = self._named(given) if given in self._calls else ""
        return "" if call in self._ended else call

    def _tool_output(self, chunk: JSON) -> Iterator[ev.Event]:
        if call := self._open_call(chunk):
            self._ended.add(call)
            yield ev.ToolFinished(call, _json(chunk.get("output")))

    def _tool_error(self, chunk: JSON) -> Iterator[ev.Event]:
        """A tool that does not listen to the abort is given up while it runs on: that is not its end."""
        call, text = self._open_call(chunk), text_of(chunk.get("errorText"))
        if call and ABANDONED in text:
            yield ev.Unknown("tool-output-error")
        elif call:
            self._ended.add(call)
            status = ToolStatus.INTERRUPTED if text.startswith(_ABORTED) else ToolStatus.ERROR
            yield ev.ToolFinished(call, text, status)

    def _data_part(self, chunk: JSON) -> Iterator[ev.Event]:
        if text_of(chunk.get("messageId")) in self._messages:
            yield ev.DataReceived(text_of(chunk.get("name")) or "data", chunk.get("data"))

    def _metadata(self, chunk: JSON) -> Iterator[ev.Event]:
        if text_of(chunk.get("messageId")) in self._messages:
            yield ev.Unknown("message-metadata")

    def _settled(self, chunk: JSON) -> Iterator[ev.Event]:
        if chunk.get("submissionId") == self.submission:
            yield self._finish(chunk)

    def _finish(self, settlement: JSON) -> ev.RunFinished:
        self.finished = end_of(settlement)
        return self.finished

    # --- snapshots ----------------------------------------------------------------------------------------

    def _restate(self, message: JSON) -> Iterator[ev.Event]:
        if message.get("submissionId") != self.submission or message.get("display") == "hidden":
            return
        if message.get("role") == "user":
            self._taken_up = True
        elif message.get("role") == "assistant":
            yield from self._restate_parts({"messageId": text_of(message.get("id"))}, message)

    def _restate_parts(self, at: JSON, message: JSON) -> Iterator[ev.Event]:
        held = self._messages[at["messageId"]] = _Message()
        for part in dicts_in(message, "parts"):
            kind = text_of(part.get("type"))
            if kind in ("text", "reasoning"):
                yield from self._restate_text(at, held, kind, part)
            elif kind == "dynamic-tool":
                yield from self._tool(at | part)
                yield from _restate_tool_end(self, part)
            elif kind.startswith("data-"):
                yield ev.DataReceived(kind.removeprefix("data-"), part.get("data"))

    def _restate_text(self, at: JSON, held: _Message, kind: str, part: JSON) -> Iterator[ev.Event]:
        text = text_of(part.get("text"))
        if not text:
            return
        held.parts, held.open = held.parts + 1, kind
        block = _block(at, held)
        if kind == "text":
            yield ev.TextReplaced(block, text)
        elif rest := text[self._reasoned.get(block, 0) :]:
            yield self._grow(block, kind, rest)
        if part.get("state") != "streaming":
            yield from self._close(at)


def _restate_tool_end(reader: RunReader, part: JSON) -> Iterator[ev.Event]:
    if part.get("state") == "output-available":
        yield from reader._tool_output(part)
    elif part.get("state") == "output-error":
        yield from reader._tool_error(part)


_CHUNKS: dict[str, Callable[[RunReader, JSON], Iterator[ev.Event]]] = {
    "stream-checkpoint": RunReader._checkpoint,
    "conversation-reset": RunReader._reset,
    "message-appended": RunReader._appended,
    "message-started": RunReader._started,
    "message-delta": RunReader._delta,
    "tool-input": RunReader._tool,
    "tool-output": RunReader._tool_output,
    "tool-output-error": RunReader._tool_error,
    "data-part": RunReader._data_part,
    "message-metadata": RunReader._metadata,
    "message-completed": RunReader._step_over,
    "submission-settled": RunReader._settled,
}
CHUNK_TYPES = frozenset(_CHUNKS)


def _block(at: JSON, message: _Message) -> str:
    """Our name for a message's open part: the same on the stream and in a snapshot."""
    return f"{text_of(at.get('messageId'))}/{message.parts}"


def _batch_of(offset: str) -> int:
    """The batch an offset stands after: its second number. -1 where it has none."""
    number = offset.rpartition("_")[2]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 20 else -1


def _json(value: object) -> str:
    """Arguments and results as text: a string as it is, anything else as JSON."""
    try:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "(nested too deep to show)"


def _with_raw(events: list[ev.Event], raw: str) -> list[ev.Event]:
    """The wire text goes to the first event of a frame, and nowhere else."""
    return [replace(events[0], raw=raw), *events[1:]] if events and raw else events
