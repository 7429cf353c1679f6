"""The client with a fault of its own planted in it, whose text is every payload. `python -m` runs it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from tests.hostile.recording import PAYLOADS
from tui import cli, doctor
from tui.ui.app import StopkeyApp


def fail(*_: object) -> NoReturn:
    raise RuntimeError("".join(PAYLOADS))


def fail_in_a_thread(*_: object) -> Any:
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    return iter(())


PLANTED: dict[str, Callable[[], None]] = {
    "screen": lambda: setattr(StopkeyApp, "spawn", fail),
    "key": lambda: setattr(StopkeyApp, "action_help", fail),
    "command": lambda: setattr(doctor, "versions", fail),
    "thread": lambda: setattr(doctor, "versions", fail_in_a_thread),
}

if __name__ == "__main__":
    PLANTED[sys.argv.pop(1)]()
    cli.main()
