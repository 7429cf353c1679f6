"""What is worth knowing of a turn without reading its log: how it ended, its stop, its text for search."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from tui.core import events as ev
from tui.core.conversation import Conversation, Turn
from tui.core.events import Record
from tui.core.view import time_to_evidence
from tui.store import pack
from tui.store.plain import parts
from tui.store.said import Said, keep_said
from tui.store.writer import in_transaction

_TEXT = ("TextDelta", "TextReplaced")
_BULK = ("TextDelta", "TextReplaced", "ReasoningDelta", "ToolArguments", "Unknown", "DataReceived")


@dataclass(slots=True)
class Found:
    """One turn, folded with only the first of its content. `left`: a client died or quit in its middle."""

    key: int
    number: int
    turn: Turn
    left: bool
    chars: int = 0


def digest(
    db: sqlite3.Connection, key: int, turns: Iterable[int], *, only_again: bool = False
) -> Iterator[None]:
    """Make the digest of these turns, in short steps with a transaction each.

    `only_again`: of those only that have one, and of which more has become known since.
    """
    for number in turns:
        found = None if only_again and not _has_one(db, key, number) else _fold(db, key, number)
        if found is None:
            continue
        texts = parts(_kept(found.turn, _reply(db, key, number)))
        found.chars = sum(map(len, texts))
        for at, text in enumerate(texts[1:], 1):
            in_transaction(db, lambda db: _keep(db, found, [text], at))  # noqa: B023
            yield
        in_transaction(db, lambda db: _conclude(db, found, texts))  # noqa: B023
        yield


def _conclude(db: sqlite3.Connection, found: Found, texts: list[str]) -> None:
    """The first part of the reply, and the figures; a longer reply of an earlier digest loses its end."""
    db.execute(
        "DELETE FROM said WHERE conversation=? AND turn=? AND role='reply' AND part>=?",
        (found.key, found.number, len(texts)),
    )
    _keep(db, found, texts[:1], 0)
    _note(db, found)


def _keep(db: sqlite3.Connection, found: Found, texts: list[str], first: int) -> None:
    keep_said(db, found.key, Said(found.number, "reply", found.turn.wall, texts, first))


def _has_one(db: sqlite3.Connection, key: int, number: int) -> bool:
    row = db.execute("SELECT digested FROM turn WHERE conversation=? AND number=?", (key, number)).fetchone()
    return bool(row and row[0])


def undigested(db: sqlite3.Connection, in_use: Callable[[str], bool]) -> Iterator[None]:
    """Digest the turns that a client left without: it died, or the disk was full."""
    rows = db.execute(
        "SELECT t.conversation, t.number, c.id FROM turn t JOIN conversation c ON c.key=t.conversation"
        " WHERE t.digested=0"
    ).fetchall()
    for key, number, identity in rows:
        if not in_use(identity):
            yield from digest(db, key, [number])


def _fold(db: sqlite3.Connection, key: int, number: int) -> Found | None:
    bulk = "kind IN ('" + "','".join(_BULK) + "')"
    rows = db.execute(
        "SELECT number,last,turn,wall,mono,late,kind,fields,'' FROM event WHERE conversation=?1 AND turn=?2"
        f" AND (NOT {bulk} OR number = (SELECT min(number) FROM event WHERE conversation=?1 AND turn=?2"
        f" AND late=0 AND {bulk})) ORDER BY number",
        (key, number),
    )
    alone, left = Conversation(""), False
    for record in pack.decode(rows.fetchall(), joined=True):
        left = left or isinstance(record.event, ev.ClientLeft)
        if alone.turns or isinstance(record.event, ev.Prompted):
            alone.apply(_as_first(record))
    return Found(key, number, alone.last, left) if alone.last else None


def _as_first(record: Record) -> Record:
    return replace(record, turn=1)


def _kept(turn: Turn, ours: str) -> str:
    """The backend's saved copy where that goes on from what was shown."""
    saved = turn.server_text
    return saved if saved is not None and saved.startswith(ours) else ours


def _reply(db: sqlite3.Connection, key: int, number: int) -> str:
    """The reply's text as received, up to the stop."""
    rows = db.execute(
        "SELECT kind,fields FROM event WHERE conversation=? AND turn=? AND late=0 AND kind IN (?,?)"
        " ORDER BY number",
        (key, number, *_TEXT),
    )
    blocks: dict[str, list[str]] = {}
    for kind, body in rows:
        try:
            _grow(blocks, kind, json.loads(body))
        except (ValueError, TypeError, KeyError):
            continue  # a damaged row; the log shows it as such
    return "\n\n".join("".join(texts) for texts in blocks.values())


def _grow(blocks: dict[str, list[str]], kind: str, body: dict[str, list[str] | str]) -> None:
    names, texts = body["block"], body["text"]
    if kind == "TextReplaced":
        blocks[str(names)] = [str(texts)]
        return
    texts = texts if isinstance(texts, list) else [texts] * len(body.get("wall", "1"))
    names = names if isinstance(names, list) else [names] * len(texts)
    for name, text in zip(names, texts, strict=True):
        blocks.setdefault(name, []).append(text)


def _note(db: sqlite3.Connection, found: Found) -> None:
    """Keep the figures. Across a client's death its clocks cannot be compared: no time to evidence then."""
    turn, stop = found.turn, found.turn.stop
    answered = stop.answered_at - stop.asked_at if stop and stop.answered_at is not None else None
    figures = (
        str(turn.phase),
        str(turn.outcome or ""),
        found.chars,
        stop.asked.cause if stop else "",
        str(stop.answer.answer) if stop and stop.answer else "",
        answered,
        None if found.left else time_to_evidence(turn),
        stop.late_events if stop else 0,
        stop.late_chars if stop else 0,
        turn.last_number,
    )
    db.execute(
        "UPDATE turn SET phase=?,outcome=?,chars=?,cause=?,answer=?,answer_s=?,evidence_s=?,late_events=?,"
        "late_chars=?,digested=? WHERE conversation=? AND number=?",
        (*figures, found.key, found.number),
    )
