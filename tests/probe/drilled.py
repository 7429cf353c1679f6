"""Drills against the embedded backend in this event loop, with quick clocks and many side by side."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from backend_stub.audit import as_testimony
from backend_stub.engine import Engine
from backend_stub.switches import Switches
from tests.backends.test_contract import ADAPTERS
from tests.stub.serving import Stub, stub
from tui.backends.base import RemoteStop
from tui.probe import Drill, Kind, Limits, Prompts, Trial, Verdict, judge, planned, read_log
from tui.probe.witness import hear
from tui.session import Clocks

SPEED = 6.0
SIDE_BY_SIDE = 14
QUICK = Clocks(abort=0.5, grace=0.15, pending=0.5, quit=0.5, look_up=0.5, poll=0.01, reattach=(0.01, 0.02))
LIMITS = Limits(patience=4.0, watch=0.25, rise=0.4, span=30)


@dataclass
class Drilled:
    """What a drill found, by itself and with the witness."""

    trials: list[Trial]
    alone: Verdict
    watched: Verdict

    def __getitem__(self, kind: Kind) -> Trial:
        return next(trial for trial in self.trials if trial.kind is kind)


async def drill(served: Stub, adapter: str, switches: str, kinds: Sequence[Kind] = ()) -> Drilled:
    """Drill one dialect whose runs misbehave as `switches` say. No `kinds`: one trial of each."""
    backend = ADAPTERS[adapter](served.running.url, served.running.token)
    prompts = Prompts(f"[[words {switches}]]", f"[[many-tools {switches}]]", f"[[short {switches}]]")
    if kinds:  # the stops are what is judged then: the prompts before and after them are plain
        prompts = Prompts(prompts.long, prompts.tool, "[[short]]")
    made = Drill(backend, prompts, clocks=QUICK, limits=LIMITS, dice=random.Random(4))

    def plan() -> Sequence[Kind]:
        closes = backend.capabilities.remote_stop is RemoteStop.CLOSE
        return kinds or planned(7 - closes, disconnect=not closes)

    try:
        await made.run(plan)
    finally:
        await backend.aclose()
    alone = judge(made.trials)
    hear(made.trials, read_log(testimony(served)))
    return Drilled(made.trials, alone, judge(made.trials))


def testimony(served: Stub) -> str:
    """What the backend's /witness says."""
    told = map(as_testimony, served.engine.ledger.lines())
    return "\n".join(json.dumps(line) for line in told if line)


async def drill_all(cases: Sequence[tuple[str, str, Sequence[Kind]]]) -> list[Drilled]:
    """Drill (adapter, switches, kinds)s, so many at a time that their clocks still mean something."""
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(adapter: str, switches: str, kinds: Sequence[Kind]) -> Drilled:
        async with gate:
            return await drill(served, adapter, switches, kinds)

    async with stub(Engine(switches=Switches(speed=SPEED))) as served:
        return await asyncio.gather(*(one(*case) for case in cases))
