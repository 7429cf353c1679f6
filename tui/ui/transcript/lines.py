"""Lines that the app made of words (heads, cards), as rows: fills stretched, actions attached, narrow wrapped."""

from __future__ import annotations

from collections.abc import Sequence

from tui.ui.transcript import inks
from tui.ui.transcript.items import Line, Word
from tui.ui.transcript.rows import Row, Span, cells, one_row, wrap


def line_rows(line: Line, width: int) -> list[Row]:
    """The rows of one line. Without room for all words, fills shrink to one cell and the line wraps."""
    fixed = sum(cells(word.text) for word in line if not word.fill)
    fills = [word for word in line if word.fill]
    room = width - fixed
    if room < len(fills):
        return wrap([_span(word) for word in line if not word.fill or word.text == " "], width)
    spans: list[Span] = []
    for word in line:
        if word.fill:
            share = room // len(fills)
            room, fills = room - share, fills[1:]
            word = word._replace(text=_repeat(word.text, share))
        spans.append(_span(word))
    return [one_row(spans)]


def lines_rows(lines: Sequence[Line], width: int) -> list[Row]:
    return [row for line in lines for row in line_rows(line, width)]


def _span(word: Word) -> Span:
    ink = inks.TONES.get(word.tone, inks.TEXT)
    return Span(word.text, ink | inks.UNDERLINE if word.action else ink, action=word.action)


def _repeat(text: str, width: int) -> str:
    return (text * (width // max(1, cells(text)) + 1))[:width] if text else ""
