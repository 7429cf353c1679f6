"""The sections of a turn: prompt, head of the reply, blocks, cards. Each is a head (few rows) and maybe a body."""

from __future__ import annotations

from collections.abc import Callable

from tui.core.events import ToolStatus
from tui.core.safe_text import safe_line
from tui.core.transcript import Block, DataBlock, Grown, QuestionBlock, TextBlock, ToolBlock
from tui.ui.transcript import inks
from tui.ui.transcript.body import Body
from tui.ui.transcript.items import Line, Word
from tui.ui.transcript.lines import line_rows, lines_rows
from tui.ui.transcript.rows import BLANK, Row
from tui.ui.transcript.setting import Setting

Clock = Callable[[], float]


class Section:
    """A head that is made anew when it changes, and a body in slabs that can be folded away.

    Slab 0 is the head, slab n the body's slab n - 1. `gap`: a blank row before it.
    """

    indent = 0  # columns the body stands in
    foldable = False

    def __init__(self, key: str, body: Body | None = None) -> None:
        self.key = key
        self.body = body
        self.gap = False
        self.folded = self.foldable
        self._head: list[Row] | None = None
        self._head_for: Setting | None = None
        self.head_height = 1

    def lines(self, setting: Setting) -> list[Line]:
        """The lines of the head."""
        return []

    def changed(self) -> None:
        """The head has to be made anew."""
        self._head = None

    def rows(self, slab: int, setting: Setting) -> list[Row]:
        if slab:
            assert self.body
            return self.body.rows(slab - 1, setting.narrower(self.indent + 2))
        if self._head is None or self._head_for != setting:
            rows = lines_rows(self.lines(setting), setting.width)
            self._head = [BLANK, *rows] if self.gap else rows
            self._head_for, self.head_height = setting, len(self._head)
        return self._head

    @property
    def slabs(self) -> int:
        return 1 if self.body is None or self.folded else 1 + len(self.body.slabs)

    @property
    def height(self) -> int:
        """Rows; estimated where nobody has looked yet."""
        return self.head_height + (0 if self.body is None or self.folded else self.body.heights.total)

    def sync(self) -> bool:
        """Take in what grew. True if anything changed."""
        return False

    @property
    def open(self) -> bool:
        """Whether it may still change by itself."""
        return False

    def source(self) -> str:
        """The text to copy."""
        return self.body.source.text() if self.body else ""


class Lines(Section):
    """A section that is only lines of the app: a head of a prompt or reply, a card."""

    def __init__(self, key: str, lines: list[Line]) -> None:
        super().__init__(key)
        self._lines = lines

    def lines(self, setting: Setting) -> list[Line]:
        return self._lines


class Prompt(Section):
    """What the person sent."""

    indent = 2

    def __init__(self, head: Line, text: str) -> None:
        super().__init__("prompt", Body(plain=True))
        self.head_line, self.text = head, text
        assert self.body
        self.body.grow(text)

    def lines(self, setting: Setting) -> list[Line]:
        return [self.head_line]


class _Growing:
    """Follows one `Grown`: gives what came since the last look."""

    __slots__ = ("chars", "epoch", "grown", "parts")

    def __init__(self, grown: Grown) -> None:
        self.grown, self.parts, self.chars, self.epoch = grown, 0, 0, grown.epoch

    def replaced(self) -> bool:
        if self.epoch == self.grown.epoch:
            return False
        self.epoch, self.parts, self.chars = self.grown.epoch, 0, 0
        return True

    def news(self) -> str:
        """What is not taken in yet. Robust against parts that were joined meanwhile."""
        parts = self.grown.parts
        if self.chars == self.grown.length:
            return ""
        new = parts[self.parts :]
        text = "".join(new)
        if self.chars + len(text) != self.grown.length:
            text = "".join(parts)[self.chars :]
        self.parts, self.chars = len(parts), self.grown.length
        return text


class Text(Section):
    """Reply text, or reasoning (folded, with a head)."""

    indent = 2

    def __init__(self, key: str, block: TextBlock, clock: Clock) -> None:
        self.foldable = block.reasoning
        super().__init__(key, self._fresh(block))
        self.block, self.clock = block, clock
        self.growing = _Growing(block.content)
        self.sealed = False

    def _fresh(self, block: TextBlock) -> Body:
        return Body(base=inks.REASONING if block.reasoning else inks.TEXT)

    def lines(self, setting: Setting) -> list[Line]:
        if not self.block.reasoning:
            return []
        facts = (
            f"{_took(self.block.began, self.block.ended, self.clock)}   {self.block.content.length:,} chars"
        )
        return [
            [_fold_word(self, setting), Word("thinking", "dim"), Word(" ", fill=True), Word(facts, "dim")]
        ]

    def sync(self) -> bool:
        if self.growing.replaced():
            self.body = self._fresh(self.block)
        text = self.growing.news()
        if text:
            assert self.body
            self.body.grow(text)
        changed = bool(text) or self.sealed != self.block.sealed
        self.sealed = self.block.sealed
        if changed and self.block.reasoning:
            self.changed()
        return changed

    @property
    def open(self) -> bool:
        return not self.sealed


class Tool(Section):
    """A tool call: one line, and behind it the arguments and the result."""

    indent = 4
    foldable = True

    def __init__(self, key: str, block: ToolBlock, clock: Clock) -> None:
        super().__init__(key, Body(plain=True))
        self.block, self.clock = block, clock
        self.growing = _Growing(block.arguments)
        self.done: tuple[bool, ToolStatus | None] = (False, None)

    def lines(self, setting: Setting) -> list[Line]:
        block = self.block
        name = [_fold_word(self, setting), Word("tool  ", "dim"), Word(block.name, "strong")]
        facts = [Word(f" {text}", tone) for text, tone in self._facts()]
        room = setting.width - sum(len(w.text) for w in name + facts) - 2
        return [[*name, Word(self._call(room), "dim"), Word(" ", fill=True), *facts]]

    def _facts(self) -> list[tuple[str, str]]:
        block, took = self.block, _took(self.block.began, self.block.ended, self.clock)
        if block.status is None:
            return (
                [("cut", "warning"), (f"  {took}   no result", "dim")]
                if block.sealed
                else [("…", ""), (f"  {took}", "dim")]
            )
        tone = "dim" if block.status is ToolStatus.OK else "warning"
        size = len((block.result or "").encode())
        return [(block.status.value, tone), (f"  {took}   {_bytes(size)}", "dim")]

    def _call(self, room: int) -> str:
        """The arguments in brackets, as much as fits."""
        text = "".join(self.block.arguments.parts[:50])[:400] if self.block.arguments.length else ""
        short = safe_line(_arguments(text), max(4, min(room - 2, 120))) if room > 6 else ""
        return f"({short})"

    def sync(self) -> bool:
        done = (self.block.sealed, self.block.status)
        replaced = self.growing.replaced()
        text = self.growing.news()
        if replaced or done != self.done:
            self._rebuild()
        elif text:
            assert self.body
            self.body.grow(text)
        elif done == self.done:
            return False
        self.done = done
        self.changed()
        return True

    def _rebuild(self) -> None:
        self.body = Body(plain=True)
        arguments = self.block.arguments.text()
        if self.block.result is None:
            self.body.grow(arguments)
        else:
            self.body.grow(f"in   {arguments}\nout  {self.block.result}")

    @property
    def open(self) -> bool:
        return not self.block.sealed


class Data(Section):
    """Structured data, folded."""

    indent = 4
    foldable = True

    def __init__(self, key: str, block: DataBlock) -> None:
        super().__init__(key)
        self.block, self.epoch = block, -1

    def lines(self, setting: Setting) -> list[Line]:
        name = [_fold_word(self, setting), Word("data  ", "dim"), Word(self.block.name, "strong")]
        return [[*name, Word(" ", fill=True), Word(_bytes(len(self.block.value.encode())), "dim")]]

    def sync(self) -> bool:
        if self.epoch == self.block.epoch:
            return False
        self.epoch, self.body = self.block.epoch, Body(plain=True)
        self.body.grow(self.block.value)
        self.changed()
        return True

    @property
    def open(self) -> bool:
        return True  # a later event of the same name replaces the value


class Question(Section):
    """A question of the backend, and the answer."""

    indent = 2

    def __init__(self, key: str, block: QuestionBlock) -> None:
        super().__init__(key, Body(plain=True))
        self.block = block
        assert self.body
        self.body.grow(block.text)
        self.replied = block.reply

    def lines(self, setting: Setting) -> list[Line]:
        block = self.block
        if block.reply is not None:
            return [[Word("? asked", "dim"), Word(" ", fill=True), Word(f"answered: {block.reply}", "dim")]]
        words = [Word("? waits for you", "warning")]
        for choice in block.choices or (("yes", "no") if block.kind == "approval" else ()):
            words += [Word("   "), Word(choice, "key", f"answer:{choice}")]
        return [words]

    def sync(self) -> bool:
        if self.replied == self.block.reply:
            return False
        self.replied = self.block.reply
        self.changed()
        return True

    @property
    def open(self) -> bool:
        return self.block.reply is None


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


def _fold_word(section: Section, setting: Setting) -> Word:
    glyphs = setting.glyphs
    return Word(f"{glyphs.folded if section.folded else glyphs.unfolded} ", "", "fold")


def _took(began: float, ended: float, clock: Clock) -> str:
    span = max(0.0, (ended or clock()) - began)
    return f"{span:.1f}s" if span < 100 else f"{span:.0f}s"


def _bytes(size: int) -> str:
    return (
        f"{size} B"
        if size < 1000
        else f"{size / 1000:.1f} kB"
        if size < 1_000_000
        else f"{size / 1e6:.1f} MB"
    )


def _arguments(text: str) -> str:
    """JSON arguments the way one writes a call: `id=42, name="x"`; anything else as it is."""
    import json

    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, dict):
        return text
    return ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in found.items())
