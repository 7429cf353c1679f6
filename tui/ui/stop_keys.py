"""What each Stop key does in each situation: the one table behind Esc, Ctrl+C, F8, the click and /stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from tui.core.conversation import Turn
from tui.core.turn import ACTIVE, STOPPING, Phase
from tui.core.view import Cell, look
from tui.ui.keys import in_force

JUST_ENDED_FOR = 0.7
"""Seconds after a run's end in which a Stop key meant for that run does nothing else."""


class Moment(Enum):
    """What there is to stop."""

    RUNNING = auto()
    WAITING = auto()  # the agent asks the person
    STOPPING = auto()
    RETRYABLE = auto()
    JUST_ENDED = auto()
    IDLE = auto()


class Act(Enum):
    """What a press does."""

    STOP = auto()
    RETRY = auto()
    CONFIRM = auto()  # stop_confirm = double: the first of two presses
    COPY = auto()
    PASS = auto()  # let the key go on to whatever has the focus
    CLOSE_POPUP = auto()
    SWALLOW = auto()
    SAY_USE_F8 = auto()
    SAY_STOPPING = auto()
    SAY_FINISHED = auto()
    SAY_NOTHING = auto()
    CLEAR_DRAFT = auto()
    ARM_QUIT = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a press depends on."""

    moment: Moment
    modal: bool = False
    popup: bool = False
    selection: bool = False
    draft: bool = False
    quit_armed: bool = False
    double: bool = False  # stop_confirm = double
    stop_armed: bool = False


def moment(turn: Turn | None, now: float, can_retry: bool) -> Moment:
    """What there is to stop. `now` is monotonic seconds."""
    if turn is None:
        return Moment.IDLE
    if turn.phase in STOPPING:
        return Moment.STOPPING
    if turn.phase is Phase.WAITING:
        return Moment.WAITING
    if turn.phase in ACTIVE:
        return Moment.RUNNING
    if turn.settled_at is not None and 0 <= now - turn.settled_at < JUST_ENDED_FOR:
        return Moment.JUST_ENDED
    return Moment.RETRYABLE if look(turn, can_retry).cell is Cell.RETRY else Moment.IDLE


_ESC = {
    Moment.RUNNING: Act.STOP,
    Moment.WAITING: Act.SAY_USE_F8,  # Esc is too near to "no" to mean "end everything"
    Moment.STOPPING: Act.SWALLOW,
    Moment.RETRYABLE: Act.RETRY,
    Moment.JUST_ENDED: Act.SWALLOW,
    Moment.IDLE: Act.PASS,
}
_ALWAYS = {
    Moment.RUNNING: Act.STOP,
    Moment.WAITING: Act.STOP,
    Moment.STOPPING: Act.SAY_STOPPING,
    Moment.RETRYABLE: Act.RETRY,
    Moment.JUST_ENDED: Act.SAY_FINISHED,
    Moment.IDLE: Act.SAY_NOTHING,
}
_CTRL_C = {
    Moment.RUNNING: Act.STOP,
    Moment.WAITING: Act.STOP,
    Moment.STOPPING: Act.SWALLOW,
    Moment.RETRYABLE: Act.RETRY,
    Moment.JUST_ENDED: Act.SWALLOW,
}


def decide(key: str, now: Situation) -> Act:
    """What `key` does: "escape", "ctrl+c", or any other way to say Stop (F8, click, /stop)."""
    if key == "escape":
        act = _escape(now)
    elif key == "ctrl+c":
        act = _control_c(now)
    else:
        return _ALWAYS[now.moment]  # F8, the click and /stop never ask back
    return Act.CONFIRM if act is Act.STOP and now.double and not now.stop_armed else act


def _escape(now: Situation) -> Act:
    if now.modal:
        return Act.PASS
    return Act.CLOSE_POPUP if now.popup else _ESC[now.moment]


def _control_c(now: Situation) -> Act:
    if now.selection:
        return Act.COPY
    if now.moment is not Moment.IDLE:
        return _CTRL_C[now.moment]
    if now.modal:
        return Act.PASS
    if now.draft:
        return Act.CLEAR_DRAFT
    return Act.QUIT if now.quit_armed else Act.ARM_QUIT


def keys_now(now: Situation, keymap: Mapping[str, str] = MappingProxyType({})) -> str:
    """The keys that stop in this very situation, for the Stop cell, as they are bound."""
    esc, f8, ctrl_c = (in_force(f"run.stop{key}", keymap) for key in (".esc", "", ".ctrl_c"))
    if now.modal or now.popup or now.moment is Moment.WAITING:
        return f8 if now.selection else f"{f8} · {ctrl_c}"
    return f"{esc} · {f8}"
