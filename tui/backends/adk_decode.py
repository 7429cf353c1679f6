"""ADK's event stream turned into our events, and what the end of such a stream means. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from tui.backends.adk_questions import CONFIRMATION, CREDENTIAL, INPUT, Question, held_up, question_of
from tui.backends.adk_wire import (
    JSON,
    call_id,
    calls,
    is_aborted,
    is_final,
    long_running,
    number,
    obj,
    parts,
    read,
    responses,
    root_author,
    string,
    text_of,
)
from tui.core import events as ev
from tui.core.codec import dumps
from tui.core.events import End, Event, ToolStatus

_ASKS = frozenset({CONFIRMATION, INPUT, CREDENTIAL})
_SHOWN_PARTS = ("executableCode", "codeExecutionResult", "inlineData", "fileData")


class _Tail(Enum):
    """What the stream held last. Only after FINAL is its clean end the end of the run."""

    NOTHING = auto()
    OPEN = auto()  # deltas without their whole text, a call, a result: more was to come
    FINAL = auto()


@dataclass(slots=True)
class _Block:
    """The text or the reasoning of one model turn, whose deltas and whole text share the event's id."""

    key: str
    whole: bool = False
    received: list[str] = field(default_factory=list)  # of reasoning only: its whole text cannot replace


@dataclass(slots=True)
class Decoder:
    """Decodes the frames of one `/run_sse` answer, in order.

    Call `feed` with the data of each frame; it never raises. When the stream has ended cleanly, `end` says
    what that means. `run_id` is the invocation's id, from the first frame that has one.
    """

    run_id: str = ""
    over: bool = False
    started: bool = False
    questions: dict[str, Question] = field(default_factory=dict)
    _text: dict[str, _Block] = field(default_factory=dict)
    _reasoning: dict[str, _Block] = field(default_factory=dict)
    _tail: _Tail = _Tail.NOTHING
    _failure: ev.RunFinished | None = None
    _steps: list[str] = field(default_factory=list)
    _first_author: str = ""
    _data: dict[str, JSON] = field(default_factory=dict)
    _used: tuple[int, int] = (0, 0)  # tokens in, tokens out
    _model: str = ""

    def feed(self, data: str) -> list[Event]:
        """The events of one frame; the first carries the frame as `raw`. Nothing more once `over`."""
        if self.over:
            return []
        frame = read(data)
        if not isinstance(frame, dict):
            out: list[Event] = [ev.Unknown("not a JSON object")]
        elif "author" not in frame and "error" in frame:
            out = self._exception(frame)
        else:
            out = self._event(frame)
        return [replace(out[0], raw=data), *out[1:]] if out else [ev.Unknown("no content", raw=data)]

    def end(self) -> list[Event]:
        """What a clean end of the stream says: a `RunFinished`, or the question that the run waits for.

        Empty: the stream stopped without the agent's final word (cut by a server or proxy that ended it
        neatly, cancelled without a mark, or a model that never sent its whole text). That is no completion.
        """
        if self.over:
            return []
        if self._failure:
            return self._finished(self._failure)
        for question in self.questions.values():
            return [question.asked()]
        return self._finished(ev.RunFinished(End.COMPLETED)) if self._tail is _Tail.FINAL else []

    def begin(self, run_id: str) -> list[Event]:
        """`RunStarted`, where the run became known in another way before its first frame."""
        return self._start(run_id)

    # --- frames -------------------------------------------------------------------------------------------

    def _event(self, event: JSON) -> list[Event]:
        out = self._start(string(event.get("invocationId")))
        if is_aborted(event):
            return out + self._finished(ev.RunFinished(End.CANCELLED, string(event.get("errorMessage"))))
        if event.get("author") == "user":
            return out
        out += self._step(event)
        out += self._deltas(event) if event.get("partial") else self._whole(event)
        self._note_end(event)
        if not event.get("partial") and is_final(event):
            out += self._leave(string(event.get("author")))
        return out

    def _start(self, run_id: str) -> list[Event]:
        self.run_id = self.run_id or run_id
        if self.started:
            return []
        self.started = True
        return [ev.RunStarted(self.run_id)]

    def _exception(self, frame: JSON) -> list[Event]:
        """The second frame of an exception (the first was an event), or its only one."""
        details = obj(frame.get("error_details"))
        code = string(details.get("error_type"))
        message = string(details.get("error_message")) or string(frame.get("error"))
        opened: list[Event] = [] if self.started else [ev.RunStarted(self.run_id)]
        self.started = True
        return opened + self._finished(self._failure or ev.RunFinished(End.FAILED, message, code))

    def _finished(self, last: ev.RunFinished) -> list[Event]:
        self.over = True
        left: list[Event] = [ev.StepFinished(name) for name in reversed(self._steps)]
        return [*left, last]

    def _note_end(self, event: JSON) -> None:
        code = string(event.get("errorCode"))
        if code and not event.get("partial"):
            self._failure = ev.RunFinished(End.FAILED, string(event.get("errorMessage")), code)
        elif parts(event):
            self._failure = None  # it went on after that error
        if parts(event) or code:
            self._tail = _Tail.FINAL if is_final(event) else _Tail.OPEN
        elif self._tail is _Tail.NOTHING:
            self._tail = _Tail.FINAL  # an agent that only changes state has no more to say than this

    # --- who speaks ---------------------------------------------------------------------------------------

    def _step(self, event: JSON) -> list[Event]:
        """Agents other than the root are steps: transfers, and the members of a workflow."""
        author = string(event.get("author"))
        self._first_author = self._first_author or author
        rooted = root_author(event) or ("nodeInfo" not in event and author == self._first_author)
        if not author or rooted or author in self._steps:
            return []
        self._steps.append(author)
        return [ev.StepStarted(author)]

    def _leave(self, author: str) -> list[Event]:
        if author not in self._steps:
            return []
        self._steps.remove(author)
        return [ev.StepFinished(author)]

    # --- content ------------------------------------------------------------------------------------------

    def _deltas(self, event: JSON) -> list[Event]:
        """Deltas are appended. A call in a delta is a preview whose arguments may be unfinished: not shown,
        so that a stop never reports as running what had not even been asked for."""
        out: list[Event] = []
        for part in parts(event):
            text = string(part.get("text"))
            if not text:
                continue
            if part.get("thought"):
                block = self._block(self._reasoning, event, "/thought")
                block.received.append(text)
                out.append(ev.ReasoningDelta(block.key, text))
            else:
                out.append(ev.TextDelta(self._block(self._text, event).key, text))
        if not out and calls(event):
            out.append(ev.Unknown("preview of a tool call"))
        return out

    def _block(self, blocks: dict[str, _Block], event: JSON, suffix: str = "") -> _Block:
        key = string(event.get("id"))
        block = blocks.get(key)
        if block is None:
            block = blocks[key] = _Block(key + suffix)
        elif block.whole:  # deltas after the whole text are a new text, whatever their id says
            block = blocks[key] = _Block(block.key + "+")
        return block

    def _whole(self, event: JSON) -> list[Event]:
        out = [*self._whole_reasoning(event), *self._whole_text(event)]
        for part in parts(event):
            out += self._other_part(part)
        out += self._calls(event)
        out += self._results(event)
        out += self._actions(event)
        return out + self._usage(event)

    def _whole_text(self, event: JSON) -> list[Event]:
        """The whole text replaces the deltas of the same id; an event without text leaves them alone."""
        text, key = text_of(event, thought=False), string(event.get("id"))
        block = self._text.get(key)
        if not text:
            return self._end_block(block)
        if block is None:
            self._text[key] = _Block(key, whole=True)
            return [ev.TextDelta(key, text), ev.BlockEnded(key)]
        block.whole = True
        return [ev.TextReplaced(block.key, text), ev.BlockEnded(block.key)]

    def _whole_reasoning(self, event: JSON) -> list[Event]:
        """Reasoning comes whole too; only what was not received as deltas is added."""
        text, key = text_of(event, thought=True), string(event.get("id"))
        block = self._reasoning.get(key)
        if block is None and text:
            block = self._reasoning[key] = _Block(key + "/thought")
        if block is None or block.whole:
            return []
        had = "".join(block.received)
        rest = text[len(had) :] if text.startswith(had) else ""
        added: list[Event] = [ev.ReasoningDelta(block.key, rest)] if rest else []
        return added + self._end_block(block)

    def _end_block(self, block: _Block | None) -> list[Event]:
        if block is None or block.whole:
            return []
        block.whole, block.received = True, []
        return [ev.BlockEnded(block.key)]

    def _other_part(self, part: JSON) -> list[Event]:
        for kind in _SHOWN_PARTS:
            if kind in part:
                value = dict(obj(part[kind]))
                if "data" in value:
                    value["data"] = f"{len(string(value['data']))} characters of base64"
                return [ev.DataReceived(kind, value)]
        return []

    def _calls(self, event: JSON) -> list[Event]:
        out: list[Event] = []
        waits = long_running(event)
        for call in calls(event):
            key, name = call_id(call), string(call.get("name"))
            if key in waits or name in _ASKS:
                self.questions[key] = question_of(call)
            if name not in _ASKS:
                out += [ev.ToolStarted(key, name, dumps(obj(call.get("args")))), ev.ToolRunning(key)]
        return out

    def _results(self, event: JSON) -> list[Event]:
        """Parallel calls end in one event. A result that only says "needs confirmation" is no end."""
        out: list[Event] = []
        held = held_up(event)
        for response in responses(event):
            key, value = call_id(response), response.get("response")
            if key in held:
                continue
            self.questions.pop(key, None)
            status = ToolStatus.ERROR if "error" in obj(value) else ToolStatus.OK
            out.append(ev.ToolFinished(key, value if isinstance(value, str) else dumps(value), status))
        return out

    def _actions(self, event: JSON) -> list[Event]:
        """State and artifacts so far. They come twice with one id: with the content, then by themselves."""
        actions = obj(event.get("actions"))
        out: list[Event] = []
        for name, field_name in (("state", "stateDelta"), ("artifacts", "artifactDelta")):
            had = self._data.get(name, {})
            now = had | obj(actions.get(field_name))
            if now != had:
                self._data[name] = now
                out.append(ev.DataReceived(name, now))
        return out

    def _usage(self, event: JSON) -> list[Event]:
        usage = obj(event.get("usageMetadata"))
        if not usage:
            return []
        given = self._used[0] + number(usage.get("promptTokenCount"))
        made = number(usage.get("candidatesTokenCount")) + number(usage.get("thoughtsTokenCount"))
        self._used = (given, self._used[1] + made)
        self._model = string(event.get("modelVersion")) or self._model
        return [ev.UsageReported(*self._used, self._model)]
