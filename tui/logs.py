"""`--log FILE`: what the client did, with times, without what was said and without secrets."""

from __future__ import annotations

import atexit
import logging
import logging.handlers
import os
import queue
import time
from pathlib import Path

from tui.core.safe_text import safe
from tui.crash import without_secrets


class _Clean(logging.Formatter):
    """UTC times; text from elsewhere is made safe, and what looks like a secret is left out."""

    converter = time.gmtime  # type: ignore[assignment]
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        return safe(without_secrets(super().format(record)))


def log_to(path: Path) -> None:
    """Log to this file from here on; it is made private, and added to if it is there. Raises OSError.

    Writing is done in a thread: a slow disk does not hold up a Stop.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    file = os.fdopen(os.open(path, flags, 0o600), "a", encoding="utf-8")
    writer = logging.StreamHandler(file)
    writer.setFormatter(_Clean("%(asctime)s %(levelname)s %(name)s %(message)s"))
    waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(waiting, writer)
    root = logging.getLogger()
    root.addHandler(logging.handlers.QueueHandler(waiting))
    root.setLevel(logging.DEBUG if os.environ.get("STOPKEY_DEBUG") else logging.INFO)
    listener.start()
    atexit.register(listener.stop)
