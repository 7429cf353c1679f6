"""A program in a pseudo-terminal, watched from outside: when its bytes came, what processor it used."""

from __future__ import annotations

import os
import random
import select
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.terminal import Terminal

LONE_ESC, F8, CTRL_C, KITTY_ESC = b"\x1b", b"\x1b[19~", b"\x03", b"\x1b[27u"
_TICKS = os.sysconf("SC_CLK_TCK")


class Watched(Terminal):
    """No terminal model while bytes come: it would take more time than the program that is measured.

    `slow`: bytes a second that the terminal takes, 0 for as many as come.
    """

    slow = 0

    def __init__(
        self, *args: str, home: Path, module: str = "tui", env: dict[str, str] | None = None
    ) -> None:
        self.module = module
        self.began = time.monotonic_ns()
        self.last = 0  # nanoseconds: when the newest bytes came
        super().__init__(*args, home=home, rows=40, columns=120, env=env)

    def take(self, data: bytes) -> None:
        self.raw += data
        self.last = time.monotonic_ns()

    def read(self, seconds: float = 0.02) -> bool:
        if not self.slow:
            return super().read(seconds)
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        data = os.read(self._master, 1000)
        self.take(data)
        time.sleep(len(data) / self.slow)
        return True

    def read_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.read(left)

    def until(self, seen: Callable[[], bool], seconds: float = 15.0) -> bool:
        """Read until something is there. False after `seconds`."""
        end = time.monotonic() + seconds
        while not seen():
            if time.monotonic() > end or (self.process.poll() is not None and not self.read(0)):
                return False
            self.read(0.05)
        return True

    def until_bytes(self, wanted: bytes, since: int = 0, seconds: float = 15.0) -> bool:
        """Read until these bytes have come behind the first `since`."""
        return self.until(lambda: self.raw.find(wanted, max(0, since)) >= 0, seconds)

    def until_quiet(self, seconds: float = 0.15) -> None:
        """Read until nothing has come for a while."""
        while self.read(seconds):
            pass

    def press_raw(self, key: bytes) -> int:
        """Nanoseconds at which a key was written."""
        now = time.monotonic_ns()
        os.write(self._master, key)
        return now

    def shown(self) -> list[str]:
        """The screen now, by the terminal model."""
        self._stream.feed(bytes(self.raw))
        return list(self.screen.display)

    def processor(self) -> float:
        """Seconds of processor time used so far, by all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mb(self) -> float:
        """Resident memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def share(self, seconds: float) -> float:
        """The part of one core that is used while nothing is pressed for so long."""
        used, began = self.processor(), time.monotonic()
        self.read_for(seconds)
        return (self.processor() - used) / (time.monotonic() - began)


def pause() -> float:
    """Seconds between two keys: never in step with frames."""
    return random.uniform(0.02, 0.06)


def quantile(values: list[float], q: float) -> float:
    """Of what was measured; NaN where nothing was."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(q * len(ranked)))] if ranked else float("nan")
