"""A recorded conversation with its own clock: which record is due when, at any speed, paused or stepped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from tui.core import events as ev
from tui.core.events import Record

BETWEEN_TURNS = 2.0
"""Recorded seconds, at most, that pass between the end of a turn and the next prompt."""
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)


class Reel:
    """Records in order, each due so long after the one before it as it was recorded.

    `mono` is the recorded time, in seconds from 0: give it to whatever measures durations.
    """

    def __init__(
        self,
        records: Iterable[Record],
        speed: float = 1.0,
        *,
        paused: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records = iter(records)
        self._clock = clock
        self.speed, self.paused = speed, paused
        self.shown = 0  # records taken
        self._at = 0.0  # recorded time of the last one taken
        self._played = 0.0  # recorded seconds since then, up to `_since`
        self._since = clock()
        self._before: Record | None = None
        self.problem = ""  # why it ends before its end
        self._next = self._read()

    def _read(self) -> Record | None:
        try:
            return next(self._records, None)
        except Exception as fault:  # a file that is damaged further down
            self.problem = str(fault)
            return None

    @property
    def over(self) -> bool:
        return self._next is None

    def mono(self) -> float:
        """The recorded time, now. Stands still while paused, and never passes a record that is due."""
        return self._at + min(self._passed(), self._gap())

    def due_in(self) -> float | None:
        """Seconds until the next record is due; None while nothing moves."""
        if self.over or self.paused:
            return None
        return max(0.0, (self._gap() - self._passed()) / self.speed)

    def take(self) -> Record:
        """The next record, timed by this reel. Raises StopIteration at the end."""
        record = self._next
        if record is None:
            raise StopIteration
        self._at += self._gap()
        self._played, self._since = 0.0, self._clock()
        self._before, self._next = record, self._read()
        self.shown += 1
        return replace(record, mono=self._at)

    def pause(self, paused: bool) -> None:
        """Hold it, or let it go on."""
        self._settle()
        self.paused = paused

    def change_speed(self, steps: int) -> None:
        """So many steps faster, or slower."""
        self._settle()
        near = min(range(len(SPEEDS)), key=lambda n: abs(SPEEDS[n] - self.speed))
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, near + steps))]

    def _settle(self) -> None:
        self._played, self._since = self._passed(), self._clock()

    def _passed(self) -> float:
        moving = 0.0 if self.paused else (self._clock() - self._since) * self.speed
        return self._played + moving

    def _gap(self) -> float:
        """Recorded seconds between the last record and the next one."""
        before, after = self._before, self._next
        if before is None or after is None:
            return 0.0
        mono, wall = after.mono - before.mono, after.wall - before.wall
        same_clock = mono >= 0 and abs(mono - wall) < 2  # another client's clock says nothing
        gap = mono if same_clock else max(0.0, wall)
        return min(gap, BETWEEN_TURNS) if isinstance(after.event, ev.Prompted) else gap
