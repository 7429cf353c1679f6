"""How a conversation, and a place in one that was found, look in a list of so many columns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from tui.core.safe_text import SafeText, safe_line
from tui.core.turn import Outcome, Phase
from tui.core.view import OUTCOMES, PHASES, SHORT

NARROW = 56
"""Columns below which a row has only sign, title and state."""


class Kept(Protocol):
    """A conversation as the store lists it."""

    @property
    def conversation_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def backend(self) -> str: ...
    @property
    def phase(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def chars(self) -> int: ...
    @property
    def touched(self) -> float: ...


class Place(Protocol):
    """Where something was said, as the store finds it."""

    @property
    def conversation_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def turn(self) -> int: ...
    @property
    def role(self) -> str: ...
    @property
    def snippet(self) -> Sequence[tuple[SafeText, bool]]: ...


@dataclass(frozen=True, slots=True)
class Live:
    """A conversation that is open in a tab, as it is at this moment. `moving`: it will not stay so."""

    sign: str
    word: str
    chars: int
    moving: bool


def conversation_line(row: Kept, live: Live | None, width: int) -> Content:
    """Sign, title, state, time of the last word, size of the last reply."""
    sign, word = state_of(row.phase, row.outcome)
    chars = row.chars
    if live:
        sign, word, chars = live.sign, live.word, live.chars or row.chars
    tail = f" {fitted(word, 16)}"
    if width >= NARROW:
        tail += f" {when(row.touched):<10} {chars:>9,} ch"
    title = safe_line(row.title or "(nothing said yet)", 200)
    return Content(f"{sign} {fitted(title, max(4, width - cell_len(tail) - 3))}{tail}")


def place_line(hit: Place, width: int) -> Content:
    """What was said around the words that were looked for, these marked, and where it was."""
    who = "you" if hit.role == "prompt" else "agent"
    title = f"{fitted(safe_line(hit.title or '…', 80), 16)} {who:<5} " if width >= NARROW else ""
    where = f"  … {title}"
    said = [(text, "bold $text-accent" if found else "") for text, found in hit.snippet]
    return Content.assemble((where, "$foreground-muted"), *said).truncate(max(4, width - 1), ellipsis=True)


def fitted(text: str, width: int) -> str:
    """`text` in exactly so many columns."""
    if cell_len(text) > width:
        return set_cell_size(text, max(0, width - 1)) + "…"
    return set_cell_size(text, width)


def state_of(phase: str, outcome: str) -> tuple[str, str]:
    """Sign and words for a stored conversation's last turn."""
    if outcome:
        kind = Outcome(outcome)
        return OUTCOMES[kind].sign, SHORT[kind]
    if phase in (Phase.SENDING, Phase.STREAMING, Phase.LOST):
        return PHASES[Phase.LOST].sign, "left running"
    known = Phase(phase) if phase in set(Phase) else Phase.IDLE
    return PHASES[known].sign, {"completed": "done", "idle": ""}.get(known, str(known))


def when(wall: float) -> str:
    """A time for a list: today's by the clock, others by the day."""
    then, now = time.localtime(wall), time.localtime()
    same_day = then[:3] == now[:3]
    return time.strftime("%H:%M" if same_day else "%Y-%m-%d", then)
