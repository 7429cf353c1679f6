"""Records and stores for these tests, made with few words."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tui.core import events as ev
from tui.core.events import Event, Record
from tui.store import Journal, Store

ROOT = Path(__file__).parents[2]


class Log:
    """Numbers events as a session does, and hands them to a journal."""

    def __init__(self, journal: Journal | None = None, turn: int = 1, number: int = 0) -> None:
        self.journal, self.turn, self.number = journal, turn, number
        self.records: list[Record] = []

    def add(self, event: Event, *, urgent: bool = False, late: bool = False) -> Record:
        self.number += 1
        record = Record(self.number, self.turn, time.time(), time.monotonic(), event, late)
        self.records.append(record)
        if self.journal:
            self.journal.append(record, urgent=urgent)
        return record

    def text(self, *texts: str, block: str = "b", late: bool = False) -> None:
        for text in texts:
            self.add(ev.TextDelta(block, text, raw=f'{{"delta":"{text}"}}'), late=late)

    def prompt(self, text: str) -> None:
        """Begins a turn: the first, or the next one."""
        if self.records:
            self.turn += 1
        self.add(ev.Prompted(text, f"key-{self.turn}"), urgent=True)
        self.add(ev.RunStarted(f"run-{self.turn}"), urgent=True)

    def complete(self) -> None:
        self.add(ev.RunFinished(), urgent=True)
        self.add(ev.Settled("completed"), urgent=True)

    def stop(self, answer: ev.Answer = ev.Answer.ACKNOWLEDGED, end: ev.End | None = ev.End.CANCELLED) -> None:
        """A stop and its settling; without `end` it stays unconfirmed or acknowledged."""
        self.add(ev.StopAsked("esc", after=self.number), urgent=True)
        self.add(ev.Requested("abort"))
        self.add(ev.AbortAnswered(answer, status=200, ms=3.5), urgent=True)
        if end:
            self.add(ev.RunFinished(end), urgent=True)
        else:
            self.add(ev.ClockRan(ev.Clock.GRACE))
            self.add(ev.RunLookedUp(None))
        outcome = "confirmed" if end else "acknowledged"
        self.add(ev.Settled("stopped", outcome), urgent=True)


def drain(store: Store) -> None:
    """Until all that was appended is on disk."""
    assert store._writer.wait_drained(10)


def eventually(true: Callable[[], object], within_s: float = 5.0) -> None:
    """Wait for a condition, and fail if it does not come."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


def settled(store: Store) -> None:
    """Until every turn has its digest: search and statistics know of it."""
    drain(store)

    def none_left() -> bool:
        with store._reading() as db:
            return not db.execute("SELECT 1 FROM turn WHERE digested=0").fetchone()

    eventually(none_left)


def child(*arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start tests/store/child.py."""
    command = [sys.executable, "-m", "tests.store.child", *arguments]
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, **options
    )
