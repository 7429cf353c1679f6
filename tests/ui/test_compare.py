"""Compare: the stopped partial and the answer after the resend, with the difference marked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.scenes import Hands
from tests.ui.stage import on_stage, opening, say, screen_of, until
from tui.core import events as ev
from tui.core.safe_text import safe
from tui.core.turn import Phase
from tui.ui.app import StopkeyApp
from tui.ui.compare import GONE, NEW, compare, sign, wrapped
from tui.ui.screens.compare import CompareScreen

PARTIAL = "Order 42 left the Leipzig warehouse on Tuesday. It was"
ANSWER = "Order 42 left the Kassel warehouse on Tuesday. It was lost on the way; ask for a replacement."


def test_the_same_words_are_told_from_those_that_are_gone_and_new() -> None:
    found = compare(safe(PARTIAL), safe(ANSWER))
    assert [text for text, tone in found.left if tone == GONE] == ["Leipzig"]
    assert [text for text, tone in found.right if tone == NEW] == [
        "Kassel", " lost on the way; ask for a replacement.",
    ]  # fmt: skip
    assert "".join(text for text, _ in found.left) == PARTIAL
    assert "".join(text for text, _ in found.right) == ANSWER
    assert (found.gone, found.new) == (1, 9)


def test_long_replies_are_compared_in_a_moment() -> None:
    left = "".join(f"line {n} of the first\n" for n in range(5_000))
    began = time.perf_counter()
    found = compare(safe(left), safe(left.replace("line 2500 ", "row 2500 ") + "more\n"))
    assert time.perf_counter() - began < 5
    assert [text for text, tone in found.left if tone == GONE] == ["line 2500 of the first\n"]


def test_rows_keep_to_the_width_and_say_in_a_sign_what_they_hold() -> None:
    rows = wrapped([("one two ", ""), ("three", GONE), (" 你好你好 abcdefghijkl\nend", NEW)], 8)
    texts = ["".join(text for text, _ in row) for row in rows]
    assert texts == ["one two ", "three ", "你好你好", "abcdefgh", "ijkl", "end"]
    assert [sign(row) for row in rows] == [" ", "−", "+", "+", "+", "+"]


async def played(pilot: Pilot[int], app: StopkeyApp, gate: Gate) -> None:
    """Ask, stop, resend, have the answer."""
    await say(pilot, "hi")
    await until(pilot, gate.reached.is_set)
    await pilot.press("f8")
    await until(pilot, lambda: app.pane.talk.turn is not None and app.pane.talk.turn.phase is Phase.STOPPED)
    await pilot.press("ctrl+r")
    await until(pilot, lambda: app.pane.talk.turn is not None and app.pane.talk.turn.phase is Phase.COMPLETED)


def scripted(gate: Gate) -> ScriptedBackend:
    return ScriptedBackend(
        [
            [ev.RunStarted("r"), *words(PARTIAL), gate],
            [ev.RunStarted("r2"), *words(ANSWER), ev.RunFinished()],
        ]
    )


def test_it_opens_from_the_stopped_card_and_by_word_and_says_when_there_is_nothing() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with on_stage(scripted(gate), (80, 30)) as (app, pilot):
            await pilot.press(*"/compare", "enter")
            await until(pilot, lambda: "no stopped reply with an answer" in screen_of(app))
            await played(pilot, app, gate)
            await until(pilot, lambda: "Compare" in screen_of(app))
            row = next(y for y, line in enumerate(screen_of(app).split("\n")) if "Compare" in line)
            column = screen_of(app).split("\n")[row].index("Compare")
            await pilot.click(offset=(column + 1, row))
            await until(pilot, lambda: isinstance(app.screen, CompareScreen))
            await until(pilot, lambda: "turn 1: stopped" in screen_of(app))
            assert "1 gone   9 new" in screen_of(app)
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, CompareScreen))
            await pilot.press(*"/compare", "enter")
            await until(pilot, lambda: isinstance(app.screen, CompareScreen))

    asyncio.run(scenario())


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (40, 24)], ids=["80", "140", "40"])
def test_comparing_looks_like_this(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    gate, hands = Gate(), Hands()
    opened = opening(scripted(gate))
    opened.mono, opened.wall = hands.mono, hands.wall
    app = StopkeyApp(opened, still=True)

    async def play(pilot: Pilot[int]) -> None:
        await played(pilot, app, gate)
        app.action_compare()
        await until(pilot, lambda: "turn 2: done" in screen_of(app))

    assert snap_compare(app, run_before=play, terminal_size=size)
