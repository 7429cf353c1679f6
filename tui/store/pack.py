"""Records to journal rows and back. A run of deltas becomes one row, so that a flood costs few rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from itertools import groupby
from typing import Any

from tui.core import events as ev
from tui.core.codec import dumps, from_json, to_json
from tui.core.events import ALL_EVENTS, Event, Record

Row = tuple[int, int, int, float, float, int, str, str, str]
"""number, last, turn, wall, mono, late, kind, fields, raw; `last` > `number` where a row holds a run."""

PACKED: dict[type[Event], tuple[str, ...]] = {
    kind: tuple(f.name for f in fields(kind) if f.name != "raw")
    for kind in (ev.TextDelta, ev.ReasoningDelta, ev.ToolArguments, ev.Unknown)
}
"""Kinds that come in runs, with their fields (all of them text)."""

MOST = 1024  # records in one row
HEAVIEST = 256 * 1024  # characters in one row, before its last record


def encode(records: Iterable[Record]) -> list[Row]:
    """Rows for these records, in order. Never raises: what cannot be spelled is kept as `Unknown`."""
    rows: list[Row] = []
    run: list[Record] = []
    weight = 0
    for record in records:
        if run and (weight > HEAVIEST or len(run) >= MOST or not _goes_on(run[-1], record)):
            rows.append(_row(run))
            run, weight = [], 0
        run.append(record)
        weight += len(record.event.raw) + 16
    if run:
        rows.append(_row(run))
    return rows


def _goes_on(before: Record, record: Record) -> bool:
    kind = type(record.event)
    return (
        kind is type(before.event)
        and record.number == before.number + 1
        and record.turn == before.turn
        and record.late == before.late
        and kind in PACKED
    )


def _row(run: list[Record]) -> Row:
    first = run[0]
    try:
        body = _packed(run) if len(run) > 1 else to_json(first.event)
    except (ValueError, TypeError, RecursionError):  # a value nested too deep for JSON
        name = dumps({"name": type(first.event).__name__})
        return _head(first, first.number, "Unknown", name, _raw(run[:1]))
    return _head(first, run[-1].number, type(first.event).__name__, body, _raw(run))


def _head(first: Record, last: int, kind: str, body: str, raw: str) -> Row:
    return (first.number, last, first.turn, first.wall, first.mono, int(first.late), kind, body, raw)


def _packed(run: list[Record]) -> str:
    columns: dict[str, Any] = {"wall": [r.wall for r in run], "mono": [r.mono for r in run]}
    for name in PACKED[type(run[0].event)]:
        columns[name] = _narrow([getattr(r.event, name) for r in run])
    return dumps(columns)


def _narrow(column: list[str]) -> list[str] | str:
    """A column that says the same in every line is written once."""
    return column[0] if column.count(column[0]) == len(column) else column


def _raw(run: list[Record]) -> str:
    if not any(r.event.raw for r in run):
        return ""
    return dumps(run[0].event.raw if len(run) == 1 else [r.event.raw for r in run])


def decode(rows: Iterable[Row], *, joined: bool = False) -> Iterator[Record]:
    """The records in these rows, in order. A row that cannot be read becomes one `Unknown`, no error.

    `joined`: the deltas of a row that grow the same block come as one event without `raw`, numbered as the
    last of them and timed as the first. The same text for a fraction of the work.
    """
    for row in rows:
        number, last, turn, wall, mono, late, kind, body, raw = row
        if last > number:
            yield from _unpacked(row, _joined if joined else _lines)
        else:
            event = from_json(kind, body, _one_raw(raw))
            yield Record(number, turn, wall or 0.0, mono or 0.0, event, bool(late))


def _one_raw(raw: str) -> str:
    try:
        value = json.loads(raw) if raw else ""
    except (ValueError, TypeError, RecursionError):
        return raw
    return value if isinstance(value, str) else raw


def _unpacked(row: Row, how: Callable[[Row], Iterator[Record]]) -> list[Record]:
    number, _last, turn, wall, mono, late, kind, body, raw = row
    try:
        return list(how(row))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        damaged = ev.Unknown(kind, raw=f"{body}{raw}")
        return [Record(number, turn, wall or 0.0, mono or 0.0, damaged, bool(late))]


def _lines(row: Row) -> Iterator[Record]:
    number, last, turn, _wall, _mono, late, kind, body, raw = row
    count = last - number + 1
    columns = json.loads(body)
    walls = _wide(columns["wall"], count, float, int)
    monos = _wide(columns["mono"], count, float, int)
    raws = _wide(json.loads(raw) if raw else "", count, str)
    cls: Any = ALL_EVENTS[kind]
    values = zip(*(_wide(columns[name], count, str) for name in PACKED[cls]), strict=True)
    for at, (wall, mono, one, one_raw) in enumerate(zip(walls, monos, values, raws, strict=True)):
        yield Record(number + at, turn, wall, mono, cls(*one, raw=one_raw), bool(late))


def _joined(row: Row) -> Iterator[Record]:
    number, last, turn, wall, mono, late, kind, body, _raw = row
    if kind == "Unknown":
        yield from _lines(row)
        return
    cls: Any = ALL_EVENTS[kind]
    of, text = PACKED[cls]  # the block or call, and what it grows by
    columns = json.loads(body)
    owners = _wide(columns[of], last - number + 1, str)
    texts = _wide(columns[text], last - number + 1, str)
    at = 0
    for owner, same in groupby(owners):
        end = at + len(list(same))
        event = cls(owner, "".join(texts[at:end]))
        yield Record(number + end - 1, turn, wall, mono, event, bool(late))
        at = end


def _wide(column: Any, count: int, *kinds: type) -> list[Any]:
    """A column with a value for every line. Raises TypeError or ValueError for anything else."""
    wide = column if isinstance(column, list) else [column] * count
    if len(wide) != count or not set(map(type, wide)) <= set(kinds):
        raise ValueError("a damaged column")
    return wide
