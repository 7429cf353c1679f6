"""Reading an exported log back: one JSON object a line, first the conversation, then its records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tui.core.codec import dumps, from_json
from tui.core.events import Record
from tui.store.problems import StoreError

_OURS = ("number", "turn", "wall", "mono", "late", "type", "raw")


def read(lines: Iterable[str]) -> tuple[dict[str, Any], Iterator[Record]]:
    """The conversation's own line, and its records. Raises StoreError, also while the records are read."""
    numbered = enumerate(lines, 1)
    for number, line in numbered:
        if line.strip():
            head = _object(line, number)
            break
    else:
        raise StoreError("The file is empty.")
    if head.get("type") != "conversation" or head.get("format") != 1:
        raise StoreError("This is not an exported conversation, or one of a newer stopkey.")
    return head, (_record(_object(line, number), number) for number, line in numbered if line.strip())


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise StoreError(f"Line {number} is not a JSON object.")
    return value


def _record(line: dict[str, Any], number: int) -> Record:
    fields = {name: value for name, value in line.items() if name not in _OURS}
    try:
        event = from_json(str(line["type"]), dumps(fields), str(line.get("raw") or ""))
        times = float(line["wall"]), float(line["mono"])
        return Record(int(line["number"]), int(line["turn"]), *times, event, bool(line.get("late")))
    except (KeyError, ValueError, TypeError, OverflowError):
        raise StoreError(f"Line {number} is not a record: its number, turn or times are missing.") from None
