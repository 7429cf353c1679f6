"""Baselines on the same machine: `python -m tests.bench.bare app` and `... markdown URL`.

`app` is a Textual app with one line and the same Stop keys; `markdown` shows a stream with Textual's own
Markdown widget, fed as its documentation says.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Markdown, Static


class Bare(App[None]):
    """Says when a key reached its handler, as the probe does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        (key, f"pressed('{key}')", key) for key in ("f8", "escape", "ctrl+c")
    ]
    CSS = "#hints { dock: bottom; height: 1; }"

    def __init__(self, url: str = "") -> None:
        super().__init__()
        self.url, self.count, self.events = url, 0, 0

    def compose(self) -> ComposeResult:
        if self.url:
            yield VerticalScroll(Markdown())
        yield Static("Send", id="hints")

    def on_mount(self) -> None:
        if self.url:
            self.run_worker(self.show())

    async def show(self) -> None:
        import httpx
        from httpx_sse import EventSource

        widget = self.query_one(Markdown)
        self.query_one(VerticalScroll).anchor()
        stream = Markdown.get_stream(widget)
        asked = {"runId": str(time.monotonic_ns())}
        async with httpx.AsyncClient(timeout=None) as http, http.stream("POST", self.url, json=asked) as got:
            async for event in EventSource(got).aiter_sse():
                self.events += 1
                await stream.write(json.loads(event.data).get("delta", ""))

    def action_pressed(self, key: str) -> None:
        if log := os.environ.get("BENCH_LOG"):
            with open(log, "a") as out:
                out.write(f"{time.monotonic_ns()} {key} {self.events}\n")
        self.count += 1
        self.query_one("#hints", Static).update(f"key {self.count} arrived")


if __name__ == "__main__":
    Bare(*sys.argv[2:]).run()
