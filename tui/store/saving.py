"""What one journal has gathered, written in one transaction; the tables beside the log follow it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import chain

from tui.core import events as ev
from tui.core.events import Record
from tui.core.safe_text import safe_line
from tui.store.digest import digest
from tui.store.journal import Journal, Place, Unsaved
from tui.store.pack import Row, encode
from tui.store.plain import parts
from tui.store.said import Said, keep_said
from tui.store.secrets import without_secrets
from tui.store.writer import in_transaction, now

KEPT = 64_000_000
"""Bytes of files that a conversation keeps. Of more there is the sum in the record, and no copy."""
_ROW = "SELECT number,last,turn,wall,mono,late,kind,fields,raw FROM event"
_LAST = "SELECT last FROM event WHERE conversation=? ORDER BY number DESC LIMIT 1"
_KEEP = f"""
INSERT OR IGNORE INTO file SELECT :key, :sha256, :data
WHERE (SELECT coalesce(sum(length(data)), 0) FROM file WHERE conversation = :key) + length(:data) <= {KEPT}
"""
_NOTHING = ('""', "[]", "null")
_OVER = (ev.Settled, ev.ClientLeft, ev.StreamBroke)
_MARKS = (ev.Prompted, *_OVER, ev.AbortAnswered)  # an answer may come after the end was seen


def save(db: sqlite3.Connection, journal: Journal) -> Iterator[None] | None:
    """Commit everything this journal has gathered. Returns what is to be done when there is time.

    Raises sqlite3.Error with nothing lost: what was taken stays in `journal.unsaved`.
    """
    unsaved = journal.unsaved
    _encode(unsaved)
    notes = _taken(unsaved.notes)
    files = dict(unsaved.files)
    if not unsaved.rows and not _worth_keeping(journal, notes):
        return None
    urgent = bool(unsaved.rows) and unsaved.rows[0][0] <= journal.urgent_up_to
    db.execute(f"PRAGMA synchronous={'FULL' if urgent else 'NORMAL'}")
    try:
        journal.key = in_transaction(db, lambda db: _write(db, journal, notes, files))
    except BaseException:
        for kind, value in notes.items():
            unsaved.notes.setdefault(kind, value)  # unless a newer one has come
        raise
    marks = unsaved.marks
    unsaved.rows, unsaved.marks = [], []
    for sha256 in files:
        unsaved.files.pop(sha256, None)
    return _to_digest(db, journal.key, marks)


def _to_digest(db: sqlite3.Connection, key: int, marks: list[Record]) -> Iterator[None] | None:
    over = {mark.turn for mark in marks if isinstance(mark.event, _OVER)}
    again = {mark.turn for mark in marks if isinstance(mark.event, ev.AbortAnswered)} - over
    if not over and not again:
        return None
    return chain(digest(db, key, over), digest(db, key, again, only_again=True))


def _taken(notes: dict[str, str]) -> dict[str, str]:
    """One by one: another thread may put in a newer one at any moment, and that one must stay."""
    taken = {}
    while notes:
        kind, value = notes.popitem()
        taken[kind] = value
    return taken


def _encode(unsaved: Unsaved) -> None:
    taken = [unsaved.records.popleft() for _ in range(len(unsaved.records))]
    unsaved.rows += encode(taken)
    unsaved.marks += [record for record in taken if isinstance(record.event, _MARKS)]


def _worth_keeping(journal: Journal, notes: dict[str, str]) -> bool:
    """Nothing typed and nothing said does not make a conversation."""
    return bool(notes) and (journal.key is not None or any(notes[kind] not in _NOTHING for kind in notes))


def _write(db: sqlite3.Connection, journal: Journal, notes: dict[str, str], files: dict[str, bytes]) -> int:
    unsaved = journal.unsaved
    key = journal.key or _line(db, journal.place)
    _log(db, key, unsaved.rows)
    db.executemany(f"INSERT OR REPLACE INTO note VALUES ({key},?,?)", notes.items())
    for sha256, data in files.items():
        db.execute(_KEEP, {"key": key, "sha256": sha256, "data": data})
    for mark in unsaved.marks:
        if isinstance(mark.event, ev.Prompted):
            _prompted(db, key, mark, mark.event.text)
    if unsaved.marks:
        db.execute("UPDATE conversation SET touched=? WHERE key=?", (unsaved.marks[-1].wall, key))
    return key


_INSERT = "INSERT OR IGNORE INTO event VALUES (?,?,?,?,?,?,?,?,?,?)"


def _log(db: sqlite3.Connection, key: int, rows: list[Row]) -> None:
    """Append to the log. A row that is there already was written by a commit that only seemed to fail."""
    written = db.executemany(_INSERT, [(key, *row) for row in rows]).rowcount
    if written == len(rows):
        return
    for row in rows:
        there = db.execute(f"{_ROW} WHERE conversation=? AND number=?", (key, row[0])).fetchone()
        if there != row:  # a number given twice: better under another one than not at all
            (last,) = db.execute(_LAST, (key,)).fetchone()
            db.execute(_INSERT, (key, last + 1, last + 1 + row[1] - row[0], *row[2:]))


def _line(db: sqlite3.Connection, place: Place) -> int:
    """The conversation's line, made at the first thing worth keeping: an empty one leaves no trace."""
    found = db.execute("SELECT key FROM conversation WHERE id=?", (place.id,)).fetchone()
    if found:
        return int(found[0])
    made = place.made or now()
    row = (place.id, place.remote, place.backend, place.url, place.agent, place.settings, place.title)
    made_row = db.execute(
        "INSERT INTO conversation(id,remote,backend,url,agent,settings,title,named,made,touched)"
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        (*row, bool(place.title), made, made),
    )
    return int(made_row.lastrowid or 0)


def _prompted(db: sqlite3.Connection, key: int, record: Record, text: str) -> None:
    db.execute(
        "INSERT OR IGNORE INTO turn(conversation,number,wall,phase) VALUES (?,?,?,'sending')",
        (key, record.turn, record.wall),
    )
    keep_said(db, key, Said(record.turn, "prompt", record.wall, parts(text)))
    title = without_secrets(safe_line(" ".join(text[:1000].split()), 80))
    db.execute("UPDATE conversation SET title=? WHERE key=? AND title=''", (title, key))
