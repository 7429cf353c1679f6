"""A stopped reply and the answer after it, side by side, with the difference marked."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.widget import Widget
from textual.widgets import Static

from tui.core.conversation import Turn
from tui.core.view import short
from tui.ui.compare import Compared, sign, wrapped
from tui.ui.screens.modal import BarredModal
from tui.ui.widgets.lines import Piece
from tui.ui.widgets.roll import Roll
from tui.ui.widgets.run_bar import Facts

SIDE_BY_SIDE = 60
"""Columns from which on there is room for two."""


class CompareRoll(Roll):
    """Two columns, or one below the other where it is narrow."""

    def __init__(self, compared: Compared, heads: tuple[str, str], plain: bool = False) -> None:
        super().__init__()
        self.compared, self.heads, self.plain = compared, heads, plain
        self.following = False
        self._made: tuple[int, list[list[Piece]]] = (0, [])

    @property
    def rows(self) -> list[list[Piece]]:
        width = max(8, self.size.width)
        if self._made[0] != width:
            both = self._beside(width) if width >= SIDE_BY_SIDE else self._below(width)
            self._made = (width, both)
        return self._made[1]

    def _column(self, side: Sequence[Piece], head: str, width: int) -> list[list[Piece]]:
        rows: list[list[Piece]] = [[(head[:width], "strong")]]
        for row in wrapped(side, width - 2):
            mark = sign(row).replace("−", "-") if self.plain else sign(row)
            rows.append([(f"{mark} ", "key"), *row])
        return rows

    def _below(self, width: int) -> list[list[Piece]]:
        left = self._column(self.compared.left, self.heads[0], width)
        return [*left, [], *self._column(self.compared.right, self.heads[1], width)]

    def _beside(self, width: int) -> list[list[Piece]]:
        half = (width - 3) // 2
        left = self._column(self.compared.left, self.heads[0], half)
        right = self._column(self.compared.right, self.heads[1], half)
        rows = []
        for number in range(max(len(left), len(right))):
            one = left[number] if number < len(left) else []
            other = right[number] if number < len(right) else []
            pad = " " * (half - sum(cell_len(text) for text, _ in one))
            rows.append([*one, (pad, ""), (" | " if self.plain else " │ ", "dim"), *other])
        return rows

    def total(self) -> int:
        return len(self.rows)

    def pieces(self, index: int, width: int) -> Sequence[Piece]:
        return self.rows[index]


class CompareScreen(BarredModal):
    """Scrolls; Esc closes it."""

    TITLE_TEXT = "Compare"
    DEFAULT_CSS = """
    CompareScreen > .sheet { width: 96%; height: 85%; }
    CompareScreen Static { color: $foreground-muted; height: 1; }
    """

    def __init__(
        self, facts: Facts, found: Compared, stopped: Turn, after: Turn, plain: bool = False
    ) -> None:
        super().__init__(facts)
        heads = (f"turn {stopped.number}: {short(stopped)}", f"turn {after.number}: {short(after)}")
        self.roll = CompareRoll(found, heads, plain)
        self.foot = f"words: {found.same:,} the same   {found.gone:,} gone   {found.new:,} new   Esc close"

    def contents(self) -> list[Widget]:
        return [self.roll, Static(self.foot, markup=False)]

    def on_mount(self) -> None:
        super().on_mount()
        self.roll.focus()
