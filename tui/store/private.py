"""Files that only their owner can read, and the lock that says who writes a conversation."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
import time
from pathlib import Path

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def create_private(path: Path) -> bool:
    """Create an empty file, 0600 whatever the umask. False if there is one already. Raises OSError.

    A file that is there is never opened: closing a second descriptor would drop SQLite's locks on it.
    """
    try:
        made = os.open(path, _CREATE, 0o600)
    except FileExistsError:
        return False
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(made, 0o600)
    finally:
        os.close(made)
    return True


def make_private(path: Path) -> None:
    """See to it that `path` is a plain file of ours, 0600, in a folder of ours, 0700. Raises OSError."""
    private_folder(path.parent)
    if create_private(path):
        return
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    _tighten(path, found, 0o600)


def private_folder(folder: Path) -> None:
    """Make the folder, or make it 0700 if it is ours alone: never the home folder, never a shared one."""
    try:
        folder.mkdir(mode=0o700, parents=True)
        folder.chmod(0o700)
    except FileExistsError:
        found = folder.stat()
        if not stat.S_ISDIR(found.st_mode):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None
        if not found.st_mode & stat.S_ISVTX and folder != Path.home():
            _tighten(folder, found, 0o700)


def _tighten(path: Path, found: os.stat_result, mode: int) -> None:
    mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    if mine and stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(mode)


class Lock:
    """The right to write one conversation. Held by this process, and gone with it however it ends."""

    def __init__(self, folder: Path, conversation_id: str) -> None:
        name = hashlib.sha256(conversation_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._path = folder / f"{name}.lock"
        self._held: int | None = None

    def take(self) -> bool:
        """True if it is ours now. False if another has it. Never raises: no lock file, no lock."""
        try:
            return self._take()
        except OSError:
            return True  # a file system without locks, or a folder that cannot be written

    def _take(self) -> bool:
        for _ in range(5):
            private_folder(self._path.parent)
            opened = os.open(self._path, _OPEN, 0o600)
            if _try_lock(opened) and _is_still(self._path, opened):
                self._held = opened
                return True
            os.close(opened)  # another has it; or only looked (`elsewhere`), or removed it just now
            time.sleep(0.002)
        return False

    def release(self) -> None:
        """Let another have it. The file is removed while it is still ours, so none piles up."""
        if self._held is None:
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            pass
        os.close(self._held)
        self._held = None

    def elsewhere(self) -> bool:
        """Whether someone holds it, this process included."""
        try:
            opened = os.open(self._path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        except OSError:
            return False
        try:
            return not _try_lock(opened, shared=True)
        finally:
            os.close(opened)


_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def _is_still(path: Path, opened: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(opened))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(opened: int, shared: bool = False) -> bool:
        try:
            msvcrt.locking(opened, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        if shared:
            msvcrt.locking(opened, msvcrt.LK_UNLCK, 1)
        return True

else:
    import fcntl

    def _try_lock(opened: int, shared: bool = False) -> bool:
        try:
            fcntl.flock(opened, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
