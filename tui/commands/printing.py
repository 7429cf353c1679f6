"""What `run` prints: the reply as safe text, or every event as a JSON line; and how the turn ended."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol, TextIO

from tui import receipt
from tui.commands.common import note
from tui.core import events as ev
from tui.core.codec import dumps, to_fields
from tui.core.conversation import Turn
from tui.core.events import Record
from tui.core.safe_text import SafeText, safe_line
from tui.core.transcript import QuestionBlock, TextBlock, ToolBlock
from tui.core.turn import Phase
from tui.core.view import look


class Printer(Protocol):
    """Told of every record as it happens, and once of the end."""

    def change(self, turn: Turn, record: Record) -> None: ...
    def end(self, turn: Turn) -> None: ...


class JsonLines:
    """One ASCII JSON object a line: inert on any terminal, exact for any program."""

    def __init__(self, conversation_id: str, write: Callable[[str], None]) -> None:
        self._conversation_id = conversation_id
        self._write = write
        self._began = self._now = 0.0  # monotonic seconds

    def change(self, turn: Turn, record: Record) -> None:
        if isinstance(record.event, ev.Prompted):
            self._began = record.mono
        self._now = max(self._now, record.mono)
        line: dict[str, Any] = {"t": self._at(record.mono), "type": type(record.event).__name__}
        line |= to_fields(record.event)
        if record.late:
            line["late"] = True
        self._write(dumps(line) + "\n")

    def end(self, turn: Turn) -> None:
        kind = "receipt" if turn.stop else "settled"
        known = receipt.as_data(turn) if turn.stop else {"problem": turn.problem}
        line = {
            "t": self._at(self._now),
            "type": kind,
            "phase": turn.phase,
            "conversation": self._conversation_id,
            **known,
        }
        self._write(dumps(line) + "\n")

    def _at(self, mono: float) -> float:
        return round(max(0.0, mono - self._began), 6)


class PlainText:
    """The reply's text on stdout as it grows, safe to show. Tools are named on stderr if it is a screen."""

    def __init__(self, write: Callable[[str], None], errors: TextIO | None = None) -> None:
        self._write = write
        self._tell = (errors or sys.stderr).isatty()
        self._printed: dict[int, tuple[int, int]] = {}  # by place of the block: epoch and parts written
        self._now = -1  # the block that was written to last
        self._last = "\n"

    def change(self, turn: Turn, record: Record) -> None:
        if record.late:
            return
        if type(record.event) in _GROWING:
            self._print_new(turn, _RECENT)
        elif isinstance(record.event, ev.ToolRunning | ev.ToolFinished) and self._tell:
            self._tell_tool(turn, record.event)

    def end(self, turn: Turn) -> None:
        self._print_new(turn, len(turn.transcript.blocks))
        self._new_line()

    def _print_new(self, turn: Turn, last: int) -> None:
        """What the `last` blocks have grown since; older ones hardly ever do."""
        blocks = turn.transcript.blocks
        first = max(0, len(blocks) - last)
        for place, block in enumerate(blocks[first:], first):
            if isinstance(block, TextBlock) and not block.reasoning:
                self._print_block(place, block)

    def _print_block(self, place: int, block: TextBlock) -> None:
        epoch, done = self._printed.get(place, (block.content.epoch, 0))
        if epoch != block.content.epoch:  # the backend took back what it had said
            self._put("\n[replaced]\n")
            done = 0
        parts = block.content.parts[done:]
        self._printed[place] = (block.content.epoch, done + len(parts))
        if parts and self._now not in (-1, place):
            self._put("\n\n")
        for part in parts:
            self._now = place
            self._put(part)

    def _tell_tool(self, turn: Turn, event: ev.ToolRunning | ev.ToolFinished) -> None:
        tools = (b for b in reversed(turn.transcript.blocks) if isinstance(b, ToolBlock))
        name = next((tool.name for tool in tools if tool.key == event.call), "")
        how = f": {event.status}" if isinstance(event, ev.ToolFinished) else " …"
        self._new_line()
        note(safe_line(f"[tool {name}{how}]"))

    def _put(self, text: str) -> None:
        self._write(text)
        self._last = text[-1:] or self._last

    def _new_line(self) -> None:
        if self._last != "\n":
            self._put("\n")


_RECENT = 8
"""Blocks at the end of a transcript that may still grow: parallel ones, in practice two or three."""
_GROWING = frozenset({ev.TextDelta, ev.TextReplaced, ev.BlockEnded, ev.RunFinished})


def how_it_ended(turn: Turn, remembers: bool | None, come_back: str) -> list[SafeText]:
    """What the person reads on stderr when the turn is over. Nothing where all went well."""
    if turn.stop:
        lines = [safe_line(f"{look(turn).word}: {receipt.meaning(turn)}", 240)]
        lines += [receipt.kept(turn), receipt.happened(turn), *receipt.cautions(turn, remembers)]
        return lines
    if turn.phase is Phase.COMPLETED:
        return []
    if turn.phase is Phase.WAITING:
        asked = [block.text for block in turn.transcript.blocks if isinstance(block, QuestionBlock)]
        question = asked[-1] if asked else "it did not say for what."
        return [safe_line(f"The agent waits for an answer: {question}", 400), *_go_on(come_back)]
    if turn.phase is Phase.LOST:
        problem = turn.problem or "The connection broke; the run may still be alive."
        return [safe_line(f"Connection lost: {problem}", 400), *_go_on(come_back)]
    return [safe_line(turn.problem or "The run failed, and the backend did not say why.", 400)]


def _go_on(come_back: str) -> list[SafeText]:
    return [safe_line(f"Go on with: {come_back}")] if come_back else []
