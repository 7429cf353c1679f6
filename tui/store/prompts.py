"""What was asked in all conversations, the newest first, a page at a time: for the text box's history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.store.plain import PART

if TYPE_CHECKING:
    from tui.store.reader import Reading

EVERYTHING = 1 << 30


@dataclass(frozen=True, slots=True)
class Past:
    """A prompt as it was typed, unsanitised. `cut`: `text` is only its beginning, `whole` has the rest."""

    text: str
    wall: float  # UTC, seconds since the epoch
    cut: bool = False
    key: int = 0  # of its first part; 0: it is not from the store


_PAGE = f"""
SELECT substr(s.text, 1, ?1), s.wall, s.key,
  length(s.text) > ?1 OR (length(s.text) >= {PART // 2} AND EXISTS(SELECT 1 FROM said m
    WHERE m.conversation=s.conversation AND m.turn=s.turn AND m.role='prompt' AND m.part=1))
FROM said s JOIN conversation c ON c.key=s.conversation
WHERE s.role='prompt' AND s.part=0 AND c.deleted IS NULL AND s.wall <= ?2 AND (s.wall < ?2 OR s.key < ?3)
ORDER BY s.wall DESC, s.key DESC LIMIT ?4
"""
_WHOLE = """
SELECT m.text FROM said s JOIN said m ON m.conversation=s.conversation AND m.turn=s.turn AND m.role='prompt'
WHERE s.key=? ORDER BY m.part
"""


def page(reading: Reading, before: Past | None, limit: int, most: int) -> list[Past]:
    """The newest prompts older than `before`, each with at most `most` characters of its text."""
    wall, key = (before.wall, before.key) if before else (float("inf"), EVERYTHING)
    with reading() as db:
        return [_past(row) for row in db.execute(_PAGE, (most, wall, key, limit))]


def whole(reading: Reading, past: Past) -> str:
    """All of a prompt's text. What was deleted since then gives its beginning only."""
    with reading() as db:
        return "".join(text for (text,) in db.execute(_WHOLE, (past.key,))) or past.text


def _past(row: tuple[str, float, int, int]) -> Past:
    text, wall, key, cut = row
    return Past(text, wall, bool(cut), key)
