"""Removing conversations for good: from the tables, from the search index, and from the file's free pages."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator

from tui.store.writer import in_transaction

_TABLES = ("event", "turn", "said", "note", "file")
_PAGES = 64  # of the search index that are merged in one step


def purge(db: sqlite3.Connection, ids: Iterable[str], in_use: Callable[[str], bool]) -> Iterator[None]:
    """Remove those of `ids` that are marked as deleted and not open anywhere, in short steps.

    If the client ends in between, the next start goes on: the emptied line is the last thing to go.
    """
    keys = [key for identity in dict.fromkeys(ids) for key in _deleted(db, identity) if not in_use(identity)]
    for key in keys:
        in_transaction(db, lambda db: _empty(db, key))  # noqa: B023
        yield
    if keys:
        yield from _scrub(db)
        db.executemany("DELETE FROM conversation WHERE key=?", [(key,) for key in keys])
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def left_over(db: sqlite3.Connection, before: float) -> list[str]:
    """Conversations that were deleted before this time, by a client that died before it purged them."""
    rows = db.execute("SELECT id FROM conversation WHERE deleted < ?", (before,)).fetchall()
    return [identity for (identity,) in rows]


def _deleted(db: sqlite3.Connection, identity: str) -> list[int]:
    rows = db.execute("SELECT key FROM conversation WHERE id=? AND deleted IS NOT NULL", (identity,))
    return [key for (key,) in rows.fetchall()]


def _empty(db: sqlite3.Connection, key: int) -> None:
    for table in _TABLES:
        db.execute(f"DELETE FROM {table} WHERE conversation=?", (key,))
    db.execute(
        "UPDATE conversation SET deleted=0, title='', url='', agent='', settings='{}' WHERE key=?", (key,)
    )


def _scrub(db: sqlite3.Connection) -> Iterator[None]:
    """`secure_delete` zeroes pages that are freed; the index keeps removed words until it is merged."""
    pages = -_PAGES  # the first time: begin to merge everything into one
    while True:
        before = db.total_changes
        db.execute("INSERT INTO said_fts(said_fts, rank) VALUES ('merge', ?)", (pages,))
        if db.total_changes - before < 2:
            return
        pages = _PAGES
        yield
