"""Installs the real servers that the interop tests run against: `python -m tests.interop.install all`.

Each goes into a place of its own below `.interop/` (or $STOPKEY_INTEROP, which may outlive the checkout as a
cache). What is there already is left alone. To add a server, add a function to SERVERS.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path(os.environ.get("STOPKEY_INTEROP") or ROOT / ".interop")


def venv(name: str, *requirements: str) -> None:
    """A virtual environment `name` with these requirements; made anew if they have changed."""
    place, wanted = PLACE / name, "\n".join(requirements)
    stamp = place / "requirements.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        print(f"{name}: is there")
        return
    print(f"{name}: installing {', '.join(requirements)}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
    python = place / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "-q", *requirements], check=True)
    stamp.write_text(wanted, encoding="utf-8")


def npm(name: str, folder: str) -> None:
    """A place `name` with what the lockfile in `folder` (below here) names. No package runs a script."""
    place, source = PLACE / name, Path(__file__).parent / folder
    wanted = (source / "package-lock.json").read_text(encoding="utf-8")
    stamp = place / "installed.json"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        print(f"{name}: is there")
        return
    if shutil.which("npm") is None:
        sys.exit(f"{name} needs npm: install Node.js, any version that brings npm.")
    print(f"{name}: installing from its lockfile", flush=True)
    place.mkdir(parents=True, exist_ok=True)
    for file in ("package.json", "package-lock.json"):
        shutil.copyfile(source / file, place / file)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=place, check=True, stdin=subprocess.DEVNULL)
    stamp.write_text(wanted, encoding="utf-8")


def adk() -> None:
    """Google's Agent Development Kit: 48 packages, 137 MB, half a minute."""
    venv("adk", "google-adk==2.13.0")


def flue() -> None:
    """Flue 2.0.3 and 2.1.0, with a Node that is new enough: 119 packages and 341 MB each, half a minute."""
    for version in ("2.0.3", "2.1.0"):
        npm(f"flue-{version}", f"flue/{version}")


def ag_ui() -> None:
    """pydantic-ai's AG-UI adapter under uvicorn: 24 packages, 60 MB, ten seconds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    venv("ag-ui", *project["optional-dependencies"]["interop"])


SERVERS: dict[str, Callable[[], None]] = {"adk": adk, "ag-ui": ag_ui, "flue": flue}


def main(names: list[str]) -> None:
    for name in list(SERVERS) if names == ["all"] else names:
        SERVERS[name]()


if __name__ == "__main__":
    if not sys.argv[1:] or set(sys.argv[1:]) - {"all", *SERVERS}:
        sys.exit(f"usage: python -m tests.interop.install all | {' | '.join(SERVERS)}")
    main(sys.argv[1:])
