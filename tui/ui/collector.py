"""Python's garbage collector kept out of the way: nothing is collected while a key might have to wait for it.

With the defaults every burst of events brings a collection over everything that lives, Textual's own 100,000
objects included. Here those are frozen once they are there, what is young is looked at rarely, and all the
rest when nobody waits: after a run, when nothing is going on.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (20_000, 10, 100)
"""New objects before a look at them, such looks before one at their elders, and those before one at all.
What events leave behind is freed without the collector; only cycles need it, and there are few."""
QUIET_S = 2.0
"""Seconds after a run in which nothing must happen before everything is collected."""


@contextmanager
def held() -> Iterator[None]:
    """Collect nothing until a `Collector` has `started`: a start makes no garbage worth a look."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Collector:
    """`started` once, when the screen stands; `busy` and `idle` as runs come and go. No timer while idle."""

    def __init__(self) -> None:
        self._due: asyncio.TimerHandle | None = None

    def started(self) -> None:
        """Take what is there now for good, and begin to collect."""
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.enable()

    def busy(self) -> None:
        """A run is going: no full collection."""
        if self._due:
            self._due.cancel()
            self._due = None

    def idle(self) -> None:
        """Nothing runs any more: collect everything soon, once."""
        self.busy()
        self._due = asyncio.get_running_loop().call_later(QUIET_S, self._collect)

    def _collect(self) -> None:
        self._due = None
        gc.collect()
