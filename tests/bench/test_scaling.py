"""Scaling, as tests: what ten times as much costs over what it costs once, in one run; generous bounds."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.bench.size import LONG, delta_cost, frame_cost, opening_cost
from tests.ui.transcript.material import KINDS
from tui.backends.sse import Decoder, read
from tui.core import events as ev
from tui.core.conversation import Conversation
from tui.core.events import Record

MOST = 3.0
"""Times the cost, for ten times the size: what is linear takes ten."""


@pytest.mark.parametrize("kind", LONG.values())
def test_one_more_delta_costs_the_same_in_a_reply_ten_times_as_long(kind: str) -> None:
    assert delta_cost(KINDS[kind](300_000)) < MOST * delta_cost(KINDS[kind](30_000))


def test_a_frame_costs_the_same_under_ten_times_as_many_lines() -> None:
    assert frame_cost(20_000) < MOST * frame_cost(2_000)


def test_opening_ten_times_as_many_turns_lays_out_no_more_of_them() -> None:
    assert opening_cost(20_000) < 2 * MOST * opening_cost(2_000)


def test_a_record_costs_the_same_in_a_conversation_ten_times_as_long() -> None:
    conversation = Conversation("c")
    conversation.apply(Record(1, 1, 0.0, 0.0, ev.Prompted("go", "k", "r")))
    small = _applied(conversation, 2_000)
    _applied(conversation, 20_000)
    assert _applied(conversation, 2_000) < MOST * small


def _applied(conversation: Conversation, count: int) -> float:
    """The quickest of five times `count` deltas."""
    took = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(count):
            number = conversation.number + 1
            conversation.apply(Record(number, 1, 0.0, 0.0, ev.TextDelta("a", "word ")))
        took.append(time.process_time() - began)
    return min(took)


def test_a_burst_ten_times_as_large_holds_the_loop_no_longer() -> None:
    async def longest(events: int) -> float:
        """Seconds of processor for which another task had to wait while one chunk of so many events came."""
        waits: list[float] = []

        async def other() -> None:
            while True:
                began = time.process_time()
                await asyncio.sleep(0)
                waits.append(time.process_time() - began)

        async def chunks():  # type: ignore[no-untyped-def]
            yield b'data: {"type":"x"}\n\n' * events

        waiting = asyncio.create_task(other())
        async for _ in read(chunks(), Decoder()):
            sum(range(100))  # what an event costs further on
        waiting.cancel()
        return sorted([0.0, 0.0, *waits])[-2]  # a quick machine reads the small burst in one slice

    async def scenario() -> None:
        small, large = await longest(10_000), await longest(100_000)
        assert large < MOST * max(small, 0.004)

    asyncio.run(scenario())
