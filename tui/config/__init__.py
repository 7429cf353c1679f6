"""The person's settings: config.toml, read and judged. Broken or missing, the client starts all the same."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tui.config.check import Judge
from tui.config.table import Profile, Row, Settings, documented, rows
from tui.core.safe_text import SafeText, safe_line

__all__ = ["Loaded", "Profile", "Row", "Settings", "config_file", "data_dir", "documented", "load", "rows"]

_LARGEST = 1 << 20
"""Bytes; a config file is a page or two."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings that hold, and for each thing wrong with the file one sentence that says what to do.

    What is wrong falls back to its default; the rest of the file counts. The screen shows the sentences, the
    command line prints them and exits 2.
    """

    settings: Settings
    problems: tuple[SafeText, ...]
    file: Path


def config_file() -> Path:
    """Where the settings are: STOPKEY_CONFIG, or config.toml where this system keeps such files."""
    if given := os.environ.get("STOPKEY_CONFIG"):
        return Path(given).expanduser()
    import platformdirs  # 30 ms, and not every command needs it

    return platformdirs.user_config_path("stopkey") / "config.toml"


def data_dir(settings: Settings) -> Path:
    """Where conversations are kept: STOPKEY_DATA, the setting `data_dir`, or the system's place for it."""
    if given := os.environ.get("STOPKEY_DATA") or settings.data_dir:
        return Path(given).expanduser()
    import platformdirs

    return platformdirs.user_data_path("stopkey")


def load(file: Path | None = None) -> Loaded:
    """Read the settings. Never raises: no file means defaults, a bad one means defaults and a sentence."""
    file = file or config_file()
    try:
        text = _read(file)
    except FileNotFoundError:
        return Loaded(Settings(), (), file)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return _defaults(
            file, f"{file} could not be read ({why}); make it a readable text file or remove it."
        )
    try:
        given = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return _defaults(file, _not_toml(file, text, str(error)))
    judge = Judge(file, text)
    settings = judge.settings(given)
    return Loaded(settings, tuple(safe_line(sentence, 1000) for sentence in judge.problems), file)


def _read(file: Path) -> str:
    with file.open("rb") as stream:
        data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError("it is larger than 1 MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None


def _not_toml(file: Path, text: str, message: str) -> str:
    """The parser's message, which ends in "(at line 3, column 5)" or "(at end of document)", told as one."""
    lines = text.rstrip().split("\n")
    found = re.fullmatch(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of .*)\)", message, re.S)
    number = min(int((found and found["line"]) or len(lines)), len(lines))
    key = re.match(r"\s*([^=\[\]{}]{1,40}?)\s*=", lines[number - 1])
    what = found["what"] if found else "it is nested too deep or a number is too long"
    where = f"{file}, line {number}: {key[1] if key else 'this'}"
    return f"{where} is not valid TOML ({what}); mend the line, until then the defaults hold."


def _defaults(file: Path, problem: str) -> Loaded:
    return Loaded(Settings(), (safe_line(problem, 1000),), file)
