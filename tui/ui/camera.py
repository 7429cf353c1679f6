"""Films what an app shows: the same cells that a terminal would be sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from rich.color import blend_rgb
from rich.color_triplet import ColorTriplet
from rich.style import Style as RichStyle
from rich.terminal_theme import SVG_EXPORT_THEME as THEME
from textual._context import visible_screen_stack
from textual.app import App
from textual.strip import Strip

from tui.film.frames import Film, Row, Style, row

PER_SECOND = 10


class Camera:
    """Looks at the app `PER_SECOND` times a second while it runs; `film` is what it has seen."""

    def __init__(self, app: App[Any], film: Film, clock: Callable[[], float] = time.monotonic) -> None:
        self.app, self.film, self.clock = app, film, clock
        self._began: float | None = None

    def start(self) -> None:
        """Film on until the app ends."""
        self.app.set_interval(1 / PER_SECOND, self.shoot)
        self.shoot()

    def shoot(self) -> None:
        """Take what is on the screen now."""
        now = self.clock()
        self._began = now if self._began is None else self._began
        self.film.add(now - self._began, shown(self.app))


def shown(app: App[Any]) -> tuple[Row, ...]:
    """The rows of the screen, a dialog over what is behind it."""
    visible_screen_stack.set(list(app._background_screens))
    return tuple(_row(strip) for strip in app.screen._compositor.render_strips())


def still(app: App[Any], title: str = "stopkey") -> Film:
    """A film of one frame: what the app shows now."""
    film = Film(app.size.width, app.size.height, title)
    film.add(0.0, shown(app))
    return film


def _row(strip: Strip) -> Row:
    plain = RichStyle.null()
    return row([(text, _style(style or plain)) for text, style, control in strip if not control])


@lru_cache(maxsize=4096)
def _style(style: RichStyle) -> Style:
    fg = style.color.get_truecolor(THEME) if style.color else THEME.foreground_color
    bg = style.bgcolor.get_truecolor(THEME, foreground=False) if style.bgcolor else THEME.background_color
    if style.reverse:
        fg, bg = bg, fg
    if style.dim:
        fg = blend_rgb(fg, bg, 0.4)
    return Style(
        _hex(fg), _hex(bg), bool(style.bold), bool(style.italic), bool(style.underline), bool(style.strike)
    )


def _hex(colour: ColorTriplet) -> str:
    return colour.hex.removeprefix("#")
