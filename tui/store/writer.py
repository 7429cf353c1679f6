"""The one thread that writes to the store: gathers records, commits them, and tries again when it fails."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tui.store.problems import StoreError, gone, sentence

if TYPE_CHECKING:
    import sqlite3

    from tui.store.journal import Journal

GATHER_S = 0.2  # how long ordinary records gather: with the commit, 250 ms at most
RETRY_S = (0.25, 0.5, 1.0, 2.0)  # pauses between two tries when saving fails
IDLE_S = 1.0  # after so long without work the write-ahead log is folded into the file
LOG_MOST = 4 * 1024 * 1024  # bytes; above, that is not put off any longer

T = TypeVar("T")
Job = Callable[["sqlite3.Connection"], Any]
Steps = Callable[["sqlite3.Connection"], Iterator[None]]
"""Work that may wait: each step is short and sees to its own transaction."""


class Writer:
    """Owns the writing connection. `open_db` is called in the thread: SQLite is not even imported before.

    `open_db` answers with the connection and, where that is not the file asked for, the reason: the `banner`.
    `failing` is one sentence while saving fails; `on_problem` is told of every change, in this thread.
    """

    def __init__(
        self,
        open_db: Callable[[], tuple[sqlite3.Connection, str | None]],
        path: Path | None,
        first: Steps,
    ) -> None:
        self.path = path
        self.banner: str | None = None
        self.failing: str | None = None
        self.on_problem: Callable[[str | None], None] | None = None
        self.asleep = False  # nothing waits to be written: the next append has to wake us
        self.journals: list[Journal] = []
        self._known: tuple[int, int] | None = None  # which file on which disk it is
        self.opened = threading.Event()
        self._open_db = open_db
        self._first = first  # what to do after opening, when there is time
        self._bell = threading.Event()
        self._hurried = False
        self._ending = False
        self._jobs: deque[tuple[Job, Future[Any]]] = deque()
        self._steps: deque[Iterator[None]] = deque()  # work that may wait, a short transaction a step
        self._drains: deque[Future[bool]] = deque()
        self._last: list[Steps] = []
        self._until = 0.0
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    # --- called from any thread ---------------------------------------------------------------------------

    @property
    def problem(self) -> str | None:
        """Why nothing reaches the disk, in one sentence; None if all is well."""
        return self.failing or self.banner

    def wake(self) -> None:
        """There is something to write, in its own time."""
        self._bell.set()

    def hurry(self) -> None:
        """There is something to write at once."""
        self._hurried = True
        self._bell.set()

    def ask(self, job: Callable[[sqlite3.Connection], T], timeout_s: float = 10.0) -> T:
        """Run `job` on the writer's connection in a transaction of its own, and wait. Raises StoreError."""
        if not self.alive:
            raise StoreError(self.problem or "The conversation store is closed.")
        future: Future[T] = Future()
        self._jobs.append((job, future))
        self.hurry()
        try:
            return future.result(timeout_s)
        except TooLate:
            future.cancel()  # it must not happen behind the back of someone who was told that it failed
            raise StoreError(self.problem or "The conversation store is busy: try again.") from None

    def drained(self) -> Future[bool]:
        """A future that is true once everything appended so far is on disk."""
        future: Future[bool] = Future()
        self._drains.append(future)
        self.hurry()
        return future

    def wait_drained(self, timeout_s: float) -> bool:
        """Block until everything appended so far is on disk. False if it is not within the time."""
        if not self.alive:
            return False
        drained = self.drained()
        try:
            return drained.result(timeout_s)
        except TooLate:
            drained.cancel()
            return False

    def forget(self, journal: Journal) -> None:
        """A journal that was closed with nothing left to write."""
        if journal in self.journals:
            self.journals.remove(journal)

    def finally_do(self, work: Steps) -> None:
        """Go through these steps before the connection is closed, as far as the time for closing lasts."""
        self._last.append(work)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def close(self, timeout_s: float) -> None:
        """End the thread, after its last steps. What is not yet written then is lost: drain it before."""
        self._until = time.monotonic() + timeout_s * 0.9
        self._ending = True
        self.hurry()
        self._thread.join(timeout_s)

    # --- the thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        db = self._opened()
        if db is None:
            return
        if self.banner:
            self._tell()
        self._steps.append(self._first(db))
        while not self._ending:
            self._wait(db)
            self._work(db)
        self._do_last(db)
        db.close()

    def _do_last(self, db: sqlite3.Connection) -> None:
        """What is not done in time, or fails, the next start does."""
        try:
            for work in self._last:
                for _ in work(db):
                    if time.monotonic() > self._until:
                        return
        except Exception:
            return

    def _opened(self) -> sqlite3.Connection | None:
        """None if not even memory can be used: a Python without SQLite. What is appended stays in lists."""
        try:
            db, self.banner = self._open_db()
            self._known = _identity(self.path) if self.path else None
        except Exception as error:
            self._now_failing(sentence(error, self.path))
            return None
        finally:
            self.opened.set()
        return db

    def _wait(self, db: sqlite3.Connection) -> None:
        """Sleep while nothing waits; then let ordinary records gather. Whatever hurries ends both."""
        if self.failing:
            self._bell.wait(RETRY_S[min(self._failures, len(RETRY_S)) - 1])
        elif not self._steps:
            self._sleep(db)
            if not self._hurried:
                self._bell.clear()
                self._bell.wait(0 if self._hurried else GATHER_S)
        self._bell.clear()
        self._hurried = False

    def _sleep(self, db: sqlite3.Connection) -> None:
        self.asleep = True
        if not self._anything() and not self._bell.wait(IDLE_S):
            self._fold_log(db)
            self._bell.wait()
        self.asleep = False

    def _anything(self) -> bool:
        waiting = any(j.unsaved.records or j.unsaved.rows or j.unsaved.notes for j in self.journals)
        return waiting or bool(self._jobs or self._drains or self._ending)

    def _work(self, db: sqlite3.Connection) -> None:
        drains = [self._drains.popleft() for _ in range(len(self._drains))]
        try:
            self._save(db)
        except Exception as error:
            self._drains.extendleft(reversed(drains))
            self._failed(error)
            return
        self._worked()
        for future in drains:
            if future.set_running_or_notify_cancel():
                future.set_result(True)
        self._do_jobs(db)
        self._step(db)
        self._look_at_the_file(db)

    def _save(self, db: sqlite3.Connection) -> None:
        from tui.store.saving import save

        for journal in list(self.journals):
            if later := save(db, journal):
                self._steps.append(later)

    def _do_jobs(self, db: sqlite3.Connection) -> None:
        while self._jobs:
            job, future = self._jobs.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = in_transaction(db, job)
            except Exception as error:
                future.set_exception(StoreError(sentence(error, self.path)))
            else:
                future.set_result(result)

    def _step(self, db: sqlite3.Connection) -> None:
        """One step of the work that may wait: what it makes can be made again, so a fault only ends it."""
        if not self._steps:
            return
        try:
            next(self._steps[0])
        except Exception:  # StopIteration too
            self._steps.popleft()

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._now_failing(sentence(error, self.path))

    def _worked(self) -> None:
        self._failures = 0
        self._now_failing(None)

    def _now_failing(self, failing: str | None) -> None:
        if failing != self.failing:
            self.failing = failing
            self._tell()

    def _tell(self) -> None:
        for listener in (self.on_problem, *(journal.on_problem for journal in self.journals)):
            if listener:
                try:
                    listener(self.problem)
                except Exception:  # a screen that is gone must not end the saving
                    pass

    def _look_at_the_file(self, db: sqlite3.Connection) -> None:
        """Fold a long log in; and notice if all this goes into a file that is no longer there."""
        if self.path is None or self._known is None or self.banner:
            return
        if _identity(self.path) != self._known:
            self.banner = gone(self.path)
            self._tell()
        elif _size(f"{self.path}-wal") > LOG_MOST:
            self._fold_log(db)

    def _fold_log(self, db: sqlite3.Connection) -> None:
        try:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except Exception:
            pass


def in_transaction(db: sqlite3.Connection, job: Callable[[sqlite3.Connection], T]) -> T:
    """Run `job` in a write transaction: all of it, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        result = job(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return result


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def now() -> float:
    return time.time()
