"""Holds what the file says against the table; every disagreement is one sentence with file, line and key."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tui.config.table import Profile, Row, Settings, rows
from tui.core.safe_text import safe_line

_SECRET = re.compile(r"authorization|cookie|api[-_]?key|token|secret|passw|credential", re.I)
_SECRET_IN_QUERY = re.compile(rf"[?&][^=&]*(?:{_SECRET.pattern}|key)[^=&]*=", re.I)
_NO_SECRETS = "put it into an environment variable and name that one"
_KEY_LIST = re.compile(r"[a-z0-9_+]+(?:,[a-z0-9_+]+)*")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KINDS = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a table",
}


class _Bad(ValueError):
    """What is wrong with one value, and what to do; the second half of a sentence."""


class Judge:
    """Reads one file's settings; `problems` are the sentences."""

    def __init__(self, file: Path, text: str) -> None:
        self._file = file
        self._lines = _places(text)
        self.problems: list[str] = []

    def settings(self, given: Mapping[str, Any]) -> Settings:
        """The settings that hold: what is wrong is left at its default."""
        named = given.get("profiles", {})
        plain = {name: value for name, value in given.items() if name != "profiles"}
        values = self._values((), plain, rows())
        return Settings(**values, profiles=self._profiles(named))

    def _profiles(self, named: Any) -> dict[str, Profile]:
        if not isinstance(named, Mapping):
            self._note(("profiles",), "must be tables such as [profiles.NAME]")
            return {}
        found = {name: self._profile(name, given) for name, given in named.items()}
        return {name: profile for name, profile in found.items() if profile}

    def _profile(self, name: str, given: Any) -> Profile | None:
        """None if anything is wrong with it: half a profile would talk to the wrong place."""
        before, path = len(self.problems), ("profiles", name)
        if not isinstance(given, Mapping):
            self._note(path, "must be a table: write [profiles.NAME] and its keys below it")
            return None
        values = self._values(path, given, rows(Profile))
        for row in rows(Profile).values():
            if row.required and row.name not in given:
                self._note(path, f"has no {row.name}; add a line {row.name} = …")
        return Profile(**values) if len(self.problems) == before else None

    def _values(
        self, path: tuple[str, ...], given: Mapping[str, Any], known: Mapping[str, Row]
    ) -> dict[str, Any]:
        values = {}
        for name, value in given.items():
            try:
                values[name] = _judged(known[name], value) if name in known else _unknown(name, known)
            except _Bad as bad:
                self._note((*path, name), str(bad))
        return values

    def _note(self, path: tuple[str, ...], what: str) -> None:
        line = next((self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines), 0)
        where = f"{self._file}, line {line}" if line else str(self._file)
        self.problems.append(f"{where}: {safe_line('.'.join(path), 80)} {what}.")


def _unknown(name: str, known: Mapping[str, Row]) -> Any:
    if _SECRET.search(name):
        raise _Bad(f"would keep a secret in this file; {_NO_SECRETS} in token_env")
    close = difflib.get_close_matches(name, known, 1)
    raise _Bad(
        f"is not a setting; did you mean {close[0]}?" if close else "is not a setting; remove the line"
    )


def _judged(row: Row, value: Any) -> Any:
    """The value as the settings hold it. Raises _Bad."""
    if row.kind is float and type(value) is int:
        value = float(value)
    kind: type = type(value)
    if kind is not row.kind:
        raise _Bad(f"must be {_KINDS[row.kind]}, not {_shown(value)}")
    if row.choices and value not in row.choices:
        raise _Bad(f"must be one of {', '.join(row.choices)}, not {_shown(value)}")
    if row.most and not row.least <= value <= row.most:
        raise _Bad(f"must be between {row.least:g} and {row.most:g}, not {_shown(value)}")
    if row.kind is dict:
        _judge_table(row.name, value)
    elif judge := _JUDGES.get(row.name):
        judge(value)
    return value


def _judge_table(name: str, value: Mapping[str, Any]) -> None:
    for key, each in value.items():
        if not isinstance(each, str):
            raise _Bad(f"must hold text in quotes; {safe_line(key, 40)} is {_shown(each)}")
        if name == "keys" and not _KEY_LIST.fullmatch(each):
            raise _Bad(f'must name keys such as "f8,ctrl+g"; {safe_line(key, 40)} is {_shown(each)}')
        if name == "headers" and _SECRET.search(key) and not each.startswith("env:"):
            raise _Bad(f'would keep a secret in this file; {_NO_SECRETS}: {safe_line(key, 40)} = "env:VAR"')


def _judge_url(value: str) -> None:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise _Bad(f"must be an address such as http://127.0.0.1:8000/agents, not {_shown(value)}")
    if "@" in parts.netloc or _SECRET_IN_QUERY.search(value):
        raise _Bad(f"would keep a secret in this file; {_NO_SECRETS} in token_env or in headers")


def _judge_proxy(value: str) -> None:
    if value:
        _judge_url(value)


def _judge_env_name(value: str) -> None:
    if value and not _ENV_NAME.fullmatch(value):
        raise _Bad(
            "must be the name of an environment variable, not the secret itself; set that and name it here"
        )


_JUDGES = {"url": _judge_url, "proxy": _judge_proxy, "token_env": _judge_env_name}


def _shown(value: Any) -> str:
    return safe_line(f'"{value}"' if isinstance(value, str) else str(value).lower(), 60)


def _places(text: str) -> dict[tuple[str, ...], int]:
    """The line of each key, by its path. The parser does not tell; this is good enough to point at it."""
    places: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"\s*\[\[?([^\]]+)\]", line):
            table = _path(header[1])
            places.setdefault(table, number)
        elif key := re.match(r"\s*([^=#\[\]{}]+?)\s*=", line):
            places.setdefault((*table, *_path(key[1])), number)
    return places


def _path(dotted: str) -> tuple[str, ...]:
    try:
        found: Any = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    path = []
    while isinstance(found, dict):
        name, found = next(iter(found.items()))
        path.append(name)
    return tuple(path)
