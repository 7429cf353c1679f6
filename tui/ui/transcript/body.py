"""The text of a section, laid out in slabs: stretches of about a kilobyte that are painted only where seen.

A slab keeps where it begins, the scanner's state there and its height. Its rows can be made again at any time
from the source, so they are kept only near the screen. The last slab is live: rows of its closed leaves stay,
and only what is open (bounded, see `scanner`) is painted again.
"""

from __future__ import annotations

from bisect import bisect_right

from tui.ui.transcript import inks
from tui.ui.transcript.heights import Heights
from tui.ui.transcript.leaves import Found, Leaf, State
from tui.ui.transcript.paint import Brush, paint
from tui.ui.transcript.plain import PlainScanner
from tui.ui.transcript.rows import Row
from tui.ui.transcript.scanner import Scanner
from tui.ui.transcript.setting import Setting
from tui.ui.transcript.source import Source

SLAB = 1200
"""Characters of source after which a slab ends with the next leaf."""


class Slab:
    """One stretch of a body. `end` is None for the live one. `rows` were made for `setting`, if there are any."""

    __slots__ = ("begin", "end", "refs", "rows", "setting", "state")

    def __init__(self, begin: int, state: State) -> None:
        self.begin, self.state = begin, state
        self.end: int | None = None
        self.rows: list[Row] | None = None
        self.setting: Setting | None = None
        self.refs = 0


class Body:
    """Growing text as slabs of rows. `plain`: no markdown, lines stand as they are."""

    __slots__ = (
        "_done",
        "_leaves",
        "_painted",
        "base",
        "heights",
        "plain",
        "refs",
        "scanner",
        "slabs",
        "source",
    )

    def __init__(self, plain: bool = False, base: int = inks.TEXT) -> None:
        self.plain, self.base = plain, base
        self.refs: dict[str, str] = {}
        self.source = Source()
        self.scanner: Scanner | PlainScanner = self._scanner(0, State())
        self.slabs = [Slab(0, State())]
        self.heights = Heights([0])
        self._leaves: list[Leaf] = []  # closed leaves of the live slab
        self._done: list[Row] = []  # their rows
        self._painted = 0  # how many of them these are

    def _scanner(self, at: int, state: State) -> Scanner | PlainScanner:
        return PlainScanner(at) if self.plain else Scanner(at, state, self.refs)

    # --- growing ------------------------------------------------------------------------------------------

    def grow(self, text: str) -> None:
        """More source."""
        self.source.append(text)
        for found in self.scanner.feed(text):
            self._take(found)
        live = self.slabs[-1]
        live.rows = None
        self.heights.set(len(self.slabs) - 1, max(self.heights[len(self.slabs) - 1], 1))

    def _take(self, found: Found) -> None:
        self._leaves.append(found.leaf)
        live = self.slabs[-1]
        if found.end - live.begin >= SLAB:
            live.end, live.rows = found.end, None
            self.heights.set(len(self.slabs) - 1, self._estimate(live))
            self.slabs.append(Slab(found.end, found.state))
            self.heights.append(0)
            self._leaves, self._done, self._painted = [], [], 0

    def _estimate(self, slab: Slab) -> int:
        """Rows of a slab nobody has seen."""
        width = slab.setting.width if slab.setting else 76
        text = self.source.slice(slab.begin, slab.end or self.source.length)
        return sum(1 + len(line) // width for line in text.split("\n")[:-1] or [text])

    # --- rows ---------------------------------------------------------------------------------------------

    def rows(self, index: int, setting: Setting) -> list[Row]:
        """The rows of a slab; made now if they are not there."""
        slab = self.slabs[index]
        if slab.rows is None or slab.setting != setting or slab.refs != len(self.refs):
            if slab.setting != setting or slab.refs != len(self.refs):
                self._forget_live(slab)
            slab.rows = self._closed_rows(slab, setting) if slab.end is not None else self._live_rows(setting)
            slab.setting, slab.refs = setting, len(self.refs)
            self.heights.set(index, len(slab.rows))
        return slab.rows

    def _forget_live(self, slab: Slab) -> None:
        if slab.end is None:
            self._done, self._painted = [], 0

    def _closed_rows(self, slab: Slab, setting: Setting) -> list[Row]:
        assert slab.end is not None
        scanner = self._scanner(slab.begin, slab.state)
        text = self.source.slice(slab.begin, slab.end)
        brush = Brush(setting, self.base, self.refs)
        rows: list[Row] = []
        for found in (*scanner.feed(text), *scanner.close()):
            rows += self._paint(found.leaf, brush, slab.begin == 0 and not rows)
        return rows

    def _live_rows(self, setting: Setting) -> list[Row]:
        brush = Brush(setting, self.base, self.refs)
        first = len(self.slabs) == 1
        for leaf in self._leaves[self._painted :]:
            self._done += self._paint(leaf, brush, first and not self._done)
        self._painted = len(self._leaves)
        rows = self._done.copy()
        for leaf in self.scanner.tail():
            rows += self._paint(leaf, brush, first and not rows)
        return rows

    def _paint(self, leaf: Leaf, brush: Brush, first: bool) -> list[Row]:
        return paint(leaf._replace(gap=False) if first else leaf, brush)

    def slab_at(self, at: int) -> int:
        """The slab that holds source offset `at`."""
        return max(0, bisect_right(self.slabs, at, key=lambda slab: slab.begin) - 1)
