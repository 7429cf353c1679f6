"""The interop list over every real server that is installed, and random stops against each."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import pytest

from tests.interop.cases import CASES, Stage, random_stops
from tests.interop.conftest import Started
from tests.interop.rows import ROWS, Row
from tests.interop.servers import SERVERS
from tests.interop.truth import of_tag, untruths
from tui.core.turn import Outcome

pytestmark = pytest.mark.interop
STOPS = int(os.environ.get("STOPKEY_STOPS", "20"))
"""How many random stops each server gets. The full run: `STOPKEY_STOPS=200 pytest -m interop -k random`."""


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("case", CASES)
def test_against_a_real_server(server: str, case: str, real_servers: Started) -> None:
    async def whole() -> tuple[str, str]:
        backend = real_servers[server].backend()
        stage = Stage(real_servers[server], backend)
        try:
            async with asyncio.timeout(40):
                await backend.connect()
                return await CASES[case](stage)
        finally:
            await stage.session.close()
            await backend.aclose()

    ROWS.append(Row(server, case, *asyncio.run(whole())))


@pytest.mark.parametrize("server", SERVERS)
def test_random_stops_claim_no_more_than_the_log_supports(server: str, real_servers: Started) -> None:
    seed = int(os.environ.get("STOPKEY_SEED", "1"))
    real = real_servers[server]
    turns = asyncio.run(random_stops(real, STOPS, seed))
    log = real.read_log()
    wrong = {tag: found for turn, tag in turns if (found := untruths(turn, log, tag))}
    outcomes = Counter(str(turn.outcome or turn.phase) for turn, _ in turns)
    said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    ROWS.append(Row(server, f"{STOPS} random stops", said, f"{len(wrong)} claims too many"))
    assert not wrong, f"seed {seed}"
    strong = (None, Outcome.CONFIRMED, Outcome.FINISHED_FIRST, Outcome.NEVER_SENT)
    # A prompt that was closed on its way, and of which nothing was ever called, leaves nothing to be seen.
    weaker = [turn for turn, tag in turns if turn.outcome not in strong and of_tag(log, tag)]
    assert not weaker, f"{len(weaker)} could have been confirmed; seed {seed}"
