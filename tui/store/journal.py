"""One open conversation: the one writer of it. Appending costs a microsecond and never waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.core.codec import dumps
from tui.core.events import Record

if TYPE_CHECKING:
    from tui.store.pack import Row
    from tui.store.private import Lock
    from tui.store.writer import Writer

FULL_AT = 32 * 1024
"""Characters of wire data that are written at once instead of gathering any longer."""
_EACH = 64  # what a record weighs besides


@dataclass(frozen=True, slots=True)
class Place:
    """The conversation's line in the store. `settings` is what else is needed to reach it, as JSON."""

    id: str
    remote: str
    backend: str
    url: str
    agent: str
    title: str
    settings: str = "{}"
    made: float = 0.0
    last_number: int = 0  # of its records so far


@dataclass(slots=True)
class Unsaved:
    """What the writer still has to write. Only the writer's thread takes from it."""

    records: deque[Record] = field(default_factory=deque)
    rows: list[Row] = field(default_factory=list)  # encoded, not yet committed
    marks: list[Record] = field(default_factory=list)  # of these, those that change more than the log
    notes: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)  # by SHA-256


class Journal:
    """The log of one conversation, open for appending.

    New records are numbered from `last_number` + 1 on: it counts those of turns that were not loaded, too.
    `read_only`: another stopkey has it open; `why` says so in a sentence, and nothing is written.
    """

    def __init__(self, writer: Writer, place: Place, lock: Lock | None, why: str = "") -> None:
        self.conversation_id = place.id
        self.remote_id = place.remote
        self.last_number = place.last_number
        self.read_only = bool(why)
        self.why = why
        self.on_problem: Callable[[str | None], None] | None = None
        self.place = place
        self.unsaved = Unsaved()
        self.key: int | None = None  # its line's key, once the writer knows it
        self.urgent_up_to = 0  # number of the last urgent record; set before it is handed over
        self._weight = 0
        self._writer = writer
        self._lock = lock
        writer.journals.append(self)

    @property
    def problem(self) -> str | None:
        """One sentence while saving fails, else None. What was not saved stays in memory and is retried."""
        return self._writer.problem

    def append(self, record: Record, *, urgent: bool = False) -> None:
        """Hand a record over to the writer. Never blocks, never raises.

        Urgent ones are on disk (a commit that survives a power cut) within 50 ms, others within 250 ms or
        32 KiB.
        """
        if self.read_only:
            return
        if urgent:
            self.urgent_up_to = record.number
        self.unsaved.records.append(record)
        self._weight += len(record.event.raw) + _EACH
        if urgent or (self._weight > FULL_AT and not self._writer.failing):
            self._weight = 0
            self._writer.hurry()
        elif self._writer.asleep:
            self._writer.wake()

    def save_note(self, kind: str, value: object) -> None:
        """Keep a small value beside the log (draft, queue), as JSON. The last one wins. Never blocks."""
        if self.read_only:
            return
        self.unsaved.notes[kind] = dumps(value)
        if self._writer.asleep:
            self._writer.wake()

    def keep_file(self, sha256: str, data: bytes) -> None:
        """Keep what goes with a prompt: it is written with the prompt's own record. Never blocks."""
        if not self.read_only:
            self.unsaved.files[sha256] = data

    def save_draft(self, text: str) -> None:
        """Keep what is typed and not sent."""
        self.save_note("draft", text)

    async def flush(self, timeout_s: float = 2.0) -> bool:
        """Wait until what was appended is on disk. False if it is not within the time."""
        import asyncio  # here, because the commands that only read have no loop

        if not self._writer.alive:
            return False
        done = asyncio.wrap_future(self._writer.drained())
        try:
            async with asyncio.timeout(timeout_s):
                return await done
        except TimeoutError:
            return False

    def written(self, timeout_s: float = 2.0) -> bool:
        """Wait until what was appended is saved. Blocks; False if it is not within the time."""
        return self._writer.wait_drained(timeout_s)

    def close(self, timeout_s: float = 2.0) -> bool:
        """Write what is left, and let another client have the conversation. Blocks, at most the time given.

        False if something could not be written: then the journal stays open, and goes on trying. Records
        appended afterwards are not kept.
        """
        saved = self.read_only or self._writer.wait_drained(timeout_s)
        if saved:
            self.let_go()
        return saved

    def let_go(self) -> None:
        """Whatever is written or not: this is no longer the conversation's writer."""
        self.read_only = True
        self._writer.forget(self)
        if self._lock:
            self._lock.release()
