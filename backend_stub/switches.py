"""Switches: how a run's backend shall misbehave, and where it shall wait for a test.

Given for the whole process (`--set abort=hang`), by a scenario, or in a prompt: `[[demo abort=503]]`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

ABORT_MODES = {
    "honest": "ends the run, and answers when it is over",
    "lie": "answers yes; the run goes on and its stream too",
    "lie-quietly": "answers yes and declares the run cancelled; the agent goes on calling models and tools",
    "never-settles": "answers 202; the run falls silent and never ends",
    "settles-late": "answers 202; the run ends when the gate `settle` opens, or after `settle` seconds",
    "finishes": "the run completes by itself while the abort is on its way",
    "hang": "never answers",
    "drop": "closes the connection instead of answering",
    "redirect": "answers 307 to another origin",
    "html": "answers 200 with a page of HTML",
    "huge": "answers 200 with 10 MB",
    "garbage": "answers 200 with broken JSON",
    "empty": "answers 200 with no body",
    "gzip": "answers 200 with a compressed body of 10 MB",
}  # beside these, any HTTP status from 400 to 599 as an answer without effect

END_MODES = {
    "normal": "the stream ends with its final event",
    "no-outcome": "the final event leaves the outcome out",
    "eof": "the stream ends cleanly, without a final event, after `after` frames",
    "cut": "the connection closes in the middle of a frame, after `after` frames",
    "reset": "the connection is reset, after `after` frames",
    "stall": "the stream stays open and says nothing more, after `after` frames",
    "open": "the final event comes, and the stream is never closed",
    "silent-end": "the stream ends cleanly where the final event should be",
}


class BadSwitch(ValueError):
    """A switch that does not exist, or a value that it does not take. `str()` is one sentence."""


@dataclass(frozen=True, slots=True)
class Switches:
    """Every switch with its honest value. Times are in seconds.

    `acts`: an abort whose answer is faulty (a status, html, hang, ...) ends the run all the same.
    `after`: frames before the stream breaks; `cuts`: how many attachments of a run break.
    `early`: honoured, or forgotten: what an abort that came before its run does to it.
    `questions`: a question waits (in the open run), pauses (the run ends with it), or as the dialect has it.
    `disconnect`: runs-on, or stops: a client that goes away aborts the run.
    `gates`: where the run waits for a test: registration, headers, begin, text:N (after N deltas), tool, end,
    abort (before an abort acts), answer (before it is answered), settle.
    `speed`: a factor on every pause; 0 waits for nothing.
    """

    abort: str = "honest"
    acts: bool = False
    retry_after: str = ""
    early: str = "honoured"
    answer_delay: float = 0.0
    settle: float = 0.0
    end: str = "normal"
    after: int = 6
    cuts: int = 1
    headers_delay: float = 0.0
    disconnect: str = "runs-on"
    status: str = ""  # an HTTP status that every look-up of the run answers with
    questions: str = "dialect"
    gates: tuple[str, ...] = ()
    speed: float = 1.0

    def set(self, values: dict[str, str]) -> Switches:
        """A copy with some switches set from text. Raises BadSwitch."""
        changes: dict[str, Any] = {name: _parse(name, text) for name, text in values.items()}
        return replace(self, **changes)

    def gated(self, name: str) -> bool:
        return name in self.gates

    @property
    def text_gate(self) -> int:
        """After how many text deltas the run waits at the gate `text`; 0: it does not."""
        for gate in self.gates:
            if gate == "text" or gate.startswith("text:"):
                return int(gate.partition(":")[2] or 1)
        return 0


NAMES = tuple(field.name for field in fields(Switches))


def _parse(name: str, text: str) -> object:
    if name not in NAMES:
        raise BadSwitch(f"There is no switch {name!r}. There are: {', '.join(NAMES)}.")
    try:
        return _READ[name](text)
    except (ValueError, KeyError):
        raise BadSwitch(f"The switch {name} does not take {text!r}.") from None


def _abort(text: str) -> str:
    if text not in ABORT_MODES and not 400 <= int(text) <= 599:
        raise ValueError
    return text


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e6:
        raise ValueError
    return value


def _count(text: str) -> int:
    if int(text) < 0:
        raise ValueError
    return int(text)


def _gates(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


def _one_of(*values: str) -> Callable[[str], str]:
    return lambda text: values[values.index(text)]


def _status(text: str) -> str:
    return text if not text or 400 <= int(text) <= 599 else _abort("no status")


_READ: dict[str, Callable[[str], object]] = {
    "abort": _abort,
    "acts": lambda text: {"1": True, "yes": True, "0": False, "no": False}[text],
    "retry_after": str,
    "answer_delay": _seconds,
    "settle": _seconds,
    "end": _one_of(*END_MODES),
    "after": _count,
    "cuts": _count,
    "headers_delay": _seconds,
    "early": _one_of("honoured", "forgotten"),
    "disconnect": _one_of("runs-on", "stops"),
    "questions": _one_of("dialect", "wait", "pause"),
    "status": _status,
    "gates": _gates,
    "speed": _seconds,
}
