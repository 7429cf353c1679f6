"""Every setting, one row a key: name, type, default, meaning. Settings, docs and errors come from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from types import MappingProxyType
from typing import Any, get_type_hints


@dataclass(frozen=True, slots=True)
class Row:
    """One key of the file. `kind` is str, bool, int, float, or dict (a table of strings)."""

    name: str
    kind: type
    default: Any
    doc: str
    choices: tuple[str, ...] = ()
    least: float = 0
    most: float = 0
    required: bool = False


def _row(default: Any, doc: str, **more: Any) -> Any:
    return field(default=default, metadata={"doc": doc, **more})


def _table(doc: str) -> Any:
    return field(default_factory=dict, metadata={"doc": doc})


@dataclass(frozen=True, slots=True)
class Profile:
    """A backend by name, under [profiles.NAME]. The fields are those of `backends.base.Target`."""

    backend: str = _row("", "protocol it speaks: ag-ui, flue, adk, contractspec …", required=True)
    url: str = _row("", "base address, http or https", required=True)
    agent: str = _row("", "agent (ADK: app) at that address")
    headers: Mapping[str, str] = _table('headers for each request; "env:VAR" as a value is read from VAR')
    token_env: str = _row("", "environment variable that holds the bearer token (never the token itself)")
    abort_url: str = _row("", "template of the abort's address: {base} {agent} {conversation_id} {run_id}")
    abort_body: str = _row("", "template of the abort's body, JSON, with the same names")
    ca_file: str = _row("", "file of certificates to trust instead of the system's")
    proxy: str = _row("", "proxy to go through (none is taken from the environment)")
    options: Mapping[str, str] = _table("what else the adapter knows, as text")


@dataclass(frozen=True, slots=True)
class Settings:
    """What config.toml can say. Times end in their unit."""

    theme: str = _row("dark", "dark, light, or the name of any theme in the palette")
    plain: bool = _row(False, "no animation and ASCII signs; states are told in words when they change")
    mouse: bool = _row(True, "clicks and the wheel")
    notifications: str = _row(
        "desktop",
        "how the end of a long run is told when the terminal has no focus",
        choices=("off", "bell", "desktop"),
    )
    esc_delay_ms: int = _row(
        0,
        "how long to wait after Esc for an escape sequence; 0: 10 ms, and 50 ms over ssh",
        least=0,
        most=1000,
    )
    stop_confirm: str = _row("off", "double: Stop must be pressed twice", choices=("off", "double"))
    queue_on_stop: str = _row(
        "hold", "what a stop does to queued prompts", choices=("hold", "send", "restore")
    )
    late: str = _row("keep", "what is written of what comes after a stop", choices=("keep", "count", "drop"))
    data_dir: str = _row("", "where conversations are kept; empty: the system's place for it")
    abort_s: float = _row(5.0, "how long an abort waits for its answer", least=0.1, most=120)
    grace_s: float = _row(1.5, "how long a stopped stream is read on for evidence", least=0, most=60)
    pending_s: float = _row(2.0, "how long a stop waits for the run to become known", least=0.1, most=120)
    quit_s: float = _row(2.0, "how long quitting waits for a stop in flight", least=0, most=60)
    look_up_s: float = _row(60.0, "how long a run is looked up after a stop", least=0, most=3600)
    keys: Mapping[str, str] = _table('keys by action, such as "run.stop" = "f8,ctrl+g"')
    profiles: Mapping[str, Profile] = field(default_factory=dict, metadata={"doc": "backends by name"})


def rows(table: type[Settings] | type[Profile] = Settings) -> Mapping[str, Row]:
    """The rows of a table by name; profiles have a table of their own."""
    kinds = get_type_hints(table)
    found = {}
    for each in fields(table):
        if each.name != "profiles":
            kind = kinds[each.name] if isinstance(kinds[each.name], type) else dict
            default = {} if each.default is MISSING else each.default
            found[each.name] = Row(each.name, kind, default, **each.metadata)
    return MappingProxyType(found)


def documented() -> str:
    """A config.toml with every key, its meaning and its default, commented out."""
    lines = ["# Settings of stopkey. Every key is optional; what stands here are the defaults.", ""]
    tables = [row for row in rows().values() if row.kind is dict]
    for row in rows().values():
        if row.kind is not dict:
            lines += [f"# {_meaning(row)}", f"# {row.name} = {_toml(row.default)}", ""]
    for row in tables:
        lines += [f"# {_meaning(row)}", f"# [{row.name}]", ""]
    lines += ["# A backend by name: stopkey chat --profile NAME", "# [profiles.NAME]"]
    lines += [f"# {row.name} = {_toml(row.default)}  # {_meaning(row)}" for row in rows(Profile).values()]
    return "\n".join(lines) + "\n"


def _meaning(row: Row) -> str:
    choices = f" ({', '.join(row.choices)})" if row.choices else ""
    limits = f" ({row.least:g} to {row.most:g})" if row.most else ""
    return row.doc + choices + limits + (" (needed)" if row.required else "")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else "{}" if isinstance(value, Mapping) else str(value)
