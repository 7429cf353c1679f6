"""The embedded backend as a child process: started behind the first paint, gone when the client is gone."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

from tui.backends.base import BackendError

_START_S = 10.0
_POLITE_S = 1.0  # for the child to end by itself, before it is killed
_ROOT = Path(__file__).resolve().parent.parent


class EmbeddedBackend:
    """One child that serves on a free loopback port. `url` and `token` are known once it has started.

    `data` is the folder its conversations are kept in, None: in memory. `scenario` is what it plays for
    prompts that name none, `speed` a factor on its pauses.
    """

    agent = "demo"

    def __init__(self, data: Path | None = None, *, scenario: str = "", speed: float = 1.0) -> None:
        self.url = ""
        self.token = ""
        self._arguments = ["--child", "--speed", str(speed)]
        self._arguments += ["--data", str(data)] if data else []
        self._arguments += ["--scenario", scenario] if scenario else []
        self._child: subprocess.Popen[str] | None = None
        self._errors: IO[str] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    async def __aenter__(self) -> EmbeddedBackend:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    async def start(self) -> None:
        """Start the child and wait until it serves. The event loop never waits for it.

        A child that has died may be started anew; address and token are then others. Raises BackendError with
        a sentence for the person.
        """
        token = secrets.token_urlsafe(32)
        self.url = await asyncio.to_thread(self._launch, token)
        self.token = token

    async def stop(self) -> None:
        """End the child: within a second and a half, whatever it is doing. May be called at any time."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """`stop` for whoever has no event loop any more; blocks for at most a second and a half."""
        with self._lock:
            self._stopped = True
            self._discard()

    def _discard(self) -> None:
        """End the child there is, if any, and close what belongs to it."""
        child, self._child = self._child, None
        errors, self._errors = self._errors, None
        if child:
            _end(child)
        if errors:
            errors.close()

    def _launch(self, token: str) -> str:
        with self._lock:
            if self._stopped:
                raise BackendError("The embedded backend was stopped while it was being started.")
            self._discard()
            try:
                self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - lives on
            except OSError:
                self._errors = None
            self._child = child = self._spawn(token)
        too_late = threading.Timer(_START_S, child.kill)
        too_late.start()
        try:
            line = child.stdout.readline() if child.stdout else ""
        except (OSError, ValueError):
            line = ""
        finally:
            too_late.cancel()
        return self._url(line)

    def _spawn(self, token: str) -> subprocess.Popen[str]:
        """The child in a session of its own: Ctrl+C in the terminal is for the client, which still has an
        abort to send."""
        try:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "backend_stub", *self._arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors or subprocess.DEVNULL,
                env=_environment(token), start_new_session=True, text=True, close_fds=True,
            )  # fmt: skip
        except OSError as error:
            raise BackendError(
                f"The embedded backend could not be started: {error.strerror or 'no Python to run it with'}."
            ) from error

    def _url(self, line: str) -> str:
        try:
            ready: dict[str, Any] = json.loads(line)
            return str(ready["url"])
        except (ValueError, KeyError, TypeError):
            raise BackendError(self._why_not()) from None

    def _why_not(self) -> str:
        """One sentence from what the child said last."""
        last = ""
        if self._errors:
            self._errors.seek(0)
            last = "".join(self._errors.readlines()[-1:]).strip()[:300]
        why = f" It said: {last}" if last else ""
        return f"The embedded backend did not start; `stopkey serve` shows why.{why}"


def _environment(token: str) -> dict[str, str]:
    """The child's environment. Never an argument: those are there for every user of the machine to read."""
    environment = {**os.environ, "STOPKEY_TOKEN": token, "PYTHONUNBUFFERED": "1"}
    if (_ROOT / "pyproject.toml").is_file():  # run from a checkout: the package is not installed
        paths = [str(_ROOT), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment


def _end(child: subprocess.Popen[str]) -> None:
    if child.stdin:
        child.stdin.close()  # the child takes this as its parent's end
    child.terminate()
    try:
        child.wait(_POLITE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout:
        child.stdout.close()
