"""Gates: pauses that a test opens. They make races happen in a chosen order, without sleeping."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from backend_stub.cancel import CancelToken


@dataclass(slots=True)
class Gate:
    """One gate of one run. Once open it stays open, so a test may open it before it is reached."""

    name: str
    run: str
    reached: int = 0
    wakers: list[Callable[[], None]] = field(default_factory=list)
    flag: threading.Event = field(default_factory=threading.Event)  # for tools that block a thread


class Gates:
    """All gates, by run and name. Everything but `hold_thread` belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._gates: dict[tuple[str, str], Gate] = {}
        self._open_for_all: set[str] = set()
        self._arrivals: list[Callable[[], None]] = []

    def gate(self, run: str, name: str) -> Gate:
        key = (run, name)
        if key not in self._gates:
            self._gates[key] = Gate(name, run)
            if name in self._open_for_all:
                self._gates[key].flag.set()
        return self._gates[key]

    async def hold(self, run: str, name: str, token: CancelToken | None = None) -> None:
        """Wait until the gate is open. With a token, an abort cuts the wait: RunCancelled."""
        gate = self.arrive(run, name)
        while not gate.flag.is_set():
            await (token or CancelToken()).wait(lambda wake: _subscribe(gate.wakers, wake))
            if token:
                token.check()

    def arrive(self, run: str, name: str) -> Gate:
        """Note that the run stands at the gate, and wake whoever waits for that."""
        gate = self.gate(run, name)
        gate.reached += 1
        for wake in list(self._arrivals):
            wake()
        return gate

    def open(self, name: str, run: str = "") -> None:
        """Open a gate of one run, or of every run there is and will be when `run` is empty."""
        if run:
            _open(self.gate(run, name))
            return
        self._open_for_all.add(name)
        for (_, gate_name), gate in self._gates.items():
            if gate_name == name:
                _open(gate)

    def open_all(self, run: str) -> None:
        """Open every gate that a run stands at."""
        for gate in self._gates.values():
            if gate.run == run:
                _open(gate)

    async def reached(self, name: str, run: str = "", timeout_s: float = 5.0) -> bool:
        """Wait until a run stands, or has stood, at the gate. False when the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self._has_reached(name, run):
                    await CancelToken().wait(lambda wake: _subscribe(self._arrivals, wake))
        except TimeoutError:
            return False
        return True

    def _has_reached(self, name: str, run: str) -> bool:
        return any(g.reached and g.name == name and run in ("", g.run) for g in self._gates.values())

    def waiting(self) -> list[dict[str, object]]:
        """Every gate that was touched, for the test route."""
        gates = self._gates.values()
        return [{"name": g.name, "run": g.run, "reached": g.reached, "open": g.flag.is_set()} for g in gates]


def _open(gate: Gate) -> None:
    gate.flag.set()
    for wake in list(gate.wakers):
        wake()


def _subscribe(wakers: list[Callable[[], None]], wake: Callable[[], None]) -> Callable[[], object]:
    wakers.append(wake)
    return lambda: wakers.remove(wake)
