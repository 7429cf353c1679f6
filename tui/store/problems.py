"""What can be wrong with the store, each in one sentence that says what to do."""

from __future__ import annotations

import errno
from pathlib import Path

LATER = "what is said stays in memory and is written as soon as that works"
NEVER = "what is said now is kept in memory only, and gone when stopkey ends"


class StoreError(Exception):
    """The store cannot do what was asked. `str()` is one clear sentence."""


class NoSuchConversation(StoreError):
    """No conversation has this id, or several begin with it."""


def sentence(error: BaseException, path: Path | None, then: str = LATER) -> str:
    """The sentence for a fault of SQLite or of the file system while working on `path`.

    `then` says what becomes of what is said: LATER, or NEVER where the file could not even be opened.
    """
    if isinstance(error, StoreError):
        return str(error)
    name = getattr(error, "sqlite_errorname", "") or errno.errorcode.get(getattr(error, "errno", 0) or 0, "")
    where = path or "in memory"
    for beginning, words in _SENTENCES.items():
        if name.startswith(beginning):
            return words.format(where=where, then=then)
    return f"The conversation store {where} does not work ({name or type(error).__name__}): {then}."


def gone(path: Path) -> str:
    """The file was there, and is not any more, or is another one."""
    return f"The conversation store {path} was moved or deleted: what is said is not kept. Start again."


_FULL = "The disk is full, nothing can be saved at {where}: make room; {then}."
_NOT_OURS = "The conversation store {where} may not be written: check its permissions; {then}."
_SENTENCES = {
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR_WRITE": _FULL,
    "SQLITE_IOERR_SHMSIZE": _FULL,
    "ENOSPC": _FULL,
    "EDQUOT": _FULL,
    "EFBIG": _FULL,
    "SQLITE_BUSY": "Another program holds the conversation store {where}: {then}.",
    "SQLITE_LOCKED": "Another program holds the conversation store {where}: {then}.",
    "SQLITE_READONLY": _NOT_OURS,
    "SQLITE_PERM": _NOT_OURS,
    "SQLITE_AUTH": _NOT_OURS,
    "SQLITE_CANTOPEN": _NOT_OURS,
    "EACCES": _NOT_OURS,
    "EPERM": _NOT_OURS,
    "EROFS": _NOT_OURS,
    "SQLITE_NOTADB": "{where} is not a conversation store, or is damaged: move it away and start again. "
    "Nothing is saved until then.",
    "SQLITE_CORRUPT": "The conversation store {where} is damaged: move it away and start again. "
    "Nothing is saved until then.",
    "SQLITE_IOERR": "Reading or writing the conversation store {where} failed: check the disk; {then}.",
    "ELOOP": "{where} is a symbolic link, which is not followed: put a file there. Nothing is saved.",
    "ENOTDIR": "The folder of the conversation store {where} is not a folder; {then}.",
    "EISDIR": "{where} is a folder: move it away and start again. Nothing is saved until then.",
}
