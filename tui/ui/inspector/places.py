"""From an event to its place in the transcript, and from a place to its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tui.core import events as ev
from tui.core.conversation import Turn
from tui.core.events import Event, Record
from tui.core.transcript import Block, DataBlock, QuestionBlock, TextBlock, ToolBlock

_OWNERS: dict[type[Event], tuple[type[Any], str]] = {
    **dict.fromkeys((ev.TextDelta, ev.TextReplaced, ev.ReasoningDelta, ev.BlockEnded), (TextBlock, "block")),
    **dict.fromkeys((ev.ToolStarted, ev.ToolArguments, ev.ToolRunning, ev.ToolFinished), (ToolBlock, "call")),
    **dict.fromkeys((ev.QuestionAsked, ev.QuestionAnswered, ev.AnswerFailed), (QuestionBlock, "request")),
    ev.DataReceived: (DataBlock, "name"),
}
_STOP = (
    ev.StopAsked,
    ev.RetryAsked,
    ev.AbortAnswered,
    ev.RunLookedUp,
    ev.ClockRan,
    ev.StreamClosed,
    ev.Settled,
)


def section_of(record: Record, turn: Turn) -> str:
    """The key of the transcript's section that this record made or belongs to."""
    event = record.event
    if isinstance(event, ev.Prompted):
        return "prompt"
    if turn.stop and (record.late or isinstance(event, _STOP) or _is_abort(event)):
        return "card:stop"
    index = _index(event, turn.transcript.blocks)
    return "head" if index is None else f"block:{index}"


def _is_abort(event: Event) -> bool:
    return isinstance(event, ev.Requested) and event.purpose in ("abort", "status")


def _index(event: Event, blocks: Iterable[Block]) -> int | None:
    kind, name = _OWNERS.get(type(event), (None, ""))
    if kind is None:
        return None
    key = getattr(event, name)
    return next((n for n, block in enumerate(blocks) if isinstance(block, kind) and block.key == key), None)


def offset_of(record: Record, earlier: Iterable[Record]) -> int:
    """How many characters of its block had come before this record, as far as `earlier` reaches."""
    event = record.event
    if not isinstance(event, (ev.TextDelta, ev.ReasoningDelta)):
        return 0
    same = (r.event for r in earlier if r.number < record.number and type(r.event) is type(event))
    return sum(len(e.text) for e in same if isinstance(e, type(event)) and e.block == event.block)


def belongs(turn: Turn, section: str) -> Callable[[Record], bool]:
    """Whether a record belongs to this section of the turn."""

    def mine(record: Record) -> bool:
        return record.turn == turn.number and section_of(record, turn) == section

    return mine
