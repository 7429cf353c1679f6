"""A real AG-UI server, pydantic-ai 2.68, with a scripted model behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.install import PLACE
from tests.interop.processes import child
from tests.interop.truth import BLOCKING, SHORT, TEXT, TOOL, Kind, Logged
from tui.backends.ag_ui import AgUi
from tui.backends.base import Backend, Target

HERE = Path(__file__).parent
PYTHON = PLACE / "ag-ui" / "bin" / "python"
SCRIPTS = {
    TEXT: "words=60 gap=0.05",
    TOOL: "words=4 gap=0.05 tool=slow_tool secs=2 after=4",
    BLOCKING: "words=4 gap=0.05 tool=deaf_tool secs=2 after=4",
    SHORT: "words=3 gap=0.01",
}


@dataclass
class RealAgUi:
    """A server that runs. `abort_url` is what the user would give for it; "" for a server without."""

    name: str
    url: str
    log: Path
    abort_url: str = "/runs/{run_id}/cancel"

    def backend(self, abort_url: str | None = None) -> Backend:
        given = self.abort_url if abort_url is None else abort_url
        return AgUi(Target("ag-ui", self.url + "/agent", abort_url=given))

    def prompt(self, kind: Kind, tag: str) -> str:
        """One of the shared kinds, or a script of `server.py`."""
        return f"Do this: [[tag={tag} {SCRIPTS.get(kind, kind)}]]"

    def read_log(self) -> list[Logged]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return sorted((_logged(json.loads(line)) for line in lines), key=lambda line: line.t)


def _logged(line: dict[str, object]) -> Logged:
    given = line.pop("given", ())
    said = tuple((str(m[0]), str(m[1])) for m in given) if isinstance(given, list) else ()
    return Logged(**line, given=said)  # type: ignore[arg-type]


def missing() -> str:
    """Why this server cannot be started, and what to do; "" if it can."""
    return "" if PYTHON.exists() else "pydantic-ai is not installed: python -m tests.interop.install ag-ui"


@contextmanager
def running(folder: Path) -> Iterator[RealAgUi]:
    """A server, and its log of model and tool calls."""
    log = folder / "calls.jsonl"
    with child([PYTHON, HERE / "server.py", log], errors=folder / "errors.log") as server:
        yield RealAgUi("ag-ui", f"http://127.0.0.1:{server.ready}", log)
