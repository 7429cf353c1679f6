"""The ledger: every model and tool call with its times, and the one place where a call may begin.

"Once a run is aborted no further model or tool call is made for it" holds because `call` looks at the run's
token and writes the start in the same breath, and nothing reaches a model or a tool but through `call`.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from backend_stub.cancel import CancelToken, LeftBehind, RunCancelled

_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger.

    `what` is model, tool, abort or run. `edge` is, for calls: start, end, fail, cancel (cut by a stop),
    left (could not be cut, may still be working), late end (of a call that was left); for an abort: asked,
    answered; for a run: began, completed, cancelled, failed, paused. `wall` is UTC, `mono` this process's
    monotonic clock, both in seconds.
    """

    n: int
    wall: float
    mono: float
    run: str
    what: str
    edge: str
    call: str = ""
    name: str = ""
    detail: str = ""


_EVENTS = {"start": "start", "end": "end", "fail": "end", "cancel": "end", "late end": "end"}


def as_testimony(line: Line) -> dict[str, object] | None:
    """A call's start or end as the drill's witness tells it; None for every other line. A call that was left
    has not ended: its late end tells when it did."""
    if line.what not in ("model", "tool") or line.edge not in _EVENTS:
        return None
    told: dict[str, object] = {"t": line.wall, "kind": line.what, "event": _EVENTS[line.edge]}
    return told | {"run": line.run, "name": line.name, "call": line.call}


class Ledger:
    """All lines in the order in which things happened; `file` also gets each line as JSON, at once."""

    def __init__(self, file: Path | None = None) -> None:
        self._lines: deque[Line] = deque(maxlen=_KEPT)
        self._count = 0
        self._file = file.open("a", encoding="utf-8") if file else None

    def note(
        self, run: str, what: str, edge: str, *, call: str = "", name: str = "", detail: str = ""
    ) -> Line:
        self._count += 1
        line = Line(self._count, time.time(), time.monotonic(), run, what, edge, call, name, detail)
        self._lines.append(line)
        if self._file:
            self._file.write(json.dumps(asdict(line)) + "\n")
            self._file.flush()
        return line

    @contextmanager
    def call(self, run: str, token: CancelToken, what: str, call: str, name: str) -> Iterator[None]:
        """One call of a model or a tool. Once the run is aborted: RunCancelled, and nothing is recorded."""
        token.check()
        self.note(run, what, "start", call=call, name=name)
        try:
            yield
        except RunCancelled as cut:
            edge = "left" if isinstance(cut, LeftBehind) else "cancel"
            self.note(run, what, edge, call=call, name=name)
            raise
        except Exception as error:
            self.note(run, what, "fail", call=call, name=name, detail=str(error))
            raise
        self.note(run, what, "end", call=call, name=name)

    def lines(self, run: str = "", after: int = 0) -> list[Line]:
        """The lines of one run, or all; only those numbered after `after`."""
        return [line for line in self._lines if line.n > after and run in ("", line.run)]

    def close(self) -> None:
        if self._file:
            self._file.close()
