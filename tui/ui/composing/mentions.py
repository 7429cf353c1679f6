"""Files that a prompt names: @path, or @"a path with spaces". Data only: nothing is opened here."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_MENTION = re.compile(r'(?:^|(?<=[\s(\[{<]))@(?:"([^"\n]+)"|([^\s"@]+))', re.MULTILINE)
_AFTER = ".,;:!?)]}>'\u2019"
"""What a sentence puts behind a path."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A file as it is named in a text; `path` as it was written, `begin` and `end` its place there."""

    path: str
    begin: int
    end: int


def mentions(text: str) -> list[Mention]:
    """All of them, in order, each path once."""
    if "@" not in text:
        return []
    found: dict[str, Mention] = {}
    for match in _MENTION.finditer(text):
        path = match[1] or match[2].rstrip(_AFTER)
        if path:
            end = match.end() if match[1] else match.start() + 1 + len(path)
            found.setdefault(path, Mention(path, match.start(), end))
    return list(found.values())


def mentioned(path: str) -> str:
    """The path as a mention."""
    plain = _MENTION.fullmatch(f"@{path}") and path[-1] not in _AFTER
    return f"@{path}" if plain else f'@"{path}"'


def place(path: str) -> Path:
    """Where it is: below the current directory, unless it says otherwise itself."""
    return Path(os.path.expanduser(path))


def is_file(path: str) -> bool:
    """Whether it names a file. Anything else after an @ is text: a person, a decorator. Looks at the disk."""
    try:
        return place(path).is_file()
    except (OSError, ValueError):
        return False


def looks_meant(path: str) -> bool:
    """Whether a name that is no file was perhaps meant as one, which is worth a word."""
    return "/" in path
