"""The list of raw events: row by number, so that ten events and ten million cost the same."""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from typing import ClassVar

from rich.cells import set_cell_size
from textual.binding import Binding, BindingType

from tui.core.conversation import Conversation, Turn
from tui.core.events import Prompted, Record
from tui.ui.inspector.log import EventLog, Load, bounds, page_of
from tui.ui.inspector.words import (
    CLOSED,
    GROUPS,
    NOTE,
    PLAIN,
    STOP,
    apart,
    direction,
    gist,
    kind,
    matches,
    size,
)
from tui.ui.widgets.lines import Piece
from tui.ui.widgets.roll import Roll

SCAN = 5_000
"""Records looked through between two questions whether the filter is still wanted."""


class EventRoll(Roll):
    """Events, filtered or not. `older` gets stored records; it is called in a thread."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "group", "Type", show=False),
        Binding("p", "pause", "Pause", show=False),
    ]

    def __init__(self, log: EventLog, conversation: Conversation, older: Load, plain: bool = False) -> None:
        super().__init__(id="events")
        self.records, self.conversation, self.older, self.plain = log, conversation, older, plain
        self.group, self.text = "all", ""
        self.paused_at = 0  # the newest record shown while paused
        self.marked: Callable[[Record], bool] | None = None  # records of the section one stands on
        self._hits: array[int] | None = None  # numbers that pass the filter; None: all do
        self._seen = 0  # the newest record that was filtered
        self._wanted: set[int] = set()  # pages on their way
        self._tasks: set[asyncio.Task[None]] = set()

    # --- rows ---------------------------------------------------------------------------------------------

    @property
    def newest(self) -> int:
        return self.paused_at or self.records.last

    def total(self) -> int:
        return self.newest if self._hits is None else len(self._hits)

    def number(self, index: int) -> int:
        """The number of the record in row `index`."""
        return index + 1 if self._hits is None else self._hits[index]

    def row_of(self, number: int) -> int:
        """The row that shows this record, or the next one that is shown."""
        return number - 1 if self._hits is None else bisect_left(self._hits, number)

    @property
    def current(self) -> Record | None:
        """The record under the cursor, if it is loaded."""
        return self.records.get(self.number(self.cursor)) if self.total() else None

    def pieces(self, index: int, width: int) -> Sequence[Piece]:
        number = self.number(index)
        record = self.records.get(number)
        if record is None:
            self._fetch(number)
            missing = "not kept" if self.records.has_page(number) else "…"
            return [(f" {number:>6} ", "dim"), (missing, "dim")]
        return self._row(record, width)

    def _row(self, record: Record, width: int) -> list[Piece]:
        event = record.event
        sign = direction(event)
        tone = {STOP: "bad", CLOSED: "warn", NOTE: "dim"}.get(sign, "")
        mark = ("|" if self.plain else "▌") if self.marked and self.marked(record) else " "
        late = "late " if record.late else ""
        row: list[Piece] = [(mark, "key"), (f"{record.number:>5} ", "dim"), (f"{self._when(record):>9} ", "")]
        if width >= 64:
            row.append((f"{apart(self._gap(record)):>8} ", "dim"))
        row += [(f" {PLAIN[sign] if self.plain else sign} ", tone or "key"), (late, "warn")]
        row.append((f"{kind(event)} ", tone or "strong"))
        count = f" {size(event)}" if width >= 46 else ""
        room = max(0, width - sum(len(text) for text, _ in row) - len(count))
        row.append((set_cell_size(gist(event, max(room, 1)), room), "dim" if record.late else tone))
        return [*row, (count, "dim")]

    def _when(self, record: Record) -> str:
        turn = self.turn(record.turn)
        if turn is None:
            return datetime.fromtimestamp(record.wall).strftime("%H:%M:%S")
        return f"+{since(record, turn):.3f}"

    def _gap(self, record: Record) -> float | None:
        before = self.records.get(record.number - 1)
        if before is None or before.turn != record.turn or record.mono < before.mono:
            return None
        return record.mono - before.mono

    def turn(self, number: int) -> Turn | None:
        """The turn, if it is loaded."""
        if not self.conversation.base < number <= self.conversation.count:
            return None
        return self.conversation.turn(number)

    # --- older records ------------------------------------------------------------------------------------

    def _fetch(self, number: int) -> None:
        page = page_of(number)
        if not self.records.has_page(number) and page not in self._wanted:
            self._wanted.add(page)
            self.spawn(self._fetched(page))

    async def _fetched(self, page: int) -> None:
        try:
            records = await asyncio.to_thread(self.older, *bounds(page))
        except Exception:  # a store that fails has said so elsewhere; here its rows stay empty
            records = ()
        self._wanted.discard(page)
        self.records.keep_page(page, records)
        self.refresh()

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """A task that ends with the widget."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def on_unmount(self) -> None:
        super().on_unmount()
        for task in self._tasks:
            task.cancel()

    # --- filtering ----------------------------------------------------------------------------------------

    def filter(self, group: str, text: str) -> None:
        """Show only what passes; matches appear as they are found, those in memory first."""
        self.group, self.text = group, text
        if group == "all" and not text.strip():
            self._hits = None
        else:
            self._hits, self._seen = array("q"), self.newest
            near = [record for record in self.records.newest if record.number <= self._seen]
            self.spawn(self._look_back(self._hits, near))
        self.following = True
        self.refresh()
        self.post_message(self.Moved(self, self.cursor))

    def _passing(self, records: Iterable[Record], group: str, text: str) -> array[int]:
        return array("q", (r.number for r in records if matches(r, group, text)))

    def _take_in_new(self) -> None:
        """Filter what came since the last frame."""
        if self._hits is not None and self._seen < self.newest:
            start = max(self._seen + 1, self.records.first)
            new = (self.records.get(number) for number in range(start, self.newest + 1))
            known = (record for record in new if record)
            self._hits.extend(self._passing(known, self.group, self.text))
            self._seen = self.newest

    async def _look_back(self, hits: array[int], near: list[Record]) -> None:
        """Look through what was there already, the newest first, in threads: no key has to wait for it."""
        oldest = near[0].number if near else self._seen + 1
        for end in range(len(near), 0, -SCAN):
            if not await self._found(hits, near[max(0, end - SCAN) : end]):
                return
        for last in range(oldest - 1, 0, -SCAN):
            try:
                records = await asyncio.to_thread(self.older, max(1, last - SCAN + 1), last)
            except Exception:  # a store that fails has said so elsewhere
                return
            if not await self._found(hits, records):
                return

    async def _found(self, hits: array[int], records: Sequence[Record]) -> bool:
        """Put what passes before what was found so far. False: another filter was set meanwhile."""
        found = await asyncio.to_thread(self._passing, records, self.group, self.text)
        if self._hits is not hits:
            return False
        hits[0:0] = found
        self.cursor += len(found)
        self.refresh()
        self.post_message(self.Moved(self, self.cursor))
        return True

    def _settle(self) -> None:
        self._take_in_new()
        super()._settle()

    def action_group(self) -> None:
        """On to the next group of types."""
        names = list(GROUPS)
        self.filter(names[(names.index(self.group) + 1) % len(names)], self.text)

    def action_pause(self) -> None:
        """Hold the list as it is, or let it go on."""
        self.paused_at = 0 if self.paused_at else self.records.last
        self.following = not self.paused_at or self.following
        self.refresh()
        self.post_message(self.Moved(self, self.cursor))

    async def of_turn(self, turn: Turn) -> list[Record]:
        """The records of a turn, in order; from the store, if not all of them are in memory."""
        near = list(self.records.backwards(turn.number))[::-1]
        if near and isinstance(near[0].event, Prompted):
            return near
        before = [t.last_number + 1 for t in self.conversation.turns if t.number < turn.number]
        for first in (*reversed(before), 1):  # what came late for a turn may stand behind the next prompt
            found = await asyncio.to_thread(self.older, first, turn.last_number)
            mine = [record for record in found if record.turn == turn.number]
            if mine and isinstance(mine[0].event, Prompted):
                return mine
        return near


def since(record: Record, turn: Turn) -> float:
    """Seconds since the prompt was sent. The monotonic clock of another client run says nothing."""
    mono, wall = record.mono - turn.sent_at, record.wall - turn.wall
    return mono if mono >= 0 and abs(mono - wall) < 2 else max(0.0, wall)
