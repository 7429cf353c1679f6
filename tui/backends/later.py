"""A backend that is still being started: usable at once, it waits for the real one where it must."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from tui.backends.base import (
    AbortAnswer,
    Backend,
    BackendError,
    Capabilities,
    Prompt,
    PromptNotSent,
    RunRef,
    RunStatus,
)
from tui.core.events import Event


class Later:
    """Stands in for a backend while `start` makes it. A failed start is a prompt that was not sent.

    `assumed` is what the backend will be able to do. `problem` is the sentence of a failed start.
    """

    def __init__(self, name: str, assumed: Capabilities, start: Callable[[], Awaitable[Backend]]) -> None:
        self.name = name
        self.problem = ""
        self._assumed = assumed
        self._start = start
        self._real: Backend | None = None
        self._starting: asyncio.Task[Backend] | None = None

    @property
    def capabilities(self) -> Capabilities:
        return self._real.capabilities if self._real else self._assumed

    @property
    def ready(self) -> bool:
        return self._real is not None

    async def connect(self) -> None:
        """Start the backend, once. Raises BackendError; a later call tries again."""
        if self._starting is None:
            self._starting = asyncio.ensure_future(self._start())
        try:
            self._real = await asyncio.shield(self._starting)
            self.problem = ""
        except BackendError as error:
            self._starting, self.problem = None, str(error)
            raise

    async def run(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        try:
            real = await self._backend()
        except BackendError as error:
            raise PromptNotSent(str(error)) from error
        async with aclosing(real.run(prompt)) as events:
            async for event in events:
                yield event

    async def resume(self, run: RunRef) -> AsyncGenerator[Event, None]:
        async with aclosing((await self._backend()).resume(run)) as events:
            async for event in events:
                yield event

    async def answering(self, run: RunRef, request: str, reply: str) -> AsyncGenerator[Event, None]:
        async with aclosing((await self._backend()).answering(run, request, reply)) as events:
            async for event in events:
                yield event

    async def abort(self, run: RunRef, reason: str = "") -> AbortAnswer:
        return await (await self._backend()).abort(run, reason)

    async def status(self, run: RunRef) -> RunStatus | None:
        return await (await self._backend()).status(run)

    async def answer(self, run: RunRef, request: str, reply: str) -> None:
        await (await self._backend()).answer(run, request, reply)

    async def aclose(self) -> None:
        if self._starting and not self._starting.done():
            self._starting.cancel()
        if self._real:
            await self._real.aclose()

    async def _backend(self) -> Backend:
        if self._real is None:
            await self.connect()
        assert self._real
        return self._real
