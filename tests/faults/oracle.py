"""What must be true after every race and every fault: no task left, no file descriptor more, no child."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

LIMIT_S = 15.0
_FDS = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"


def clean(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario to its end within its limit; fails with the tasks that it leaves behind."""

    async def whole() -> None:
        async with asyncio.timeout(LIMIT_S):
            await scenario()
        for _ in range(20):  # callbacks of what has just ended
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left over: {left}"

    asyncio.run(whole())


@contextmanager
def no_descriptor_more() -> Iterator[None]:
    """Fails if the block leaves a file or a socket open."""
    before = _open()
    yield
    if _open() - before:
        gc.collect()  # what nobody holds any more is no leak
    left = _open() - before
    assert not left, f"left open: {[_named(fd) for fd in left]}"


def _open() -> set[str]:
    found = set(os.listdir(_FDS))
    return {fd for fd in found if os.path.exists(f"{_FDS}/{fd}") or os.path.islink(f"{_FDS}/{fd}")}


def _named(fd: str) -> str:
    try:
        return f"{fd} -> {os.readlink(f'{_FDS}/{fd}')}"
    except OSError:
        return fd
