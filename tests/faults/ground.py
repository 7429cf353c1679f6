"""The whole way in one process: driver, AG-UI adapter, proxy, embedded backend; with gates on each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from backend_stub.run import Run
from tests.faults.proxy import Proxy
from tests.stub.serving import Stub, eventually, stub
from tui.backends.ag_ui import AgUi
from tui.backends.base import Target
from tui.backends.http import Http
from tui.core import events as ev
from tui.core.conversation import Turn
from tui.core.events import Record
from tui.core.turn import FINAL
from tui.session import Clocks, Session

QUICK = Clocks(abort=0.4, grace=0.15, pending=0.3, quit=0.5, look_up=0.0, poll=0.01, reattach=(0.001, 0.001))
WORDS = "".join(f"word{n} " for n in range(1, 61)).rstrip()
"""What the scenario `words` says."""


@dataclass
class Ground:
    """One conversation and everything that is behind it."""

    stub: Stub
    proxy: Proxy
    backend: AgUi
    session: Session
    records: list[Record] = field(default_factory=list)
    at_change: Callable[[Turn, Record], None] = lambda turn, record: None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, turn: Turn, record: Record) -> None:
        self.records.append(record)
        self.changed.set()
        self.at_change(turn, record)

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for records until something is so; the test's own limit ends a wait in vain."""
        while not true():
            self.changed.clear()
            await self.changed.wait()

    async def held(self, prompt: str, gate: str = "text") -> Turn:
        """A turn whose run stands at a gate of the backend, with all that was said before it shown."""
        turn = self.session.send(prompt)
        assert await self.stub.engine.gates.reached(gate), turn
        if gate == "headers":
            return turn
        said = self.run.reply
        await eventually(lambda: turn.transcript.chars >= said.chars)
        return turn

    async def settle(self, turn: Turn) -> Turn:
        await self.until(lambda: turn.phase in FINAL)
        return turn

    async def stopped(self, turn: Turn, cause: str = "esc") -> Turn:
        """Stop, and wait for the end of it."""
        self.session.stop(cause)
        return await self.settle(turn)

    @property
    def run(self) -> Run:
        """The newest run of the backend itself."""
        return list(self.stub.engine.runs.values())[-1]

    def open(self, gate: str = "text") -> None:
        self.stub.engine.gates.open(gate)

    def asked(self, what: str = "abort", edge: str = "asked") -> int:
        """How often the backend's own log says so of the newest run."""
        lines = self.stub.engine.ledger.lines(self.run.id, 0)
        return sum(line.what == what and line.edge == edge for line in lines)

    def count(self, kind: type[ev.Event]) -> int:
        return sum(isinstance(record.event, kind) for record in self.records)


@asynccontextmanager
async def ground(
    clocks: Clocks = QUICK,
    *,
    plain: bool = False,
    journal: Any = None,
    http: Callable[[Target], Http] | None = None,
    **session: Any,
) -> AsyncIterator[Ground]:
    """`plain`: an AG-UI server of which only the abort's address is known: no look-up, no re-attaching."""
    async with stub() as served, Proxy(served.running.url) as proxy:
        headers = (("Authorization", f"Bearer {served.running.token}"),)
        target = Target("ag-ui", proxy.url, agent="demo", headers=headers, options={"dialect": "stopkey"})
        if plain:
            abort = proxy.url + "/runs/{run_id}/abort"
            target = Target("ag-ui", proxy.url + "/agents/demo", headers=headers, abort_url=abort)
        backend = AgUi(target, http=http(target) if http else None)
        driver = Session(backend, journal, clocks=clocks, **session)
        place = Ground(served, proxy, backend, driver)
        driver.on_change = place.note
        try:
            yield place
        finally:
            await driver.close()
            await backend.aclose()
            proxy.heal()
            served.engine.gates.open("text")
            await eventually(lambda: not driver._tasks)
            proxy.cut()
        if not plain:
            await eventually(lambda: len(served.running.server.server_state.connections) <= 1)
