"""Several clients on one store: one writer for each conversation, and no harm done."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.store.made import Log, child, drain, eventually
from tui.store import Store, private
from tui.store.private import Lock


def _stored(path: Path) -> str:
    store = Store.open(path)
    log = Log(store.create("stub"))
    log.prompt("hello")
    log.complete()
    store.close()
    assert log.journal
    return log.journal.conversation_id


def test_a_second_client_gets_a_conversation_read_only_and_says_why(path: Path) -> None:
    identity = _stored(path)
    store = Store.open(path)
    with child("hold_open", str(path), identity) as other:
        assert other.stdout and other.stdout.readline() == "open\n"
        journal = store.open_journal(identity)
        assert journal.read_only and "Another stopkey" in journal.why
        assert store.live_elsewhere(identity)
        Log(journal, number=9).text("not written")
        drain(store)
        assert len(list(store.load(identity))) == 4
        other.communicate("die\n")
    again = store.open_journal(identity)
    assert not again.read_only, "the lock of a client that died must be gone with it"
    store.close()


def test_two_tabs_of_one_client_do_not_both_write(path: Path) -> None:
    store = Store.open(path)
    first = store.create("stub")
    Log(first).prompt("hello")
    drain(store)
    second = store.open_journal(first.conversation_id)
    assert second.read_only
    assert first.close()
    assert not store.open_journal(first.conversation_id).read_only
    store.close()


def test_looking_whether_a_conversation_is_live_does_not_take_it(path: Path) -> None:
    identity = _stored(path)
    store = Store.open(path)
    assert not store.live_elsewhere(identity)
    journal = store.open_journal(identity)
    assert not journal.read_only and store.live_elsewhere(identity)
    store.close()
    assert not list((path.parent / "locks").iterdir()), "locks that were given back leave no file"


def test_two_clients_writing_as_fast_as_they_can_lose_nothing(path: Path) -> None:
    _stored(path)
    started = [child("write_much", str(path)) for _ in range(2)]
    said = [process.communicate(timeout=60)[0].split() for process in started]
    store = Store.open(path)
    for identity, count, *problem in said:
        assert problem == ["None"]
        assert len(list(store.load(identity))) == int(count)
    store.close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_client_sees_at_once_what_another_has_written(path: Path) -> None:
    writing, looking = Store.open(path), Store.open(path)
    log = Log(writing.create("stub"))
    log.prompt("seen elsewhere")
    eventually(lambda: [c.title for c in looking.list()] == ["seen elsewhere"])
    writing.close()
    looking.close()


def test_a_lock_file_that_is_removed_while_another_waits_for_it_gives_no_second_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (Lock(tmp_path / "locks", "c") for _ in range(3))
    assert first.take()
    lock_it = private._try_lock

    def after_the_first_let_go(opened: int, shared: bool = False) -> bool:
        first.release()
        return lock_it(opened, shared)

    monkeypatch.setattr(private, "_try_lock", after_the_first_let_go)
    assert second.take(), "it had opened the file that the first removed, and must look again"
    assert not third.take()
    second.release()
    assert third.take()
