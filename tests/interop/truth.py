"""What really happened, as the model and the tools logged it, held against what the client said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tui.backends.base import Backend
from tui.core.conversation import Turn
from tui.core.turn import Outcome
from tui.receipt import cautions

Kind = str
TEXT, TOOL, BLOCKING, SHORT = "text", "tool", "blocking", "short"
"""Prompts that every server understands: a text of some 3 s; a few words, a tool of 2 s that can be stopped,
and words after it; the same with a tool that cannot be stopped; two or three words at once."""


@dataclass(frozen=True)
class Logged:
    """A model or tool call that began ("start"), ended by itself ("end") or was broken off ("cut").

    `t` is UTC in seconds since the epoch, `tag` that of the prompt. `given` is what the model was asked:
    (role, text) pairs.
    """

    t: float
    who: str
    what: str
    tag: str
    name: str = ""
    given: tuple[tuple[str, str], ...] = ()


class Server(Protocol):
    """A real server that runs, with a scripted model behind it."""

    name: str

    def backend(self) -> Backend:
        """A new adapter, connected to nothing yet."""
        ...

    def prompt(self, kind: Kind, tag: str) -> str:
        """A prompt that makes the model do this; `tag` marks what is logged of it."""
        ...

    def read_log(self) -> list[Logged]:
        """Everything that was logged so far, in order."""
        ...


def of_tag(log: Iterable[Logged], tag: str) -> list[Logged]:
    return [line for line in log if line.tag == tag]


def what_happened(log: Iterable[Logged], tag: str) -> str:
    """The calls of one prompt in words, for the table."""
    lines = of_tag(log, tag)
    words = []
    for who in ("model", "tool"):
        counts = {
            what: sum(1 for x in lines if (x.who, x.what) == (who, what)) for what in ("start", "end", "cut")
        }
        if counts["start"]:
            rest = counts["start"] - counts["end"] - counts["cut"]
            parts = [
                f"{n} {word}"
                for word, n in (("ended", counts["end"]), ("cut", counts["cut"]), ("open", rest))
                if n
            ]
            words.append(f"{who}: {', '.join(parts)}")
    return "; ".join(words) or "nothing was called"


def untruths(turn: Turn, log: Iterable[Logged], tag: str) -> list[str]:
    """Everything that the outcome of a stop claims and the log does not support."""
    lines = of_tag(log, tag)
    if turn.outcome is Outcome.CONFIRMED:
        return _after_a_confirmed_stop(turn, lines)
    if turn.outcome is Outcome.FINISHED_FIRST and any(x.what == "cut" for x in lines):
        return ["said to have finished first, but a call was broken off"]
    if turn.outcome is Outcome.NEVER_SENT and lines:
        return ["said to have never been sent, but the model was called"]
    return []


def _after_a_confirmed_stop(turn: Turn, lines: list[Logged]) -> list[str]:
    seen_at = end_seen_at(turn)
    wrong = [
        f"{x.who} {x.name} began {x.t - seen_at:.3f} s after the end"
        for x in lines
        if _began_after(x, seen_at)
    ]
    mentioned = " ".join(cautions(turn))
    for name in sorted(running_tools(lines, seen_at)):
        if name not in mentioned:
            wrong.append(f"{name} was still running, and the receipt does not say that it may be")
    return wrong


def end_seen_at(turn: Turn) -> float:
    """When the client saw the run's end, as UTC seconds."""
    assert turn.stop and turn.stop.end_at is not None, "a confirmed stop has seen the end"
    return turn.stop.wall + (turn.stop.end_at - turn.stop.asked_at)


def _began_after(line: Logged, at: float) -> bool:
    return line.what == "start" and line.t > at


def running_tools(lines: Iterable[Logged], at: float) -> set[str]:
    """Tools that had begun and not ended at this moment."""
    open_: dict[str, int] = {}
    for line in lines:
        if line.who == "tool" and line.t <= at:
            open_[line.name] = open_.get(line.name, 0) + (1 if line.what == "start" else -1)
    return {name for name, count in open_.items() if count > 0}
