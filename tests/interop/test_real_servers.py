"""The interop list over every real server that is installed, and random stops against each."""

from __future__ import annotations

import asyncio

import pytest

from tests.interop.cases import CASES, Stage
from tests.interop.conftest import Started
from tests.interop.rows import ROWS, Row
from tests.interop.servers import SERVERS

pytestmark = pytest.mark.interop


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
