"""The trials of the drill: which kinds there are, how many of each, and what one of them brings to light."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tui.core.conversation import Stop, Turn
from tui.core.events import Answer, End
from tui.core.turn import Outcome, Phase

After = tuple[str, float]
"""A call ("tool search"), and how many seconds after the end of its run it began, or ended."""


class Kind(StrEnum):
    """When Stop is pressed. In the order in which the drill tries them."""

    FIRST = "before the first event"
    TEXT = "in the text"
    TOOL = "inside a tool"
    TWICE = "twice"
    IDLE = "when idle"
    END = "just as the reply ends"
    DISCONNECT = "by disconnect alone"


WHILE_IT_RUNS = (Kind.FIRST, Kind.TEXT, Kind.TOOL, Kind.TWICE)
"""Trials in which the stop comes well before the reply could end by itself."""
_MOST_TELLING = (Kind.TEXT, Kind.TOOL, Kind.FIRST, Kind.TWICE, Kind.END, Kind.DISCONNECT, Kind.IDLE)


@dataclass(frozen=True, slots=True)
class Prompts:
    """What is sent: something with a long reply, something that makes the agent use a tool, something short.

    An empty `tool` leaves the trial inside a tool out: tools of a real agent have effects.
    """

    long: str = "Count from 1 to 300 in words, one number a line. Leave none out and add nothing else."
    tool: str = ""
    short: str = "Reply with the single word: ready"


EMBEDDED_PROMPTS = Prompts("[[words]]", "[[many-tools]]", "[[short]]")
"""For the embedded backend: sixty words, eight rounds of a tool, two sentences."""


@dataclass(slots=True)
class Trial:
    """One stop and what was seen of it. `ms` are milliseconds since the key; None: did not happen.

    `pressed` and `end_seen` are UTC in seconds since the epoch.
    """

    kind: Kind
    number: int
    skipped: str = ""  # why it could not be made, in one sentence
    run_id: str = ""
    outcome: Outcome | None = None
    phase: Phase = Phase.IDLE
    answer: Answer | None = None
    answer_status: int = 0
    answer_detail: str = ""
    end: End | None = None  # what was declared of the run
    evidence: str = ""  # stream, look-up or answer
    sent_ms: float | None = None
    answer_ms: float | None = None
    end_ms: float | None = None
    aborts: int = 0
    shown: int = 0  # characters of reply when Stop was pressed
    late_events: int = 0  # after the key
    after_answer: int = 0  # pieces of content later than what can have been under way when it answered
    late_chars: int = 0
    went_on: bool = False  # it was still talking when the grace ended
    contradiction: str = ""  # what a second look showed against the word that the run is over
    history: str = ""  # what the backend's own record keeps: "kept", "cut", "nothing"; "" not known
    open_tools: tuple[str, ...] = ()
    again: Answer | None = None  # to an abort of a run that is over
    next_turn: str = ""  # "works", else what went wrong; "" not tried
    runs_on: bool | None = None  # after a disconnect alone; None: not known
    began: float = 0.0  # when the prompt left
    first_seen: float = 0.0  # the first content
    pressed: float = 0.0
    answered: float = 0.0
    end_seen: float = 0.0
    next_sent: float = 0.0  # when the next prompt left: from here on calls are no longer this run's
    calls: int | None = None  # model and tool calls that the witness saw of this run; None: nobody watched
    calls_after: tuple[After, ...] = ()  # those that began after the end was seen (or after the yes)
    ran_on: tuple[After, ...] = ()  # those that had begun before, and ended well after it

    def as_data(self) -> dict[str, Any]:
        """JSON-ready, with the names of the fields."""
        return {name: getattr(self, name) for name in self.__slots__}

    def learn(self, turn: Turn) -> None:
        """Take over what the turn's record shows now."""
        stop = turn.stop
        self.run_id = turn.run_id or turn.prompt.run_id
        self.phase, self.outcome, self.end = turn.phase, turn.outcome, turn.state.end
        self.shown = turn.transcript.chars
        self.began = turn.wall
        self.first_seen = turn.wall + (turn.first_at - turn.sent_at) if turn.first_at else 0.0
        if stop is None:
            return
        self.pressed, self.aborts = stop.wall, stop.aborts
        self.sent_ms, self.answer_ms = _since(stop, stop.abort_at), _since(stop, stop.answered_at)
        self.end_ms, self.evidence = _since(stop, stop.end_at), stop.evidence
        self.answered = stop.wall + self.answer_ms / 1000 if self.answer_ms is not None else 0.0
        self.end_seen = stop.wall + self.end_ms / 1000 if self.end_ms is not None else 0.0
        if stop.answer:
            self.answer, self.answer_status = stop.answer.answer, stop.answer.status
            self.answer_detail = stop.answer.detail
        self.late_events, self.late_chars = stop.late_events, stop.late_chars
        self.open_tools = tuple(str(tool.name) for tool in turn.open_tools())


def _since(stop: Stop, at: float | None) -> float | None:
    return None if at is None else round(max(0.0, at - stop.asked_at) * 1000, 3)


def planned(count: int, *, tool: bool = True, disconnect: bool = True) -> list[Kind]:
    """The kinds of `count` trials, in the drill's order: each kind once, the rest in the text.

    Fewer than there are kinds: the most telling ones. Without a prompt for tools, none inside a tool.
    """
    left_out = ({Kind.TOOL} if not tool else set()) | ({Kind.DISCONNECT} if not disconnect else set())
    kinds = [kind for kind in _MOST_TELLING if kind not in left_out][:count]
    kinds += [Kind.TEXT] * (count - len(kinds))
    return sorted(kinds, key=list(Kind).index)
