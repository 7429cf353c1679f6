"""A log that can be replayed whatever happened to it: every turn begins with its prompt, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tui.core import events as ev
from tui.core.events import Record


def sound(records: Iterable[Record], turn: int = 0) -> Iterator[Record]:
    """The records, mended. `turn` is the last one before them.

    A turn whose prompt cannot be read gets an empty one; a second prompt in a turn becomes `Unknown`. Turns
    begin with 1: what names an earlier one belongs to the first.
    """
    for record in records:
        if record.turn < 1:
            record = replace(record, turn=1)  # noqa: PLW2901
        prompted = isinstance(record.event, ev.Prompted)
        if record.turn > turn:
            missing = record.turn - turn - prompted
            for number in range(turn + 1, turn + 1 + missing):
                yield replace(record, turn=number, event=ev.Prompted(""), late=False)
            turn = record.turn
        elif prompted:
            record = replace(record, event=ev.Unknown("Prompted", raw=record.event.raw))  # noqa: PLW2901
        yield record
