"""Inks as styles of the current theme, and rows as strips. Layout never depends on any of this."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.ui.transcript import inks
from tui.ui.transcript.rows import Span

_FLAGS = {
    inks.BOLD: Style(bold=True),
    inks.ITALIC: Style(italic=True),
    inks.STRIKE: Style(strike=True),
    inks.UNDERLINE: Style(underline=True),
}


class Drawn(Strip):
    """A screen row with its colours. It is drawn again and again, at any height of the screen.

    Textual's strip remembers itself as its own only part: a cycle per row drawn, which only the garbage
    collector undoes.
    """

    __slots__ = ()

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        places = [cut for cut in cuts if cut <= self.cell_length]
        return [self] if places == [self.cell_length] else super().divide(places)


class Palette:
    """Styles by ink. `look_up` gives the style of a component class."""

    def __init__(self, look_up: Callable[[str], Style]) -> None:
        self._look_up = look_up
        self._styles: dict[int, Style] = {}

    def clear(self) -> None:
        """The theme changed."""
        self._styles.clear()

    def style(self, ink: int) -> Style:
        found = self._styles.get(ink)
        if found is None:
            found = self._styles[ink] = self._make(ink)
        return found

    def _make(self, ink: int) -> Style:
        style = self._look_up(f"transcript--{inks.NAMES[ink & inks.BASE]}")
        for flag, change in _FLAGS.items():
            if ink & flag:
                style += change
        for flag, name in ((inks.FOUND, "found"), (inks.CURRENT, "current"), (inks.SELECTED, "selected")):
            if ink & flag:
                over = self._look_up(f"transcript--{name}")
                style += Style(
                    color=over.color, bgcolor=over.bgcolor, bold=over.bold, underline=over.underline
                )
        return style

    def strip(self, spans: Iterable[Span], width: int) -> Drawn:
        """Spans that fill `width` cells."""
        style = self.style
        return Drawn([Segment(span.text, style(span.ink)) for span in spans if span.text], width)
