"""The caption: which step this is, what is to be seen, and the key that is being pressed."""

from __future__ import annotations

from textwrap import wrap
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.core.safe_text import safe_line
from tui.ui.keys import caret
from tui.ui.tour.guide import Guide, Mode
from tui.ui.widgets.run_bar import fitted

NARROW = 60
"""Columns below which the text takes more rows, and the keys fewer words."""
ROWS, ROWS_NARROW = 3, 5

_KEYS = {
    Mode.PLAYING: ("▶", "Space pauses  ← → steps  h by hand  ^Q quits", "Space ← → h ^Q"),
    Mode.PAUSED: ("▮▮", "paused: Space goes on  ← → steps  h by hand", "paused: Space"),
    Mode.HANDS: ("◆", "you have the keys; → goes on  ← back", "yours; → goes on"),
    Mode.OVER: ("■", "the tour is over  ← back  ^Q quits", "over  ← ^Q"),
}
"""A sign, and the keys that move the tour, in many words and in few."""
_PLAIN = {"▶": ">", "▮▮": "||", "◆": "*", "■": "#"}
_NAMES = {"enter": "Enter ⏎", "up": "↑", "space": "Space"}


class Caption(Widget):
    """Some rows below the text box that draw themselves from the guide. No text changes their number."""

    can_focus = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "caption--head", "caption--keys", "caption--cap", "caption--down", "caption--odd"
    }  # fmt: skip
    DEFAULT_CSS = """
    Caption { height: 3; background: $boost; color: $foreground; }
    Caption.-narrow { height: 5; }
    Caption > .caption--head { background: $primary; color: $text; text-style: bold; }
    Caption > .caption--keys { background: $primary; color: $text; }
    Caption > .caption--cap { background: $panel-lighten-2; color: $foreground; text-style: bold; }
    Caption > .caption--down { background: $warning; color: $text; text-style: bold; }
    Caption > .caption--odd { color: $text-warning; background: $boost; text-style: bold; }
    """

    def __init__(self, guide: Guide, *, plain: bool = False) -> None:
        super().__init__()
        self.guide, self.plain = guide, plain

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        segments = self._head(width) if y == 0 else self._body(width, y - 1)
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _head(self, width: int) -> list[Segment]:
        guide = self.guide
        sign, long, brief = _KEYS[guide.mode]
        keys = brief if width < NARROW else long
        if self.plain:
            sign = _PLAIN[sign]
        title = f" {sign} {guide.at + 1}/{len(guide.steps)} {guide.step.title}"
        room = max(0, width - cell_len(keys) - 2)
        return [
            Segment(fitted(title, room), self._style("caption--head")),
            Segment(f" {keys} ", self._style("caption--keys")),
        ]

    def _body(self, width: int, y: int) -> list[Segment]:
        cap = self._cap(width)
        left = sum(cell_len(part.text) for part in cap)
        lines = wrap(safe_line(self.guide.text, 400), max(10, width - left - 2))
        said = lines[y] if y < len(lines) else ""
        style = self._style("caption--odd") if self.guide.surprised else self.rich_style
        beside = cap if y == 0 else [Segment(" " * left, self.rich_style)]
        return [*beside, Segment(set_cell_size(f" {said}", max(0, width - left)), style)]

    def _cap(self, width: int) -> list[Segment]:
        """The key, as on a keyboard; to the person who has the keys, with what to do with it."""
        guide, plain = self.guide, self.rich_style
        if not guide.key:
            return []
        name = _NAMES.get(guide.key) or caret(guide.key)
        asked = " press " if guide.mode is Mode.HANDS and width >= NARROW else " "
        style = self._style("caption--down" if guide.down else "caption--cap")
        return [
            Segment(asked, plain),
            Segment(f"[{name}]" if self.plain else f" {name} ", style),
            Segment(" ", plain),
        ]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(name)
