"""What `stopkey doctor` looks at. Each check gives findings: what is well, to be known, or wrong."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui import __version__
from tui.backends.base import BackendError, RemoteStop
from tui.config import Profile
from tui.core.safe_text import SafeText, safe_line

if TYPE_CHECKING:
    from tui.backends.base import Capabilities

OK, NOTE, WRONG = "ok", "note", "wrong"
PARTS = ("textual", "rich", "httpx", "httpx-sse", "starlette", "uvicorn")
CONNECT_S = 5.0
"""Seconds a backend has to take a connection."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `level` is OK, NOTE or WRONG; `what` it is about, and what was found."""

    level: str
    what: str
    found: SafeText


def _finding(level: str, what: str, found: str) -> Finding:
    return Finding(level, what, safe_line(found, 300))


def versions() -> Iterator[Finding]:
    """The client, Python, and what both stand on."""
    yield _finding(OK, "stopkey", __version__)
    yield _finding(OK, "python", f"{platform.python_version()} on {platform.system()} {platform.release()}")
    for part in PARTS:
        try:
            yield _finding(OK, part, version(part))
        except PackageNotFoundError:
            yield _finding(WRONG, part, "is not installed: install stopkey again")


# --- the terminal -----------------------------------------------------------------------------------------


def terminal(environ: Mapping[str, str], tty: bool) -> Iterator[Finding]:
    """What it is, how large, how many colours, and what is known of its keys."""
    name = environ.get("TERM", "")
    program = environ.get("TERM_PROGRAM", "") or ("Windows Terminal" if environ.get("WT_SESSION") else "")
    if not tty:
        yield _finding(NOTE, "terminal", "this is none; the chat needs one, `stopkey run` does not")
    elif name in ("", "dumb"):
        yield _finding(WRONG, "TERM", f"is {name or 'not set'}: nothing can be drawn; use `stopkey run`")
    else:
        yield _finding(OK, "TERM", f"{name} {program}".strip())
    size = shutil.get_terminal_size()
    fits = size.columns >= 40 and size.lines >= 10
    need = "" if fits else "; the screen needs 40x10"
    yield _finding(OK if fits else NOTE, "size", f"{size.columns}x{size.lines}{need}")
    yield _finding(OK, "colours", _colours(environ, name))
    encoding = (sys.stdout.encoding or "").lower()
    if "utf" not in encoding:
        yield _finding(
            NOTE, "encoding", f"{encoding or 'unknown'}: use --plain, or set LANG to a UTF-8 locale"
        )
    yield from keys(environ, program)


def _colours(environ: Mapping[str, str], name: str) -> str:
    if environ.get("NO_COLOR"):
        return "none: NO_COLOR is set"
    if environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "16 million"
    return "256" if "256" in name else "16; states are told in words, not only in colours"


def keys(environ: Mapping[str, str], program: str) -> Iterator[Finding]:
    """What the way to this terminal does to the Stop keys. F8 is one sequence everywhere, Esc is not."""
    remote = bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
    if remote:
        yield _finding(
            NOTE, "ssh", "a lone Esc waits 50 ms here for the rest of a sequence; F8 does not wait"
        )
    if given := environ.get("ESCDELAY"):
        yield _finding(
            NOTE, "ESCDELAY", f"{given} ms are waited after Esc; esc_delay_ms in config.toml goes first"
        )
    if environ.get("TMUX"):
        yield _tmux()
        yield _finding(NOTE, "copying", "through tmux it needs `set -s set-clipboard on`")
    elif environ.get("STY"):
        yield _finding(NOTE, "screen", "holds Esc back for up to 300 ms: `maptimeout 10`, or press F8")
    if program == "vscode":
        yield _finding(NOTE, "VS Code", "takes F1, F3 and ^P for itself unless sendKeybindingsToShell is on")
    elif program == "Apple_Terminal":
        yield _finding(NOTE, "Terminal.app", "has no OSC 52: copy with the mouse; F keys may need fn")
    if not remote and not environ.get("TMUX"):
        yield _finding(OK, "Esc", "a lone Esc is taken after 10 ms")


def _tmux() -> Finding:
    try:
        asked = subprocess.run(
            ["tmux", "show-options", "-sv", "escape-time"],
            capture_output=True, text=True, timeout=2, check=True,
        )  # fmt: skip
        delay = int(asked.stdout.strip())
    except (OSError, ValueError, subprocess.SubprocessError):
        return _finding(
            NOTE, "tmux", "may hold Esc back for up to 500 ms: `set -s escape-time 10`, or press F8"
        )
    if delay <= 50:
        return _finding(OK, "tmux", f"holds Esc back for {delay} ms")
    return _finding(NOTE, "tmux", f"holds Esc back for {delay} ms: `set -s escape-time 10`, or press F8")


# --- files ------------------------------------------------------------------------------------------------


def paths(config: Path, problems: tuple[SafeText, ...], data: Path) -> Iterator[Finding]:
    """The settings and the data: there, private, writable."""
    there = "" if config.exists() else " (not there: the defaults hold)"
    yield _finding(OK, "settings", f"{config}{there}")
    yield from (_finding(WRONG, "settings", problem) for problem in problems)
    if not data.exists():
        yield _finding(OK, "data", f"{data} (not there yet; it is made with the first conversation)")
        return
    yield _private(data, 0o700)
    for file in sorted(data.glob("conversations.db")):
        yield _private(file, 0o600)
    free = shutil.disk_usage(data).free
    level = OK if free > 100_000_000 else WRONG
    yield _finding(level, "disk", f"{free / 1e9:,.1f} GB free where the data is")


def _private(path: Path, wanted: int) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    size = f", {path.stat().st_size / 1e6:,.1f} MB" if path.is_file() else ""
    if mode & ~wanted:
        return _finding(WRONG, "data", f"{path} can be read by others ({mode:o}): chmod {wanted:o} it")
    if not os.access(path, os.W_OK):
        return _finding(WRONG, "data", f"{path} cannot be written: nothing would be kept")
    return _finding(OK, "data", f"{path}{size}")


# --- backends ---------------------------------------------------------------------------------------------


async def profile(name: str, given: Profile) -> Finding:
    """Whether the profile's backend takes a connection, and what its Stop can do. Posts nothing."""
    can, sentence = await tried(given)
    found = f"{given.backend}, connected; {able(can)}" if can else sentence
    return _finding(OK if can else WRONG, f"profile {safe_line(name, 40)}", found)


async def tried(given: Profile) -> tuple[Capabilities | None, str]:
    """What the backend can do, or None and one sentence why it cannot be reached."""
    from tui.backends.registry import make
    from tui.reach import of_profile

    try:
        backend = make(of_profile(given))
    except BackendError as error:
        return None, str(error)
    try:
        async with asyncio.timeout(CONNECT_S):
            if not given.proxy:
                await _touch(given.url)
            await backend.connect()
    except TimeoutError:
        return None, f"takes no connection within {CONNECT_S:g} s: is it running?"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return None, f"takes no connection ({reason}): start it, or mend its url"
    except BackendError as error:
        return None, str(error)
    else:
        return backend.capabilities, ""
    finally:
        await backend.aclose()


async def _touch(url: str) -> None:
    """Open a connection and close it."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    _, writer = await asyncio.open_connection(parts.hostname, port)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def able(can: Capabilities) -> str:
    """What Stop means there, in words."""
    if can.remote_stop is RemoteStop.NONE:
        return "it has no abort: Stop only closes our connection"
    how = "Stop aborts the run" if can.remote_stop is RemoteStop.ABORT else "Stop closes, which ends the run"
    proof = "its end can be looked up" if can.status else "its end shows only on the stream"
    return f"{how}; {proof}"
