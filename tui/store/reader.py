"""Looking into the store: the list of conversations, and their records, read as far as they are wanted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from tui.core.events import Record
from tui.core.safe_text import SafeText, safe_line
from tui.store import pack
from tui.store.problems import NoSuchConversation
from tui.store.sound import sound

Reading = Callable[[], AbstractContextManager[sqlite3.Connection]]
PAGE = 500  # rows fetched at once: a reader never holds the database open between two pages


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in a list. Times are UTC seconds since the epoch; `phase`, `outcome` and `chars` are
    its last turn's. `settings` is what else is needed to reach its backend again.
    """

    conversation_id: str
    title: SafeText
    backend: str
    url: str
    agent: str
    remote_id: str
    settings: dict[str, Any]
    made: float
    touched: float
    turns: int = 0
    phase: str = ""
    outcome: str = ""
    chars: int = 0
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class TurnLine:
    """A turn without its log: enough to find one's way in a long conversation."""

    number: int
    wall: float
    prompt: SafeText  # its first words
    phase: str
    outcome: str
    chars: int


@dataclass(frozen=True, slots=True)
class SaidLine:
    """One side of a turn as plain text, unsanitised; `phase` and `outcome` are the turn's."""

    turn: int
    role: str  # "prompt" or "reply"
    text: str
    key: str  # of the prompt's sending; "" for a reply
    phase: str
    outcome: str


_LIST = """
SELECT c.id, c.title, c.backend, c.url, c.agent, c.remote, c.settings, c.made, c.touched, c.deleted,
       t.number, t.phase, t.outcome, t.chars
FROM conversation c
LEFT JOIN turn t ON t.conversation = c.key
     AND t.number = (SELECT max(number) FROM turn WHERE conversation = c.key)
"""
_EMPTY = """('""', '[]', 'null')"""
_WORTH_SHOWING = f"""(t.number IS NOT NULL
 OR EXISTS (SELECT 1 FROM note n WHERE n.conversation = c.key AND n.value NOT IN {_EMPTY}))"""


def conversations(reading: Reading, limit: int, query: str = "", deleted: bool = False) -> list[Listed]:
    """The newest first; `query` is looked for in title, agent and backend."""
    like = "%" + query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    where = (
        f"WHERE c.deleted IS {'NOT ' if deleted else ''}NULL"
        f" AND {_WORTH_SHOWING}"
        " AND (c.title LIKE ?1 ESCAPE '\\' OR c.agent LIKE ?1 ESCAPE '\\' OR c.backend LIKE ?1 ESCAPE '\\')"
        " ORDER BY c.touched DESC, c.key DESC LIMIT ?2"
    )
    with reading() as db:
        return [_listed(row) for row in db.execute(_LIST + where, (like, limit))]


def one(reading: Reading, conversation_id: str) -> Listed:
    """The line of one conversation. Raises NoSuchConversation."""
    with reading() as db:
        row = db.execute(_LIST + "WHERE c.id = ?", (conversation_id,)).fetchone()
    if row is None:
        raise NoSuchConversation(_unknown(conversation_id))
    return _listed(row)


def find(reading: Reading, beginning: str) -> str:
    """The id that begins so. Raises NoSuchConversation if there is none, or more than one."""
    upper = beginning + "\U0010ffff"
    with reading() as db:
        rows = db.execute(
            "SELECT id FROM conversation WHERE id >= ? AND id < ? ORDER BY id LIMIT 2", (beginning, upper)
        ).fetchall()
    if not rows or not beginning:
        raise NoSuchConversation(_unknown(beginning))
    if len(rows) > 1 and rows[0][0] != beginning:
        raise NoSuchConversation(f"Several conversations begin with {safe_line(beginning)}: give more of it.")
    return str(rows[0][0])


def find_remote(reading: Reading, backend: str, url: str, agent: str, remote: str) -> str | None:
    """The conversation that the backend knows by this id; the newest, where there are several."""
    with reading() as db:
        row = db.execute(
            "SELECT id FROM conversation WHERE remote=? AND backend=? AND url=? AND agent=?"
            " AND deleted IS NULL ORDER BY touched DESC LIMIT 1",
            (remote, backend, url, agent),
        ).fetchone()
    return str(row[0]) if row else None


def turns(reading: Reading, conversation_id: str) -> list[TurnLine]:
    """All turns in order: numbers, first words, how they ended. Cheap at any length."""
    with reading() as db:
        rows = db.execute(
            "SELECT t.number, t.wall, substr(s.text, 1, 120), t.phase, t.outcome, t.chars FROM turn t"
            " LEFT JOIN said s ON s.conversation=t.conversation AND s.turn=t.number AND s.role='prompt'"
            " AND s.part=0 WHERE t.conversation=(SELECT key FROM conversation WHERE id=?) ORDER BY t.number",
            (conversation_id,),
        ).fetchall()
    return [
        TurnLine(number, wall, safe_line(" ".join((text or "").split()), 80), phase, outcome, chars)
        for number, wall, text, phase, outcome, chars in rows
    ]


def records(
    reading: Reading, conversation_id: str, after: int = 0, *, joined: bool = False
) -> Iterator[Record]:
    """The log in order, from the record after number `after` on; `joined` as in `pack.decode`."""
    found = _paged(reading, _key(reading, conversation_id), after, joined)
    return found if after else sound(found)


def _paged(reading: Reading, key: int, after: int, joined: bool) -> Iterator[Record]:
    while True:
        with reading() as db:
            rows = db.execute(
                f"{_ROWS} WHERE conversation=? AND number>? ORDER BY number LIMIT {PAGE}", (key, after)
            ).fetchall()
        yield from pack.decode(rows, joined=joined)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def turn_records(
    reading: Reading, conversation_id: str, turns: tuple[int, int], *, joined: bool = False
) -> list[Record]:
    """The records of these turns (the first, the last), in order; `joined` as in `pack.decode`."""
    key = _key(reading, conversation_id)
    with reading() as db:
        rows = db.execute(
            f"{_ROWS} WHERE conversation=? AND turn BETWEEN ? AND ? ORDER BY number", (key, *turns)
        ).fetchall()
    return list(sound(pack.decode(rows, joined=joined), max(turns[0], 1) - 1))


def between(reading: Reading, conversation_id: str, first: int, last: int) -> list[Record]:
    """The records numbered `first` to `last`, in order; a row can hold up to `pack.MOST` of them."""
    key = _key(reading, conversation_id)
    with reading() as db:
        rows = db.execute(
            f"{_ROWS} WHERE conversation=? AND number BETWEEN ? AND ? ORDER BY number",
            (key, first - pack.MOST, last),
        ).fetchall()
    near = (row for row in rows if row[1] >= first)
    return [record for record in pack.decode(near) if first <= record.number <= last]


def last_number(reading: Reading, conversation_id: str) -> int:
    """The number of the conversation's last record; 0 if there is none."""
    key = _key(reading, conversation_id)
    with reading() as db:
        row = db.execute(
            "SELECT last FROM event WHERE conversation=? ORDER BY number DESC LIMIT 1", (key,)
        ).fetchone()
    return int(row[0]) if row else 0


# A turn's log begins with its prompt: one row by the index, however long the turn is.
_KEY = """CASE s.role WHEN 'prompt' THEN (SELECT json_extract(e.fields, '$.key') FROM event e
 WHERE e.conversation=s.conversation AND e.turn=s.turn AND e.kind='Prompted' ORDER BY e.number LIMIT 1) END"""


def said(reading: Reading, conversation_id: str, first: int, last: int) -> list[SaidLine]:
    """Prompts and replies of these turns as plain text, in order, without reading their logs."""
    key = _key(reading, conversation_id)
    with reading() as db:
        rows = db.execute(
            f"SELECT s.turn, s.role, s.text, s.part, {_KEY}, t.phase, t.outcome FROM said s JOIN turn t"
            " ON t.conversation=s.conversation AND t.number=s.turn"
            " WHERE s.conversation=? AND s.turn BETWEEN ? AND ? ORDER BY s.turn, s.role, s.part",
            (key, first, last),
        ).fetchall()
    lines: list[SaidLine] = []
    for turn, role, text, part, key_of, phase, outcome in rows:
        if part and lines:
            lines[-1] = replace(lines[-1], text=lines[-1].text + text)
        else:
            lines.append(SaidLine(turn, role, text, str(key_of or ""), phase, outcome))
    return lines


def notes(reading: Reading, conversation_id: str) -> dict[str, Any]:
    """What was kept beside the log: draft, queue."""
    with reading() as db:
        rows = db.execute(
            "SELECT kind, value FROM note WHERE conversation=(SELECT key FROM conversation WHERE id=?)",
            (conversation_id,),
        ).fetchall()
    return {kind: _json(value) for kind, value in rows}


_ROWS = "SELECT number,last,turn,wall,mono,late,kind,fields,raw FROM event"


def _key(reading: Reading, conversation_id: str) -> int:
    with reading() as db:
        row = db.execute("SELECT key FROM conversation WHERE id=?", (conversation_id,)).fetchone()
    if row is None:
        raise NoSuchConversation(_unknown(conversation_id))
    return int(row[0])


def _unknown(conversation_id: str) -> str:
    return f"There is no conversation {safe_line(conversation_id)}: `stopkey list` shows those there are."


def _listed(row: Any) -> Listed:
    identity, title, backend, url, agent, remote, settings, made, touched, deleted, *turn = row
    number, phase, outcome, chars = turn
    settings = _json(settings)
    return Listed(
        identity, safe_line(title, 80), backend, url, agent, remote,
        settings if isinstance(settings, dict) else {}, made, touched,
        number or 0, phase or "", outcome or "", chars or 0, deleted is not None,
    )  # fmt: skip


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
