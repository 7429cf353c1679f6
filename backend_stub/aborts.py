"""Aborting a run: what it does, what became of it, and how it goes wrong where a switch asks for that."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from backend_stub.events import Phase
from backend_stub.run import Run

if TYPE_CHECKING:
    from backend_stub.engine import Engine

_EARLY_S = 60.0  # how long an abort that came before its run is remembered
_EARLY_KEPT = 1000


class Verdict(StrEnum):
    """What became of an abort."""

    CANCELLED = "cancelled"  # this abort ended the run, and it is over
    ALREADY_CANCELLED = "already_cancelled"  # an earlier abort had ended it
    FINISHED = "finished"  # it had ended by itself
    UNKNOWN = "unknown"  # there is no such run
    ACCEPTED = "accepted"  # asked for; it is not over yet


@dataclass(frozen=True, slots=True)
class Aborted:
    """The answer to an abort: the verdict, and what is known of the run (`Run.summary`, None: unknown)."""

    verdict: Verdict
    run: dict[str, Any] | None = None


class Aborts:
    """Aborts runs by id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._early: OrderedDict[str, tuple[float, str, str]] = OrderedDict()

    async def abort(self, run_id: str, reason: str, by: str) -> Aborted:
        """See `Engine.abort`."""
        engine = self._engine
        run = engine.runs.get(run_id)
        if run is None:
            return self._absent(run_id, reason, by)
        engine.ledger.note(run_id, "abort", "asked", detail=reason)
        if run.switches.gated("abort"):
            await engine.gates.hold(run_id, "abort")
        verdict = await self._act(run, reason, by)
        if run.switches.gated("answer"):
            await engine.gates.hold(run_id, "answer")
        engine.ledger.note(run_id, "abort", "answered", detail=verdict.value)
        return Aborted(verdict, run.summary())

    def early(self, run: Run) -> None:
        """A run was registered: an abort that had come before it ends it before its first model call."""
        at, reason, by = self._early.pop(run.id, (0.0, "", ""))
        if at and run.switches.early == "honoured":
            run.token.cancel(reason, by)

    async def _act(self, run: Run, reason: str, by: str) -> Verdict:
        if run.phase is Phase.PAUSED and run.open_question:
            self._engine.withdraw(run, reason, by)
            return Verdict.CANCELLED
        if run.phase.over:
            return Verdict.ALREADY_CANCELLED if run.phase is Phase.CANCELLED else Verdict.FINISHED
        if run.switches.abort == "lie-quietly":
            run.ghost, run.token.reason, run.token.by = True, reason, by
            self._engine.end(run, Phase.CANCELLED)
            return Verdict.CANCELLED
        return await _EFFECTS.get(run.switches.abort, cut)(run, reason, by)

    def _absent(self, run_id: str, reason: str, by: str) -> Aborted:
        known = self._engine.store.run(run_id)
        if known:
            cancelled = known["phase"] == Phase.CANCELLED.value
            return Aborted(Verdict.ALREADY_CANCELLED if cancelled else Verdict.FINISHED, known)
        self._engine.ledger.note(run_id, "abort", "asked", detail="unknown run")
        now = time.monotonic()
        self._early[run_id] = (now, reason, by)
        while len(self._early) > _EARLY_KEPT or now - next(iter(self._early.values()))[0] > _EARLY_S:
            self._early.popitem(last=False)
        return Aborted(Verdict.UNKNOWN)


async def cut(run: Run, reason: str, by: str) -> Verdict:
    """The honest abort: cancel the token and wait until the run is over."""
    first = run.token.cancel(reason, by)
    if first:
        run.phase = Phase.STOPPING
    await run.over.wait()
    if run.phase is not Phase.CANCELLED:
        return Verdict.FINISHED
    return Verdict.CANCELLED if first else Verdict.ALREADY_CANCELLED


async def _lie(run: Run, reason: str, by: str) -> Verdict:
    return Verdict.CANCELLED


async def _accept(run: Run, reason: str, by: str) -> Verdict:
    run.token.cancel(reason, by)
    run.phase = Phase.STOPPING
    return Verdict.ACCEPTED


async def _let_finish(run: Run, reason: str, by: str) -> Verdict:
    run.hurry = True
    run.gates.open_all(run.id)
    run.token.nudge()
    for request in list(run.questions):
        run.answer(request, "yes")
    await run.over.wait()
    return Verdict.FINISHED


_EFFECTS: dict[str, Callable[[Run, str, str], Awaitable[Verdict]]] = {
    "lie": _lie,
    "never-settles": _accept,
    "settles-late": _accept,
    "finishes": _let_finish,
}
