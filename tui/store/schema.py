"""The store's tables, and how an older file is brought forward. Loaded only where SQLite is needed."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui.store.private import create_private
from tui.store.problems import NEVER, StoreError, sentence
from tui.store.writer import LOG_MOST

APPLICATION_ID = 0x53746F70  # "Stop": tells our file from another program's
OPENING_MS = 10_000  # how long another client's migration is waited for
BUSY_MS = 500  # how long another's write is; more than that is worth telling

_FIRST = """
CREATE TABLE conversation(
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  remote TEXT NOT NULL,              -- its id as the backend knows it
  backend TEXT NOT NULL, url TEXT NOT NULL, agent TEXT NOT NULL,
  settings TEXT NOT NULL,            -- JSON: what else is needed to reach it again; never a secret
  title TEXT NOT NULL, named INTEGER NOT NULL DEFAULT 0,
  made REAL NOT NULL, touched REAL NOT NULL,
  deleted REAL                       -- when; it is still there until it is purged
);
CREATE INDEX conversation_touched ON conversation(touched);
CREATE TABLE event(                  -- append-only
  conversation INTEGER NOT NULL REFERENCES conversation(key),
  number INTEGER NOT NULL, last INTEGER NOT NULL, turn INTEGER NOT NULL,
  wall REAL, mono REAL, late INTEGER NOT NULL,
  kind TEXT NOT NULL, fields TEXT NOT NULL, raw TEXT NOT NULL,
  PRIMARY KEY(conversation, number)
);
CREATE INDEX event_turn ON event(conversation, turn, number);
CREATE TABLE turn(                   -- what the fold found; can be made again from the events
  conversation INTEGER NOT NULL, number INTEGER NOT NULL,
  wall REAL NOT NULL, phase TEXT NOT NULL, outcome TEXT NOT NULL DEFAULT '',
  chars INTEGER NOT NULL DEFAULT 0, cause TEXT NOT NULL DEFAULT '', answer TEXT NOT NULL DEFAULT '',
  answer_s REAL, evidence_s REAL,
  late_events INTEGER NOT NULL DEFAULT 0, late_chars INTEGER NOT NULL DEFAULT 0,
  digested INTEGER NOT NULL DEFAULT 0, -- number of the last event it was made from
  PRIMARY KEY(conversation, number)
) WITHOUT ROWID;
CREATE INDEX turn_undigested ON turn(conversation, number) WHERE digested = 0;
CREATE INDEX turn_stopped ON turn(wall) WHERE outcome <> '';
CREATE TABLE said(                   -- prompts and replies as plain text, in parts, for search and history
  key INTEGER PRIMARY KEY,
  conversation INTEGER NOT NULL, turn INTEGER NOT NULL, role TEXT NOT NULL, part INTEGER NOT NULL,
  wall REAL NOT NULL, text TEXT NOT NULL,
  UNIQUE(conversation, turn, role, part)
);
CREATE INDEX said_prompts ON said(wall) WHERE role = 'prompt' AND part = 0;
CREATE VIRTUAL TABLE said_fts USING fts5(
  text, content='said', content_rowid='key', tokenize='unicode61 remove_diacritics 2', prefix='2 3'
);
CREATE TRIGGER said_added AFTER INSERT ON said BEGIN
  INSERT INTO said_fts(rowid, text) VALUES (new.key, new.text);
END;
CREATE TRIGGER said_removed AFTER DELETE ON said BEGIN
  INSERT INTO said_fts(said_fts, rowid, text) VALUES ('delete', old.key, old.text);
END;
CREATE TRIGGER said_changed AFTER UPDATE OF text ON said BEGIN
  INSERT INTO said_fts(said_fts, rowid, text) VALUES ('delete', old.key, old.text);
  INSERT INTO said_fts(rowid, text) VALUES (new.key, new.text);
END;
CREATE TABLE note(                   -- small things beside the log: draft, queue
  conversation INTEGER NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(conversation, kind)
) WITHOUT ROWID;
"""

_FILES = """
CREATE TABLE file(conversation INTEGER, sha256 TEXT, data BLOB, PRIMARY KEY(conversation, sha256));
"""  # what went with prompts, as it was then

MIGRATIONS: tuple[str, ...] = (_FIRST, _FILES)
"""Script n brings a file from version n to n + 1 (`PRAGMA user_version`). Only ever appended to."""


def connect(uri: str, wait_ms: int = BUSY_MS) -> sqlite3.Connection:
    """A connection without implicit transactions, usable from any thread, one at a time."""
    return sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=wait_ms / 1000
    )


def memory_uri(name: str) -> str:
    """A database of this process that leaves no trace, shared by all connections to it."""
    if sqlite3.sqlite_version_info >= (3, 36):
        return f"file:/{name}?vfs=memdb"
    return f"file:{name}?mode=memory&cache=shared"


def connect_for_writing(uri: str, path: Path | None) -> sqlite3.Connection:
    """The writer's connection, with the tables brought up to date. Raises StoreError, in one sentence."""
    db = None
    try:
        db = connect(uri, OPENING_MS)
        _refuse_strangers(db, path)
        _use_wal(db)
        db.execute("PRAGMA secure_delete=ON")
        db.execute("PRAGMA wal_autocheckpoint=0")  # the writer does it when nothing waits
        db.execute(f"PRAGMA journal_size_limit={LOG_MOST}")
        _bring_forward(db, path)
        db.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    except (sqlite3.Error, StoreError, OSError) as error:
        if db is not None:
            db.close()
        raise StoreError(sentence(error, path, NEVER)) from error
    return db


def version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _use_wal(db: sqlite3.Connection) -> None:
    """Two first starts in the same moment: SQLite may answer "locked" at once, whatever the timeout says."""
    until = time.monotonic() + OPENING_MS / 1000
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _refuse_strangers(db: sqlite3.Connection, path: Path | None) -> None:
    """All that is looked at is of one moment: another first start may be making the tables just now."""
    db.execute("BEGIN")
    try:
        _judge(db, path)
    finally:
        db.execute("COMMIT")


def _judge(db: sqlite3.Connection, path: Path | None) -> None:
    found = version(db)
    if found > len(MIGRATIONS):
        raise StoreError(
            f"The conversation store {path} was written by a newer stopkey (format {found}, this one knows "
            f"{len(MIGRATIONS)}): update stopkey. Nothing is saved until then."
        )
    if db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        return
    if found or db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreError(f"{path} is another program's database: move it away. Nothing is saved until then.")


def _bring_forward(db: sqlite3.Connection, path: Path | None) -> None:
    found = version(db)
    if found == len(MIGRATIONS):
        return
    if found and path is not None:
        _back_up(db, path.with_name(f"{path.name}.v{found}.bak"))
    db.execute("BEGIN EXCLUSIVE")
    try:
        for script in MIGRATIONS[version(db) :]:  # asked again: another start may have been faster
            for statement in _statements(script):
                db.execute(statement)
        db.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    """One by one: `executescript` would commit the transaction that keeps a migration whole."""
    found, part = [], ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return found


def _back_up(db: sqlite3.Connection, copy: Path) -> None:
    """The file as it was, beside it. An earlier copy of the same version stays."""
    if create_private(copy):
        db.execute("VACUUM INTO ?", (str(copy),))


def remove_copies(path: Path) -> None:
    """What was deleted for good must not live on in a copy from before a migration."""
    for copy in path.parent.glob(f"{path.name}.v*.bak"):
        copy.unlink(missing_ok=True)


@contextmanager
def reading(uri: str, path: Path | None) -> Iterator[sqlite3.Connection]:
    """A connection for one look into the store; it sees what was committed. Raises StoreError."""
    db = None
    try:
        db = connect(uri)
        db.execute("PRAGMA query_only=ON")
        db.execute("PRAGMA read_uncommitted=ON")  # for a shared cache only: no reader holds up the writer
        yield db
    except sqlite3.Error as error:
        raise StoreError(sentence(error, path)) from error
    finally:
        if db is not None:
            db.close()
