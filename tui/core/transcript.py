"""The pieces of a reply, and how events grow them. Growing is O(1): what is there is never copied.

A transcript only ever appends. A reader (the screen) remembers for each block how many characters it has
drawn and its `epoch`; a changed epoch means that the block was replaced and is drawn anew. All text in
blocks has gone through the one door and is safe to show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tui.core import events as ev
from tui.core.codec import dumps
from tui.core.safe_text import EMPTY, Door, SafeText, joined, safe, safe_line

SMALL = 512
"""So many pieces are kept before they become one string: one of five characters takes ten times that."""


@dataclass(slots=True)
class Grown:
    """Text that grows: safe `parts` to show, and the text as received beside them (the same, if clean).

    `length` counts shown characters. How the text is cut into parts means nothing and changes.
    """

    parts: list[SafeText] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    length: int = 0
    epoch: int = 0
    _door: Door = field(default_factory=Door)
    _large: int = 0  # how many pieces at the start are large

    def append(self, text: str) -> None:
        self.received.append(text)
        shown = self._door.feed(text)
        if shown:
            self.parts.append(shown)
            self.length += len(shown)
        if len(self.received) - self._large > SMALL:
            self._join(self._large)

    def _join(self, start: int) -> None:
        """One string instead of the pieces from `start` on; clean text is kept once."""
        shown, received = joined(self.parts[start:]), "".join(self.received[start:])
        self.parts[start:] = [shown]
        self.received[start:] = [shown if shown == received else received]
        self._large = start + 1

    def after(self, shown: int) -> str:
        """What stands behind the first `shown` characters, at the cost of what is new."""
        missing, found = self.length - shown, list[str]()
        for part in reversed(self.parts):
            if missing <= 0:
                break
            found.append(part[-missing:])
            missing -= len(part)
        return "".join(reversed(found))

    def replace(self, text: str) -> None:
        """Take over the whole text; only the new rest is appended where it goes on from what is there."""
        had = self.as_received()
        if text == had:
            return
        if text.startswith(had):
            self.append(text[len(had) :])
            return
        self.epoch += 1
        self.parts, self.received, self.length, self._door, self._large = [], [], 0, Door(), 0
        self.append(text)

    def seal(self) -> None:
        """No more comes: let go of what the door held back, and keep one string instead of many."""
        rest = self._door.close()
        if rest:
            self.parts.append(rest)
            self.length += len(rest)
        if self.length and len(self.received) > 1:
            self._join(0)

    def text(self) -> SafeText:
        return joined(self.parts)

    def as_received(self) -> str:
        return "".join(self.received)


@dataclass(slots=True)
class TextBlock:
    """Reply text (markdown), or reasoning."""

    key: str
    reasoning: bool = False
    content: Grown = field(default_factory=Grown)
    sealed: bool = False
    began: float = 0.0  # monotonic seconds
    ended: float = 0.0


@dataclass(slots=True)
class ToolBlock:
    """One tool call. `status` None: no end was seen."""

    key: str
    name: SafeText
    arguments: Grown = field(default_factory=Grown)
    result: SafeText | None = None
    status: ev.ToolStatus | None = None
    sealed: bool = False
    began: float = 0.0
    ended: float = 0.0


@dataclass(slots=True)
class DataBlock:
    """Structured data (state, activity, custom), shown folded; `value` is compact JSON text."""

    key: str
    name: SafeText
    value: SafeText
    sealed: bool = True
    epoch: int = 0


@dataclass(slots=True)
class QuestionBlock:
    """A question of the backend to the person; `reply` once it was answered."""

    key: str
    text: SafeText
    kind: str
    choices: tuple[SafeText, ...] = ()
    call: str = ""
    reply: SafeText | None = None
    sealed: bool = False


Block = TextBlock | ToolBlock | DataBlock | QuestionBlock


@dataclass(slots=True)
class Transcript:
    """The blocks of one turn's reply, in order of their opening. `chars` counts shown reply characters."""

    blocks: list[Block] = field(default_factory=list)
    steps: list[SafeText] = field(default_factory=list)  # named steps that are open
    input_tokens: int = 0
    output_tokens: int = 0
    model: SafeText = EMPTY
    _by_key: dict[str, Block] = field(default_factory=dict)

    @property
    def chars(self) -> int:
        return sum(b.content.length for b in self.blocks if isinstance(b, TextBlock) and not b.reasoning)

    def apply(self, event: ev.Event, at: float) -> None:
        """Grow by one backend event received at monotonic time `at` (seconds). Other events do nothing."""
        grow = _GROW.get(type(event))
        if grow:
            grow(self, event, at)

    def seal(self, at: float) -> None:
        """The turn is frozen or over: nothing grows any more."""
        for block in self.blocks:
            if not block.sealed:
                _seal(block, at)

    def reply(self) -> SafeText:
        """The reply's text as shown, blocks parted by an empty line."""
        return joined((b.content.text() for b in self._replies() if b.content.length), "\n\n")

    def reply_as_received(self) -> str:
        return "\n\n".join(b.content.as_received() for b in self._replies())

    def open_tools(self) -> list[ToolBlock]:
        """Calls whose end was not seen. One that still waits for a person's yes has not begun."""
        asked = (b for b in self.blocks if isinstance(b, QuestionBlock) and b.reply is None)
        held = {question.call for question in asked if question.kind == "approval"}
        tools = (b for b in self.blocks if isinstance(b, ToolBlock) and b.status is None)
        return [tool for tool in tools if tool.key not in held]

    def _replies(self) -> list[TextBlock]:
        """Reply blocks that hold anything, be it a carriage return that the door still holds back."""
        return [b for b in self.blocks if isinstance(b, TextBlock) and not b.reasoning and b.content.received]

    def _text(self, key: str, reasoning: bool, at: float) -> TextBlock:
        block = self._by_key.get(key)
        if isinstance(block, TextBlock) and block.reasoning is reasoning:
            block.sealed = False
            return block
        fresh = TextBlock(key, reasoning, began=at)
        self._add(key, fresh)
        return fresh

    def _tool(self, key: str, at: float, name: str = "tool") -> ToolBlock:
        block = self._by_key.get("tool:" + key)
        if isinstance(block, ToolBlock):
            return block
        fresh = ToolBlock(key, safe_line(name), began=at)
        self._add("tool:" + key, fresh)
        return fresh

    def _add(self, key: str, block: Block) -> None:
        self._by_key[key] = block
        self.blocks.append(block)


def _seal(block: Block, at: float) -> None:
    if isinstance(block, TextBlock):
        block.content.seal()
        block.ended = at
    elif isinstance(block, ToolBlock):
        block.arguments.seal()
        block.ended = block.ended or at
    block.sealed = True


def _text_delta(t: Transcript, e: ev.TextDelta, at: float) -> None:
    t._text(e.block, False, at).content.append(e.text)


def _reasoning_delta(t: Transcript, e: ev.ReasoningDelta, at: float) -> None:
    t._text(e.block, True, at).content.append(e.text)


def _text_replaced(t: Transcript, e: ev.TextReplaced, at: float) -> None:
    t._text(e.block, False, at).content.replace(e.text)


def _block_ended(t: Transcript, e: ev.BlockEnded, at: float) -> None:
    block = t._by_key.get(e.block)
    if isinstance(block, TextBlock) and not block.sealed:
        _seal(block, at)


def _tool_started(t: Transcript, e: ev.ToolStarted, at: float) -> None:
    block = t._tool(e.call, at, e.name)
    block.name = safe_line(e.name)
    if e.arguments:
        block.arguments.replace(e.arguments)


def _tool_arguments(t: Transcript, e: ev.ToolArguments, at: float) -> None:
    t._tool(e.call, at).arguments.append(e.text)


def _tool_running(t: Transcript, e: ev.ToolRunning, at: float) -> None:
    t._tool(e.call, at).arguments.seal()


def _tool_finished(t: Transcript, e: ev.ToolFinished, at: float) -> None:
    block = t._tool(e.call, at)
    block.arguments.seal()
    block.result, block.status, block.ended, block.sealed = safe(e.result), e.status, at, True


def _step_started(t: Transcript, e: ev.StepStarted, at: float) -> None:
    t.steps.append(safe_line(e.name))


def _step_finished(t: Transcript, e: ev.StepFinished, at: float) -> None:
    name = safe_line(e.name)
    if name in t.steps:
        t.steps.remove(name)


def _data_received(t: Transcript, e: ev.DataReceived, at: float) -> None:
    name, value = safe_line(e.name), safe_line(dumps(e.value), limit=4096)
    block = t._by_key.get("data:" + e.name)
    if isinstance(block, DataBlock):
        block.value, block.epoch = value, block.epoch + 1
    else:
        t._add("data:" + e.name, DataBlock(e.name, name, value))


def _question_asked(t: Transcript, e: ev.QuestionAsked, at: float) -> None:
    choices = tuple(safe_line(choice) for choice in e.choices)
    t._add("question:" + e.request, QuestionBlock(e.request, safe(e.text), e.kind, choices, e.call))


def _question_answered(t: Transcript, e: ev.QuestionAnswered, at: float) -> None:
    block = t._by_key.get("question:" + e.request)
    if isinstance(block, QuestionBlock):
        block.reply, block.sealed = safe_line(e.reply), True


def _answer_failed(t: Transcript, e: ev.AnswerFailed, at: float) -> None:
    block = t._by_key.get("question:" + e.request)
    if isinstance(block, QuestionBlock):
        block.reply, block.sealed = None, False


def _usage(t: Transcript, e: ev.UsageReported, at: float) -> None:
    t.input_tokens, t.output_tokens, t.model = e.input_tokens, e.output_tokens, safe_line(e.model)


_GROW: dict[type[ev.Event], Callable[..., None]] = {
    ev.TextDelta: _text_delta,
    ev.ReasoningDelta: _reasoning_delta,
    ev.TextReplaced: _text_replaced,
    ev.BlockEnded: _block_ended,
    ev.ToolStarted: _tool_started,
    ev.ToolArguments: _tool_arguments,
    ev.ToolRunning: _tool_running,
    ev.ToolFinished: _tool_finished,
    ev.StepStarted: _step_started,
    ev.StepFinished: _step_finished,
    ev.DataReceived: _data_received,
    ev.QuestionAsked: _question_asked,
    ev.QuestionAnswered: _question_answered,
    ev.AnswerFailed: _answer_failed,
    ev.UsageReported: _usage,
}
