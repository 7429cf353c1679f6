"""An older file is brought forward, with a copy of how it was; all of a step happens, or none."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from tests.store.made import drain
from tests.store.test_list import bytes_of, talk
from tui.store import Store, schema

SECOND = """
ALTER TABLE conversation ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey';
CREATE TABLE added(x);
"""


def versions(path: Path) -> int:
    with sqlite3.connect(path) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_an_older_file_is_brought_forward_and_a_copy_of_it_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Store.open(path)
    identity = talk(old, "from the old days")
    old.close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, SECOND))
    store = Store.open(path)
    assert store.opened() and store.problem is None
    assert store.info(identity).title == "from the old days"
    store.close()
    copy = path.with_name("conversations.db.v2.bak")
    assert (versions(path), versions(copy)) == (3, 2)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with sqlite3.connect(copy) as db:
        assert db.execute("SELECT title FROM conversation").fetchall() == [("from the old days",)]


def test_what_is_deleted_for_good_does_not_live_on_in_the_copy(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Store.open(path)
    identity = talk(old, "the word is XyzzyCanary")
    old.close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, SECOND))
    store = Store.open(path)
    assert store.opened() and b"XyzzyCanary" in path.with_name("conversations.db.v2.bak").read_bytes()
    store.delete(identity)
    store.close()
    assert b"xyzzycanary" not in bytes_of(path.parent).lower()


def test_a_step_that_fails_changes_nothing_and_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Store.open(path)
    identity = talk(old, "safe")
    old.close()
    with monkeypatch.context() as broken:
        broken.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, SECOND + "CREATE TABLE added(x);\n"))
        store = Store.open(path)
        assert store.opened() and store.in_memory and store.problem
        store.close()
    assert versions(path) == 2
    store = Store.open(path)
    assert store.info(identity).title == "safe"
    store.close()


def test_two_clients_that_start_at_once_make_one_store(path: Path) -> None:
    stores = [Store.open(path) for _ in range(6)]
    assert all(store.opened() and store.problem is None for store in stores)
    for number, store in enumerate(stores):
        talk(store, f"prompt {number}")
    assert len(stores[0].list()) == 6
    for store in stores:
        drain(store)
        store.close()
