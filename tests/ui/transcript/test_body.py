"""Bodies: rows do not depend on how the text came, on what was seen meanwhile, or on what was forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.transcript.material import KINDS
from tests.ui.transcript.sources import cut_sources, sources
from tui.ui.transcript import body as module
from tui.ui.transcript import scanner
from tui.ui.transcript.body import Body
from tui.ui.transcript.highlight import budget
from tui.ui.transcript.rows import Row
from tui.ui.transcript.setting import Setting

WIDE = Setting(60)


@pytest.fixture(autouse=True, scope="module")
def small_limits() -> Iterator[None]:
    """Limits so small that generated sources fill several slabs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "LONG_LINE", 80)
        patch.setattr(scanner, "LONG_PARAGRAPH", 120)
        patch.setattr(scanner, "TABLE_HEAD", 3)
        patch.setattr(module, "SLAB", 60)
        budget.renew(float("inf"))
        yield


def everything(body: Body, setting: Setting = WIDE) -> list[tuple[object, ...]]:
    """All rows, as data."""
    return [data(row) for index in range(len(body.slabs)) for row in body.rows(index, setting)]


def data(row: Row) -> tuple[object, ...]:
    return (tuple(row.spans), row.width, row.at)


def body_of(*pieces: str) -> Body:
    body = Body()
    for piece in pieces:
        body.grow(piece)
    return body


@given(cut_sources())
def test_any_cutting_of_the_source_gives_the_same_rows(case: tuple[str, list[str]]) -> None:
    source, pieces = case
    assert everything(body_of(*pieces)) == everything(body_of(source))


@given(cut_sources())
def test_what_was_drawn_meanwhile_changes_nothing(case: tuple[str, list[str]]) -> None:
    source, pieces = case
    body = Body()
    for piece in pieces:
        body.grow(piece)
        body.rows(len(body.slabs) - 1, WIDE)
    assert everything(body) == everything(body_of(source))


@given(sources, st.integers(8, 100))
def test_forgotten_rows_come_back_the_same_and_no_row_is_too_wide(source: str, width: int) -> None:
    body, setting = body_of(source), Setting(width)
    before = everything(body, setting)
    for slab in body.slabs:
        slab.rows = None
    assert everything(body, setting) == before
    room = max(width, 12)  # marks of deep containers need some
    assert all(row_width <= room for _, row_width, _ in before)  # type: ignore[operator]


@given(sources)
def test_heights_are_those_of_the_rows_once_they_were_made(source: str) -> None:
    body = body_of(source)
    rows = everything(body)
    assert body.heights.total == len(rows)


@given(sources)
def test_the_rows_show_the_source_in_order(source: str) -> None:
    """Offsets of rows ascend, but for the cells of one table row."""
    body = body_of(source)
    rows = [row for index in range(len(body.slabs)) for row in body.rows(index, WIDE)]
    offsets = [row.at for row in rows if row.at >= 0 and "│" not in row.text]
    assert offsets == sorted(offsets)


MARKS = [
    "word ", "longer ", "a", " ", "**", "*", "_", "~~", "`", "``", "[", "]", "](", ")", "![", "][r]", "<",
    "\\", "\n", "  \n", "https://x.y/z ", "&amp; ", "表中 ", '"', "- ", "1. ", "| a ",
]  # fmt: skip


@given(st.lists(st.sampled_from(MARKS), max_size=60), st.integers(8, 30), st.sampled_from(["", "> ", "- "]))
def test_a_paragraph_that_grows_looks_at_any_time_as_if_it_was_read_whole(
    marks: list[str], width: int, start: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "LONG_PARAGRAPH", 5000)
        patch.setattr(module, "SLAB", 5000)
        grown, text, setting = body_of(start + "word " * 12), start + "word " * 12, Setting(width)
        for mark in marks:
            grown.grow(mark)
            text += mark
            assert [data(row) for row in grown.rows(0, setting)] == everything(body_of(text), setting), text


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_is_done_stays_the_same_object_while_more_comes(kind: str) -> None:
    """So that the screen redraws nothing that did not change."""
    text = KINDS[kind](3000)
    body = body_of(text[:2000])
    body.rows(len(body.slabs) - 1, WIDE)
    for at in range(2000, 3000, 20):
        index = len(body.slabs) - 1
        before = body.rows(index, WIDE)
        body.grow(text[at : at + 20])
        after = body.rows(index, WIDE)
        same = sum(one is other for one, other in zip(before, after, strict=False))
        assert same >= len(before) - 12, (at, same, len(before))


def test_a_link_definition_that_comes_late_resolves_what_stands_above() -> None:
    body = body_of("see [the page][p] now\n\n", "text\n\n" * 40)
    assert "(https://x.y)" not in body.rows(0, WIDE)[0].text
    body.grow("[p]: https://x.y\n")
    assert body.rows(0, WIDE)[0].text == "see the page (https://x.y) now"
