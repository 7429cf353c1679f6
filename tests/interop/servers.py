"""The real servers, by name: what must be installed for each, and how it is started."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.interop.adk import real as adk
from tests.interop.ag_ui import real as ag_ui
from tests.interop.flue import real as flue
from tests.interop.truth import Server


@dataclass(frozen=True)
class Startable:
    """`missing` says why it cannot be started ("" if it can); `start` gets a folder for its logs."""

    missing: Callable[[], str]
    start: Callable[[Path], AbstractContextManager[Server]]


SERVERS: dict[str, Startable] = {
    "adk-stock": Startable(adk.missing, adk.stock),
    "adk-cancel": Startable(adk.missing, adk.with_cancel_route),
    "ag-ui": Startable(ag_ui.missing, ag_ui.running),
    "flue-2.0.3": Startable(partial(flue.missing, "2.0.3"), partial(flue.running, "2.0.3")),
    "flue-2.1.0": Startable(partial(flue.missing, "2.1.0"), partial(flue.running, "2.1.0")),
}
