"""`stopkey demo`: the guided tour on the embedded backend, on the screen or into a file."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import click

from tui.commands.common import Exit, need_terminal, note, tell_of
from tui.commands.recording import Shot, film, film_options

if TYPE_CHECKING:
    from tui.desk import Desk
    from tui.film.frames import Film
    from tui.ui.tour.app import TourApp


@click.command("demo")
@click.option(
    "--speed", type=click.FloatRange(0.1, 100), default=1.0, metavar="N", help="So many times as fast."
)
@click.option("--step", default="", metavar="NAME", help="Begin at this step.")
@click.option("--list", "listed", is_flag=True, help="List the steps.")
@click.option("--plain", is_flag=True, help="No animation, ASCII signs; for screen readers.")
@film_options
def demo_command(speed: float, step: str, listed: bool, plain: bool, shot: Shot) -> int:
    """A tour that plays itself: a stop, its receipt, edit and resend, a tool, a backend that lies.

    Space pauses, ← and → go by steps, h or any other key gives the keys to you. It is the real client
    with the embedded backend; nothing of it is kept. --record writes it into a file instead of showing it.
    """
    from tui.ui.tour.steps import STEPS

    names = [one.name for one in STEPS]
    if listed:
        for one in STEPS:
            click.echo(f"{one.name:10} {one.title}")
        return Exit.COMPLETED
    if step and step not in names:
        raise click.UsageError(f"There is no step {step!r}; there are {', '.join(names)}")
    return _tour(names.index(step) if step else 0, speed, plain, shot)


def _tour(first: int, speed: float, plain: bool, shot: Shot) -> int:
    from tui.commands.chat import DRAWS_A_SECOND, TURN_S

    if not shot.path:
        need_terminal("The demo")
    sys.setswitchinterval(TURN_S)
    os.environ.setdefault("TEXTUAL_FPS", DRAWS_A_SECOND)
    desk = _desk(speed)
    try:
        app = _app(desk, first, speed, plain, shot)
        code = _record(app, shot) if shot.path else app.run()
    finally:
        desk.embedded.close()
        desk.store.close()
    if app.fault:
        tell_of(app.fault)
        return Exit.FAILED
    return code or 0


def _desk(speed: float) -> Desk:
    """A store in memory, and a backend that forgets: the person's own history stays as it was."""
    from tui.commands.common import open_store
    from tui.config import Settings
    from tui.desk import Desk
    from tui.embedded import EmbeddedBackend

    desk = Desk(Settings(), open_store(Settings(), True), None, None)
    desk.embedded = EmbeddedBackend(None, speed=speed)
    return desk


def _app(desk: Desk, first: int, speed: float, plain: bool, shot: Shot) -> TourApp:
    """Colours, signs and the Esc delay are the person's; the keys are those that the tour names."""
    from tui.commands.chat import THEMES
    from tui.config import Settings, load
    from tui.ui.driver import use
    from tui.ui.tour.app import TourApp

    chosen = Settings() if shot.path else load().settings
    plain = plain or chosen.plain
    pace = {"first": first, "speed": speed}
    app = TourApp(desk.fresh(), guide_options=pace, desk=desk, still=plain, plain=plain)
    theme = THEMES.get(shot.theme or chosen.theme, chosen.theme)
    app.chosen_theme = theme if theme in app.available_themes else THEMES["dark"]
    if not shot.path:
        app.driver_class = use(chosen.esc_delay_ms)
    return app


def _record(app: TourApp, shot: Shot) -> int:
    """Film the tour to its end; what went otherwise is said on stderr."""

    async def watch(taken: Film) -> None:
        over = asyncio.Event()
        app.guide.on_over = over.set
        app.guide.on_moment = taken.mark
        await over.wait()

    film(app, shot, "stopkey demo", watch)
    for surprise in app.guide.surprises:
        note(f"not as planned: {surprise}")
    return Exit.FAILED if app.guide.surprises else Exit.COMPLETED
