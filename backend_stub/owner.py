"""Which process plays a run: a lock file per process tells, after a crash, who is gone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: whoever is not us counts as gone
    fcntl = None  # type: ignore[assignment]


class Owner:
    """This process's name, and whether another one is alive.

    A process id would not do: it is used again after a restart of the machine, and a dead run would be
    called alive. A lock is dropped by the system with its process.
    """

    def __init__(self, folder: Path | None) -> None:
        self.name = secrets.token_hex(8)
        self._folder = folder / "owners" if folder else None
        self._fd = -1
        if self._folder and fcntl:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._fd = os.open(self._folder / self.name, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def alive(self, name: str) -> bool:
        """Whether the process of that name still runs."""
        if name == self.name:
            return True
        if not self._folder or not fcntl or not name.isalnum():
            return False
        try:
            fd = os.open(self._folder / name, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(fd)
        (self._folder / name).unlink(missing_ok=True)  # gone: its file has said all it had to say
        return False

    def close(self) -> None:
        if self._fd >= 0 and self._folder:
            (self._folder / self.name).unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1
