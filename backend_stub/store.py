"""Conversations on disk: one row per run, its prompt and its reply as far as it came.

SQLite in WAL mode, because two clients may share one data folder. The file is private to its owner.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from backend_stub.events import Phase
from backend_stub.owner import Owner
from backend_stub.run import Run

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
  number INTEGER PRIMARY KEY, run_id TEXT UNIQUE NOT NULL, conversation_id TEXT NOT NULL, agent TEXT NOT NULL,
  scenario TEXT NOT NULL, owner TEXT NOT NULL, prompt TEXT NOT NULL, parts TEXT NOT NULL, text TEXT NOT NULL,
  phase TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, code TEXT NOT NULL,
  began REAL NOT NULL, ended REAL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_conversation ON runs (conversation_id, number);
"""
_COLUMNS = (
    "run_id", "conversation_id", "agent", "scenario", "owner", "prompt", "parts", "text", "phase", "reason",
    "message", "code", "began", "ended", "input_tokens", "output_tokens",
)  # fmt: skip
_SAVE = (
    f"INSERT INTO runs ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    "ON CONFLICT (run_id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[6:])
)


class StoreUnusable(Exception):
    """The folder cannot be used. `str()` is one sentence."""


class Store:
    """Every run there was. Without a folder it is kept in memory only. Raises StoreUnusable.

    A write that fails (full disk, lock) costs the run nothing: `trouble` says why, and the next write makes
    up for it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.trouble = ""
        self._owed: dict[str, list[Any]] = {}  # rows that are not written yet, by run
        try:
            self._db = _open(_private(folder) if folder else ":memory:")
            self._owner = Owner(folder)
        except (OSError, sqlite3.Error) as error:
            raise StoreUnusable(f"Cannot keep conversations in {folder}: {error}.") from error

    def save(self, run: Run) -> None:
        """Write what there is of a run by now."""
        summary = run.summary()
        values = {**summary, "owner": self._owner.name, "prompt": run.prompt}
        values["parts"] = json.dumps(run.reply.saved(), ensure_ascii=True)
        self._owed[run.id] = [values[name] for name in _COLUMNS]
        self._pay()

    def _pay(self) -> None:
        try:
            for run_id in list(self._owed):
                self._db.execute(_SAVE, self._owed[run_id])
                del self._owed[run_id]
            self.trouble = ""
        except sqlite3.Error as error:
            self.trouble = str(error)

    def run(self, run_id: str) -> dict[str, Any] | None:
        """A run of this or an earlier process."""
        row = self._db.execute("SELECT * FROM runs WHERE run_id = ?", [run_id]).fetchone()
        return self._told(row) if row else None

    def conversation(self, conversation_id: str) -> list[dict[str, Any]]:
        """The runs of a conversation in the order in which they began."""
        rows = self._db.execute(
            "SELECT * FROM runs WHERE conversation_id = ? ORDER BY number", [conversation_id]
        )
        return [self._told(row) for row in rows]

    def runs(self, limit: int = 1000) -> list[dict[str, Any]]:
        """The newest runs, newest first."""
        rows = self._db.execute("SELECT * FROM runs ORDER BY number DESC LIMIT ?", [limit])
        return [self._told(row) for row in rows]

    def close(self) -> None:
        self._pay()
        with suppress(sqlite3.Error):
            self._db.close()
        self._owner.close()

    def _told(self, row: sqlite3.Row) -> dict[str, Any]:
        """A row as data. A run that was active when its process died is lost, whatever it had last said."""
        values = {name: row[name] for name in _COLUMNS if name != "owner"}
        values["parts"] = json.loads(row["parts"])
        if not Phase(row["phase"]).over and not self._owner.alive(row["owner"]):
            values["phase"] = Phase.LOST.value
            values["message"] = "The backend was restarted while this run was active."
        return values


def _open(path: str) -> sqlite3.Connection:
    """The database. One that cannot be read is put aside, not deleted: the next start must not fail, too."""
    try:
        return _connect(path)
    except sqlite3.OperationalError:
        raise  # locked, read-only, full: nothing is wrong with the file
    except sqlite3.DatabaseError:
        os.replace(path, path + ".unreadable")
        return _connect(_private(Path(path).parent))


def _connect(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=0.5, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.executescript(_SCHEMA)
    return db


def _private(folder: Path) -> str:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "conversations.sqlite"
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return str(path)
