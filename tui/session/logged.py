"""What of a conversation goes to the log: what happened and when, never what was said."""

from __future__ import annotations

import logging
from typing import Any

from tui.core import events as ev
from tui.core.events import Record

_log = logging.getLogger("stopkey.session")
_QUIET = frozenset(
    {ev.TextDelta, ev.ReasoningDelta, ev.ToolArguments, ev.TextReplaced, ev.BlockEnded, ev.Unknown}
)
_TOLD = ("run_id", "cause", "purpose", "answer", "status", "end", "clock", "phase", "outcome", "detail")


def log(record: Record) -> None:
    """One line, unless nobody listens. Deltas are left out: there may be 20,000 a second."""
    event = record.event
    if type(event) in _QUIET or not _log.isEnabledFor(logging.INFO):
        return
    told = " ".join(f"{name}={value}" for name in _TOLD if (value := _value(event, name)))
    late = " late" if record.late else ""
    _log.info("turn %d #%d%s %s %s", record.turn, record.number, late, type(event).__name__, told)


def _value(event: Any, name: str) -> Any:
    return getattr(event, name, "")
