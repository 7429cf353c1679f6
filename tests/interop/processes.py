"""Real servers as child processes: started, awaited, and gone when the test is."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Child:
    """A running server. `ready` is what it printed after READY."""

    process: subprocess.Popen[bytes]
    ready: str

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def child(
    argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, errors: Path, wait_s: float = 60.0
) -> Iterator[Child]:
    """Start a program that prints `READY ...` and ends when its standard input is closed.

    What it writes to standard error goes into the file `errors`.
    """
    with errors.open("ab") as log:
        process = subprocess.Popen(
            [str(arg) for arg in argv],
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        yield Child(process, _ready(process, errors, wait_s))
    finally:
        _end(process)


def _ready(process: subprocess.Popen[bytes], errors: Path, wait_s: float) -> str:
    assert process.stdout
    got, until = b"", time.monotonic() + wait_s
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < until and selector.select(until - time.monotonic()):
            piece = os.read(process.stdout.fileno(), 4096)
            got += piece
            whole_lines = got.decode("utf-8", "replace").split("\n")[:-1]
            for line in whole_lines:
                if line.startswith("READY"):
                    return line.removeprefix("READY").strip()
            if not piece:
                break
    _end(process)
    raise RuntimeError(f"The server did not start: {errors.read_text(errors='replace')[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
