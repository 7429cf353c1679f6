"""`stopkey doctor`: versions, terminal, keys, paths, and whether each profile's backend can be reached."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable

import click

from tui import doctor
from tui.commands.common import Exit, open_store
from tui.config import Settings, data_dir, load
from tui.core.safe_text import safe_line
from tui.doctor import NOTE, OK, WRONG, Finding
from tui.store import StoreError

_MARKS = {OK: "ok   ", NOTE: "note ", WRONG: "WRONG"}


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Connect to nothing.")
def doctor_command(offline: bool) -> int:
    """Look at what stopkey runs on. Exit code 1 if something is wrong.

    Shows no secrets; the output can be pasted into a report. Nothing is posted to any backend.
    """
    loaded = load()
    data = data_dir(loaded.settings)
    found = [*doctor.versions(), *doctor.terminal(os.environ, _is_terminal())]
    found += doctor.paths(loaded.file, loaded.problems, data)
    if (data / "conversations.db").exists():
        found.append(_store(loaded.settings))
    if not offline:
        found += asyncio.run(_profiles(loaded.settings))
    _print(found)
    wrong = sum(finding.level == WRONG for finding in found)
    print(f"\n{wrong} wrong." if wrong else "\nNothing is wrong.")
    return Exit.FAILED if wrong else Exit.COMPLETED


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _print(found: Iterable[Finding]) -> None:
    for finding in found:
        print(f"{_MARKS[finding.level]}  {finding.what:<14}  {finding.found}")


def _store(settings: Settings) -> Finding:
    """Whether the conversations can be opened."""
    store = open_store(settings)
    try:
        store.opened()
        if store.problem:
            return Finding(WRONG, "store", safe_line(store.problem, 300))
        count, stops = len(store.list(100_000)), len(store.stops())
        return Finding(OK, "store", safe_line(f"{count:,} conversations, {stops:,} stops"))
    except StoreError as error:
        return Finding(WRONG, "store", safe_line(str(error), 300))
    finally:
        store.close()


async def _profiles(settings: Settings) -> list[Finding]:
    return await asyncio.gather(*(doctor.profile(name, given) for name, given in settings.profiles.items()))
