"""Nothing costs more because the conversation is long: costs at a large size over costs at a small one."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from statistics import median

import pytest

from tests.ui.transcript.material import KINDS, prose
from tui.core import events as ev
from tui.core.safe_text import safe
from tui.core.transcript import Transcript
from tui.ui.transcript import PlainTurn
from tui.ui.transcript.document import Document
from tui.ui.transcript.highlight import budget, engines
from tui.ui.transcript.setting import Setting
from tui.ui.transcript.viewport import Viewport

ATTEMPTS = 4


class Stream:
    """A turn that grows, laid out for a screen of 118 columns and 36 rows, without the screen."""

    def __init__(self, text: str = "", turns: int = 0) -> None:
        budget.renew(float("inf"))
        engines.get("python")
        self.document = Document(time.monotonic)
        self.document.setting = Setting(118)
        self.viewport = Viewport(self.document)
        self.viewport.height = 36
        for number in range(1, turns + 1):
            self.document.show(stored(number))
        self.transcript = Transcript()
        self.number = turns + 1
        self.document.show(PlainTurn(self.number, safe("go"), blocks=self.transcript.blocks))
        for at in range(0, len(text), 100_000):
            self.grow(text[at : at + 100_000])

    def grow(self, text: str) -> None:
        self.transcript.apply(ev.TextDelta("a", text), 0.0)
        self.document.sync(self.number)
        self.viewport.compose()


def stored(number: int) -> PlainTurn:
    transcript = Transcript()
    transcript.apply(ev.TextDelta("a", prose(400)), 0.0)
    transcript.seal(1.0)
    return PlainTurn(number, safe(f"prompt {number}"), blocks=transcript.blocks)


def cost(act: Callable[[], object], times: int = 15) -> float:
    """Median processor time of one act, in seconds."""
    found = []
    for _ in range(times):
        began = time.process_time()
        act()
        found.append(time.process_time() - began)
    return median(found)


def stays_flat(small: Callable[[], float], large: Callable[[], float], most: float) -> None:
    """`large` is at most `most` times `small`, in one of a few attempts: other work disturbs."""
    ratios = []
    for _ in range(ATTEMPTS):
        ratios.append(large() / small())
        if ratios[-1] <= most:
            return
    raise AssertionError(f"at most {most} expected, found {ratios}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_delta_costs_the_same_at_the_end_of_a_long_reply(kind: str) -> None:
    text = KINDS[kind](400_000)
    more = KINDS[kind](402_000)[-2000:]
    streams = [Stream(text[:8_000]), Stream(text)]
    pieces = [iter(more[at : at + 20] for at in range(0, 2000, 20)) for _ in streams]

    def grow(index: int) -> float:
        return cost(lambda: streams[index].grow(next(pieces[index])), times=20)

    stays_flat(lambda: grow(0), lambda: grow(1), 1.6)


def test_a_frame_costs_the_same_with_a_hundred_lines_and_a_hundred_thousand() -> None:
    short, long = Stream("line\n\n" * 50), Stream("line\n\n" * 50_000)
    stays_flat(lambda: cost(lambda: short.grow("x")), lambda: cost(lambda: long.grow("x")), 1.6)


def test_scrolling_costs_the_same_anywhere_in_a_long_conversation() -> None:
    short, long = Stream(prose(20_000)), Stream(prose(800_000), turns=2000)

    def page(stream: Stream) -> None:
        if not stream.viewport.move(-34):
            stream.viewport.follow()
        stream.viewport.compose()

    stays_flat(lambda: cost(lambda: page(short)), lambda: cost(lambda: page(long)), 2.5)


def test_a_resize_costs_what_is_on_the_screen() -> None:
    short, long = Stream(prose(20_000)), Stream(prose(800_000), turns=2000)

    def resize(stream: Stream) -> None:
        stream.document.setting = Setting(200 - stream.document.setting.width)
        stream.viewport.compose()

    stays_flat(lambda: cost(lambda: resize(short)), lambda: cost(lambda: resize(long)), 2.5)


def test_opening_ten_times_the_turns_costs_no_more_than_listing_them() -> None:
    def opening(turns: int) -> float:
        def act() -> None:
            document = Document(time.monotonic)
            document.open(range(1, turns + 1), stored)
            viewport = Viewport(document)
            viewport.compose()

        return cost(act, times=5)

    stays_flat(lambda: opening(2_000), lambda: opening(20_000), 8)
    assert opening(20_000) < 0.15


def test_a_turn_of_many_blocks_costs_no_more_per_frame() -> None:
    def with_blocks(count: int) -> Stream:
        stream = Stream()
        for number in range(count):
            stream.transcript.apply(ev.ToolStarted(f"c{number}", "tool", "{}"), 0.0)
            stream.transcript.apply(ev.ToolFinished(f"c{number}", "ok"), 1.0)
        stream.grow("text")
        return stream

    few, many = with_blocks(100), with_blocks(3000)
    stays_flat(lambda: cost(lambda: few.grow("x")), lambda: cost(lambda: many.grow("x")), 2.0)


@pytest.mark.parametrize("kind", ["prose", "list"])
def test_memory_stays_below_four_times_the_text(kind: str) -> None:
    text = KINDS[kind](800_000)
    engines.get("python")
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    stream = Stream()
    for at in range(0, len(text), 5_000):
        for delta in range(at, min(at + 5_000, len(text)), 50):
            stream.transcript.apply(ev.TextDelta("a", text[delta : delta + 50]), 0.0)
        budget.renew(1600)
        stream.document.sync(stream.number)
        if at % 100_000 == 0:
            stream.viewport.compose()
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert used < 4 * len(text)
