"""A scripted backend behind the real app, for Pilot tests and for pictures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.fakes import ScriptedBackend, Step
from tui.core.conversation import Conversation
from tui.session import Clocks, Forgetful, Opening
from tui.ui.app import StopkeyApp
from tui.ui.switching import DeskLike

QUICK = Clocks(abort=0.5, grace=0.05, pending=0.1, quit=0.2, look_up=0.02, poll=0.005, reattach=(0.001,))


def opening(backend: ScriptedBackend, *, clocks: Clocks = QUICK, embedded: bool = False) -> Opening:
    return Opening(
        backend,
        Conversation("3f2a91c0ffee"),
        Forgetful(),
        "orders @ 127.0.0.1:3583",
        embedded=embedded,
        come_back="stopkey open 3f2a91c0ffee",
        clocks=clocks,
    )


@asynccontextmanager
async def on_stage(
    backend: ScriptedBackend,
    size: tuple[int, int] = (80, 24),
    *,
    clocks: Clocks = QUICK,
    double: bool = False,
    desk: DeskLike | None = None,
    embedded: bool = False,
    opened: Opening | None = None,
) -> AsyncIterator[tuple[StopkeyApp, Pilot[int]]]:
    """The app on this backend, at this size; closed with nothing left running."""
    made = opened or opening(backend, clocks=clocks, embedded=embedded)
    app = StopkeyApp(made, still=True, double=double, desk=desk)
    async with asyncio.timeout(20), app.run_test(size=size) as pilot:
        yield app, pilot
        for pane in app.tabs.panes:
            await pane.talk.leave()


async def say(pilot: Pilot[int], text: str) -> None:
    """Put a text into the box at once (typing it key by key costs 50 ms a key) and press Enter."""
    pilot.app.pane.box.put(text)  # type: ignore[attr-defined]
    await pilot.press("enter")


async def until(pilot: Pilot[int], seen: Callable[[], bool]) -> None:
    """Let the app work until something is so; fails with the screen."""
    for _ in range(500):
        if seen():
            return
        await pilot.pause(0.005)
    raise AssertionError("never happened; the screen:\n" + screen_of(pilot.app))


def screen_of(app: object) -> str:
    """What the screen shows, line by line."""
    strips = app.screen._compositor.render_strips()  # type: ignore[attr-defined]
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def script(*steps: Step) -> list[Sequence[Step]]:
    return [list(steps)]
