"""The witness: a log of model and tool calls, kept by the backend's owner, held against what Stop claimed.

One JSON object a line:

    {"t": 1700000000.25, "kind": "model", "event": "start", "run": "r-1", "name": "gpt", "call": "c-1"}

`t` is UTC in seconds since 1970, `kind` model or tool, `event` start or end. `run` is the run's id as the
client knows it; `name` and `call` (the same at start and end) are optional, as is everything else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tui.core.events import Answer
from tui.core.safe_text import safe_line
from tui.core.turn import Outcome
from tui.probe.trials import Kind, Trial

JUST_SO = 0.02
"""Seconds by which a call may seem to begin after the end was seen: clocks and sockets are no finer."""
_UNPROVEN = (Outcome.ACKNOWLEDGED, Outcome.UNCONFIRMED)
RAN_ON_S = 0.25
"""A call that had begun before the end was seen, and ended later than this after it, ran on."""


class WitnessError(Exception):
    """The log cannot be read; `str()` says in one sentence why."""


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the log; see the module's first lines."""

    t: float
    kind: str
    event: str
    run: str = ""
    name: str = ""
    call: str = ""

    @property
    def label(self) -> str:
        return f"{self.kind} {self.name}".strip()


def read_log(text: str) -> list[Call]:
    """The lines in order of time. Raises WitnessError. Lines of other kinds are left out."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            call = _call(json.loads(line))
        except (ValueError, TypeError, KeyError, RecursionError):
            shown = safe_line(line, 60)
            raise WitnessError(f"Line {number} of the witness is not one of its lines: {shown}") from None
        if call:
            found.append(call)
    return sorted(found, key=lambda call: call.t)


def _call(given: dict[str, Any]) -> Call | None:
    if given["kind"] not in ("model", "tool") or given["event"] not in ("start", "end"):
        return None
    words = {name: str(given.get(name) or "") for name in ("run", "name", "call")}
    return Call(float(given["t"]), given["kind"], given["event"], **words)


def hear(trials: Iterable[Trial], log: Sequence[Call]) -> None:
    """Write into each trial what the log says of its run.

    Calls belong to a trial by their run's id. A log that names none of our runs is read by the clock: then
    nobody else may use the backend during the drill.
    """
    made = [trial for trial in trials if not trial.skipped and trial.began]
    by_id = bool({call.run for call in log} & {trial.run_id for trial in made})
    off = _offset(made, log) if by_id else 0.0
    for place, trial in enumerate(made):
        until = trial.next_sent or (made[place + 1].began if place + 1 < len(made) else float("inf"))
        mine = [c for c in log if (c.run == trial.run_id if by_id else trial.began <= c.t < until)]
        _testify(trial, mine, off)


def _testify(trial: Trial, calls: Sequence[Call], off: float) -> None:
    trial.calls = sum(1 for call in calls if call.event == "start")
    if trial.kind is Kind.DISCONNECT and trial.runs_on is None:
        trial.runs_on = _seen_running_on(trial, calls, off)
    at = over_at(trial)
    if not at:
        return
    trial.calls_after = tuple(
        (call.label, round(call.t + off - at, 3))
        for call in calls
        if call.event == "start" and call.t + off > at + JUST_SO
    )
    trial.ran_on = tuple(
        (call.label, round(call.t + off - at, 3))
        for call in calls
        if call.event == "end" and call.t + off > at + RAN_ON_S and _began_before(call, calls, at - off)
    )


def over_at(trial: Trial) -> float:
    """From when on nothing new may begin, in UTC seconds; 0: the backend has claimed nothing."""
    if trial.outcome in (Outcome.CONFIRMED, Outcome.FINISHED_FIRST):
        return trial.end_seen
    if trial.outcome is Outcome.NEVER_SENT:
        return trial.pressed
    said_yes = trial.answer is Answer.ACKNOWLEDGED and trial.outcome in _UNPROVEN
    return trial.answered if said_yes else 0.0


def _seen_running_on(trial: Trial, calls: Sequence[Call], off: float) -> bool | None:
    """After a disconnect alone: whether anything began, or was still at work, before the abort went out."""
    times = [(call.event, call.t + off) for call in calls if call.t + off < trial.answered]
    if not times:
        return None
    working = sum(1 if event == "start" else -1 for event, _ in times)
    return working > 0 or any(t > trial.pressed + RAN_ON_S for _, t in times)


def _began_before(end: Call, calls: Sequence[Call], at: float) -> bool:
    """Whether the call of this end had begun by then; by the call's id, or as the last one of its name."""
    begun = [
        c
        for c in calls
        if c.event == "start" and (c.kind, c.name, c.call) == (end.kind, end.name, end.call) and c.t <= end.t
    ]
    return bool(begun) and begun[-1].t <= at


def _offset(trials: Iterable[Trial], log: Sequence[Call]) -> float:
    """Seconds to add to the witness's clock: a first model call lies between the prompt and its first event.

    Zero while that holds without any correction; two clocks of one machine need none.
    """
    low, high = float("-inf"), float("inf")
    for trial in trials:
        first = next((c.t for c in log if c.run == trial.run_id and c.event == "start"), None)
        if first is not None and trial.first_seen:
            low, high = max(low, trial.began - first), min(high, trial.first_seen - first)
    if low > high:
        return 0.0
    return min(max(0.0, low), high)
