"""What happens in a run, in no dialect's words: the engine emits these, dialects spell them on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """Where a run is."""

    RUNNING = "running"
    WAITING = "waiting"  # for a person's answer
    STOPPING = "stopping"  # aborted, not yet over
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    PAUSED = "paused"  # over; a question is open and a new run goes on from its answer
    LOST = "lost"  # the process that played it is gone

    @property
    def over(self) -> bool:
        return self not in (Phase.RUNNING, Phase.WAITING, Phase.STOPPING)


class ToolEnd(StrEnum):
    """How a tool call ended."""

    OK = "ok"
    ERROR = "error"
    INTERRUPTED = "interrupted"  # cut by a stop, nothing of it runs any more


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all engine events."""


@dataclass(frozen=True, slots=True)
class RunBegan(Event):
    prompt: str


@dataclass(frozen=True, slots=True)
class StepBegan(Event):
    """A named step of the run."""

    name: str


@dataclass(frozen=True, slots=True)
class StepEnded(Event):
    name: str


@dataclass(frozen=True, slots=True)
class ModelBegan(Event):
    """A model call started; `number` counts from 1 within the run."""

    call: str
    number: int


@dataclass(frozen=True, slots=True)
class ReasoningBegan(Event):
    message: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta(Event):
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningEnded(Event):
    message: str


@dataclass(frozen=True, slots=True)
class TextBegan(Event):
    message: str


@dataclass(frozen=True, slots=True)
class TextDelta(Event):
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class TextEnded(Event):
    message: str


@dataclass(frozen=True, slots=True)
class CallBegan(Event):
    """The model opened a tool call."""

    call: str
    tool: str


@dataclass(frozen=True, slots=True)
class CallArguments(Event):
    """More of a call's arguments, JSON text."""

    call: str
    text: str


@dataclass(frozen=True, slots=True)
class CallReady(Event):
    """The arguments of a call are complete. The tool has not started yet."""

    call: str
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelEnded(Event):
    """A model call is over: all that it said. `cut`: by a stop, so the text is partial."""

    call: str
    text: str
    reasoning: str
    calls: tuple[CallReady, ...]
    input_tokens: int
    output_tokens: int
    cut: bool = False


@dataclass(frozen=True, slots=True)
class ToolBegan(Event):
    """A tool started to work."""

    call: str
    tool: str


@dataclass(frozen=True, slots=True)
class ToolEnded(Event):
    """A tool call's end. Never emitted for a tool that could not be cut and may still be working."""

    call: str
    tool: str
    result: str
    end: ToolEnd


@dataclass(frozen=True, slots=True)
class DataChanged(Event):
    """Structured data of the agent."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Asked(Event):
    """The run waits for a person. `kind`: approval, choice or input. `pauses`: the run ends with it open."""

    request: str
    text: str
    kind: str
    choices: tuple[str, ...] = ()
    pauses: bool = False


@dataclass(frozen=True, slots=True)
class Answered(Event):
    request: str
    reply: str


@dataclass(frozen=True, slots=True)
class Cancelled(Event):
    """The run was aborted. Comes right before `RunOver`; `by` says through what."""

    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class RunOver(Event):
    """The last event of a run. `request` names the open question of a paused run."""

    phase: Phase
    message: str = ""
    code: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    request: str = ""
