"""A child that outlives its parent is a leak: notice that the parent is gone, and end."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable

_POLL_S = 0.25
LAST_RESORT_S = 1.4  # after the order to end; what hangs then is ended from outside the event loop


def watch(gone: Callable[[], None]) -> None:
    """Call `gone` in the event loop once the parent has closed our standard input, or has died.

    Both are watched: a parent that was killed closes the pipe, unless a child of its own inherited it.
    """
    loop = asyncio.get_running_loop()
    parent = os.getppid()

    def tell() -> None:
        last_resort()
        try:
            loop.call_soon_threadsafe(gone)
        except RuntimeError:
            os._exit(1)

    threading.Thread(target=_until_eof, args=[tell], daemon=True, name="stdin").start()
    threading.Thread(target=_until_orphan, args=[parent, tell], daemon=True, name="parent").start()


def last_resort() -> None:
    """End the process soon, even if the event loop is stuck."""
    timer = threading.Timer(LAST_RESORT_S, os._exit, [1])
    timer.daemon = True
    timer.start()


def _until_eof(tell: Callable[[], None]) -> None:
    try:
        while os.read(sys.__stdin__.fileno() if sys.__stdin__ else 0, 4096):
            pass
    except OSError:
        pass
    tell()


def _until_orphan(parent: int, tell: Callable[[], None]) -> None:
    never = threading.Event()
    while os.getppid() == parent:
        never.wait(_POLL_S)
    tell()
