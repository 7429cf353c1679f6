"""Removing conversations for good: from the tables, from the search index, and from the file's free pages."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

from tui.store.writer import in_transaction

_TABLES = ("event", "turn", "said", "note")


def purge(db: sqlite3.Connection, ids: Iterable[str], in_use: Callable[[str], bool]) -> int:
    """Remove those of `ids` that are marked as deleted and not open anywhere. Returns how many went."""
    rows = [
        (key, identity)
        for identity in dict.fromkeys(ids)
        for (key,) in db.execute(
            "SELECT key FROM conversation WHERE id=? AND deleted IS NOT NULL", (identity,)
        ).fetchall()
        if not in_use(identity)
    ]
    for key, _ in rows:
        in_transaction(db, lambda db: _remove(db, key))  # noqa: B023
    if rows:
        _scrub(db)
    return len(rows)


def left_over(db: sqlite3.Connection, before: float) -> list[str]:
    """Conversations that were deleted before this time, by a client that died before it purged them."""
    rows = db.execute("SELECT id FROM conversation WHERE deleted < ?", (before,)).fetchall()
    return [identity for (identity,) in rows]


def _remove(db: sqlite3.Connection, key: int) -> None:
    for table in _TABLES:
        db.execute(f"DELETE FROM {table} WHERE conversation=?", (key,))
    db.execute("DELETE FROM conversation WHERE key=?", (key,))


def _scrub(db: sqlite3.Connection) -> None:
    """`secure_delete` has zeroed the pages; the index and the write-ahead log still hold the words."""
    db.execute("INSERT INTO said_fts(said_fts) VALUES ('optimize')")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
