"""When `run --stop-after` stops: after so many characters or seconds, at a tool, at the first event."""

from __future__ import annotations

import re
from dataclasses import dataclass

import click

from tui.core import events as ev
from tui.core.conversation import Turn
from tui.core.events import Event

_GIVEN = re.compile(r"(?P<chars>[1-9]\d{0,8})ch|(?P<seconds>\d{1,6}(?:\.\d+)?)s|(?P<word>tool|first)")


@dataclass(frozen=True, slots=True)
class StopAfter:
    """`chars` of reply shown, `seconds` since the prompt was sent, or a `word`: "tool" or "first"."""

    given: str
    chars: int = 0
    seconds: float | None = None
    word: str = ""

    def met(self, turn: Turn, event: Event) -> bool:
        """Whether this event is the one. (Seconds are the clock's business.)"""
        if self.chars:
            return turn.transcript.chars >= self.chars
        if self.word == "first":
            return turn.first_at is not None
        return self.word == "tool" and _tool_began(event)

    @property
    def cause(self) -> str:
        return f"--stop-after {self.given}"


def _tool_began(event: Event) -> bool:
    """A tool at work: where the arguments are streamed, only once they are whole."""
    return isinstance(event, ev.ToolRunning) or (isinstance(event, ev.ToolStarted) and bool(event.arguments))


def parse(context: click.Context, option: click.Parameter, given: str | None) -> StopAfter | None:
    """A click callback. Raises BadParameter."""
    if given is None:
        return None
    found = _GIVEN.fullmatch(given.strip().lower())
    if not found:
        raise click.BadParameter(f"{given!r} is not a moment; give one such as 200ch, 3s, tool or first")
    if found["word"]:
        return StopAfter(given, word=found["word"])
    if found["chars"]:
        return StopAfter(given, chars=int(found["chars"]))
    return StopAfter(given, seconds=float(found["seconds"]))
