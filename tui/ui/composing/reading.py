"""Looking at a named file, and reading it. Both block: called in a thread."""

from __future__ import annotations

import hashlib
import mimetypes
import stat
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from tui.backends.base import File, Takes
from tui.ui.composing.chips import weight

TEXT_MOST = 256_000
"""Bytes of a file whose text is put into the prompt."""
_HEAD = 8192
_MAGIC = (
    (b"\x89PNG\r\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"), (b"PK\x03\x04", "application/zip"),
)  # fmt: skip


class CannotSend(Exception):
    """The file cannot go with the prompt; `str()` is one sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file is, before it is read: its MIME type, and whether its text goes into the prompt."""

    path: str
    name: str
    kind: str
    size: int
    inline: bool


def look(path: str, where: Path, takes: Takes | None) -> Looked:
    """What it is and how it would be sent. Raises CannotSend."""
    try:
        found = where.stat()
        if not stat.S_ISREG(found.st_mode):
            raise CannotSend(f"{path} is no file.")
        with where.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise CannotSend(f"{path} cannot be read: {error.strerror or 'it is not there'}.") from None
    kind = kind_of(where.name, head)
    inline = takes is None or not takes.fits(kind)
    _refuse(path, kind, found.st_size, takes, inline)
    return Looked(path, where.name, kind, found.st_size, inline)


def _refuse(path: str, kind: str, size: int, takes: Takes | None, inline: bool) -> None:
    if inline and not kind.startswith("text/"):
        what = "no files but " + ", ".join(takes.kinds) if takes else "no files"
        raise CannotSend(f"{path} is {kind}, not text, and this backend takes {what}.")
    most = TEXT_MOST if inline or takes is None else takes.most
    if size > most:
        how = "put into the prompt" if inline else "sent to this backend"
        raise CannotSend(f"{path} is {weight(size)}; at most {weight(most)} can be {how}.")


def read(looked: Looked, where: Path) -> File:
    """The file as it is now. Raises CannotSend."""
    try:
        with where.open("rb") as file:
            data = file.read(looked.size + 1)
    except OSError as error:
        raise CannotSend(f"{looked.path} cannot be read: {error.strerror}.") from None
    if len(data) > looked.size:
        raise CannotSend(f"{looked.path} is growing just now: send again.")
    coded = "" if looked.inline else b64encode(data).decode("ascii")
    return File(looked.name, looked.kind, data, hashlib.sha256(data).hexdigest(), coded)


def kind_of(name: str, head: bytes) -> str:
    """The MIME type, by the file's first bytes, then by its name. Whatever reads as text is text."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return mimetypes.guess_type(name)[0] or kind if kind == "application/zip" else kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    guessed = mimetypes.guess_type(name)[0] or ""
    if _is_text(head):
        return guessed if guessed.startswith(("text/", "image/svg")) else "text/plain"
    return guessed if guessed and not guessed.startswith("text/") else "application/octet-stream"


def _is_text(head: bytes) -> bool:
    """UTF-8, of which the last character may be cut, and no NUL."""
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end == len(head) and len(head) - error.start < 4 and len(head) == _HEAD
    return True


def fenced(file: File, path: str) -> str:
    """A file's text as it is put into a prompt: as it is, between fences that do not occur in it."""
    text = file.data.decode("utf-8", "replace")
    fence = "```"
    while fence in text:
        fence += "`"
    end = "" if text.endswith("\n") or not text else "\n"
    return f"{path}\n{fence}\n{text}{end}{fence}"
