"""Whatever is wrong with the disk or the file: one clear sentence, nothing lost, and the client goes on."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.store.made import ROOT, Log, child, drain, eventually
from tui.core.conversation import replay
from tui.store import Store, StoreError, saving, schema


def _stored(path: Path, prompts: int = 1) -> str:
    store = Store.open(path)
    log = Log(store.create("stub"))
    for n in range(prompts):
        log.prompt(f"prompt {n}")
        log.complete()
    store.close()
    assert log.journal
    return log.journal.conversation_id


def _works_in_memory(path: Path) -> str:
    """The client goes on without the file. Returns the sentence that it shows."""
    store = Store.open(path)
    assert store.opened() and store.in_memory
    log = Log(store.create("stub"))
    log.prompt("said all the same")
    drain(store)
    assert log.journal and log.journal.problem == store.problem
    assert list(store.load(log.journal.conversation_id)) == log.records
    assert [c.title for c in store.list()] == ["said all the same"]
    sentence = store.problem
    store.close()
    assert sentence and sentence.endswith((".", "then")) and "Traceback" not in sentence
    return sentence


# --- while running ----------------------------------------------------------------------------------------


def test_a_full_disk_keeps_everything_in_memory_and_writes_it_when_there_is_room(path: Path) -> None:
    said = child("fill_the_disk", str(path)).communicate(timeout=60)[0].splitlines()
    assert said[0] == "saved True"
    assert float(said[1].split()[1]) < 0.5, "appending waited for the disk"
    assert said[2] == "saved False"
    assert "The disk is full" in said[3] and str(path) in said[3]
    assert said[4:] == ["saved True", "problem None", "same True"]


def test_a_database_that_may_not_grow_is_told_and_caught_up_with(path: Path) -> None:
    store = Store.open(path)
    told: list[str | None] = []
    store.on_problem = told.append
    log = Log(store.create("stub"))
    log.prompt("before")
    drain(store)
    log.complete()
    log.prompt("more")
    db = store._writer.ask(lambda db: db)
    store._writer._steps.append(
        iter(())
    )  # work that waits must not make the writer spin while it cannot save
    db.execute("PRAGMA max_page_count=1")  # no more than there are
    log.text(*("x" * 5000 for _ in range(100)))
    log.stop()
    assert log.journal and asyncio.run(log.journal.flush(0.5)) is False
    assert log.journal.problem == store.problem == told[-1]
    tries = store._writer._failures
    time.sleep(0.3)  # a writer that spins would try thousands of times in this
    assert store._writer._failures - tries < 10
    assert told[-1] and "disk is full" in told[-1]
    db.execute("PRAGMA max_page_count=1000000")
    assert asyncio.run(log.journal.flush(5.0)) is True
    assert told[-1] is None and store.problem is None
    assert list(store.load(log.journal.conversation_id)) == log.records
    store.close()


def test_a_store_locked_by_another_program_delays_nothing_but_the_saving(path: Path) -> None:
    identity = _stored(path)
    store = Store.open(path)
    journal = store.open_journal(identity)
    with child("hold_the_write_lock", str(path)) as other:
        assert other.stdout and other.stdin and other.stdout.readline() == "locked\n"
        log = Log(journal, turn=2, number=4)
        began = time.perf_counter()
        log.prompt("while locked")
        journal.save_draft("older")
        log.stop()
        assert time.perf_counter() - began < 0.05
        eventually(lambda: store.problem and "Another program" in store.problem)
        journal.save_draft("newer")
        other.stdin.write("go\n")
        other.stdin.flush()
        drain(store)
        assert store.notes(identity) == {"draft": "newer"}
        assert store.problem is None
        assert list(store.load(identity))[4:] == log.records
        other.communicate("end\n")
    store.close()


def test_a_note_that_was_replaced_while_saving_failed_stays_the_newer_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(store.create("stub"))
    log.prompt("hello")
    drain(store)
    journal, tried = log.journal, threading.Event()
    assert journal

    def fail(db: object, job: object) -> int:
        journal.unsaved.notes["draft"] = '"newer"'
        tried.set()
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as failing:
        failing.setattr(saving, "in_transaction", fail)
        journal.save_draft("older")
        assert tried.wait(5)
        eventually(lambda: store.problem)
    drain(store)
    assert store.notes(journal.conversation_id) == {"draft": "newer"}


def _raise(problem: str | None) -> None:
    raise RuntimeError("the screen is gone")


def test_a_listener_that_raises_does_not_end_the_saving(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, and long enough to be looked at as one " * 20)
    store = Store.open(path)
    journal = store.create("stub")
    journal.on_problem = _raise
    store._writer._tell()
    Log(journal).prompt("hello")
    drain(store)
    store.close()


def test_a_store_that_is_deleted_meanwhile_is_told(path: Path) -> None:
    store = Store.open(path)
    log = Log(store.create("stub"))
    log.prompt("hello")
    drain(store)
    assert store.problem is None
    path.unlink()
    log.text("into nothing")
    drain(store)
    eventually(lambda: store.problem and "was moved or deleted" in store.problem)
    store.close()


# --- at the start -----------------------------------------------------------------------------------------


def test_garbage_is_left_as_it_is_and_said(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(os.urandom(20_000))
    before = path.read_bytes()
    assert "is not a conversation store, or is damaged: move it away" in _works_in_memory(path)
    assert path.read_bytes() == before


def test_a_file_of_a_newer_client_is_left_as_it_is_and_said(path: Path) -> None:
    _stored(path)
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version={len(schema.MIGRATIONS) + 3}")
    assert "written by a newer stopkey" in _works_in_memory(path)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM event").fetchone() == (4,)


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs(x)")
    assert "another program's database" in _works_in_memory(path)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    store = Store.open(path)
    assert store.opened() and store.problem is None
    Log(store.create("stub")).prompt("hello")
    drain(store)
    assert len(store.list()) == 1
    store.close()


def test_a_folder_or_a_link_in_its_place_is_refused(path: Path, tmp_path: Path) -> None:
    path.mkdir(parents=True)
    assert "is a folder" in _works_in_memory(path)
    path.rmdir()
    target = tmp_path / "elsewhere.db"
    path.symlink_to(target)
    assert "symbolic link" in _works_in_memory(path)
    assert not target.exists()


def test_a_file_where_the_folder_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert "is not a folder; what is said now is kept in memory only" in _works_in_memory(
        tmp_path / "data" / "conversations.db"
    )


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    locked = open_to_all / "locked"
    locked.mkdir(parents=True)
    for folder in (tmp_path, open_to_all, *list(tmp_path.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    locked.chmod(0o555)
    said = child("write_as_nobody", str(locked / "conversations.db")).communicate(timeout=30)[0]
    assert "may not be written: check its permissions" in said
    assert "kept 2" in said


def test_a_torn_write_ahead_log_costs_only_what_was_torn(path: Path, tmp_path: Path) -> None:
    torn = _torn_copy(path, tmp_path / "torn" / "conversations.db", keep=0.6)
    store = Store.open(torn)
    (only,) = store.list()
    numbers = [record.number for record in store.load(only.conversation_id)]
    assert numbers == list(range(1, len(numbers) + 1)) and numbers
    assert store.problem is None
    store.close()


def _torn_copy(path: Path, copy: Path, keep: float) -> Path:
    """A store as a power cut leaves it: some of the log's end is missing, and then there is noise."""
    store = Store.open(path)
    log = Log(store.create("stub"))
    for n in range(20):
        log.prompt(f"prompt {n}")
        log.text("word " * 200)
        drain(store)
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    wal = Path(f"{path}-wal").read_bytes()
    Path(f"{copy}-wal").write_bytes(wal[: int(len(wal) * keep)] + os.urandom(777))
    store.close()
    return copy


BEHIND_THE_TABLES = 40
"""Pages that hold what the tables are called: without them the file is not opened at all."""


def test_a_page_of_noise_in_the_middle_is_one_sentence_not_a_crash(path: Path) -> None:
    identity = _stored(path, prompts=200)
    size = path.stat().st_size
    with path.open("r+b") as file:
        for page in range(BEHIND_THE_TABLES, size // 4096):
            file.seek(page * 4096)
            file.write(os.urandom(4096))
    store = Store.open(path)
    with pytest.raises(StoreError, match="damaged"):
        list(store.load(identity))
    store.close(0.5)


def test_a_log_that_lost_its_prompts_is_replayed_all_the_same(store: Store) -> None:
    log = Log(store.create("stub"))
    for n in range(3):
        log.prompt(f"prompt {n}")
        log.text("word ")
        log.complete()
    drain(store)
    assert log.journal
    identity = log.journal.conversation_id
    damage = "UPDATE event SET kind='Prompted', fields='{}' WHERE kind='Prompted' AND turn=2"
    store._writer.ask(lambda db: db.execute(damage))
    store._writer.ask(lambda db: db.execute("DELETE FROM event WHERE turn=1 AND number=1"))
    for joined in (False, True):
        told = replay(identity, store.load(identity, joined=joined))
        assert [turn.prompt.text for turn in told.turns] == ["", "", "prompt 2"]
        assert [turn.phase for turn in told.turns] == ["completed"] * 3
    last = replay(identity, store.load_turns(identity, 2, 3), base=1)
    assert [turn.number for turn in last.turns] == [2, 3]


# --- the thread -------------------------------------------------------------------------------------------


def test_opening_does_not_wait_and_does_not_load_sqlite_here() -> None:
    code = (
        "import sys, threading, time; from tui.store import Store; "
        "assert 'sqlite3' not in sys.modules; "
        "s = Store.memory(); j = s.create('stub'); s.close()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=30)


def test_closing_ends_the_thread(path: Path) -> None:
    store = Store.open(path)
    assert store.close()
    assert not [t for t in threading.enumerate() if t is store._writer._thread]
    assert store.close(), "closing twice is harmless"
