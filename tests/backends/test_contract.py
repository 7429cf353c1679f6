"""Every adapter keeps every promise, against the embedded backend speaking its dialect."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.backends.contract import PROMISES, Bench
from tests.stub.serving import go, stub
from tui.backends.adk import Adk
from tui.backends.ag_ui import AgUi
from tui.backends.base import Backend, Target
from tui.backends.contractspec import ContractSpec, Pace
from tui.backends.flue import Flue


def _target(backend: str, url: str, token: str, **more: object) -> Target:
    headers = (("Authorization", f"Bearer {token}"),)
    return Target(backend, url, agent="demo", headers=headers, **more)  # type: ignore[arg-type]


def _ag_ui(url: str, token: str) -> Backend:
    return AgUi(_target("ag-ui", url, token, options={"dialect": "stopkey"}))


def _flue(url: str, token: str) -> Backend:
    return Flue(_target("flue", url + "/flue", token))


def _contractspec(url: str, token: str) -> Backend:
    return ContractSpec(_target("contractspec", url + "/contractspec", token), pace=Pace(0.01, 0.05))


def _adk(where: str, url: str, token: str) -> Backend:
    return Adk(_target("adk", url + where, token))


ADAPTERS: dict[str, Callable[[str, str], Backend]] = {
    "ag-ui": _ag_ui,
    "flue": _flue,
    "contractspec": _contractspec,
    "adk with :cancel": partial(_adk, "/adk"),
    "adk stock": partial(_adk, "/adk-stock"),
}


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("promise", PROMISES)
def test_the_adapter_promises(adapter: str, promise: str) -> None:
    async def scenario() -> None:
        async with stub() as served:

            def make(url: str = served.running.url, token: str = served.running.token) -> Backend:
                return ADAPTERS[adapter](url, token)

            backend = make()
            await backend.connect()
            try:
                await PROMISES[promise](Bench(served, make, backend))
            finally:
                await backend.aclose()

    go(scenario())
