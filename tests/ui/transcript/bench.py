"""What a frame of the transcript costs, in a real pseudo-terminal: `python -m tests.ui.transcript.bench`.

A measurement, not a test. Prints processor use while a reply streams at several rates and sizes, for every
kind of material, and the time from opening to the first frame. Read the ratios, not the figures.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import resource
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from textual.app import App, ComposeResult

from tests.ui.transcript.material import KINDS
from tui.core import events as ev
from tui.core.safe_text import SafeText
from tui.core.transcript import Transcript
from tui.ui.transcript import PlainTurn, TranscriptView, Word

SECONDS = 3.0


class Bench(App[dict[str, float]]):
    """One turn that already has `size` characters, then `rate` deltas of five characters a second."""

    def __init__(self, kind: str, size: int, rate: int) -> None:
        super().__init__()
        self.kind, self.start_size, self.rate = kind, size, rate
        self.view = TranscriptView()
        self.frames: list[float] = []

    def compose(self) -> ComposeResult:
        yield self.view

    async def on_mount(self) -> None:
        self.run_worker(self.feed())

    async def feed(self) -> None:
        await asyncio.sleep(0.3)  # until there is a screen to draw on
        text = KINDS[self.kind](self.start_size + int(self.rate * SECONDS * 5) + 1000)
        transcript = Transcript()
        item = PlainTurn(1, SafeText("go"), [Word("You")], [Word("Agent")], transcript.blocks, "▌")
        began = time.perf_counter()
        transcript.apply(ev.TextDelta("a", text[: self.start_size]), 0.0)
        self.view.show(item)
        self.view.draw_now()
        while self.view.document.behind:
            self.view.draw_now()
        opened = time.perf_counter() - began
        await asyncio.sleep(0.5)
        self._watch()
        used, at = time.process_time(), self.start_size
        start = time.perf_counter()
        sent = 0
        while (passed := time.perf_counter() - start) < SECONDS:
            for _ in range(int(passed * self.rate) - sent):
                transcript.apply(ev.TextDelta("a", text[at : at + 5]), 0.0)
                self.view.touch(1)
                at, sent = at + 5, sent + 1
            await asyncio.sleep(0.005)
        used = time.process_time() - used
        frames = sorted(self.frames) or [0.0]
        result = {
            "cpu": 100 * used / SECONDS, "frames": len(self.frames), "opened": 1000 * opened,
            "frame_p50": 1000 * frames[len(frames) // 2], "frame_max": 1000 * frames[-1],
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "sent": sent,
        }  # fmt: skip
        self.exit(result)

    def _watch(self) -> None:
        """Time the frames."""
        frame = self.view.frame

        def timed() -> None:
            began = time.perf_counter()
            frame()
            self.frames.append(time.perf_counter() - began)

        self.view.frame = timed  # type: ignore[method-assign]


def measure(kind: str, size: int, rate: int) -> dict[str, float]:
    """Run one case in a pseudo-terminal of 120x40."""
    out = f"/tmp/bench-{os.getpid()}.json"
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    command = [sys.executable, "-m", "tests.ui.transcript.bench", kind, str(size), str(rate)]
    environment = {**os.environ, "BENCH_OUT": out, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    child = subprocess.Popen(command, stdin=side, stdout=side, stderr=side, env=environment)
    os.close(side)
    written = 0
    while child.poll() is None:
        if select.select([main], [], [], 0.1)[0]:
            try:
                written += len(os.read(main, 65536))
            except OSError:
                break
    child.wait()
    os.close(main)
    result: dict[str, float] = json.loads(Path(out).read_text())
    Path(out).unlink()
    return {**result, "written": written / 1000}


def main() -> None:
    if "BENCH_OUT" in os.environ:
        result = Bench(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run()
        Path(os.environ["BENCH_OUT"]).write_text(json.dumps(result))
        return
    rates = [int(rate) for rate in sys.argv[1:]] or [50, 1000]
    print("kind            size   rate   cpu%  frames  frame p50/max ms   opened ms  memory MB  kB written")
    for rate in rates:
        for kind in KINDS:
            for size in (10_000, 1_000_000):
                got = measure(kind, size, rate)
                print(
                    f"{kind:10} {size:9,} {rate:6} {got['cpu']:6.1f} {got['frames']:7.0f}"
                    f"  {got['frame_p50']:6.2f} /{got['frame_max']:6.2f} {got['opened']:12.1f}"
                    f" {got['memory']:9.0f} {got['written']:10.0f}"
                )


if __name__ == "__main__":
    main()
