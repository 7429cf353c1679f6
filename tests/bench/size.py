"""What growth costs: the same step in something small and in something large, one after the other.

The widget is driven without a terminal: what is timed is taking in,
laying out, and making the strips of all rows that changed.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.keys import send, target
from tests.bench.screen import Watched
from tests.bench.server import Served
from tests.ui.transcript.material import KINDS
from tests.ui.transcript.stage import HEAD, Stage, Talk
from tui.core import events as ev
from tui.core.safe_text import SafeText
from tui.core.transcript import TextBlock
from tui.ui.transcript import PlainTurn

DELTA = " word"
SIZES = (10_000, 100_000, 1_000_000)
LONG = {"prose": "prose", "a fence": "code", "a list": "list", "one paragraph": "paragraph"}


def drawn(stage: Stage, step: Callable[[], None]) -> float:
    """Seconds of processor that one step and its drawing take."""
    began = time.process_time()
    step()
    stage.view.draw_now()
    for y in range(stage.view.size.height):
        stage.view.render_line(y)
    return time.process_time() - began


def least(stage: Stage, step: Callable[[], None], times: int = 40) -> float:
    """The cost of a step without the noise of the machine: the quickest third's largest."""
    return sorted(drawn(stage, step) for _ in range(times))[times // 3]


async def on_stage(play: Callable[[Stage], float]) -> float:
    stage = Stage()
    async with stage.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        return play(stage)


def delta_cost(source: str) -> float:
    """Seconds for one more delta in a reply that is this long already."""

    def play(stage: Stage) -> float:
        talk = Talk(stage.view)
        talk.say(source)
        while stage.view.document.behind:
            stage.view.draw_now()

        def grow() -> None:
            talk.transcript.apply(ev.TextDelta("a", DELTA), 1.0)
            stage.view.touch(1)

        return least(stage, grow)

    return asyncio.run(on_stage(play))


def frame_cost(lines: int) -> float:
    """Seconds for one more delta in a conversation with so many lines above, in turns of 100."""

    def play(stage: Stage) -> float:
        stage.view.open(range(1, lines // 100 + 1), short_turn)
        talk = Talk(stage.view, lines // 100 + 1)

        def grow() -> None:
            talk.transcript.apply(ev.TextDelta("a", DELTA), 1.0)
            stage.view.touch(talk.item.turn)

        return least(stage, grow)

    return asyncio.run(on_stage(play))


def short_turn(number: int) -> PlainTurn:
    block = TextBlock("a")
    block.content.append("\n\n".join(f"line {n} of turn {number}" for n in range(50)))
    block.content.seal()
    block.sealed = True
    return PlainTurn(number, SafeText("prompt"), HEAD, HEAD, [block])


def opening_cost(turns: int) -> float:
    """Seconds until a stored conversation of so many turns is drawn at its end."""

    def play(stage: Stage) -> float:
        return drawn(stage, lambda: stage.view.open(range(1, turns + 1), short_turn))

    return asyncio.run(on_stage(play))


@dataclass
class Moved:
    """Milliseconds to pixels in the real program, with a long transcript."""

    resize: float
    scroll: float
    memory: float
    source_mb: float


def moves(served: Served, words: int) -> Moved:
    """Let a long reply come in whole, then resize and scroll."""
    asked = ["chat", *target(served.url(0, words))]
    with tempfile.TemporaryDirectory() as home, Watched(*asked, home=Path(home)) as screen:
        screen.until_bytes(b"Send")
        screen.until_quiet()
        send(screen)
        screen.until(lambda: f"w{words - 1:07}".encode() in screen.raw[-20_000:], 60)
        screen.until_quiet(0.3)
        memory = screen.memory_mb()
        resize = max(_until_drawn(screen, lambda n=n: screen.resize(40, 110 + n)) for n in range(5))
        scroll = max(_until_drawn(screen, lambda: screen.press("\x1b[5~")) for _ in range(5))
        return Moved(resize, scroll, memory, words * 9 / 1e6)


def _until_drawn(screen: Watched, do: Callable[[], None]) -> float:
    """Milliseconds from doing something to the last of the bytes that it brings."""
    began = time.monotonic_ns()
    do()
    screen.until(lambda: screen.last > began, 2.0)
    screen.until_quiet(0.1)
    return (screen.last - began) / 1e6


def curve(
    kinds: Sequence[str] = tuple(LONG.values()), sizes: Sequence[int] = SIZES
) -> dict[str, list[float]]:
    """Milliseconds a delta, by kind and size: what the plot shows."""
    return {kind: [1000 * delta_cost(KINDS[kind](size)) for size in sizes] for kind in kinds}
