"""A film as an SVG that plays by itself: no script, no font of anybody's, nothing from elsewhere.

Each different row is written once, in <defs>. A row of the screen is one <use>, whose `href` SMIL changes at
each moment at which that row did: a second of a recording costs some hundred bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import escape

from rich.cells import cell_len

from tui.film.frames import Film, Row, Style, clean

CELL, LINE, BASE = 10, 20, 15
"""Units of a cell's width, of a row's height, and from the top of a row to the line that letters stand on."""
FONT_SIZE = 16.6  # at which the usual monospace letters are one cell wide; textLength does the rest
EDGE, BAR = 10, 34
"""Units around the screen, and of the bar with the title above it."""
FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
_PIECES = re.compile("[\x21-\u1fff](?:[\x20-\u1fff]*[\x21-\u1fff])?|[^\x00-\u1fff]+")
"""Letters with the blanks between them, or signs, which may come from another font: each stands where its
first cell is, so that no font moves what comes after."""
_GAP = "\N{NO-BREAK SPACE}" * 2  # blanks beside each other would be shown as one
_DIGITS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def picture(film: Film) -> str:
    """The film's poster, standing still."""
    still = Film(film.columns, film.lines, film.title, [film.frames[film.poster]])
    return animation(still)


def animation(film: Film) -> str:
    """The film as SVG, in a loop. A film of one frame stands still."""
    return "\n".join(_Writer(film).lines()) + "\n"


class _Writer:
    """Gathers what the frames are made of, and writes it."""

    def __init__(self, film: Film) -> None:
        self.film = film
        self.paper = _most_common(film)
        self.rows: dict[Row, str] = {(): "_"}
        self.inks: dict[str, str] = {}
        self.fills: dict[str, str] = {}

    def lines(self) -> Iterator[str]:
        film = self.film
        width = film.columns * CELL + 2 * EDGE
        height = film.lines * LINE + BAR + EDGE
        tracks = [self._track(y) for y in range(film.lines)]
        defined = [self._row(row, name) for row, name in self.rows.items()]
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {width} {height}" width="{width}" font-family="{FONTS}" font-size="{FONT_SIZE}">'
        )
        yield f"<title>{escape(clean(film.title))}</title>"
        yield f"<style>path{{shape-rendering:crispEdges}}{self._classes()}</style>"
        yield "<defs>" + "\n".join(defined) + "</defs>"
        yield self._window(width, height)
        yield f'<svg x="{EDGE}" y="{BAR}" width="{film.columns * CELL}" height="{film.lines * LINE}">'
        yield from tracks
        yield "</svg></svg>"

    def _window(self, width: int, height: int) -> str:
        """The frame around the screen: rounded, with a title and three dots of no meaning."""
        light = _bright(self.paper)
        rim, ink = ("c8c8c8", "5a5a5a") if light else ("4a4a4a", "b0b0b0")
        dots = "".join(f'<circle cx="{22 + 20 * n}" cy="17" r="6" fill="#{rim}"/>' for n in range(3))
        return (
            f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8" fill="#{self.paper}" '
            f'stroke="#{rim}"/>{dots}<text x="{width // 2}" y="22" font-size="14" fill="#{ink}" '
            f'text-anchor="middle">{escape(clean(self.film.title))}</text>'
        )

    def _track(self, y: int) -> str:
        """One row of the screen through the whole film."""
        film = self.film
        changes: list[tuple[float, str]] = []
        for frame in film.frames:
            name = self._name(frame.rows[y] if y < len(frame.rows) else ())
            if not changes or changes[-1][1] != name:
                changes.append((frame.at, name))
        shown = self._name(film.frames[film.poster].rows[y] if y < len(film.frames[film.poster].rows) else ())
        use = f'<use href="#{shown}" y="{y * LINE + BASE}"'
        if len(changes) == 1:
            return use + "/>"
        times = ";".join(_share(at, film.lasts) for at, _ in changes)
        names = ";".join(f"#{name}" for _, name in changes)
        return (
            f'{use}><animate attributeName="href" dur="{film.lasts:.2f}s" calcMode="discrete" '
            f'repeatCount="indefinite" keyTimes="{times}" values="{names}"/></use>'
        )

    def _name(self, row: Row) -> str:
        return self.rows.setdefault(row, _short(len(self.rows)))

    def _row(self, row: Row, name: str) -> str:
        fills: list[str] = []
        texts: list[str] = []
        x = 0
        for text, style in row:
            cells = cell_len(text)
            if style.bg != self.paper:
                fills.append(f'<path class="{self._fill(style)}" d="M{x * CELL}-{BASE}h{cells * CELL}v{LINE}'
                             f'h-{cells * CELL}z"/>')  # fmt: skip
            texts += self._texts(text, style, x)
            x += cells
        return f'<g id="{name}">{"".join(fills)}{"".join(texts)}</g>'

    def _texts(self, text: str, style: Style, x: int) -> Iterator[str]:
        for piece in _PIECES.finditer(text):
            at = x + cell_len(text[: piece.start()])
            place = f' x="{at * CELL}"' if at else ""
            length = cell_len(piece[0]) * CELL
            said = escape(piece[0], False).replace("  ", _GAP)
            yield f'<text class="{self._ink(style)}"{place} textLength="{length}">{said}</text>'

    def _fill(self, style: Style) -> str:
        return self.fills.setdefault(style.bg, f"b{len(self.fills)}")

    def _ink(self, style: Style) -> str:
        rules = f"fill:#{style.fg}"
        rules += ";font-weight:bold" if style.bold else ""
        rules += ";font-style:italic" if style.italic else ""
        lines = [
            name for name, has in (("underline", style.underline), ("line-through", style.strike)) if has
        ]
        rules += f";text-decoration:{' '.join(lines)}" if lines else ""
        return self.inks.setdefault(rules, f"t{len(self.inks)}")

    def _classes(self) -> str:
        fills = "".join(f".{name}{{fill:#{colour}}}" for colour, name in self.fills.items())
        return fills + "".join(f".{name}{{{rules}}}" for rules, name in self.inks.items())


def _most_common(film: Film) -> str:
    """The colour that most cells stand on: it needs no drawing."""
    seen: Counter[str] = Counter()
    for one in film.frames[film.poster].rows:
        for text, style in one:
            seen[style.bg] += len(text)
    return seen.most_common(1)[0][0] if seen else "000000"


def _bright(colour: str) -> bool:
    return sum(int(colour[at : at + 2], 16) for at in (0, 2, 4)) > 382


def _share(at: float, lasts: float) -> str:
    """A time as a part of the whole, as short as it can be."""
    share = f"{at / lasts if lasts else 0:.5f}".rstrip("0").rstrip(".")
    return share.removeprefix("0") or "0"


def _short(number: int) -> str:
    """A short name for a number: a to Z, then two letters."""
    name = ""
    while True:
        name = _DIGITS[number % 52] + name
        number //= 52
        if not number:
            return name
