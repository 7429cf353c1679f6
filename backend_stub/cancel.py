"""The cancellation token: one per run, handed to the agent loop, the model's stream and every tool."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_WIND_UP_S = 0.5  # what a cut coroutine may take to clean up before it is left behind


class RunCancelled(Exception):
    """The run was aborted. Raised wherever its token is looked at."""


class LeftBehind(RunCancelled):
    """The run was aborted, and the work that was raced could not be cut: it may still be going on."""


class CancelToken:
    """Says whether a run was aborted, why and by what, and wakes whoever waits with it.

    A plain flag would be seen only between steps; everything that waits does so through the token, so that
    an abort is felt within one turn of the event loop.
    """

    def __init__(self) -> None:
        self.cancelled = False
        self.reason = ""
        self.by = ""
        self._waiting: set[asyncio.Future[None]] = set()

    def cancel(self, reason: str = "", by: str = "") -> bool:
        """Cancel; the first call wins. True when this call was the first."""
        if self.cancelled:
            return False
        self.cancelled, self.reason, self.by = True, reason, by
        self.nudge()
        return True

    def nudge(self) -> None:
        """Wake whoever sleeps, without cancelling: pauses end early."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def check(self) -> None:
        """Raise RunCancelled when the run was aborted."""
        if self.cancelled:
            raise RunCancelled

    async def sleep(self, seconds: float) -> None:
        """Wait, at most until the abort. Zero still lets others run once."""
        self.check()
        if seconds <= 0:
            await asyncio.sleep(0)
        else:
            await self.wait(lambda wake: asyncio.get_running_loop().call_later(seconds, wake).cancel)
        self.check()

    async def wait(self, subscribe: Callable[[Callable[[], None]], Callable[[], object]]) -> None:
        """Wait until woken or cancelled. `subscribe(wake)` returns what undoes the subscription."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not future.done():
                future.set_result(None)

        self._waiting.add(future)
        undo = subscribe(wake)
        try:
            if not self.cancelled:
                await future
        finally:
            undo()
            self._waiting.discard(future)

    async def race(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, or RunCancelled as soon as the run is aborted.

        The work is cancelled once and gets half a second to clean up. Work that swallows the cancel is left
        behind rather than waited for (LeftBehind): the promise is that nothing new starts, not that it ended.
        """
        task = asyncio.create_task(work)

        def on_done(wake: Callable[[], None]) -> Callable[[], object]:
            def call(_: object) -> None:
                wake()

            task.add_done_callback(call)
            return lambda: task.remove_done_callback(call)

        try:
            while not (task.done() or self.cancelled):
                await self.wait(on_done)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=_WIND_UP_S)
        if self.cancelled:
            raise LeftBehind if _left(task) else RunCancelled
        return task.result()


def _left(task: asyncio.Task[Any]) -> bool:
    if not task.done():
        return True
    return not task.cancelled() and isinstance(task.exception(), LeftBehind)


async def settle(tasks: list[Awaitable[Any]]) -> list[Any]:
    """All results, exceptions among them: no sibling is left running when one fails."""
    return list(await asyncio.gather(*tasks, return_exceptions=True))
