"""The sections that show blocks: text, reasoning, tool calls, data, questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.core.events import ToolStatus
from tui.core.safe_text import safe_line
from tui.core.transcript import Block, DataBlock, QuestionBlock, TextBlock, ToolBlock
from tui.ui.transcript import inks
from tui.ui.transcript.body import Body
from tui.ui.transcript.facts import as_call, pretty, size_of, took
from tui.ui.transcript.items import Line, Word
from tui.ui.transcript.pouring import Growing, Pouring, Whole
from tui.ui.transcript.rows import cells
from tui.ui.transcript.section import Section
from tui.ui.transcript.setting import Setting

Clock = Callable[[], float]


class Text(Section):
    """Reply text, or reasoning (folded, with a head)."""

    indent = 2

    def __init__(self, key: str, block: TextBlock, clock: Clock) -> None:
        self.foldable = block.reasoning
        super().__init__(key, self._fresh(block))
        self.block, self.clock = block, clock
        self.pouring: Growing = Growing(block.content)
        self.sealed = False

    def _fresh(self, block: TextBlock) -> Body:
        return Body(base=inks.REASONING if block.reasoning else inks.TEXT)

    def lines(self, setting: Setting) -> Sequence[Line]:
        if not self.block.reasoning:
            return []
        time = took(self.block.began, self.block.ended, self.clock)
        facts = Word(f"{time}   {self.block.content.length:,} chars", "dim")
        return [[fold_word(self, setting), Word("thinking", "dim"), Word(" ", fill=True), facts]]

    def sync(self) -> bool:
        if self.pouring.replaced():
            self.body = self._fresh(self.block)
        changed = self.pour() or self.sealed != self.block.sealed
        self.sealed = self.block.sealed
        if changed and self.sealed and not self.behind and self.body:
            self.body.source.adopt(self.block.content.text())
        if self.block.reasoning and changed:
            self.changed()
        return changed

    @property
    def open(self) -> bool:
        return not self.sealed or self.behind

    @property
    def ticks(self) -> bool:
        return self.block.reasoning and not self.block.sealed


class Tool(Section):
    """A tool call: one line, and behind it the arguments and the result."""

    indent = 4
    foldable = True
    lazy = True

    def __init__(self, key: str, block: ToolBlock, clock: Clock) -> None:
        super().__init__(key, Body(plain=True))
        self.block, self.clock = block, clock
        self.pouring: Pouring = Growing(block.arguments)
        self.stamp: tuple[object, ...] = ()

    def lines(self, setting: Setting) -> Sequence[Line]:
        name = [fold_word(self, setting), Word("tool  ", "dim"), Word(self.block.name, "strong")]
        facts = self._facts(setting)
        room = setting.width - sum(cells(word.text) for word in (*name, *facts)) - 2
        call = safe_line(as_call(self.block.arguments), max(1, min(room - 2, 120)))
        return [
            [*name, Word(f"({call})" if room > 3 else "", "dim"), Word(" ", fill=True), Word(" "), *facts]
        ]

    def _facts(self, setting: Setting) -> list[Word]:
        """Status, time and size; each stands in a column of its own."""
        block, time = self.block, took(self.block.began, self.block.ended, self.clock)
        if block.status is not None:
            size = size_of(block.result or "")
            tone = "dim" if block.status is ToolStatus.OK else "warning"
            return [Word(f"{block.status.value:5}", tone), Word(f" {time:>6}  {size:>9}", "dim")]
        if block.sealed:
            return [Word("cut  ", "warning"), Word(f" {time:>6}  no result", "dim")]
        return [Word(f"{setting.glyphs.running:5}"), Word(f" {time:>6}", "dim"), Word(" " * 11)]

    def sync(self) -> bool:
        """Its body is made only while it is unfolded: results may be large, and are seldom looked at."""
        block = self.block
        stamp = (block.arguments.epoch, block.sealed, block.name, block.status, block.arguments.length)
        changed = stamp != self.stamp
        if stamp[:-1] != self.stamp[:-1]:
            self.body = Body(plain=True, language="json")
            ended = block.result is not None
            self.pouring = Whole(lambda: tool_source(block)) if ended else Growing(block.arguments)
        self.stamp = stamp
        if changed:
            self.changed()
        return self.pour() or changed

    def source(self) -> str:
        return tool_source(self.block)

    @property
    def open(self) -> bool:
        return not self.block.sealed or self.behind

    @property
    def ticks(self) -> bool:
        return not self.block.sealed


def tool_source(block: ToolBlock) -> str:
    """The text behind a tool call: its arguments, and with a result both."""
    if block.result is None:
        return block.arguments.text()
    return f"in   {pretty(block.arguments.text())}\nout  {pretty(block.result)}"


class Data(Section):
    """Structured data, folded."""

    indent = 4
    foldable = True
    lazy = True

    def __init__(self, key: str, block: DataBlock) -> None:
        super().__init__(key)
        self.block, self.epoch = block, -1

    def source(self) -> str:
        return pretty(self.block.value)

    def lines(self, setting: Setting) -> Sequence[Line]:
        name = [fold_word(self, setting), Word("data  ", "dim"), Word(self.block.name, "strong")]
        return [[*name, Word(" ", fill=True), Word(size_of(self.block.value), "dim")]]

    def sync(self) -> bool:
        if self.epoch == self.block.epoch:
            return self.pour()
        block = self.block
        self.epoch, self.body = block.epoch, Body(plain=True, language="json")
        self.pouring = Whole(lambda: pretty(block.value))
        self.changed()
        return self.pour() or True

    @property
    def open(self) -> bool:
        return True  # a later event of the same name replaces the value


class Question(Section):
    """A question of the backend, and the answer."""

    indent = 2

    def __init__(self, key: str, block: QuestionBlock) -> None:
        super().__init__(key, Body(plain=True))
        self.block, self.stamp = block, (block.reply, block.sealed)
        self.pouring = Whole(lambda: block.text)

    def lines(self, setting: Setting) -> Sequence[Line]:
        block = self.block
        if block.reply is not None:
            return [[Word("? asked", "dim"), Word(" ", fill=True), Word(f"answered: {block.reply}", "dim")]]
        if block.sealed:  # the turn is over: nothing waits, and there is nothing to click
            return [[Word("? asked", "dim"), Word(" ", fill=True), Word("not answered", "dim")]]
        words = [Word("? waits for you", "warning")]
        for choice in block.choices or (("yes", "no") if block.kind == "approval" else ()):
            words += [Word("   "), Word(choice, "key", f"answer:{choice}")]
        return [words]

    def sync(self) -> bool:
        stamp = (self.block.reply, self.block.sealed)
        changed, self.stamp = stamp != self.stamp, stamp
        if changed:
            self.changed()
        return self.pour() or changed

    @property
    def open(self) -> bool:
        return not self.block.sealed


def section_of(index: int, block: Block, clock: Clock) -> Section:
    """The section that shows a block."""
    key = f"block:{index}"
    if isinstance(block, TextBlock):
        return Text(key, block, clock)
    if isinstance(block, ToolBlock):
        return Tool(key, block, clock)
    if isinstance(block, DataBlock):
        return Data(key, block)
    return Question(key, block)


def fold_word(section: Section, setting: Setting) -> Word:
    """The sign before a head that can be folded."""
    glyphs = setting.glyphs
    return Word(f"{glyphs.folded if section.folded else glyphs.unfolded} ", "", "fold")
