"""The parts that scenarios are built of. Data only: `agent`, `model` and `tools` play them.

A script is a tuple of acts. The act `Turn` is one call of the model: what it thinks and says, and the tools
it calls, which then run side by side. Everything waits at `pace` seconds per word, or as long as it says,
divided by the run's speed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PACE_S = 0.035


@dataclass(frozen=True, slots=True)
class Think:
    """Reasoning, word by word."""

    text: str
    pace: float = PACE_S


@dataclass(frozen=True, slots=True)
class Say:
    """Reply text in markdown, word by word. {prompt} is replaced by the prompt's beginning."""

    text: str
    pace: float = PACE_S


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call: its arguments are streamed, then the tool runs for `takes` seconds.

    `blocking`: it works in a thread and cannot be cut. `deaf`: it swallows cancellation. `end` error: the
    result is the error's text, and the model goes on.
    """

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)
    result: str = "done"
    takes: float = 1.0
    failing: bool = False
    blocking: bool = False
    deaf: bool = False


@dataclass(frozen=True, slots=True)
class Quiet:
    """Silence, in seconds. Allowed among the parts of a turn and among acts."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Gate:
    """A pause that a test opens. Allowed among the parts of a turn and among acts."""

    name: str


@dataclass(frozen=True, slots=True)
class Flood:
    """Many small deltas: `events` of them at `rate` a second."""

    events: int
    rate: int
    text: str = "word "


@dataclass(frozen=True, slots=True)
class Fail:
    """An error that ends the run. Allowed among the parts of a turn (mid-sentence) and among acts."""

    message: str
    code: str = "agent_error"


Part = Think | Say | Call | Quiet | Gate | Flood | Fail


@dataclass(frozen=True, slots=True)
class Turn:
    """One call of the model."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the person. `yes` is played for a consent or any answer, `no` for a denial.

    Whether the run waits, or ends and a new one goes on from the answer, is the dialect's or a switch's
    choice.
    """

    text: str
    kind: str = "approval"
    choices: tuple[str, ...] = ()
    yes: tuple[Act, ...] = ()
    no: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A named step around other acts."""

    name: str
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class StepEnd:
    """Closes a step; made by the agent loop, not written in scenarios."""

    name: str


@dataclass(frozen=True, slots=True)
class Data:
    """Structured data of the agent."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Recall:
    """The model says what it remembers of this conversation, stopped replies included."""


Act = Turn | Ask | Step | StepEnd | Data | Quiet | Gate | Fail | Recall


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named script. `words` in a prompt choose it; `about` is one line for `--list`."""

    name: str
    about: str
    script: tuple[Act, ...]
    words: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
