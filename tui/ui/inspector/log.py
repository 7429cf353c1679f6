"""The newest records of a conversation, kept within bounds; older ones are asked of the store by number."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence

from tui.core.events import Prompted, Record

KEPT = 20_000
"""Newest records in memory, at most."""
HEAVIEST = 16 * 1024 * 1024
"""Characters of wire data in them, at most."""
PAGE = 500
PAGES = 8
"""Pages of older records in memory, at most."""

Load = Callable[[int, int], Sequence[Record]]
"""The stored records with numbers from the first to the last, in order. Blocks: called in a thread."""


class EventLog:
    """Takes in every record in O(1). `on_growth` is called after each, while someone looks."""

    def __init__(self, last: int = 0, *, kept: int = KEPT, heaviest: int = HEAVIEST) -> None:
        self.last = last  # number of the newest record
        self.kept, self.heaviest = kept, heaviest
        self.newest: deque[Record] = deque()
        self.on_growth: Callable[[], None] | None = None
        self._weight = 0
        self._pages: OrderedDict[int, dict[int, Record]] = OrderedDict()

    def append(self, record: Record) -> None:
        """The next record. Forgets old ones beyond the bounds.

        The session tells of a record after those that followed from it, so a few may have to make room.
        """
        after = []
        while self.newest and self.newest[-1].number > record.number:
            after.append(self.newest.pop())
        self.newest.append(record)
        self.newest.extend(reversed(after))
        self.last = max(self.last, record.number)
        self._weight += len(record.event.raw)
        while len(self.newest) > self.kept or (self._weight > self.heaviest and len(self.newest) > 1):
            self._weight -= len(self.newest.popleft().event.raw)
        if self.on_growth:
            self.on_growth()

    @property
    def first(self) -> int:
        """Number of the oldest record in memory; one past the last if there is none."""
        return self.newest[0].number if self.newest else self.last + 1

    def get(self, number: int) -> Record | None:
        """The record, if it is in memory."""
        if number >= self.first:
            return self._in_newest(number)
        page = self._pages.get(page_of(number))
        return page.get(number) if page else None

    def _in_newest(self, number: int) -> Record | None:
        index = min(number - self.first, len(self.newest) - 1)
        while index >= 0 and self.newest[index].number > number:  # numbers are missing where nothing was kept
            index -= 1
        found = self.newest[index] if index >= 0 else None
        return found if found and found.number == number else None

    def has_page(self, number: int) -> bool:
        """Whether the store was asked for this number; a record may be missing there all the same."""
        return number >= self.first or page_of(number) in self._pages

    def keep_page(self, page: int, records: Sequence[Record]) -> None:
        """Take in a page from the store."""
        self._pages[page] = {record.number: record for record in records}
        while len(self._pages) > PAGES:
            self._pages.popitem(last=False)

    def backwards(self, turn: int) -> Iterator[Record]:
        """The records of a turn that are in memory, newest first."""
        for record in reversed(self.newest):
            if record.turn == turn:
                yield record
                if isinstance(record.event, Prompted):
                    return  # others may stand between: a look-up can come when the next turn runs


def page_of(number: int) -> int:
    """The page that holds this number, counted from 0."""
    return (number - 1) // PAGE


def bounds(page: int) -> tuple[int, int]:
    """The first and the last number of a page; one more before it, for the gap of its first record."""
    return max(1, page * PAGE), (page + 1) * PAGE
