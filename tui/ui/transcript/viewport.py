"""Which rows are on the screen. It holds on to text, not to row numbers: what grows elsewhere moves nothing.

While following, the last row stands at the bottom. Otherwise an anchor (a slab, a row in it, and the source
offset that row shows) stands at the top, and is found again by its offset when rows were made anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tui.ui.transcript.document import Document, Place
from tui.ui.transcript.rows import BLANK, Row
from tui.ui.transcript.section import Section


class Shown(NamedTuple):
    """One row on the screen. `section` None: below the end."""

    row: Row
    indent: int = 0
    place: Place | None = None
    nth: int = 0  # of the row in its slab
    section: Section | None = None
    mark: str = ""


NOTHING = Shown(BLANK)


@dataclass(slots=True)
class Anchor:
    """The row at the top, `index` in `rows`: `extra` rows below the one that shows source offset `at`."""

    turn: int
    section: str
    slab: int
    index: int
    rows: list[Row]
    at: int
    extra: int


class Viewport:
    """`height` rows of a document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.height = 24
        self.following = True
        self.anchor: Anchor | None = None
        self.below = 0  # rows under the last one shown
        self.above = 0  # rows over the first one shown

    # --- what is shown ------------------------------------------------------------------------------------

    def compose(self) -> list[Shown]:
        """The rows to show, as many as the screen is high."""
        if not self.document.keys or not self.height:
            return [NOTHING] * self.height
        shown = self._end() if self.following else self._from_anchor()
        if not self.following and (len(shown) < self.height or self._ends(shown[-1])):
            self.following = True  # the end came into view
            shown = self._end()
        self._measure(shown)
        return shown + [NOTHING] * (self.height - len(shown))

    def _end(self) -> list[Shown]:
        """The last rows."""
        found: list[Shown] = []
        for place in self.document.up(self.document.last):
            missing = self.height - len(found)
            found = self._shown(place, max(0, len(self.document.rows(place)) - missing), missing) + found
            if len(found) >= self.height:
                break
        return found

    def _from_anchor(self) -> list[Shown]:
        place, index = self._resolve()
        found: list[Shown] = []
        for below in self.document.down(place):
            found += self._shown(below, index, self.height - len(found))
            index = max(0, index - len(self.document.rows(below)))
            if len(found) >= self.height:
                break
        return found

    def _shown(self, place: Place, first: int, count: int) -> list[Shown]:
        """At most `count` rows of a slab, from row `first` on."""
        rows = self.document.rows(place)
        layout = self.document.layout(place.turn)
        section = layout.sections[place.section]
        indent = section.indent if place.slab else 0
        stop = min(len(rows), first + count)
        shown = [Shown(rows[nth], indent, place, nth, section) for nth in range(first, stop)]
        if shown and stop == len(rows) and section is layout.marked and self._ends_section(place, section):
            shown[-1] = shown[-1]._replace(mark=layout.item.mark)
        return shown

    def _ends_section(self, place: Place, section: Section) -> bool:
        """Whether no row of the section follows this slab; its live slab may be empty."""
        last = section.slabs - 1
        behind = place._replace(slab=last)
        return place.slab == last or (place.slab == last - 1 and not self.document.rows(behind))

    def _ends(self, shown: Shown) -> bool:
        """Whether this is the last row of all."""
        for last in self.document.up(self.document.last):
            if rows := self.document.rows(last):
                return shown.place == last and shown.nth + 1 == len(rows)
        return True

    def _measure(self, shown: list[Shown]) -> None:
        first = shown[0] if shown else NOTHING
        last = shown[-1] if shown else NOTHING
        if first.place and last.place:
            self.above = self.document.row_of(first.place) + first.nth
            below = self.document.height - self.document.row_of(last.place) - last.nth - 1
            self.below = 0 if self.following else max(1, below)

    # --- the anchor ---------------------------------------------------------------------------------------

    def _resolve(self) -> tuple[Place, int]:
        """Where the anchor is now. Its offset stays what it was, so that resizes do not add up to a drift."""
        anchor = self.anchor
        if anchor is None:
            return Place(0, 0, 0), 0
        layout = self.document.layout(min(anchor.turn, len(self.document.keys) - 1))
        section_index = layout.index_of(anchor.section)
        if section_index < 0:
            return Place(anchor.turn, max(0, len(layout.sections) - 1), 0), 0
        section = layout.sections[section_index]
        slab = min(anchor.slab, section.slabs - 1)
        if section.body and slab and anchor.at >= 0:
            slab = 1 + section.body.slab_at(anchor.at)
        place = Place(anchor.turn, section_index, slab)
        rows = self.document.rows(place)
        if slab != anchor.slab or rows is not anchor.rows:
            anchor.slab, anchor.rows = slab, rows
            anchor.index = row_showing(rows, anchor.at, anchor.index - anchor.extra) + anchor.extra
        return place, max(0, min(anchor.index, len(rows) - 1))

    # --- moving -------------------------------------------------------------------------------------------

    def follow(self) -> None:
        self.following = True
        self.anchor = None

    def move(self, rows: int) -> bool:
        """Scroll down by `rows` (up if negative). False if it was at the end it went to."""
        if not self.document.keys or not rows:
            return False
        top = self.compose()[0]
        if top.place is None or (rows > 0 and self.following):
            return False
        place, index = self._walk(top.place, top.nth + rows)
        if (place, index) == (top.place, top.nth):
            return False
        self.stand(place, index)
        return True

    def _walk(self, place: Place, index: int) -> tuple[Place, int]:
        """The row that is `index` rows below the first one of a slab, above it if negative."""
        while index < 0 and (above := self.document.before(place)):
            place = above
            index += len(self.document.rows(place))
        while index >= (size := len(self.document.rows(place))) and (below := self.document.after(place)):
            place, index = below, index - size
        return place, max(0, index)

    def row_at(self, place: Place, at: int) -> tuple[Place, int]:
        """The row of a slab that shows source offset `at`."""
        return place, row_showing(self.document.rows(place), at, 0)

    def stand(self, place: Place, index: int, y: int = 0) -> None:
        """Put this row into screen row `y`, as far as there is enough above and below it."""
        place, index = self._walk(place, index - y)
        rows = self.document.rows(place)
        index = max(0, min(index, len(rows) - 1))
        named = next((nth for nth in range(index, -1, -1) if rows and rows[nth].at >= 0), -1)
        at, extra = (rows[named].at, index - named) if named >= 0 else (-1, 0)
        self.following = False
        key = self.document.section(place).key
        self.anchor = Anchor(place.turn, key, place.slab, index, rows, at, extra)


def row_showing(rows: list[Row], at: int, index: int) -> int:
    """The row that shows source offset `at`."""
    if at < 0:
        return max(0, min(index, len(rows) - 1))
    found = 0
    for number, row in enumerate(rows):
        if row.at > at:
            break
        if row.at >= 0:
            found = number
    return found
