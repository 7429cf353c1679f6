"""An append-only log that any number of readers follow, each from where it likes: runs outlive requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from backend_stub.events import Event

_BATCH = 256


@dataclass(frozen=True, slots=True)
class Entry:
    """One numbered line: `number` counts from 1 within the run, `at` is UTC in seconds since the epoch."""

    number: int
    at: float
    run: str
    event: Event


class Log:
    """Entries in order. Closed when nothing more can come."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.closed = False
        self._waiting: set[asyncio.Future[None]] = set()

    def append(self, run: str, event: Event) -> Entry:
        """Add an event; followers wake in the next turn of the event loop."""
        entry = Entry(len(self.entries) + 1, time.time(), run, event)
        self.add(entry)
        return entry

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._wake()

    def close(self) -> None:
        self.closed = True
        self._wake()

    async def follow(self, after: int = 0, idle_s: float | None = None) -> AsyncGenerator[list[Entry], None]:
        """Batches of entries from position `after` on, until the log closes.

        With `idle_s`, an empty batch whenever nothing came for that long: time for a heartbeat.
        """
        at = after
        while True:
            batch = self.entries[at : at + _BATCH]
            if batch:
                at += len(batch)
                yield batch
            elif self.closed:
                return
            elif not await self._more(idle_s):
                yield []

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def _more(self, idle_s: float | None) -> bool:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            async with asyncio.timeout(idle_s):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True
