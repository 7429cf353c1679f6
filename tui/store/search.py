"""Search over everything ever said: ranked by how well and how lately."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.core.safe_text import SafeText, safe_line
from tui.store.reader import Reading

_BEGIN, _END = "\ufdd0", "\ufdd1"  # noncharacters: no text has them around a word by accident


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where it was said. `snippet`: pieces of text, True where they are what was searched for."""

    conversation_id: str
    title: SafeText
    turn: int
    role: str  # "prompt" or "reply"
    wall: float
    snippet: tuple[tuple[SafeText, bool], ...]


_RANKED = f"""
SELECT c.id, c.title, s.turn, s.role, s.wall,
       snippet(said_fts, 0, '{_BEGIN}', '{_END}', '…', 16)
FROM (SELECT rowid AS hit, rank AS score FROM said_fts WHERE said_fts MATCH ?1 ORDER BY rank LIMIT 4 * ?2) r
JOIN said_fts ON said_fts.rowid = r.hit AND said_fts MATCH ?1
JOIN said s ON s.key = r.hit
JOIN conversation c ON c.key = s.conversation
WHERE c.deleted IS NULL
ORDER BY r.score LIMIT ?2
"""


def search(reading: Reading, text: str, limit: int) -> list[Hit]:
    """The best places first. All words occur, the last may be unfinished; "quotes" keep them together."""
    wanted = match_of(text)
    if not wanted:
        return []
    with reading() as db:
        rows = db.execute(_RANKED, (wanted, limit)).fetchall()
    return [_hit(row) for row in rows]


def match_of(text: str) -> str:
    """What a person typed as a query of FTS5: nothing in it is taken for an operator."""
    words = re.findall(r'"([^"]*)"|([^\s"]+)', text)
    terms = [_quoted(phrase or word) for phrase, word in words if re.search(r"\w", phrase or word)]
    if terms and not text.endswith('"'):
        terms[-1] += "*"
    return " ".join(terms)


def _quoted(words: str) -> str:
    words = words.encode("utf-8", "replace").decode().replace("\0", " ")
    return '"' + words.replace('"', '""') + '"'


def _hit(row: tuple[str, str, int, str, float, str]) -> Hit:
    conversation, title, turn, role, wall, marked = row
    pieces: list[tuple[SafeText, bool]] = []
    for at, piece in enumerate(re.split(f"[{_BEGIN}{_END}]", marked)):
        if piece:
            pieces.append((safe_line(piece, 400), at % 2 == 1))
    return Hit(conversation, safe_line(title, 80), turn, role, wall, tuple(pieces))
