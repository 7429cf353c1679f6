"""What a key costs while a stream comes: to the handler, to the pixels, to the backend seeing the abort."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.bench.screen import CTRL_C, F8, KITTY_ESC, LONE_ESC, Watched, pause
from tests.bench.server import Served

FRAME_GAP_S = 0.004
"""A silence after which a frame is whole."""
_WORD = re.compile(rb"w(\d{7})")


@dataclass
class Sampled:
    """Milliseconds of each key; what the client used and took in meanwhile."""

    handler: dict[str, list[float]] = field(default_factory=dict)
    pixels: dict[str, list[float]] = field(default_factory=dict)
    missed: int = 0
    processor: float = 0.0
    consumed: float = 0.0
    rate: float = 0.0
    memory: float = 0.0

    def instant(self, table: dict[str, list[float]]) -> list[float]:
        """Of all keys that need no waiting."""
        return [one for name, values in table.items() if name != "esc" for one in values]


@contextmanager
def client(served: Served, rate: int, count: int, *, sample: bool) -> Iterator[tuple[Watched, Path]]:
    """The real program on one stream, its prompt not yet sent; and its log of keys."""
    with tempfile.TemporaryDirectory() as home:
        log = Path(home, "keys")
        log.touch()
        env = {"BENCH_LOG": str(log)} | ({"BENCH_SAMPLE": "1"} if sample else {})
        arguments = ["chat", *target(served.url(rate, count))]
        with Watched(*arguments, home=Path(home), module="tests.bench.probe", env=env) as screen:
            screen.until_bytes(b"Send")
            screen.until_quiet()
            yield screen, log


def target(url: str) -> list[str]:
    body = json.dumps({"runId": "{run_id}"})
    return ["--backend", "ag-ui", "--url", url, "--abort-url", "{base}/abort", "--abort-body", body]


def send(screen: Watched) -> bool:
    """Post a prompt and wait for the first word of the answer."""
    at = len(screen.raw)
    screen.type("go")
    screen.read_for(0.05)
    screen.press("enter")
    return screen.until(lambda: _WORD.search(screen.raw, at) is not None)


def sample(served: Served, rate: int, seconds: float, *, slow: int = 0) -> Sampled:
    """Keys of every kind in turn, after as long a time without any for the processor's share."""
    count = int((rate or 60_000) * (3 * seconds + 6))
    found = Sampled()
    with client(served, rate, count, sample=True) as (screen, log):
        row = next(n for n, line in enumerate(screen.shown(), 1) if "Esc" in line and "Stop" in line)
        click = f"\x1b[<0;116;{row}M\x1b[<0;116;{row}m".encode()
        keys = {"F8": F8, "esc": LONE_ESC, "ctrl+c": CTRL_C, "kitty esc": KITTY_ESC, "click": click}
        send(screen)
        screen.read_for(1.0)
        screen.slow = slow
        _quiet_time(screen, log, found, seconds, rate)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for name, key in keys.items():
                _one(screen, log, name, key, found)
        found.memory = screen.memory_mb()
    return found


def baseline(seconds: float, url: str = "") -> Sampled:
    """The same keys in a bare Textual app: idle, or while its Markdown widget shows the stream at `url`."""
    found = Sampled()
    with tempfile.TemporaryDirectory() as home:
        log = Path(home, "keys")
        log.touch()
        given = ["markdown", url] if url else ["app"]
        env = {"BENCH_LOG": str(log)}
        with Watched(*given, home=Path(home), module="tests.bench.bare", env=env) as screen:
            screen.until_bytes(b"Send")
            screen.read_for(1.0)
            found.processor = screen.share(seconds)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                for name, key in {"F8": F8, "esc": LONE_ESC, "ctrl+c": CTRL_C}.items():
                    _one(screen, log, name, key, found)
    return found


def _quiet_time(screen: Watched, log: Path, found: Sampled, seconds: float, rate: int) -> None:
    start = _mark(screen, log)
    used = screen.processor()
    screen.read_for(seconds)
    end = _mark(screen, log)
    passed = (end[0] - start[0]) / 1e9
    found.processor = (screen.processor() - used) / passed
    found.rate = (end[1] - start[1]) / passed
    found.consumed = found.rate / rate if rate else 1.0


def _mark(screen: Watched, log: Path) -> tuple[int, int]:
    """Press a key; when the handler had it, and how many events had been taken in."""
    lines = len(log.read_text().splitlines())
    screen.press_raw(F8)
    screen.until(lambda: len(log.read_text().splitlines()) > lines)
    when, _, events = log.read_text().splitlines()[-1].rsplit(" ", 2)
    return int(when), int(events)


def _one(screen: Watched, log: Path, name: str, key: bytes, found: Sampled) -> None:
    had = log.read_bytes().count(b"\n")
    at = len(screen.raw)
    pressed = screen.press_raw(key)
    if not screen.until_bytes(b"key %d arrived" % (had + 1), at - 20, 4.0):
        found.missed += 1
        return
    seen = screen.last
    handled = int(log.read_text().splitlines()[had].split()[0])
    found.handler.setdefault(name, []).append((handled - pressed) / 1e6)
    found.pixels.setdefault(name, []).append((seen - pressed) / 1e6)
    screen.read_for(pause())


@dataclass
class Stopped:
    """Real stops: milliseconds from the key to the backend that sees the abort, and words drawn too late."""

    aborts: list[float] = field(default_factory=list)
    handler: list[float] = field(default_factory=list)
    first: float = float("nan")
    drawn_after: int = 0
    missed: int = 0


def stops(served: Served, rate: int, times: int) -> Stopped:
    """Stop run after run of the same conversation."""
    found, before = Stopped(), len(served.log())
    with client(served, rate, max(rate, 60_000) * 4, sample=False) as (screen, log):
        for number in range(times):
            if not send(screen) or not screen.until(partial(_running, served, before + number)):
                found.missed += 1
                continue
            screen.read_for(0.2 + pause())
            _stop(screen, served, log, number, found)
    return found


def _running(served: Served, number: int) -> bool:
    runs = served.log()
    return len(runs) > number and runs[-1].sent > 0 and not runs[-1].ended


def _stop(screen: Watched, served: Served, log: Path, number: int, found: Stopped) -> None:
    at = len(screen.raw)
    pressed = screen.press_raw(F8)
    if not screen.until_bytes(b"STOPPED", at, 5.0):
        found.missed += 1
        return
    while screen.read(FRAME_GAP_S):
        pass
    frozen = len(screen.raw)
    screen.read_for(0.15)
    screen.until_quiet()
    run = served.log()[-1]
    took = (run.aborted - pressed) / 1e6
    if not number:
        found.first = took
    found.aborts.append(took)
    found.handler.append((int(log.read_text().splitlines()[-1].split()[0]) - pressed) / 1e6)
    before = max((int(n) for n in _WORD.findall(screen.raw[:frozen][-200_000:])), default=0)
    after = max((int(n) for n in _WORD.findall(screen.raw[frozen:])), default=0)
    found.drawn_after += max(0, after - before) * 8
