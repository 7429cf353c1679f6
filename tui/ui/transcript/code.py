"""Fenced and indented code on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.ui.transcript import inks
from tui.ui.transcript.brush import Brush, without_tabs
from tui.ui.transcript.highlight import START, LexState, line_pieces
from tui.ui.transcript.leaves import Kind, Leaf
from tui.ui.transcript.rows import Edge, Row, Span, fold, one_row, source_span

if TYPE_CHECKING:
    from tui.ui.transcript.body import Body

COPY = "copy"
"""The word that copies the code under it."""


def code_open(leaf: Leaf, brush: Brush, edge: Edge) -> list[Row]:
    at, text = leaf.runs[0]
    brush.lex = LexState(leaf.info)
    room = brush.setting.width - edge.width
    title = f"{brush.setting.glyphs.code_top} {leaf.info}".rstrip()[:room]
    spans = [*edge.lead, Span(title, inks.BORDER, at, len(text))]
    if room >= len(title) + len(COPY) + 1:
        spans += [Span(" "), Span(COPY, inks.DIM | inks.UNDERLINE, action=f"code:{at}")]
    return [one_row(spans)]


def code_line(leaf: Leaf, brush: Brush, edge: Edge) -> list[Row]:
    at, text = leaf.runs[0]
    spans = highlighted(text, at, leaf.info, brush)
    side = Span(brush.setting.glyphs.code_side + " ", inks.BORDER)
    rows = fold(without_tabs(spans), brush.setting.width, Edge((*edge.lead, side), (*edge.rest, side)))
    if rows[0].at < 0:  # an empty line has a place in the source, too
        rows[0].at = at
    return rows


def code_close(leaf: Leaf, brush: Brush, edge: Edge) -> list[Row]:
    brush.lex = START
    at, text = leaf.runs[0] if leaf.runs else (-1, "")
    return [one_row([*edge.lead, Span(brush.setting.glyphs.code_bottom, inks.BORDER, at, len(text))])]


def highlighted(text: str, at: int, language: str, brush: Brush) -> list[Span]:
    """A line of code as spans. Moves the brush's state on."""
    if not language:
        return [source_span(text, inks.FENCE, at)]
    if brush.lex.language != language:
        brush.lex = LexState(language)
    pieces, brush.lex = line_pieces(text, brush.lex)
    spans: list[Span] = []
    for piece, ink in pieces:
        spans.append(source_span(piece, ink, at))
        at += len(piece)
    return spans


def fence_source(body: Body, at: int) -> str:
    """The code of the fence that opens at source offset `at`, without its marks."""
    lines: list[str] = []
    for index in range(body.slab_at(at), len(body.slabs)):
        for leaf in body.leaves_of(index):
            begin = leaf.runs[0][0] if leaf.runs else at
            if leaf.kind is Kind.CODE_CLOSE and begin > at:
                return "\n".join(lines)
            if leaf.kind is Kind.CODE_LINE and begin > at:
                lines.append(leaf.text)
    return "\n".join(lines)
