"""The drill against every real server that is installed: its verdict agrees with the server's own log."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.interop.conftest import Started
from tests.interop.servers import SERVERS
from tests.interop.truth import SHORT, TEXT, TOOL
from tui.backends.base import RemoteStop
from tui.probe import Call, Drill, Grade, Kind, Limits, Prompts, judge, planned
from tui.probe.witness import hear

pytestmark = pytest.mark.interop
LIMITS = Limits(patience=15.0, watch=0.6, rise=5.0, span=60)


@pytest.mark.parametrize("server", SERVERS)
def test_the_drill_agrees_with_the_log_of_a_real_server(server: str, real_servers: Started) -> None:
    real = real_servers[server]
    before = len(real.read_log())
    tag = f"drill-{server}"
    backend = real.backend()
    prompts = Prompts(real.prompt(TEXT, tag), real.prompt(TOOL, tag), real.prompt(SHORT, tag))
    drill = Drill(backend, prompts, limits=LIMITS, dice=random.Random(7))

    def plan() -> list[Kind]:
        closes = backend.capabilities.remote_stop is RemoteStop.CLOSE
        return planned(8 - closes, disconnect=not closes)

    async def whole() -> None:
        try:
            async with asyncio.timeout(100):
                await drill.run(plan)
        finally:
            await backend.aclose()

    asyncio.run(whole())
    # These logs know prompts, not runs: they are read by the clock.
    log = [
        Call(line.t, line.who, "start" if line.what == "start" else "end", name=line.name)
        for line in real.read_log()[before:]
    ]
    hear(drill.trials, sorted(log, key=lambda call: call.t))
    verdict = judge(drill.trials)
    assert verdict.grade is Grade.TRUTHFUL, (verdict, drill.trials)
    assert all(
        trial.calls is not None and not trial.calls_after for trial in drill.trials if not trial.skipped
    )
