"""A film as an asciicast of version 2: what asciinema and its players take."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tui.film.frames import Film, Row, Style


def cast(film: Film) -> str:
    """The film as JSON lines: a head, then what goes to the terminal and when."""
    head = {"version": 2, "width": film.columns, "height": film.lines, "title": film.title}
    return "".join(json.dumps(line) + "\n" for line in [head, *_writes(film)])


def _writes(film: Film) -> Iterator[list[float | str]]:
    before: tuple[Row, ...] = ()
    yield [0.0, "o", "\x1b[?25l\x1b[2J"]
    for frame in film.frames:
        changed = [
            f"\x1b[{y + 1};1H" + "".join(_sgr(style) + text for text, style in row) + "\x1b[0m\x1b[K"
            for y, row in enumerate(frame.rows)
            if y >= len(before) or row != before[y]
        ]
        yield [round(frame.at, 3), "o", "".join(changed)]
        before = frame.rows
    yield [round(film.lasts, 3), "o", "\x1b[?25h"]


def _sgr(style: Style) -> str:
    flags = ((1, style.bold), (3, style.italic), (4, style.underline), (9, style.strike))
    codes = [
        "0",
        *(str(code) for code, on in flags if on),
        "38;2;" + _rgb(style.fg),
        "48;2;" + _rgb(style.bg),
    ]
    return f"\x1b[{';'.join(codes)}m"


def _rgb(colour: str) -> str:
    return ";".join(str(int(colour[at : at + 2], 16)) for at in (0, 2, 4))
