"""`--record FILE`: an app filmed without a terminal, and written as an animated SVG or as an asciicast."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.commands.common import Trouble, note

if TYPE_CHECKING:
    from tui.film.frames import Film
    from tui.ui.app import StopkeyApp

LONGEST = 4.0
"""Seconds for which a film stands still at most."""
LAST = 3.0
"""Seconds for which its last frame is seen before it begins again."""
SETTLES = 0.3
"""Seconds in which what happened last is drawn."""
KINDS = (".svg", ".cast")

Watch = Callable[["Film"], Awaitable[None]]
"""Waits until the film is to end; may mark its poster on the way."""


@dataclass(frozen=True, slots=True)
class Shot:
    """The options of a recording. No `path`: nothing is to be recorded."""

    path: str = ""
    theme: str = ""  # dark or light; "": the usual one
    columns: int = 80
    lines: int = 24


def film_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options of a recording, as `shot`."""

    @click.option(
        "--record", default="", metavar="FILE", help="Write it to FILE.svg (animated) or FILE.cast."
    )
    @click.option("--theme", type=click.Choice(["dark", "light"]), help="Its colours.")
    @click.option("--size", default="80x24", metavar="COLUMNSxLINES", help="Of the recorded screen.")
    @wraps(command)
    def with_shot(*args: Any, record: str, theme: str | None, size: str, **rest: Any) -> Any:
        return command(*args, shot=_shot(record, theme or "", size), **rest)

    return with_shot


def _shot(path: str, theme: str, size: str) -> Shot:
    found = re.fullmatch(r"(\d{2,3})x(\d{1,3})", size)
    columns, lines = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 20 <= columns <= 400 or not 8 <= lines <= 200:
        raise click.UsageError(f"--size takes COLUMNSxLINES such as 80x24, not {size!r}")
    if path and Path(path).suffix not in KINDS:
        raise click.UsageError("--record writes .svg (animated) or .cast (asciicast): name such a file")
    if path and not Path(path).resolve().parent.is_dir():
        raise click.UsageError(f"There is no folder {Path(path).parent}; make it first, or name another file")
    return Shot(path, theme, columns, lines)


def film(app: StopkeyApp, shot: Shot, title: str, watch: Watch) -> None:
    """Run the app without a terminal, film it until `watch` returns, and write the file. Raises Trouble."""
    from tui.film.frames import Film
    from tui.ui.camera import Camera

    taken = Film(shot.columns, shot.lines, title)
    camera = Camera(app, taken)

    async def record() -> None:
        drawn = asyncio.Event()
        app.call_after_refresh(drawn.set)
        await drawn.wait()
        camera.start()
        await watch(taken)
        await asyncio.sleep(SETTLES)
        camera.shoot()
        await app.pane.talk.leave()
        app.exit(0)

    async def begin(pilot: object) -> None:
        app.spawn(record())

    note(f"recording {shot.path} …")
    asyncio.run(app.run_async(headless=True, size=(shot.columns, shot.lines), auto_pilot=begin))
    if not app.fault:
        _write(taken.capped(LONGEST), Path(shot.path))


def _write(taken: Film, path: Path) -> None:
    from tui.film.cast import cast
    from tui.film.svg import animation

    taken.lasts += LAST
    text = animation(taken) if path.suffix == ".svg" else cast(taken)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Trouble(f"{path} cannot be written ({error.strerror}); name another --record") from None
    note(f"{path}: {taken.lasts:.0f} s, {len(taken.frames):,} frames, {len(text) // 1024:,} kB")
