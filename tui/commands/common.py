"""What the commands share: exit codes, errors in one sentence, the settings, the terminal."""

from __future__ import annotations

import os
import sys
from enum import IntEnum
from pathlib import Path

import click

from tui.config import Settings, data_dir, load
from tui.core.conversation import Turn
from tui.core.turn import Outcome, Phase
from tui.store import Store


class Exit(IntEnum):
    """What `run` and `abort` exit with. Stable: others script against it."""

    COMPLETED = 0
    FAILED = 1
    USAGE = 2
    LOST = 3
    WAITING = 4
    CONFIRMED = 10
    FINISHED_FIRST = 11
    ACKNOWLEDGED = 12
    UNCONFIRMED = 13
    LOCAL_ONLY = 14
    NEVER_SENT = 15


_OUTCOMES = {outcome: Exit[outcome.name] for outcome in Outcome}
_PHASES = {
    Phase.COMPLETED: Exit.COMPLETED,
    Phase.FAILED: Exit.FAILED,
    Phase.WAITING: Exit.WAITING,
    Phase.LOST: Exit.LOST,
}


def exit_code(turn: Turn) -> Exit:
    """The exit code for how a turn ended, or for where it stands."""
    if turn.outcome:
        return _OUTCOMES[turn.outcome]
    return _PHASES.get(turn.phase, Exit.LOST)


class Trouble(click.ClickException):
    """Ends the command with one sentence on stderr and an exit code."""

    exit_code: int = Exit.USAGE  # type: ignore[misc]

    def __init__(self, sentence: str, code: Exit = Exit.USAGE) -> None:
        super().__init__(sentence)
        self.exit_code = code


def settings() -> Settings:
    """The settings, for a command without a screen: a config file with a mistake in it ends the command."""
    loaded = load()
    if loaded.problems:
        raise Trouble("\n".join(loaded.problems))
    return loaded.settings


def open_store(known: Settings, no_store: bool = False) -> Store:
    """The conversations on this machine; with `no_store` a place that leaves no trace."""
    return Store.memory() if no_store else Store.open(data_dir(known) / "conversations.db")


def need_terminal(what: str) -> None:
    """End the command, unless there is a terminal, or a page of `stopkey web`, to draw a screen on."""
    if os.environ.get("STOPKEY_WEB"):
        return
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise Trouble(f"{what} needs a terminal and there is none here; use `stopkey run` instead")
    if os.environ.get("TERM") == "dumb":
        raise Trouble(f"{what} cannot draw on this terminal (TERM is dumb); use `stopkey run` instead")


def note(sentence: str) -> None:
    """One line for the person, beside the output."""
    print(sentence, file=sys.stderr, flush=True)


def take_over_crashes() -> None:
    """From here on no exception reaches the terminal as Python would print it."""
    from tui import crash

    crash.install(_crash_folder)


def tell_of(fault: BaseException) -> None:
    """Say that the client failed, and where the details are."""
    from tui import crash

    crash.show(fault, _crash_folder())


def _crash_folder() -> Path:
    return data_dir(load().settings) / "crashes"


def child_environment() -> dict[str, str]:
    """So that a process started with -P, which keeps the current folder off the path, finds our packages."""
    paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
