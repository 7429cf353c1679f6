"""The real program with a clock on its Stop keys: `python -m tests.bench.probe ARGS`.

Each press is written to $BENCH_LOG as `NANOSECONDS CAUSE EVENTS`. With $BENCH_SAMPLE the press changes
nothing but the hint line, so that hundreds of keys can be timed in one stream.
"""

from __future__ import annotations

import os
import time

from tui.cli import main
from tui.ui.app import StopkeyApp
from tui.ui.stop_keys import decide

_press = StopkeyApp.press_stop
_log = os.open(os.environ["BENCH_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
_count = 0


def press(app: StopkeyApp, cause: str) -> None:
    """Note when, and do what was pressed, or show that it arrived."""
    global _count  # noqa: PLW0603
    now = time.monotonic_ns()
    turn = app.pane.talk.turn
    os.write(_log, f"{now} {cause} {turn.events if turn else 0}\n".encode())
    if "BENCH_SAMPLE" in os.environ:
        decide(cause, app.situation())
        _count += 1
        app.note(f"key {_count} arrived")
    else:
        _press(app, cause)


StopkeyApp.press_stop = press  # type: ignore[method-assign]
if __name__ == "__main__":
    main()
