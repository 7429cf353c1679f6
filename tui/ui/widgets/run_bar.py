"""The run bar: one row above the text box with the state in words and the Stop cell, on every screen."""

from __future__ import annotations

from typing import ClassVar, Protocol

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui.core.conversation import Turn
from tui.core.view import Cell, Look, Tone

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
PLAIN_SPINNER = "|/-\\"


class Facts(Protocol):
    """What the bar shows, asked anew for each drawing. `still`: no animation; `plain`: nor other signs."""

    @property
    def display(self) -> bool: ...
    @property
    def still(self) -> bool: ...
    @property
    def plain(self) -> bool: ...
    def bar_look(self) -> Look: ...
    def bar_detail(self) -> str: ...
    def bar_keys(self) -> str: ...
    def bar_turn(self) -> Turn | None: ...


class RunBar(Widget):
    """One row. Never takes the focus; a click in the Stop cell is a Stop. Draws itself, never lays out."""

    can_focus = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"bar--{tone}" for tone in Tone), "bar--stop", "bar--idle",
    }  # fmt: skip
    DEFAULT_CSS = """
    RunBar { height: 1; width: 1fr; background: $panel; color: $foreground; }
    RunBar > .bar--busy { color: $text-accent; text-style: bold; background: $panel; }
    RunBar > .bar--good { color: $text-success; background: $panel; }
    RunBar > .bar--warn { color: $text-warning; text-style: bold; background: $panel; }
    RunBar > .bar--bad { color: $text-error; text-style: bold; background: $panel; }
    RunBar > .bar--calm { color: $foreground; background: $panel; }
    RunBar > .bar--stop { color: $text; background: $error-muted; text-style: bold; }
    RunBar > .bar--idle { color: $foreground-muted; background: $panel; }
    """

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.facts = facts
        self.plain = facts.plain
        self.ascii_only = facts.plain
        self.still = facts.still
        self._frame = 0
        self._tick: Timer | None = None

    def on_mount(self) -> None:
        self._tick = self.set_interval(0.1, self._turn_on, pause=True)
        self.wake()

    def wake(self) -> None:
        """Something changed: draw, and keep the figures going while a run is active."""
        if self._tick is None:
            return  # a screen that is just opening; its bar wakes when it is mounted
        active = self.facts.bar_look().cell in (Cell.STOP, Cell.STOPPING)
        if active and self.facts.display and not self.plain and not self.still:
            self._tick.resume()
        else:
            self._tick.pause()
        self.refresh()

    def _turn_on(self) -> None:
        self._frame += 1
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        if event.x >= self.size.width - len(self._cell(self.size.width)) - 1:
            event.stop()
            self.app.press_stop("click")  # type: ignore[attr-defined]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        cell = self._cell(width)
        left = fitted(self._left(width), max(0, width - cell_len(cell)))
        look = self.facts.bar_look()
        live = look.cell is not Cell.IDLE
        style = self._style(f"bar--{look.tone}")
        edge = self._style("bar--stop" if live else "bar--idle")
        return Strip([Segment(left, style), Segment(cell, edge)], width)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(name)

    def _left(self, width: int) -> str:
        look = self.facts.bar_look()
        detail = self.facts.bar_detail()
        return f" {self._sign(look)} {look.word}" + (f"  {detail}" if detail else "")

    def _sign(self, look: Look) -> str:
        if look.tone is Tone.BUSY and not self.plain and not self.still:
            frames = PLAIN_SPINNER if self.ascii_only else SPINNER
            return frames[self._frame % len(frames)]
        return look.plain if self.ascii_only else look.sign

    def _cell(self, width: int) -> str:
        look = self.facts.bar_look()
        sign = "[#]" if self.ascii_only else "■"
        keys = self.facts.bar_keys()
        if width < 60:
            keys = keys.partition(" ")[0]
        if look.cell is Cell.STOPPING:
            return f" {look.cell} "
        label = f"{sign} {look.cell}" if look.cell is not Cell.IDLE else str(look.cell)
        if width < 40 and look.cell is not Cell.IDLE:
            label = sign
        return f" {label}  {keys} "


def fitted(text: str, width: int) -> str:
    """`text` in exactly so many cells; what does not fit ends in an ellipsis."""
    if cell_len(text) > width > 0:
        return set_cell_size(text.rstrip(), width - 1).rstrip().ljust(width - 1) + "…"
    return set_cell_size(text, width)
