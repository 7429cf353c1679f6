"""The real program in a pseudo-terminal, with a terminal model that shows what a person would see."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

import pyte

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    "esc": "\x1b",
    "enter": "\r",
    "up": "\x1b[A",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f8": "\x1b[19~",
    "end": "\x1b[F",
}


class Terminal:
    """Runs `python -m tui ARGS`. Feed keys with `press` and `type`, look with `wait_for` and `text`."""

    module = "tui"

    def __init__(
        self,
        *args: str,
        home: Path,
        rows: int = 24,
        columns: int = 80,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.raw = bytearray()
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        self._resize(rows, columns)
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module, *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=home,
            env=environment(home, env or {}),
            start_new_session=True,
            preexec_fn=_controlling,
            close_fds=True,
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)

    def press(self, *keys: str) -> None:
        """Press keys by name (esc, f8, ctrl+s, enter …)."""
        for key in keys:
            os.write(self._master, _bytes_of(key))

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def resize(self, rows: int, columns: int) -> None:
        self._resize(rows, columns)
        self.screen.resize(rows, columns)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def _resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def read(self, seconds: float = 0.02) -> bool:
        """Take in what the program has written; False if there was nothing."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.take(data)
        return bool(data)

    def take(self, data: bytes) -> None:
        """What the program has written goes to the terminal model."""
        self.raw += data
        self._stream.feed(data)

    def wait_until(self, seen: Callable[[str], bool], seconds: float = 20.0, what: str = "") -> str:
        """Read until the screen satisfies `seen`; fail with the screen as it is."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if seen(self.text()):
                return self.text()
            if not self.read() and self.process.poll() is not None and not self.read(0):
                break
        if seen(self.text()):
            return self.text()
        raise AssertionError(f"never saw {what}; exit code {self.process.poll()}; the screen:\n{self.text()}")

    def wait_for(self, *texts: str, seconds: float = 20.0) -> str:
        return self.wait_until(lambda screen: all(t in screen for t in texts), seconds, " and ".join(texts))

    def wait_exit(self, seconds: float = 10.0) -> int:
        """Read on until the program has ended; its exit code."""
        until = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < until:
            self.read()
        while self.read(0):
            pass
        code = self.process.poll()
        assert code is not None, f"still running; the screen:\n{self.text()}"
        return code


def _controlling() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    base = {
        "HOME": str(home),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
    }
    return {**kept, **base, **extra}


def _bytes_of(key: str) -> bytes:
    if key.startswith("ctrl+"):
        return bytes([ord(key[-1].upper()) & 0x1F])
    return KEYS.get(key, key).encode()
