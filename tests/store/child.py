"""A second client for the tests: `python -m tests.store.child WHAT PATH [ID]`. Says on stdout what it did."""

from __future__ import annotations

import os
import random
import resource
import sqlite3
import sys
import time
from pathlib import Path

from tests.store.made import Log
from tui.store import Store


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def write_until_killed(path: Path) -> None:
    """Say of every record when it was handed over, and up to which number the store says it has them."""
    store = Store.open(path)
    log = Log(store.create("stub"))
    assert log.journal
    say("id", log.journal.conversation_id)
    log.prompt("Where is order 42?")
    while True:
        for _ in range(random.choice((5, 20, 400))):
            log.text("word ")
            say("text", log.number, time.monotonic())
            time.sleep(0.001)
        log.stop()
        say("stop", log.number, time.monotonic())
        if log.number % 3 == 0 and store._writer.wait_drained(5):
            say("acked", log.number, time.monotonic())
        log.prompt("Once more")


def hold_open(path: Path, conversation_id: str) -> None:
    store = Store.open(path)
    journal = store.open_journal(conversation_id)
    say("read-only" if journal.read_only else "open")
    sys.stdin.readline()
    os._exit(1)  # as if it had died: nothing is closed


def write_much(path: Path) -> None:
    """200 turns as fast as they go, beside another client that does the same."""
    store = Store.open(path)
    log = Log(store.create("stub"))
    assert log.journal
    for _ in range(100):
        log.prompt("again")
        log.text(*(f"{n} " for n in range(50)))
        log.complete()
        store._writer.wait_drained(10)
    say(log.journal.conversation_id, log.number, store.problem)
    store.close(10)


def hold_the_write_lock(path: Path) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    say("locked")
    sys.stdin.readline()
    db.execute("ROLLBACK")
    say("unlocked")
    sys.stdin.readline()


def fill_the_disk(path: Path) -> None:
    """No file of this process may grow any more: what a full disk looks like, without filling one."""
    store = Store.open(path)
    log = Log(store.create("stub"))
    assert log.journal
    log.prompt("before")
    say("saved", store._writer.wait_drained(10))
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name(path.name + "-wal").stat().st_size, most))
    began = time.perf_counter()
    log.text(*("more " for _ in range(2000)))
    log.stop()
    say("took", time.perf_counter() - began)
    say("saved", store._writer.wait_drained(0.5))
    say("problem", store.problem)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    say("saved", store._writer.wait_drained(10))
    say("problem", store.problem)
    same = list(store.load(log.journal.conversation_id)) == log.records
    say("same", same)
    store.close()


def write_as_nobody(path: Path) -> None:
    """Without the rights of root, for which no folder is read-only."""
    first = Store.memory()  # loads all modules, which others may have no right to read
    Log(first.create("stub")).prompt("hello")
    list(first.load(first.list()[0].conversation_id) if first._writer.wait_drained(10) else [])
    first.close()
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    store = Store.open(path)
    log = Log(store.create("stub"))
    assert log.journal
    log.prompt("kept in memory")
    store._writer.wait_drained(10)
    say("problem", store.problem)
    say("kept", len(list(store.load(log.journal.conversation_id))))


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
