"""All turns below each other, laid out only where someone looks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tui.ui.transcript.blocks import Clock
from tui.ui.transcript.body import Slab
from tui.ui.transcript.heights import Heights
from tui.ui.transcript.items import TurnItem
from tui.ui.transcript.layout import TurnLayout
from tui.ui.transcript.rows import Row
from tui.ui.transcript.section import Section
from tui.ui.transcript.setting import Setting

UNSEEN = 12  # rows guessed for a turn that was never loaded
KEPT_SLABS = 40  # slabs whose rows are kept; a screen shows five or so
KEPT_TURNS = 400  # turns whose layout is kept

Load = Callable[[int], TurnItem]


class Place(NamedTuple):
    """A slab: indices of turn, section and slab."""

    turn: int
    section: int
    slab: int


class Document:
    """Turns by index; `keys` are their numbers. Turns that were not looked at are not loaded."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.setting = Setting()
        self.folded = True  # how new sections that can be folded begin
        self.keys: list[int] = []
        self.heights = Heights()
        self._index: dict[int, int] = {}
        self._layouts: OrderedDict[int, TurnLayout] = OrderedDict()  # by index, least used first
        self._items: dict[int, TurnItem] = {}  # those that were handed in, by index
        self._load: Load | None = None
        self.behind: set[int] = set()  # numbers of turns of which there is more to take in
        self._slabs: OrderedDict[int, Slab] = OrderedDict()

    # --- turns --------------------------------------------------------------------------------------------

    def open(self, keys: Sequence[int], load: Load) -> None:
        """Show these turns. Each is asked for when it comes into view. O(number of turns), cheaply."""
        self.keys = list(keys)
        self._index = {key: index for index, key in enumerate(self.keys)}
        self.heights = Heights([UNSEEN] * len(self.keys))
        self._layouts.clear()
        self._items.clear()
        self._slabs.clear()
        self.behind.clear()
        self._load = load

    def show(self, item: TurnItem) -> None:
        """Add a turn at the end, or put another item in the place of a known one. O(log n): see `layout`."""
        index = self._index.get(item.turn)
        if index is None:
            index = len(self.keys)
            self.keys.append(item.turn)
            self._index[item.turn] = index
            self.heights.append(UNSEEN)
        self._items[index] = item
        if index in self._layouts:
            self._layouts[index].replace(item)
            self._taken_in(index)

    def sync(self, key: int) -> None:
        """A turn was touched. One that is not laid out is read when it will be."""
        index = self._index.get(key, -1)
        layout = self._layouts.get(index)
        if layout:
            layout.sync()
            for section in layout.grown:  # what grows is laid out, seen or not: then its height is no guess
                self._lay_out(section, section.slabs - 1)
                layout.resized(section)
            self._taken_in(index)

    def _taken_in(self, index: int) -> None:
        if self._layouts[index].behind:
            self.behind.add(self.keys[index])
        else:
            self.behind.discard(self.keys[index])
        self.settle(index)

    def fold_all(self, folded: bool) -> None:
        """Fold or unfold everything that can be, also in turns that come later."""
        self.folded = folded
        for index, layout in list(self._layouts.items()):
            layout.fold_all(folded)
            self._taken_in(index)

    def fold(self, index: int, section: Section, folded: bool) -> None:
        self._layouts[index].fold(section, folded)
        self._taken_in(index)

    def index_of(self, key: int) -> int | None:
        return self._index.get(key)

    def item(self, index: int) -> TurnItem:
        """The turn at `index`, without laying it out."""
        layout, item = self._layouts.get(index), self._items.get(index)
        if layout or item:
            return layout.item if layout else item  # type: ignore[return-value]
        assert self._load
        return self._load(self.keys[index])

    def layout(self, index: int) -> TurnLayout:
        """The turn at `index`, loaded and laid out if need be."""
        if index not in self._layouts:
            self._layouts[index] = TurnLayout(self.item(index), self.clock, index == 0, self.folded)
            self._taken_in(index)
            self._forget_turns()
        self._layouts.move_to_end(index)
        return self._layouts[index]

    def _forget_turns(self) -> None:
        """Drop the layout that was not looked at for longest. Its height stays known."""
        if len(self._layouts) > KEPT_TURNS:
            index, _ = self._layouts.popitem(last=False)
            self.behind.discard(self.keys[index])

    def settle(self, index: int) -> None:
        """Take over a turn's height."""
        layout = self._layouts[index]
        self.heights.set(index, layout.heights.total)

    # --- rows ---------------------------------------------------------------------------------------------

    def section(self, place: Place) -> Section:
        return self.layout(place.turn).sections[place.section]

    def rows(self, place: Place) -> list[Row]:
        """The rows of a slab. From here on its height is known."""
        layout = self.layout(place.turn)
        section = layout.sections[place.section]
        rows = self._lay_out(section, place.slab)
        layout.resized(section)
        self.settle(place.turn)
        return rows

    def _lay_out(self, section: Section, slab: int) -> list[Row]:
        """The rows of a slab. Those of slabs that were not looked at for longest are forgotten."""
        rows = section.rows(slab, self.setting)
        if not slab or not section.body:
            return rows
        found = section.body.slabs[slab - 1]
        self._slabs[id(found)] = found
        self._slabs.move_to_end(id(found))
        if len(self._slabs) > KEPT_SLABS:
            self._slabs.popitem(last=False)[1].rows = None
        return rows

    def after(self, place: Place) -> Place | None:
        """The next slab below."""
        turn, section, slab = place
        layout = self.layout(turn)
        if slab + 1 < layout.sections[section].slabs:
            return Place(turn, section, slab + 1)
        if section + 1 < len(layout.sections):
            return Place(turn, section + 1, 0)
        return Place(turn + 1, 0, 0) if turn + 1 < len(self.keys) else None

    def before(self, place: Place) -> Place | None:
        """The next slab above."""
        turn, section, slab = place
        if slab:
            return Place(turn, section, slab - 1)
        if section:
            return self._last_slab(turn, section - 1)
        return self._last_slab(turn - 1, -1) if turn else None

    def _last_slab(self, turn: int, section: int) -> Place:
        sections = self.layout(turn).sections
        section %= len(sections)
        return Place(turn, section, sections[section].slabs - 1)

    @property
    def last(self) -> Place | None:
        return self._last_slab(len(self.keys) - 1, -1) if self.keys else None

    def down(self, place: Place | None) -> Iterator[Place]:
        while place:
            yield place
            place = self.after(place)

    def up(self, place: Place | None) -> Iterator[Place]:
        while place:
            yield place
            place = self.before(place)

    # --- heights ------------------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        """Rows of everything; partly estimated."""
        return self.heights.total

    def row_of(self, place: Place) -> int:
        """Rows above a slab; partly estimated."""
        layout = self.layout(place.turn)
        section = layout.sections[place.section]
        above = self.heights.above(place.turn) + layout.heights.above(place.section)
        if place.slab:
            assert section.body
            above += section.head_height + section.body.heights.above(place.slab - 1)
        return above

    def at_row(self, row: int) -> tuple[Place, int]:
        """The slab that row `row` falls into, and how far down in it; as far as heights are known."""
        turn, rest = self.heights.find(max(0, row))
        layout = self.layout(turn)
        index, rest = layout.heights.find(rest)
        section = layout.sections[index]
        if rest < section.head_height or section.slabs == 1:
            return Place(turn, index, 0), rest
        assert section.body
        slab, rest = section.body.heights.find(rest - section.head_height)
        return Place(turn, index, slab + 1), rest
