"""Adapters by name, each loaded when it is asked for; and `connect`, the way in for programs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from tui.backends.base import Backend, BackendError, Target

ADAPTERS: Mapping[str, str] = {
    "ag-ui": "ag_ui:AgUi",
    "flue": "flue:Flue",
    "adk": "adk:Adk",
    "contractspec": "contractspec:ContractSpec",
}
"""Module and class of each protocol's adapter, below this package."""


def make(target: Target) -> Backend:
    """The adapter for a target; nothing is sent yet. Raises BackendError for one that cannot be right."""
    if target.backend not in ADAPTERS:
        known = ", ".join(ADAPTERS)
        raise BackendError(f"There is no backend {target.backend!r}: it must be one of {known}.")
    module, _, name = ADAPTERS[target.backend].partition(":")
    adapter = getattr(import_module(f"tui.backends.{module}"), name)
    backend: Backend = adapter(target)
    return backend


@asynccontextmanager
async def connect(backend: str, url: str, **more: Any) -> AsyncIterator[Backend]:
    """A connected backend, closed at the end of the block: `async with connect("flue", url=...) as agent`.

    `more` are the other fields of `Target`: agent, headers, token_env, abort_url and so on. Raises
    BackendError, with one sentence that says what to do.
    """
    made = make(Target(backend, url, **more))
    try:
        await made.connect()
        yield made
    finally:
        await made.aclose()
