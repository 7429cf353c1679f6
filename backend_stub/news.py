"""What the backend announces about its runs: run.started, run.completed, run.cancelled with the reason."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from backend_stub.run import Run


class News:
    """The announcements in order: {n, at, name, run_id, payload}. `at` is UTC in seconds."""

    def __init__(self) -> None:
        self._items: deque[dict[str, Any]] = deque(maxlen=10_000)
        self._count = 0

    def tell(self, name: str, run: Run) -> None:
        """Announce a change. The payload is the run's summary without its text, and what aborted it."""
        self._count += 1
        payload = {key: value for key, value in run.summary().items() if key != "text"}
        payload["by"] = run.token.by
        self._items.append(
            {"n": self._count, "at": time.time(), "name": name, "run_id": run.id, "payload": payload}
        )

    def items(self, run: str = "", name: str = "") -> list[dict[str, Any]]:
        return [i for i in self._items if run in ("", i["run_id"]) and name in ("", i["name"])]
