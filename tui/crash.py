"""When the client itself fails: one sentence on the screen, the details in a file, no raw byte, no secret.

An exception's text can hold what the wire sent (escape sequences) or what must not be shown (tokens, URLs
with keys): it never reaches a terminal or a file except through here.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tui.core.safe_text import SafeText, safe, safe_line

_secrets: set[str] = set()
_IN_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/@'\"]*@|(?P<path>://[^\s?'\"]*)\?[^\s'\"]*", re.I)
_NAMED = r"(?:authorization|cookie|password|secret|(?:access[-_]?|refresh[-_]?)?token|(?:x-)?api[-_]?key)"
_IN_HEADER = re.compile(rf"({_NAMED}['\"]?\s*[:=]\s*['\"]?)[^\n'\"]+|(\b(?:bearer|basic) +)\S+", re.I)


def hide(secret: str) -> None:
    """Never write this value anywhere: call it with each token as it is read."""
    if len(secret) >= 4:
        _secrets.add(secret)


def without_secrets(text: str) -> str:
    """`text` without known secrets, names and queries in URLs, and what follows words like *bearer*."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "[hidden]")
    text = _IN_URL.sub(lambda m: f"{m['scheme']}[hidden]@" if m["scheme"] else f"{m['path']}?[hidden]", text)
    return _IN_HEADER.sub(lambda m: f"{m[1] or m[2]}[hidden]", text)


def report(fault: BaseException) -> SafeText:
    """The traceback as text, safe to show and to keep. Local variables are not in it."""
    return safe(without_secrets("".join(traceback.format_exception(fault))))


def tell(fault: BaseException, folder: Path | None = None) -> SafeText:
    """What the person reads: one sentence, and where the details are (written to `folder` if it can be)."""
    what = safe_line(without_secrets(f"{type(fault).__name__}: {fault}".removesuffix(": ")), 160)
    path = _write(report(fault), folder) if folder else None
    where = f"The details are in {path}." if path else "Run it again with STOPKEY_DEBUG=1 for the details."
    return safe(f"stopkey: a fault of its own ended it ({what}). {where}")


def show(fault: BaseException, folder: Path | None = None) -> None:
    """Tell the person on stderr; with STOPKEY_DEBUG set, the whole report."""
    debug = os.environ.get("STOPKEY_DEBUG")
    _to_stderr(report(fault) if debug else tell(fault, folder))


def install(folder: Callable[[], Path] | None = None) -> None:
    """Take over every way in which Python prints an exception by itself."""

    def main_hook(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            show(fault, _folder(folder))

    def thread_hook(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            show(args.exc_value, _folder(folder))

    def finaliser_hook(args: sys.UnraisableHookArgs) -> None:
        """Nothing can be done about it and nothing was lost: only the debugger wants to know."""
        if args.exc_value is not None and os.environ.get("STOPKEY_DEBUG"):
            _to_stderr(report(args.exc_value))

    sys.excepthook, threading.excepthook, sys.unraisablehook = main_hook, thread_hook, finaliser_hook
    logging.lastResort = _SafeHandler(logging.WARNING)


class _SafeHandler(logging.Handler):
    """What no one else logs, asyncio's complaints above all. Silent if not debugging: it tears the screen."""

    def emit(self, record: logging.LogRecord) -> None:
        if os.environ.get("STOPKEY_DEBUG"):
            _to_stderr(safe(without_secrets(self.format(record))))


def _folder(folder: Callable[[], Path] | None) -> Path | None:
    try:
        return folder() if folder else None
    except Exception:
        return None


def _write(text: str, folder: Path) -> Path | None:
    path = folder / time.strftime(f"crash-%Y%m%d-%H%M%S-{os.getpid()}.txt")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return None
    return path


def _to_stderr(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass  # nobody is there to read it
