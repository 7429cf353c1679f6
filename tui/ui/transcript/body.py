"""The text of a section, laid out in slabs: stretches of about a kilobyte that are painted only where seen.

A slab keeps where it begins, the scanner's state there and its height. Its rows can be made again at any time
from the source, so they are kept only near the screen. The last slab is live: rows of its closed leaves stay,
and only what is open (bounded, see `scanner`) is painted again.
"""

from __future__ import annotations

from bisect import bisect_right

from tui.ui.transcript import inks
from tui.ui.transcript.brush import Brush
from tui.ui.transcript.growth import OpenParagraph
from tui.ui.transcript.heights import Heights
from tui.ui.transcript.highlight import START, LexState, budget, engines, line_pieces
from tui.ui.transcript.leaves import Fence, Found, Kind, Leaf, State
from tui.ui.transcript.paint import paint, paint_open
from tui.ui.transcript.plain import PlainScanner
from tui.ui.transcript.rows import Row
from tui.ui.transcript.scanner import Scanner
from tui.ui.transcript.setting import Setting
from tui.ui.transcript.source import Source

SLAB = 1200
"""Characters of source after which a slab ends with the next leaf."""
LEAVES = 80
"""Leaves after which it ends, too: a slab is not much higher than a screen."""
LOOK_BACK = 2
"""Slabs that are read again to find how code that was never seen is to be highlighted."""


class Slab:
    """One stretch of a body. `end` is None for the live one. `rows` were made for `setting` and `refs`.

    `lex` is the state of highlighting at its start, as found when `lexed` languages were loaded. `pale`:
    there was no time to highlight it.
    """

    __slots__ = ("begin", "end", "lex", "lexed", "pale", "refs", "rows", "setting", "state")

    def __init__(self, begin: int, state: State) -> None:
        self.begin, self.state = begin, state
        self.end: int | None = None
        self.rows: list[Row] | None = None
        self.setting: Setting | None = None
        self.refs = 0
        self.lex: LexState | None = None
        self.lexed = -1
        self.pale = False


class Body:
    """Growing text as slabs of rows. `plain`: no markdown, lines stand as they are, lit as `language`."""

    __slots__ = (
        "_brush", "_done", "_growth", "_leaves", "_painted", "_shown", "base", "heights", "language", "plain",
        "refs", "scanner", "slabs", "source",
    )  # fmt: skip

    def __init__(self, plain: bool = False, base: int = inks.TEXT, language: str = "") -> None:
        self.plain, self.base, self.language = plain, base, language
        self.refs: dict[str, str] = {}
        self.source = Source()
        self.scanner: Scanner | PlainScanner = self._scanner(0, State())
        self.slabs = [Slab(0, State())]
        self.heights = Heights([0])
        self._leaves: list[Leaf] = []  # closed leaves of the live slab
        self._done: list[Row] = []  # the rows of the first `_painted` of them
        self._painted = 0
        self._brush: Brush | None = None  # what they were painted with
        self._shown: list[Row] = []  # the rows of the live slab as they were last
        self._growth = OpenParagraph()

    def _scanner(self, at: int, state: State) -> Scanner | PlainScanner:
        return PlainScanner(at, self.language) if self.plain else Scanner(at, state, self.refs)

    # --- growing ------------------------------------------------------------------------------------------

    def grow(self, text: str) -> None:
        """More source."""
        self.source.append(text)
        for found in self.scanner.feed(text):
            self._take(found)
        live = len(self.slabs) - 1
        self._shown, self.slabs[live].rows = self.slabs[live].rows or self._shown, None
        self.heights.set(live, max(self.heights[live], 1))

    def _take(self, found: Found) -> None:
        self._leaves.append(found.leaf)
        live = self.slabs[-1]
        if found.end - live.begin < SLAB and len(self._leaves) < LEAVES:
            return
        live.end, live.rows = found.end, None
        fresh = Slab(found.end, found.state)
        if self._brush and live.setting == self._brush.setting and live.refs == len(self.refs):
            self._paint_leaves(self._brush)  # it is on the screen
            if not live.pale:
                fresh.lex, fresh.lexed = self._brush.lex, engines.count
            live.rows = self._done
            self.heights.set(len(self.slabs) - 1, len(self._done))
        else:
            self.heights.set(len(self.slabs) - 1, self._estimate(live.begin, found.end))
        self.slabs.append(fresh)
        self.heights.append(0)
        self._forget_live()
        self._leaves = []

    def _forget_live(self) -> None:
        self._done, self._painted, self._brush, self._shown = [], 0, None, []
        self._growth = OpenParagraph()

    def _estimate(self, begin: int, end: int) -> int:
        """Rows of a slab nobody has seen."""
        width = self.slabs[0].setting.width if self.slabs[0].setting else 76
        lines = self.source.slice(begin, end).split("\n")
        return sum(1 + len(line) // width for line in lines[:-1] or lines)

    # --- rows ---------------------------------------------------------------------------------------------

    def rows(self, index: int, setting: Setting) -> list[Row]:
        """The rows of a slab; made now if they are not there."""
        slab = self.slabs[index]
        fits = slab.setting == setting and slab.refs == len(self.refs)
        fits = fits and not (slab.pale and budget.left >= self._length(index))
        if slab.rows is None or not fits:
            if slab.end is None:
                if not fits:
                    self._forget_live()
                slab.rows = self._live_rows(setting)
            else:
                slab.rows = self._closed_rows(index, setting)
            slab.setting, slab.refs = setting, len(self.refs)
            self.heights.set(index, len(slab.rows))
        return slab.rows

    def _length(self, index: int) -> int:
        end = self.slabs[index].end
        return (self.source.length if end is None else end) - self.slabs[index].begin

    def _closed_rows(self, index: int, setting: Setting) -> list[Row]:
        budget.short = False
        brush = Brush(setting, self.base, self.refs, self._lex_at(index))
        rows: list[Row] = []
        for leaf in self.leaves_of(index):
            rows += self._paint(leaf, brush, index == 0 and not rows)
        self.slabs[index].pale = budget.short
        self._keep_lex(index + 1, brush.lex)
        return rows

    def leaves_of(self, index: int) -> list[Leaf]:
        """The leaves of a slab; those of a closed one are read again."""
        if index == len(self.slabs) - 1:
            return self._leaves + self.scanner.tail()
        slab, after = self.slabs[index], self.slabs[index + 1]
        scanner = self._scanner(slab.begin, slab.state)
        found = scanner.feed(self.source.slice(slab.begin, after.begin))
        return [one.leaf for one in (*found, *scanner.close(cut=after.state.carry == 2))]

    def _live_rows(self, setting: Setting) -> list[Row]:
        budget.short = False
        if self._brush is None:
            self.slabs[-1].pale = False
            self._brush = Brush(setting, self.base, self.refs, self._lex_at(len(self.slabs) - 1))
        self._paint_leaves(self._brush)
        rows, brush, first = self._done.copy(), self._brush.fork(), len(self.slabs) == 1
        for leaf in self.scanner.tail():
            starts = first and not rows
            rows += paint_open(leaf._replace(gap=False) if starts else leaf, brush, self._growth)
        reuse(rows, self._shown)
        self._done = rows[: len(self._done)]
        self.slabs[-1].pale |= budget.short
        return rows

    def _paint_leaves(self, brush: Brush) -> None:
        first = len(self.slabs) == 1
        for leaf in self._leaves[self._painted :]:
            self._done += self._paint(leaf, brush, first and not self._done)
        self._painted = len(self._leaves)
        self.slabs[-1].pale |= budget.short
        reuse(self._done, self._shown)

    def _paint(self, leaf: Leaf, brush: Brush, first: bool) -> list[Row]:
        return paint(leaf._replace(gap=False) if first else leaf, brush)

    # --- highlighting -------------------------------------------------------------------------------------

    def _lex_at(self, index: int) -> LexState:
        """How highlighting stands at the start of a slab. Far inside code nobody has seen it is a guess."""
        slab = self.slabs[index]
        if slab.lex is not None and slab.lexed == engines.count:
            return slab.lex
        if not isinstance(slab.state.open, Fence) or not slab.state.open.language:
            return START
        back = index
        while back > max(0, index - LOOK_BACK) and self._unknown(back):
            back -= 1
        known = self.slabs[back]
        lex = START if self._unknown(back) or known.lex is None else known.lex
        for between in range(back, index):
            lex = self._lex_through(between, lex)
        return lex

    def _unknown(self, index: int) -> bool:
        slab = self.slabs[index]
        return slab.lexed != engines.count and isinstance(slab.state.open, Fence)

    def _lex_through(self, index: int, lex: LexState) -> LexState:
        for leaf in self.leaves_of(index):
            if leaf.kind is Kind.CODE_OPEN:
                lex = LexState(leaf.info)
            elif leaf.kind is Kind.CODE_LINE and leaf.info:
                if lex.language != leaf.info:
                    lex = LexState(leaf.info)
                lex = line_pieces(leaf.text, lex)[1]
        self._keep_lex(index + 1, lex)
        return lex

    def _keep_lex(self, index: int, lex: LexState) -> None:
        if not budget.short:
            self.slabs[index].lex, self.slabs[index].lexed = lex, engines.count

    # --- places -------------------------------------------------------------------------------------------

    def slab_at(self, at: int) -> int:
        """The slab that holds source offset `at`."""
        return max(0, bisect_right(self.slabs, at, key=lambda slab: slab.begin) - 1)


def reuse(rows: list[Row], old: list[Row]) -> None:
    """Put old rows in the place of those that are like them: the screen sees that nothing changed."""
    for index, (new, was) in enumerate(zip(rows, old, strict=False)):
        if new is not was and new.at == was.at and new.width == was.width and new.spans == was.spans:
            rows[index] = was
