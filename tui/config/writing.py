"""Changing config.toml as a person would: one key, with every comment and every other line as it was."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tui.config.check import Judge
from tui.core.safe_text import SafeText, safe_line


class CannotWrite(Exception):
    """Nothing was changed; `str()` is one sentence that says why and what to do."""


def change(file: Path, path: Sequence[str], value: Any) -> None:
    """Set the key at `path` (("theme",), ("profiles", "work", "url")); None takes it out. Blocks.

    The file is read anew, so that what was changed in it meanwhile stays. Raises CannotWrite where it has a
    mistake in it already, or would have one then.
    """
    text = _read(file)
    new = changed(text, path, value, file)
    if problem := _problem(file, new):
        raise CannotWrite(problem)
    try:
        _replace(file, new)
    except OSError as error:
        raise CannotWrite(f"{file} cannot be written ({error.strerror}).") from None


def changed(text: str, path: Sequence[str], value: Any, file: Path) -> str:
    """The text of the file with one key changed. Raises CannotWrite where it is no TOML."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    if problem := _problem(file, text):
        raise CannotWrite(f"Mend the file first: {problem}")
    try:
        document = tomlkit.parse(text)
        table: Any = document
        for name in path[:-1]:
            if name not in table:
                table[name] = tomlkit.table(is_super_table=name == "profiles")
            table = table[name]
        if value is None:
            table.pop(path[-1], None)
        else:
            table[path[-1]] = value
    except (TOMLKitError, TypeError) as error:
        raise CannotWrite(f"{file} is built in a way that only its owner can change ({error}).") from None
    return tomlkit.dumps(document)


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise CannotWrite(f"{file} cannot be read ({type(error).__name__}): mend it first.") from None


def _problem(file: Path, text: str) -> SafeText | None:
    """What is wrong with such a file, in one sentence."""
    try:
        given = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return safe_line(f"{file} is not valid TOML ({error}).", 300)
    judge = Judge(file, text)
    judge.settings(given)
    return safe_line(judge.problems[0], 300) if judge.problems else None


def _replace(file: Path, text: str) -> None:
    """All of it or nothing, and for its owner only. A link stays a link."""
    target = file.resolve()
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".config-")  # 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
