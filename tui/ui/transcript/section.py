"""A section of a turn: a head of a few rows, and maybe a body in slabs. Prompts, heads and cards are here."""

from __future__ import annotations

from collections.abc import Sequence

from tui.core.safe_text import SafeText
from tui.ui.transcript.body import Body
from tui.ui.transcript.items import Line
from tui.ui.transcript.lines import lines_rows, lines_text
from tui.ui.transcript.pouring import Pouring, Whole
from tui.ui.transcript.rows import BLANK, Row
from tui.ui.transcript.setting import Setting


class Section:
    """A head that is made anew when it changes, and a body that can be folded away.

    Slab 0 is the head, slab n the body's slab n - 1. `gap`: a blank row before it. `at` in its rows counts in
    `source()`, the text that is found and copied.
    """

    indent = 0  # columns the body stands in
    foldable = False
    can_stand = True  # whether the cursor stops at it
    lazy = False  # whether its body is empty as long as it is folded
    pouring: Pouring | None = None

    def __init__(self, key: str, body: Body | None = None) -> None:
        self.key = key
        self.body = body
        self.gap = False
        self.folded = self.foldable
        self.head_height = 1
        self._head: list[Row] | None = None
        self._head_for: Setting | None = None

    def lines(self, setting: Setting) -> Sequence[Line]:
        """The lines of the head."""
        return []

    def source(self) -> str:
        """The text that offsets count in."""
        return self.body.source.text() if self.body else ""

    @property
    def source_length(self) -> int:
        return self.body.source.length if self.body else len(self.source())

    def source_between(self, begin: int, end: int) -> str:
        return self.body.source.slice(begin, end) if self.body else self.source()[begin:end]

    def changed(self) -> None:
        """The head has to be made anew."""
        self._head = None

    def sync(self) -> bool:
        """Take in what grew. True if anything changed."""
        return False

    @property
    def open(self) -> bool:
        """Whether it may still change by itself."""
        return False

    @property
    def ticks(self) -> bool:
        """Whether its head shows a time that goes on."""
        return False

    @property
    def behind(self) -> bool:
        """Whether there is more to take in than was taken in yet."""
        return bool(self.pouring and self.pouring.behind) and not (self.lazy and self.folded)

    def pour(self) -> bool:
        """Take in more of the body's text. True if there was any."""
        text = self.pouring.news() if self.pouring and not (self.lazy and self.folded) else ""
        if text:
            assert self.body
            self.body.grow(text)
        return bool(text)

    # --- rows ---------------------------------------------------------------------------------------------

    def rows(self, slab: int, setting: Setting) -> list[Row]:
        """The rows of a slab."""
        if slab:
            assert self.body
            return self.body.rows(slab - 1, setting.narrower(self.indent + 2))
        if self._head is None or self._head_for != setting:
            rows = self._head_rows(setting)
            self._head = [BLANK, *rows] if self.gap else rows
            self._head_for, self.head_height = setting, len(self._head)
        return self._head

    def _head_rows(self, setting: Setting) -> list[Row]:
        return lines_rows(self.lines(setting), setting.width)

    @property
    def slabs(self) -> int:
        return 1 if self.body is None or self.folded else 1 + len(self.body.slabs)

    @property
    def height(self) -> int:
        """Rows; estimated where nobody has looked yet."""
        return self.head_height + (0 if self.body is None or self.folded else self.body.heights.total)

    def slab_at(self, at: int) -> int:
        """The slab that shows source offset `at`; the head if that is folded away."""
        return 1 + self.body.slab_at(at) if self.body and not self.folded else 0


class Lines(Section):
    """Only lines of the app: a card, or the head of a reply."""

    def __init__(self, key: str, lines: Sequence[Line]) -> None:
        super().__init__(key)
        self._lines = lines
        self.can_stand = key != "head"

    def source(self) -> str:
        return lines_text(self._lines)

    def _head_rows(self, setting: Setting) -> list[Row]:
        return lines_rows(self._lines, setting.width, at=0)


class Prompt(Section):
    """What the person sent."""

    indent = 2

    def __init__(self, head: Line, text: SafeText) -> None:
        super().__init__("prompt", Body(plain=True))
        self.head_line, self.text = head, text
        self.pouring = Whole(lambda: text)
        self.pour()

    def sync(self) -> bool:
        return self.pour()

    @property
    def open(self) -> bool:
        return self.behind

    def lines(self, setting: Setting) -> Sequence[Line]:
        return [self.head_line]
