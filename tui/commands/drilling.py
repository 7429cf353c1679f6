"""One drill on the command line: its target, its progress, its witness, and what cuts it short."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tui.backends.base import Backend, BackendError, RemoteStop, Target
from tui.commands import testimony
from tui.commands.target import make_backend
from tui.config import Settings
from tui.core.safe_text import safe_line
from tui.desk import clocks
from tui.embedded import EmbeddedBackend
from tui.probe import Drill, Kind, Limits, Prompts, Trial, judge, planned, read_log
from tui.probe.drill import Unreachable
from tui.probe.report import Report
from tui.probe.trials import EMBEDDED_PROMPTS
from tui.probe.witness import WitnessError, hear

EMBEDDED = "embedded"
INTERRUPTED = "Stopped by Ctrl+C."


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of the drill; empty prompts are left to the target's own."""

    trials: int
    seconds: float
    seed: int
    witness: str
    long: str
    tool: str
    short: str

    def prompts(self, usual: Prompts) -> Prompts:
        return Prompts(self.long or usual.long, self.tool or usual.tool, self.short or usual.short)


async def drilled(target: Target | None, asked: Asked, known: Settings) -> Report:
    """Drill one target; None is the embedded backend, which brings its own witness. Raises Trouble."""
    if target is not None:
        label = " ".join(part for part in (target.backend, target.agent, target.url) if part)
        return await _play(target, asked, asked.prompts(Prompts()), known, label)
    async with EmbeddedBackend() as embedded:
        token = ("Authorization", f"Bearer {embedded.token}")
        url = f"{embedded.url}/agents/{embedded.agent}"
        there = Target("ag-ui", url, agent=embedded.agent, headers=(token,), options={"dialect": "stopkey"})
        asked = replace(asked, witness=asked.witness or f"{embedded.url}/witness")
        return await _play(there, asked, asked.prompts(EMBEDDED_PROMPTS), known, EMBEDDED)


async def _play(target: Target, asked: Asked, prompts: Prompts, known: Settings, label: str) -> Report:
    backend = make_backend(target)
    progress = Progress(label, asked.trials)
    drill = Drill(
        backend, prompts, clocks=replace(clocks(known), look_up=Limits().rise),
        dice=random.Random(asked.seed), told=progress.told,
    )  # fmt: skip
    try:
        plan = _plan(backend, asked.trials, bool(prompts.tool))
        problem = await _played(drill, plan, asked.seconds)
    finally:
        progress.clear()
        await backend.aclose()
    problem = await _heard(drill.trials, target, asked.witness, problem)
    return Report(label, drill.trials, judge(drill.trials), problem, asked.seed)


def _plan(backend: Backend, trials: int, tool: bool) -> Callable[[], list[Kind]]:
    """Asked only once the adapter has found out what its backend can do."""
    return lambda: planned(
        trials, tool=tool, disconnect=backend.capabilities.remote_stop is not RemoteStop.CLOSE
    )


async def _played(drill: Drill, plan: Callable[[], list[Kind]], seconds: float) -> str:
    """Play the drill; what cut it short, in one sentence, or ""."""
    playing = asyncio.ensure_future(drill.run(plan))
    with _ctrl_c(playing.cancel):
        done, _ = await asyncio.wait({playing}, timeout=seconds)
        if not done:
            playing.cancel()
            await asyncio.wait({playing})
            return f"The time ran out ({seconds:g} s); --timeout gives more."
    if playing.cancelled():
        return INTERRUPTED
    fault = playing.exception()
    if isinstance(fault, Unreachable):
        return str(fault)
    if fault:
        raise fault
    return ""


@contextmanager
def _ctrl_c(end: Callable[[], object]) -> Iterator[None]:
    """The first Ctrl+C ends the drill, which stops what it had started; a second one leaves at once."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def told() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        print("\nstopping what the drill had started … (again: leave at once)", file=sys.stderr, flush=True)
        end()

    for number in numbers:
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def _heard(trials: Sequence[Trial], target: Target, witness: str, problem: str) -> str:
    """Let the witness testify; what kept it from that is a problem, never silence."""
    if not witness or not trials:
        return problem
    try:
        hear(trials, read_log(await testimony.read(witness, target)))
    except (WitnessError, BackendError, OSError) as error:
        return f"{problem} The witness could not be heard: {safe_line(str(error), 300)}".strip()
    return problem


class Progress:
    """One line on stderr, drawn over itself on a terminal; a line a trial elsewhere."""

    def __init__(self, label: str, of: int) -> None:
        self._label, self._of = safe_line(label, 40), of
        self._tty = sys.stderr.isatty()

    def told(self, done: int, trial: Trial | None) -> None:
        if trial is None:
            return
        line = f"{done + 1}/{self._of} {self._label}: stop {trial.kind}"
        if self._tty:
            full = round(20 * done / self._of)
            line = f"\r\x1b[K[{'#' * full}{'.' * (20 - full)}] {line}"
        sys.stderr.write(line if self._tty else line + "\n")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._tty:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
