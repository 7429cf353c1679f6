"""Prompts and replies as plain text, where search and history find them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """One side of a turn, for search and history. `first` is the number of the first of `parts`."""

    turn: int
    role: str  # "prompt" or "reply"
    wall: float
    parts: list[str]
    first: int = 0


def keep_said(db: sqlite3.Connection, key: int, said: Said) -> None:
    """Put text where search and history find it. The full-text index follows by trigger."""
    db.executemany(
        "INSERT INTO said(conversation,turn,role,part,wall,text) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET text=excluded.text WHERE text IS NOT excluded.text",
        [(key, said.turn, said.role, at, said.wall, text) for at, text in enumerate(said.parts, said.first)],
    )
