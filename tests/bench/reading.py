"""What reading costs, layer by layer: `python -m tests.bench.reading LAYER URL` prints events and seconds.

Layers: `bare` (httpx-sse alone, the baseline), `sse` (our bounded reader), `adapter` (our events), `session`
(the core folds them), `journal` (and they are saved).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from httpx_sse import EventSource

from tests.bench.server import Served
from tui.backends.ag_ui import AgUi
from tui.backends.base import Prompt, Target
from tui.backends.http import Http
from tui.session import Session
from tui.store import Store


async def bare(url: str) -> int:
    count = 0
    async with (
        httpx.AsyncClient(timeout=None) as http,
        http.stream("POST", url, json={"runId": uuid.uuid4().hex}) as got,
    ):
        async for _ in EventSource(got).aiter_sse():
            count += 1
    return count


async def sse(url: str) -> int:
    count = 0
    http = Http(Target("ag-ui", url))
    async with http.stream("POST", url, json={"runId": uuid.uuid4().hex}) as stream:
        async for _ in stream.events:
            count += 1
    await http.aclose()
    return count


async def adapter(url: str) -> int:
    count = 0
    backend = AgUi(Target("ag-ui", url))
    async for _ in backend.run(Prompt("go", "t", uuid.uuid4().hex, "k")):
        count += 1
    await backend.aclose()
    return count


async def session(url: str, store: Store | None = None) -> int:
    journal = store.create("ag-ui", url, "") if store else None
    talk = Session(AgUi(Target("ag-ui", url, abort_url="none")), journal)
    turn = talk.send("go")
    await talk.settled(turn)
    await talk.close()
    if journal:
        journal.close()
    await talk.backend.aclose()
    return turn.events


async def journal(url: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "conversations.db"))
        try:
            return await session(url, store)
        finally:
            store.close()


LAYERS: dict[str, Callable[[str], Awaitable[int]]] = {
    "bare": bare, "sse": sse, "adapter": adapter, "session": session, "journal": journal,
}  # fmt: skip


@dataclass
class Read:
    """`used` is processor time."""

    events: int
    seconds: float
    used: float


def measure(served: Served, layer: str, count: int, rate: int = 0) -> Read:
    """Read a stream of `count` events in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.reading", layer, served.url(rate, count)]
    return Read(**json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def main(layer: str, url: str) -> None:
    used, began = time.process_time(), time.perf_counter()
    events = asyncio.run(LAYERS[layer](url))  # type: ignore[arg-type]
    took = {"seconds": time.perf_counter() - began, "used": time.process_time() - used}
    print(json.dumps({"events": events, **took}))


if __name__ == "__main__":
    main(*sys.argv[1:])
