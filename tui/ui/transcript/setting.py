"""What a layout depends on besides the text: the width, and the glyphs the terminal can show."""

from __future__ import annotations

from typing import NamedTuple


class Glyphs(NamedTuple):
    """Marks that the view draws itself."""

    bullets: tuple[str, ...] = ("•", "◦", "▪")
    quote: str = "▎"
    rule: str = "─"
    code_top: str = "┌"
    code_side: str = "│"
    code_bottom: str = "└"
    cross: str = "┼"
    folded: str = "▸"
    unfolded: str = "▾"
    running: str = "…"
    cursor: str = "▌"
    thumb: str = "▐"


UNICODE = Glyphs()
ASCII = Glyphs(("-", "*", "+"), "|", "-", "+", "|", "+", "+", "+", "-", "...", ">", "#")


class Setting(NamedTuple):
    """`width`: cells a row may take. `languages`: how many languages can be highlighted so far."""

    width: int = 78
    glyphs: Glyphs = UNICODE
    languages: int = 0

    def narrower(self, cells: int) -> Setting:
        return self._replace(width=max(8, self.width - cells))
