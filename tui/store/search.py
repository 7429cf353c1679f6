"""Search over everything ever said: the best places first; of a word that is everywhere, the newest."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from tui.core.safe_text import SafeText, safe_line
from tui.store.reader import Reading

RANKED = 2000
"""With more places than this the newest come first: to rank tens of thousands takes longer than one wants to
wait at a key press, and says little of a word that is in all of them."""

_BEGIN, _END = "\ufdd0", "\ufdd1"  # noncharacters: no text has them around a word by accident
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Scripts that do not part their words: the index would know whole sentences only."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where it was said. `snippet`: pieces of text, True where they are what was searched for."""

    conversation_id: str
    title: SafeText
    turn: int
    role: str  # "prompt" or "reply"
    wall: float
    snippet: tuple[tuple[SafeText, bool], ...]


# CROSS JOIN keeps the index outermost, in its own order: snippets are cut for the rows that are shown only.
_FOUND = f"""
SELECT c.id, c.title, s.turn, s.role, s.wall, snippet(said_fts, 0, '{_BEGIN}', '{_END}', '…', 16)
FROM said_fts CROSS JOIN said s ON s.key = said_fts.rowid CROSS JOIN conversation c ON c.key = s.conversation
WHERE said_fts MATCH ?1 AND c.deleted IS NULL ORDER BY"""
_MANY = f"SELECT count(*) FROM (SELECT 1 FROM said_fts WHERE said_fts MATCH ? LIMIT {RANKED + 1})"


def search(reading: Reading, text: str, limit: int) -> list[Hit]:
    """All words must occur in a prompt or reply; the last may be unfinished; "quotes" hold words together."""
    words = _words(text)
    if not words:
        return []
    with reading() as db:
        if any(map(_UNSPACED.search, words)):
            return [_hit(row) for row in _without_index(db, words, limit)]
        wanted = _query(words, unfinished=not text.endswith(('"', " ")))
        many = db.execute(_MANY, (wanted,)).fetchone()[0] > RANKED
        rows = db.execute(f"{_FOUND} {'said_fts.rowid DESC' if many else 'rank'} LIMIT ?2", (wanted, limit))
        return [_hit(row) for row in rows]


def _words(text: str) -> list[str]:
    text = text.encode("utf-8", "replace").decode().replace("\0", " ")
    found = re.findall(r'"([^"]*)"|([^\s"]+)', text)
    return [phrase or word for phrase, word in found if re.search(r"\w", phrase or word)]


def _query(words: list[str], unfinished: bool) -> str:
    """What a person typed as a query of FTS5: nothing in it is taken for an operator."""
    return " ".join(f'"{word}"' for word in words) + ("*" if unfinished else "")


def _without_index(db: sqlite3.Connection, words: list[str], limit: int) -> list[tuple[Any, ...]]:
    """The newest texts that have these characters in them."""
    holds = " AND ".join("instr(s.text, ?)" for _ in words)
    rows = db.execute(
        "SELECT c.id, c.title, s.turn, s.role, s.wall, s.text FROM said s"
        f" JOIN conversation c ON c.key = s.conversation WHERE c.deleted IS NULL AND {holds}"
        " ORDER BY s.key DESC LIMIT ?",
        (*words, limit),
    )
    return [(*row[:5], _around(row[5], words[0])) for row in rows]


def _around(text: str, word: str) -> str:
    at = text.index(word)
    begin, end = max(0, at - 30), at + len(word)
    before = ("…" if begin else "") + text[begin:at]
    return f"{before}{_BEGIN}{word}{_END}{text[end : end + 60]}" + ("…" if end + 60 < len(text) else "")


def _hit(row: tuple[Any, ...]) -> Hit:
    conversation, title, turn, role, wall, marked = row
    pieces: list[tuple[SafeText, bool]] = []
    for at, piece in enumerate(re.split(f"[{_BEGIN}{_END}]", marked or "")):
        if piece:
            pieces.append((safe_line(piece, 400), at % 2 == 1))
    return Hit(conversation, safe_line(title, 80), turn, role, wall, tuple(pieces))
