"""The person's own editor for a prompt: which it is, the file it gets, and what comes back of it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NONE_FOUND = "Set VISUAL or EDITOR to the editor you want: neither is set, and there is no nano and no vi."
FILE = "prompt.md"


class NoEditor(Exception):
    """There is none to start; `str()` is one sentence that says what to do."""


def command(environ: Mapping[str, str]) -> list[str]:
    """The editor as words of a command line: VISUAL, else EDITOR, else nano or vi. Raises NoEditor."""
    from shutil import which  # the start does not wait for it

    path = environ.get("PATH")
    for name in ("VISUAL", "EDITOR"):
        if given := environ.get(name, "").strip():
            return _found(name, given, path)
    for known in ("nano", "vi"):
        if which(known, path=path):
            return [known]
    raise NoEditor(NONE_FOUND)


def _found(name: str, given: str, path: str | None) -> list[str]:
    from shutil import which

    try:
        words = shlex.split(given)
    except ValueError as error:
        raise NoEditor(f"{name} cannot be read as a command ({error}): {given}") from None
    if not words or not which(words[0], path=path):
        raise NoEditor(f"{name} names {words[0] if words else given}, which is not on this machine.")
    return words


@dataclass(slots=True)
class Sheet:
    """A private file with a text in it, while an editor has it."""

    path: Path
    text: str  # as it was written

    def read(self) -> str:
        """What stands in it now; the text as it was if it cannot be read. Line ends are ours."""
        try:
            data = self.path.read_bytes()
        except OSError:
            return self.text
        now = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        added = now.endswith("\n") and not self.text.endswith("\n")  # most editors end the last line
        return now[:-1] if added else now

    def remove(self) -> None:
        """The file and its folder, with whatever the editor has left there."""
        from shutil import rmtree

        rmtree(self.path.parent, ignore_errors=True)


def lay_out(text: str) -> Sheet:
    """A file only its owner can read, in a folder only its owner can enter. Raises OSError."""
    from tempfile import mkdtemp

    path = Path(mkdtemp(prefix="stopkey-")) / FILE
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(text.encode("utf-8", "surrogatepass"))
    return Sheet(path, text)


def told(words: list[str], code: int, changed: bool) -> str:
    """What is said when the editor has ended; "" if all is well."""
    if code == 0:
        return ""
    how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
    kept = "what it had saved is in the box, ^Z undoes that" if changed else "the text is as it was"
    return f"{Path(words[0]).name} {how}: {kept}."
