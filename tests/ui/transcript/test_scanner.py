"""The block scanner: any cutting gives the same leaves, and every state is enough to go on from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given

from tests.ui.transcript.sources import cut_sources, sources
from tui.ui.transcript import scanner as module
from tui.ui.transcript.leaves import Found, Kind, Leaf
from tui.ui.transcript.scanner import Scanner


@pytest.fixture(autouse=True, scope="module")
def small_limits() -> Iterator[None]:
    """Limits so small that generated sources go over them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LONG_LINE", 40)
        patch.setattr(module, "LONG_PARAGRAPH", 60)
        patch.setattr(module, "TABLE_HEAD", 2)
        yield


def scan(source: str) -> list[Found]:
    scanner = Scanner()
    return [*scanner.feed(source), *scanner.close()]


def leaves(found: list[Found]) -> list[Leaf]:
    return [one.leaf for one in found]


@given(cut_sources())
def test_any_cutting_of_the_source_gives_the_same_leaves(case: tuple[str, list[str]]) -> None:
    source, pieces = case
    scanner = Scanner()
    found = [one for piece in pieces for one in scanner.feed(piece)]
    assert [*found, *scanner.close()] == scan(source)


@given(sources)
def test_scanning_can_go_on_behind_any_leaf_from_its_state(source: str) -> None:
    scanner = Scanner()
    found = scanner.feed(source)
    everything = [*found, *scanner.close()]
    for index, one in enumerate(found):
        resumed = Scanner(one.end, one.state)
        rest = [*resumed.feed(source[one.end :]), *resumed.close()]
        assert leaves(rest) == leaves(everything[index + 1 :]), (one, source[one.end :])


@given(sources)
def test_a_stretch_between_two_leaves_scanned_alone_gives_its_leaves(source: str) -> None:
    """Stretches end like slabs do: with the first leaf that ends at a place."""
    scanner = Scanner()
    found = scanner.feed(source)
    ends = [i for i in range(1, len(found)) if found[i].end > found[i - 1].end]
    for first in range(0, len(found) - 1, 2):
        start = found[first]
        for last in [i for i in ends if i > first][:3]:
            alone = Scanner(start.end, start.state)
            cut = found[last].state.carry == 2
            stretch = [*alone.feed(source[start.end : found[last].end]), *alone.close(cut)]
            assert leaves(stretch) == leaves(found[first + 1 : last + 1])


@given(cut_sources())
def test_looking_at_the_tail_changes_nothing_and_tells_the_end(case: tuple[str, list[str]]) -> None:
    source, pieces = case
    scanner = Scanner()
    found: list[Found] = []
    text = ""
    for piece in pieces:
        found += scanner.feed(piece)
        text += piece
        assert leaves(found) + scanner.tail() == leaves(scan(text))
    assert [*found, *scanner.close()] == scan(source)


@given(sources)
def test_every_character_but_marks_and_white_space_is_in_some_leaf_where_it_stood(source: str) -> None:
    for one in scan(source):
        for at, text in one.leaf.runs:
            assert source.startswith(text.rstrip("\n"), at)


@given(sources)
def test_what_is_open_stays_bounded(source: str) -> None:
    scanner = Scanner()
    for piece in (source, source):
        scanner.feed(piece)
        assert len(scanner.buffer) <= module.LONG_LINE
        assert scanner.size <= module.LONG_PARAGRAPH + module.LONG_LINE + 1


def kinds(source: str) -> list[Kind]:
    return [one.leaf.kind for one in scan(source)]


def test_marks_that_may_become_anything_are_shown_as_they_stand_until_their_line_ends() -> None:
    assert kinds("Title\n-") == [Kind.PARAGRAPH, Kind.PARAGRAPH]
    assert kinds("Title\n-\n") == [Kind.HEADING]
    assert kinds("Here:\n- x") == [Kind.PARAGRAPH, Kind.PARAGRAPH]


def test_a_list_inside_a_paragraph_begins_only_with_a_bullet_or_one() -> None:
    assert len(kinds("the year\n1984. was long")) == 1
    assert len(kinds("so:\n1. one")) == 2


def test_a_fence_left_open_by_its_list_item_is_closed_with_it() -> None:
    assert kinds("- a\n  ```\n  x\nafter") == [
        Kind.PARAGRAPH,
        Kind.CODE_OPEN,
        Kind.CODE_LINE,
        Kind.CODE_CLOSE,
        Kind.PARAGRAPH,
    ]


def test_a_long_table_settles_its_columns_and_goes_on_row_by_row() -> None:
    rows = "".join(f"| {n} | x |\n" for n in range(5))
    assert kinds("| a | b |\n|---|---|\n" + rows) == [Kind.TABLE, *[Kind.TABLE_ROW] * 3]
