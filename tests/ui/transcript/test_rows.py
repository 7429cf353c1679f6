"""Wrapping: nothing lost, nothing too wide, no character torn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, split_graphemes

from tui.ui.transcript import rows as module
from tui.ui.transcript.rows import Edge, Row, Span, break_hard, break_words, cells, fold, source_span, wrap

CHARACTERS = ["a", "b", " ", "  ", "—", "…", "é", "表", "中", "e\u0301", "👩‍👩‍👧", "🇩🇪", "☎️", "가", " \u0301"]
texts = st.lists(st.sampled_from(CHARACTERS), max_size=60).map("".join)
widths = st.integers(2, 40)


@given(texts, widths)
def test_words_wrap_into_rows_that_fit_and_lose_only_spaces(text: str, width: int) -> None:
    ranges = break_words(text, width)
    assert all(cells(text[a:b]) <= width for a, b in ranges)
    assert [text[a:b] for a, b in ranges if a < b] or not text.strip()
    gaps = [text[a:b] for (_, a), (b, _) in zip(ranges, [*ranges[1:], (len(text), 0)], strict=True)]
    assert not "".join(gaps).strip(" ")


@given(texts, widths)
def test_code_folds_into_rows_that_fit_and_loses_nothing(text: str, width: int) -> None:
    ranges = break_hard(text, width)
    assert "".join(text[a:b] for a, b in ranges) == text
    assert all(cells(text[a:b]) <= width for a, b in ranges)


@given(texts, widths)
def test_no_character_is_torn(text: str, width: int) -> None:
    starts = {begin for begin, _, _ in split_graphemes(text)[0]} | {len(text)}
    for ranges in (break_words(text, width), break_hard(text, width)):
        assert all(a in starts for a, _ in ranges)


def test_characters_taken_for_narrow_are_one_cell_each() -> None:
    """The quick way is taken only where the slow one says the same."""
    for code in range(0x20, 0x3000):
        if module._NARROW(chr(code)) and chr(code).isprintable():
            assert cell_len(chr(code)) == 1, hex(code)
            assert cell_len(chr(code) + "\ufe0f") == 1 or not module._NARROW(chr(code) + "\ufe0f")


def test_words_break_at_spaces_and_long_ones_where_the_row_ends() -> None:
    assert pieces("one two three", 8) == ["one two", "three"]
    assert pieces("onetwothree x", 5) == ["onetw", "othre", "e x"]
    assert pieces("a  b", 2) == ["a", "b"]
    assert pieces("表中表中 ab", 5) == ["表中", "表中", "ab"]


def pieces(text: str, width: int) -> list[str]:
    return [text[a:b] for a, b in break_words(text, width)]


@given(texts, widths)
def test_rows_are_as_wide_as_they_say_and_spans_keep_their_place(text: str, width: int) -> None:
    half = len(text) // 2
    spans = [source_span(text[:half], 1, 100), source_span(text[half:], 2, 100 + half)]
    edge = Edge([Span("> ")], [Span("  ")])
    for row in (*wrap(spans, width + 2, edge), *fold(spans, width + 2, edge)):
        assert row.width == sum(cells(span.text) for span in row.spans)
        for span in row.spans:
            if span.at >= 0:
                assert text[span.at - 100 : span.at - 100 + span.size] == span.text
        assert row.end >= row.at or row.at < 0


def test_the_edge_stands_before_the_first_row_and_its_rest_before_the_others() -> None:
    rows = wrap([source_span("one two", 0, 0)], 6, Edge([Span("- ")], [Span("  ")]))
    assert [row.text for row in rows] == ["- one", "  two"]


@pytest.mark.parametrize("action", ["", "link:x"])
def test_a_span_cut_in_two_stays_what_it_was(action: str) -> None:
    rows = wrap([source_span("aaa bbb", 5, 7, action)], 3)
    assert rows[1].spans[0] == Span("bbb", 5, 11, 3, action)


def test_an_empty_row_has_no_end() -> None:
    assert Row((), 0).end == -1
