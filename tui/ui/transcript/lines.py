"""Lines that the app made of words (heads, cards) as rows: fills stretched, actions attached."""

from __future__ import annotations

from collections.abc import Sequence

from tui.ui.transcript import inks
from tui.ui.transcript.items import Line, Word
from tui.ui.transcript.rows import Row, Span, cells, one_row, wrap


def lines_rows(lines: Sequence[Line], width: int, at: int = -1) -> list[Row]:
    """The rows of some lines. With `at`, spans carry their offset in `lines_text`, from there on."""
    rows: list[Row] = []
    for line in lines:
        rows += line_rows(line, width, at)
        if at >= 0:
            at += len(_line_text(line)) + 1
    return rows


def lines_text(lines: Sequence[Line]) -> str:
    """The text to copy; fills are left out, or are one space between words."""
    return "\n".join(_line_text(line) for line in lines)


def line_rows(line: Line, width: int, at: int = -1) -> list[Row]:
    """The rows of one line. Without room for all words, fills shrink to one space and the line wraps."""
    fills = sum(word.fill for word in line)
    room = width - sum(cells(word.text) for word in line if not word.fill)
    fits = room >= fills
    spans: list[Span] = []
    for word in line:
        text = _kept(word)
        shown = text
        if word.fill and fits:
            share = room // fills
            room, fills, shown = room - share, fills - 1, _repeat(word.text, share)
        if shown or text:
            spans.append(_span(word, shown, at, len(text)))
        at += len(text) if at >= 0 else 0
    return [one_row(spans)] if fits else wrap(spans, width)


def _line_text(line: Line) -> str:
    return "".join(_kept(word) for word in line)


def _kept(word: Word) -> str:
    """What of a word is text; a fill is a space at most."""
    return word.text if not word.fill else " " if word.text.isspace() else ""


def _span(word: Word, shown: str, at: int, size: int) -> Span:
    ink = inks.TONES.get(word.tone, inks.TEXT)
    lined = word.action not in ("", "fold")  # the sign of a fold says by itself what it is
    return Span(shown, ink | inks.UNDERLINE if lined else ink, at, size, word.action)


def _repeat(text: str, width: int) -> str:
    return (text * (width // max(1, cells(text)) + 1))[:width] if text else ""
