"""The guide: plays the steps of the tour one after another, and says so where one goes otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.ui.tour.hands import Hands, Mode, Otherwise

if TYPE_CHECKING:
    from tui.ui.tour.app import TourApp

__all__ = ["Guide", "Mode", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the tour: its name on the command line, its title, and what it does."""

    name: str
    title: str
    play: Callable[[Guide], Awaitable[None]]


class Guide(Hands):
    """Plays `steps` from `first` on. `pace` goes to `Hands`."""

    def __init__(self, app: TourApp, steps: Sequence[Step], *, first: int = 0, **pace: Any) -> None:
        super().__init__(app, **pace)
        self.steps = steps
        self.at = first
        self.surprises: list[str] = []  # everything in this tour that went otherwise
        self.on_moment: Callable[[], None] = lambda: None  # what the tour is about has just been seen
        self.on_over: Callable[[], None] = lambda: None
        self._task: asyncio.Task[None] | None = None

    @property
    def step(self) -> Step:
        return self.steps[self.at]

    def start(self) -> None:
        """Play from the current step on."""
        if self._task:
            self._task.cancel()
            self.app.forget_keys()
        self._task = asyncio.get_running_loop().create_task(self._play())

    def go(self, by: int) -> None:
        """To another step; the one under way is left as it is."""
        self.at = min(max(self.at + by, 0), len(self.steps) - 1)
        if self.mode in (Mode.OVER, Mode.HANDS):
            self.mode = Mode.PLAYING
        self.start()

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _play(self) -> None:
        try:
            while True:
                self.show("")
                await self.clear()
                await self._one()
                if self.at + 1 == len(self.steps):
                    break
                self.at += 1
            self.turn_to(Mode.OVER)
            self.on_over()
        except asyncio.CancelledError:
            raise
        except Exception as fault:
            self.app._handle_exception(fault)

    async def _one(self) -> None:
        self._answered = self.turns
        try:
            await self.step.play(self)
        except Otherwise as why:
            await self.expect(False, "", str(why))

    async def expect(self, so: bool, text: str, otherwise: str) -> None:
        """Say what happened: as the tour says, or that it went otherwise."""
        if so:
            await self.say(text)
            if self.step.name == "stop":
                self.on_moment()
            return
        self.surprises.append(f"{self.step.name}: {otherwise}")
        await self.say(f"Not as planned: {otherwise}", surprised=True)
