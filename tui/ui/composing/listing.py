"""The files one may mean: what git knows below the current directory, else what a bounded walk finds."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

from tui.core.safe_text import safe_line
from tui.ui.composing.mentions import mentioned
from tui.ui.composing.offers import MOST, Offer
from tui.ui.composing.search import in_order

FRESH_S = 5.0
"""Seconds for which a list is good enough."""
FILES, WALK_S, GIT_S = 50_000, 1.0, 3.0
_PASSED = frozenset({"node_modules", "__pycache__", "venv", "target", "dist", "build"})


class Listing:
    """Paths below the current directory. Blocks: called in a thread, one call at a time."""

    def __init__(self) -> None:
        self._paths: list[tuple[str, str]] = []  # folded, and as it is
        self._made = 0.0

    def offers(self, typed: str) -> list[Offer]:
        """The files that fit what is typed, the likeliest first."""
        now = time.monotonic()
        if not self._made or now - self._made > FRESH_S:
            self._paths = [(path.casefold(), path) for path in _paths()]
            self._made = time.monotonic()
        return [Offer(mentioned(path), path) for path in _fitting(typed.casefold(), self._paths)]


def _fitting(low: str, paths: list[tuple[str, str]]) -> list[str]:
    """By name first, then by path, then by letters in order; within each the shortest."""
    tiers: tuple[list[str], ...] = ([], [], [], [])
    for folded, path in paths:
        name = folded.rpartition("/")[2]
        if name.startswith(low) or folded.startswith(low):
            tiers[0].append(path)
        elif low in name:
            tiers[1].append(path)
        elif low in folded:
            tiers[2].append(path)
        elif in_order(low, folded):
            tiers[3].append(path)
    return [path for tier in tiers for path in sorted(tier, key=len)][:MOST]


def _paths() -> list[str]:
    """Names that act on a terminal, or do not fit into a line, are not offered."""
    found = _of_git()
    names = found if found is not None else _walked()
    return [name for name in names if name.isascii() or safe_line(name, 400) == name][:FILES]


def _of_git() -> list[str] | None:
    """What git tracks, and what is new and not ignored. None: this is no repository, or there is no git.

    A repository may name a program that is to watch its files: it is not started.
    """
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "ls-files", "-co", "--exclude-standard", "-z"],
            capture_output=True, timeout=GIT_S, stdin=subprocess.DEVNULL, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    names = done.stdout.decode("utf-8", "replace").split("\0")
    return [name for name in dict.fromkeys(names) if name and name.isprintable()]


def _walked() -> list[str]:
    found: list[str] = []
    until = time.monotonic() + WALK_S
    for name in _walk():
        found.append(name)
        if len(found) >= FILES or time.monotonic() > until:
            break
    return found


def _walk() -> Iterator[str]:
    """Nothing hidden, nothing that is made by tools, no links; the near ones first."""
    folders = [""]
    while folders:
        folder = folders.pop(0)
        try:
            entries = sorted(os.scandir(folder or "."), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith(".") or not entry.name.isprintable():
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _PASSED:
                    folders.append(path)
            elif entry.is_file(follow_symlinks=False):
                yield path
