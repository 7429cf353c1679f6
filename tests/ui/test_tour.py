"""The tour: every step reaches what it says, the person can take the keys, and Stop is always Stop."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.fakes import Gate, ScriptedBackend, Step, words
from tests.ui.stage import QUICK, opening, screen_of, until
from tui.backends.base import AbortAnswer, Capabilities, RemoteStop
from tui.config import Settings
from tui.core import events as ev
from tui.core.events import Answer, End
from tui.core.turn import Outcome, Phase
from tui.desk import Desk
from tui.embedded import EmbeddedBackend
from tui.store import Store
from tui.ui.tour import caption as captions
from tui.ui.tour.app import TourApp
from tui.ui.tour.guide import Mode
from tui.ui.tour.steps import STEPS

NAMES = [step.name for step in STEPS]
ABLE = Capabilities(RemoteStop.ABORT, client_run_id=True, status=True)


def played(test: Callable[..., Any]) -> Callable[..., None]:
    """Runs a test in a loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **named: Any) -> None:
        asyncio.run(test(*args, **named))

    return run


async def at_once(seconds: float) -> None:
    """The clock of a test: no reading, no typing time."""
    await asyncio.sleep(0)


class Held:
    """A clock that stands until it is let go: the guide reads on and on."""

    def __init__(self) -> None:
        self.free = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        await self.free.wait()
        await asyncio.sleep(0)


def a_reply(*after: Step) -> list[Step]:
    return [ev.RunStarted("r"), *words("word " * 200), Gate(), *after, ev.RunFinished(End.CANCELLED)]


@asynccontextmanager
async def on_tour(
    step: str = "stop", backend: ScriptedBackend | None = None, clock: Any = at_once, **options: Any
) -> AsyncIterator[tuple[TourApp, Pilot[int]]]:
    """The tour from this step on, on a scripted backend."""
    backend = backend or ScriptedBackend([a_reply(), a_reply(), a_reply()], capabilities=ABLE)
    app = TourApp(
        opening(backend, clocks=QUICK),
        guide_options={"first": NAMES.index(step), "sleep": clock},
        still=True,
        **options,
    )
    async with asyncio.timeout(20), app.run_test() as pilot:
        yield app, pilot
        await app.guide.close()
        await app.pane.talk.leave()


async def whole_tour(size: tuple[int, int], plain: bool) -> tuple[TourApp, list[tuple[str, str]]]:
    """Plays all of it on the embedded backend; the app afterwards, and every (text, key) that was shown."""
    store = Store.memory()
    desk = Desk(Settings(), store, None, None)
    desk.embedded = EmbeddedBackend(None, speed=6.0)
    app = TourApp(desk.fresh(), guide_options={"sleep": at_once}, desk=desk, still=True, plain=plain)
    shown: list[tuple[str, str]] = []
    try:
        async with asyncio.timeout(60), app.run_test(size=size) as pilot:
            over = asyncio.Event()
            app.guide.on_over = over.set
            tell = app.caption_changed

            def told() -> None:
                shown.append((app.guide.text, app.guide.key))
                tell()

            app.caption_changed = told  # type: ignore[method-assign]
            await over.wait()
            await pilot.pause()
            await app.guide.close()
            await app.pane.talk.leave()
    finally:
        desk.embedded.close()
        store.close()
    return app, shown


@pytest.mark.parametrize(("size", "plain"), [((80, 24), False), ((40, 20), True)])
def test_the_whole_tour_reaches_what_it_says(size: tuple[int, int], plain: bool) -> None:
    app, shown = asyncio.run(whole_tour(size, plain))
    assert app.fault is None and app.guide.surprises == []
    turns = app.pane.talk.session.conversation.turns
    ends = [(turn.outcome or turn.phase) for turn in turns]
    assert ends[:3] == [Outcome.CONFIRMED, Phase.COMPLETED, Outcome.CONFIRMED]
    assert [tool.name for tool in turns[2].open_tools()] == ["send_letter"]
    assert turns[3].stop and turns[3].stop.answer and turns[3].stop.answer.answer is Answer.ACKNOWLEDGED
    assert app.guide.seen >= {Outcome.CONFIRMED, Outcome.UNCONFIRMED}
    assert {key for _, key in shown} >= {"enter", "escape", "f2", "up", "f8"}
    for text, key in shown:
        width = size[0] - (len(key) + 6 if key else 2)
        rows = captions.ROWS if size[0] >= captions.NARROW else captions.ROWS_NARROW
        assert len(captions.wrap(text, width)) < rows, text


@played
async def test_space_holds_the_tour_and_lets_it_go_on() -> None:
    clock = Held()
    async with on_tour(clock=clock) as (app, pilot):
        await pilot.press("space")
        assert app.guide.mode is Mode.PAUSED and "paused" in screen_of(app)
        clock.free.set()
        await pilot.pause()
        assert app.guide.turns == 0 and app.pane.box.text == ""
        await pilot.press("space")
        await until(pilot, lambda: app.guide.turns > 0)


@played
async def test_any_other_key_is_the_persons_and_takes_the_keys_until_they_are_given_back() -> None:
    clock = Held()
    async with on_tour(clock=clock) as (app, pilot):
        await pilot.press("x")
        assert app.guide.mode is Mode.HANDS and app.pane.box.text == "x"
        assert "you have the keys" in screen_of(app)
        clock.free.set()
        await pilot.press("left")
        assert app.guide.mode is Mode.HANDS, "in a text the arrows move the cursor"
        await pilot.press("right", "right")
        assert app.guide.mode is Mode.PLAYING
        await until(pilot, lambda: app.guide.seen == {Outcome.CONFIRMED} or app.guide.surprises != [])


@played
async def test_by_hand_the_tour_names_the_key_and_waits_until_it_has_really_happened() -> None:
    async with on_tour() as (app, pilot):
        await pilot.press("h")
        await until(pilot, lambda: app.guide.key == "enter")
        app.pane.box.put("my own words")
        await pilot.press("enter")
        await until(pilot, lambda: app.guide.key == "escape" and not app.guide.down)
        for _ in range(5):
            await pilot.pause()
        assert app.guide.running and app.guide.step.name == "stop", "nobody pressed it"
        await pilot.press("escape")
        assert not app.guide.running
        backend: Any = app.pane.talk.session.backend
        await until(pilot, lambda: len(backend.aborts) == 1)
        await until(pilot, lambda: app.guide.step.name != "stop")


@played
async def test_by_hand_one_may_be_ahead_of_the_text_that_asks_for_it() -> None:
    clock = Held()
    async with on_tour("stream", clock=clock) as (app, pilot):
        await pilot.press("h")
        app.pane.box.put("before it was asked for")
        await pilot.press("enter")
        await until(pilot, lambda: app.guide.chars > 0)
        clock.free.set()
        await until(pilot, lambda: app.guide.key == "escape")
        assert app.guide.turns == 1 and "press  Esc" in screen_of(app)


@pytest.mark.parametrize("key", ["escape", "f8", "ctrl+c"])
@played
async def test_a_stop_key_is_stop_whoever_has_the_keys(key: str) -> None:
    clock = Held()
    async with on_tour("stream", clock=clock) as (app, pilot):
        app.pane.talk.submit("go")
        await until(pilot, lambda: app.guide.chars > 0)
        await pilot.press(key)
        assert not app.guide.running and app.guide.mode is Mode.HANDS


@played
async def test_what_goes_otherwise_is_said() -> None:
    backend = ScriptedBackend(
        [a_reply()], capabilities=ABLE, answers=[AbortAnswer(Answer.REFUSED, "No.", 503)], statuses=[None]
    )
    async with on_tour(backend=backend) as (app, pilot):
        clock = Held()
        app.guide._sleep = clock
        await pilot.press("h")
        app.pane.box.put("go")
        await pilot.press("enter")
        await until(pilot, lambda: app.guide.key == "escape")
        await pilot.press("escape")
        await until(pilot, lambda: app.guide.surprises != [])
        await pilot.pause()
        assert "Not as planned: it ended as “not confirmed”" in screen_of(app)


@played
async def test_it_connects_once_as_the_client_does() -> None:
    connected: list[str] = []

    class Counted(ScriptedBackend):
        async def connect(self) -> None:
            connected.append("once")

    async with on_tour(backend=Counted([a_reply()], capabilities=ABLE), clock=Held()) as (_, pilot):
        await pilot.pause()
    assert connected == ["once"]


@played
async def test_arrows_go_by_steps_and_stop_at_the_ends() -> None:
    async with on_tour("stream", clock=Held()) as (app, pilot):
        await pilot.press("left")
        assert app.guide.step.name == "stream"
        for name in NAMES[1:]:
            await pilot.press("right")
            assert app.guide.step.name == name
        await pilot.press("right")
        assert app.guide.step.name == NAMES[-1]
        await until(pilot, lambda: app.guide.modal)
        assert "stopkey chat --backend flue" in screen_of(app) and "8/8" in screen_of(app)


@played
async def test_what_was_half_typed_does_not_go_into_the_next_step() -> None:
    clock = Held()
    clock.free.set()
    async with on_tour("lie", clock=clock) as (app, pilot):
        await until(pilot, lambda: 3 < len(app.pane.box.text) < 30)
        clock.free.clear()
        await pilot.press("right")
        await until(pilot, lambda: app.guide.step.name == "outcomes" and app.guide.modal)
        assert app.pane.box.text == ""


@played
async def test_quitting_asks_as_ever() -> None:
    async with on_tour(clock=Held()) as (app, pilot):
        app.pane.talk.submit("go")
        await until(pilot, lambda: app.guide.chars > 0)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: "Stop it and quit" in screen_of(app))
