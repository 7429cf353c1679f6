"""Scenes of the screens around a conversation: events, statistics, compare, replay, the tour. Pictures only.

Their looks are pinned beside their own tests; here they stand for screenshots/.
"""

from __future__ import annotations

import asyncio

from tests.fakes import Gate, ScriptedBackend, Step, words
from tests.ui import scenes as at
from tests.ui.scenes import Scene, Stage
from tests.ui.stage import opening, screen_of, until
from tui.core import events as ev
from tui.core.events import End
from tui.core.turn import Outcome, Phase
from tui.session import Opening
from tui.session.player import Player
from tui.ui.tour.app import TourApp
from tui.ui.tour.guide import Mode
from tui.ui.tour.sheets import OutcomesSheet


async def _events(stage: Stage) -> None:
    await at._confirmed(stage)
    await stage.pilot.press("f2")
    await until(stage.pilot, lambda: "pressed → text frozen" in screen_of(stage.app))


async def _axis(stage: Stage) -> None:
    await _events(stage)
    await stage.pilot.press("w")
    await stage.pilot.pause()


async def _statistics(stage: Stage) -> None:
    await at._confirmed(stage)
    await stage.pilot.press("f3")
    await until(stage.pilot, lambda: "confirmed" in screen_of(stage.app))


async def _tabs(stage: Stage) -> None:
    await at._until_text(stage)
    other = opening(ScriptedBackend([[ev.RunStarted("r"), *words("It is in **Kassel**."), ev.RunFinished()]]))
    other.mono, other.wall = stage.hands.mono, stage.hands.wall
    pane = stage.app.tabs.open(other)
    await until(stage.pilot, lambda: stage.app.focused is pane.box)
    await stage.say("Where is order 41?")
    await stage.phase(Phase.COMPLETED)


async def _guided(stage: Stage) -> TourApp:
    """The tour with a guide that has stopped, and whose text and key are set by hand."""
    app = stage.app
    assert isinstance(app, TourApp)
    await stage.pilot.pause()
    await app.guide.close()
    await at._until_text(stage)
    app.guide.turn_to(Mode.PLAYING)
    return app


async def _tour(stage: Stage) -> None:
    app = await _guided(stage)
    app.guide.show(
        "Esc freezes the text in that instant. Only then is the backend asked, and its end looked for."
    )
    app.guide.cap("escape", down=True)
    app.press("escape")
    await stage.phase(Phase.READING_ON)
    stage.hands.move(0.42)
    stage.gates[4].open()
    await stage.phase(Phase.STOPPED)


async def _outcomes(stage: Stage) -> None:
    app = await _guided(stage)
    app.guide.at = 6
    app.guide.seen = {Outcome.CONFIRMED, Outcome.UNCONFIRMED}
    app.guide.show("A stop can end in six ways; only the first is called “stopped”.")
    await app.push_screen(OutcomesSheet(app.pane, app.guide))


async def _compare(stage: Stage) -> None:
    await at._confirmed(stage)
    await stage.pilot.press("ctrl+r")
    await stage.phase(Phase.COMPLETED)
    stage.app.action_compare()
    await until(stage.pilot, lambda: "turn 2: done" in screen_of(stage.app))


async def _replay(stage: Stage) -> None:
    """A recording on a clock that stands, moved on by hand."""
    await at._confirmed(stage)
    stage.app.replay_clock = at.Hands().mono  # type: ignore[method-assign]
    stage.app.action_replay()
    await until(stage.pilot, lambda: isinstance(stage.app.pane.talk.session, Player))
    await stage.pilot.press(*["full_stop"] * 9)
    await until(stage.pilot, lambda: "STOPPING" in screen_of(stage.app))


async def _failed(stage: Stage) -> None:
    await stage.say("Where is order 42?")
    await stage.past(0, 3.0)
    await stage.phase(Phase.FAILED)


async def _never(seconds: float) -> None:
    await asyncio.Event().wait()


def touring(opened: Opening, **options: object) -> TourApp:
    """The app with a guide that does nothing by itself."""
    return TourApp(opened, guide_options={"first": 1, "sleep": _never}, **options)


def screens() -> dict[str, Scene]:
    """All of them by name, made anew."""
    overloaded = ev.RunFinished(End.FAILED, "The model provider is overloaded.", "529")
    reply = words(
        "Order 42 left the **Leipzig** warehouse on Tuesday. It was scanned in Kassel this morning."
    )
    another: list[Step] = [ev.RunStarted("r-119"), *reply, ev.RunFinished()]
    return {
        "failed": Scene([ev.RunStarted("r"), *words("Order 42 left"), Gate(), overloaded], _failed),
        "events": Scene(at.order_run(), _events),
        "axis": Scene(at.order_run(), _axis),
        "statistics": Scene(at.order_run(), _statistics),
        "compare": Scene(at.order_run(), _compare, second=another),
        "replay": Scene(at.order_run(), _replay),
        "tabs": Scene(at.order_run(), _tabs),
        "tour": Scene(at.order_run(), _tour, make=touring),
        "outcomes": Scene(at.order_run(), _outcomes, make=touring),
    }
