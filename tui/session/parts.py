"""What the driver is made of: its deadlines, its answers, and the running parts of a turn."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from tui.backends.base import File, RunRef
from tui.core.events import Attached, Record


@dataclass(frozen=True, slots=True)
class Clocks:
    """The driver's deadlines, in seconds. An adapter's capabilities override the first three."""

    abort: float = 5.0  # connect and answer of an abort
    grace: float = 1.5  # how long the stream is read on after the answer
    pending: float = 2.0  # how long a stop waits for the run to become known
    quit: float = 2.0  # how long quitting waits for a stop in flight
    look_up: float = 60.0  # how long a run is looked up with back-off after the turn settled
    poll: float = 0.05  # first pause between two look-ups; doubles
    reattach: tuple[float, ...] = (0.1, 1.0, 2.0, 4.0, 8.0)  # pauses before re-attaching


class JournalLike(Protocol):
    """What the driver needs of a journal: `append` never blocks and never raises."""

    def append(self, record: Record, *, urgent: bool = False) -> None: ...


class Forgetful:
    """The journal of `--no-store`."""

    def append(self, record: Record, *, urgent: bool = False) -> None:
        """Keep nothing."""


class Pressed(Enum):
    """What a press of Stop did."""

    STOPPED = auto()  # the text is frozen and the stop is under way
    RETRIED = auto()  # the abort is sent again
    ALREADY_STOPPING = auto()
    NOTHING_RUNNING = auto()


class NotNow(Exception):
    """The request does not fit the moment; `str()` is one sentence that says why and what to do."""


@dataclass(slots=True)
class Live:
    """The running parts of one turn: its tasks and timers."""

    ref: RunRef
    reading: asyncio.Task[None] | None = None
    closing: bool = False  # the reading was cancelled, or is about to end by itself
    clock: asyncio.TimerHandle | None = None
    aborting: asyncio.Task[None] | None = None
    checking: asyncio.Task[None] | None = None
    answering: str = ""  # the request whose answer opened the stream that is read now
    last_late: float = 0.0  # monotonic seconds of the last event after the stop
    answered: float = 0.0  # monotonic seconds of the answer to the abort

    def unwind(self) -> None:
        """Stop the clock."""
        if self.clock:
            self.clock.cancel()
            self.clock = None

    def close(self) -> None:
        """Cancel the reading, exactly once: a second cancel leaks its connection (encode/httpx#3782)."""
        self.unwind()
        if self.closing:
            return
        self.closing = True
        if self.reading and not self.reading.done() and self.reading is not asyncio.current_task():
            self.reading.cancel()

    @property
    def deaf(self) -> bool:
        """Whether nothing is read any more."""
        return self.reading is None or self.reading.done() or self.closing


def named(files: tuple[File, ...]) -> tuple[Attached, ...]:
    """What the record says of files: enough to prove later what was sent."""
    return tuple(
        Attached(file.name, file.kind, len(file.data), file.sha256 or hashlib.sha256(file.data).hexdigest())
        for file in files
    )
