"""Starting and doing nothing: time to the first paint, the idle processor, a command that draws nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.screen import Watched


@dataclass
class Started:
    """Of our program and of the bare one: milliseconds to the first paint (medians), milliseconds of
    processor used until then (the least), and the share of a core while idle."""

    paint: tuple[float, float]
    used: tuple[float, float]
    idle: tuple[float, float]


def first_paints(times: int, idle_s: float) -> Started:
    """Our program with its embedded backend, and a minimal Textual app, in turn."""
    took: dict[str, list[tuple[float, float]]] = {"tui": [], "tests.bench.bare": []}
    idle: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home:
        for number in range(times + 1):
            for module, found in took.items():
                with Watched("chat" if module == "tui" else "app", home=Path(home), module=module) as screen:
                    screen.until_bytes(b"Send")
                    if number:  # the first one writes bytecode
                        found.append(((screen.last - screen.began) / 1e6, 1000 * screen.processor()))
                    if number == times:
                        screen.read_for(3.0)
                        idle[module] = screen.share(idle_s)
    paints = [statistics.median(paint for paint, _ in found) for found in took.values()]
    used = [min(used for _, used in found) for found in took.values()]
    return Started((paints[0], paints[1]), (used[0], used[1]), (idle["tui"], idle["tests.bench.bare"]))


def commands(times: int) -> tuple[float, float]:
    """Median milliseconds of `stopkey --version` and of a Python that does nothing."""
    return _median(["-m", "tui", "--version"], times), _median(["-c", ""], times)


def _median(arguments: list[str], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)
