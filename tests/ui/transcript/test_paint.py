"""What each construct of markdown looks like, wide and narrow. Colours are never all that tells."""

from __future__ import annotations

import pytest

from tui.ui.transcript import inks
from tui.ui.transcript.body import Body
from tui.ui.transcript.grid import column_widths
from tui.ui.transcript.leaves import Table
from tui.ui.transcript.rows import Row
from tui.ui.transcript.setting import ASCII, Setting

FORTY = Setting(40)


def painted(source: str, setting: Setting = FORTY) -> list[Row]:
    body = Body()
    body.grow(source)
    return [row for index in range(len(body.slabs)) for row in body.rows(index, setting)]


def shown(source: str, setting: Setting = FORTY) -> str:
    return "\n".join(row.text.rstrip() for row in painted(source, setting))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("one\n\n\n\ntwo", "one\n\ntwo"),
        ("one\ntwo", "one two"),
        ("one  \ntwo", "one\ntwo"),
        ("# Title\ntext", "Title\ntext"),
        ("a\n===\nb\n---\n", "a\nb"),
        ("***\n", "─" * 40),
        ("- a\n- b\n  - c\n    - d\n      - e", "• a\n• b\n  ◦ c\n    ▪ d\n      ▪ e"),
        ("- a\n\n- b", "• a\n\n• b"),
        ("9. a\n10. b\n    more", "9. a\n10. b more"),
        ("- a\n\n  more of a\n- b", "• a\n\n  more of a\n• b"),
        ("- [ ] to do\n- [x] done", "[ ] to do\n[x] done"),
        ("> a\n> b\n>\n> c", "▎ a b\n▎\n▎ c"),
        ("> - a\n> - b\n>> c", "▎ • a\n▎ • b\n▎ ▎ c"),
        ("```sh\nls -l\n\n\tx\n```", "┌ sh copy\n│ ls -l\n│\n│     x\n└"),
        ("~~~\nx", "┌ copy\n│ x"),
        ("- a\n  ```\n  x\n  ```", "• a\n  ┌ copy\n  │ x\n  └"),
        ("    indented\n    code", "│ indented\n│ code"),
        ("[a]: https://x.y", "[a]: https://x.y"),
        ("<div>\nhtml\n</div>", "<div> html </div>"),
        ("![i](https://x.y)", "image: i (https://x.y)"),
        ("| a | b |\n|--:|:-:|\n| 1 | two |", "a │  b\n──┼────\n1 │ two"),
        ("| a | b |\n|--|--|\n| 1 |", "a │ b\n──┼──\n1 │"),
        ("| a | b |\n|--|--|\n| x\\|y | p | q |", "a   │ b\n────┼──────\nx|y │ p | q"),
    ],
)
def test_constructs(source: str, expected: str) -> None:
    assert shown(source) == expected


def test_a_paragraph_wraps_between_words_and_a_list_item_under_its_text() -> None:
    assert shown("- " + "word " * 12) == "• word word word word word word word\n  word word word word word"
    assert shown("> " + "word " * 9, Setting(20)) == "▎ word word word\n▎ word word word\n▎ word word word"


def test_code_is_folded_where_the_row_ends_and_loses_nothing() -> None:
    assert shown("```\n" + "x" * 50 + "\n```", Setting(30)).split("\n")[1:3] == [
        "│ " + "x" * 28,
        "│ " + "x" * 22,
    ]


def test_a_wide_table_shares_the_room_and_wraps_in_its_cells() -> None:
    source = "| name | what it is |\n|---|---|\n| a | " + "word " * 12 + "|\n"
    assert shown(source) == (
        "name │ what it is\n"
        "─────┼──────────────────────────────────\n"
        "a    │ word word word word word word\n"
        "     │ word word word word word word"
    )


def test_a_table_too_narrow_for_its_columns_becomes_lines_of_name_and_cell() -> None:
    source = "| name | size | kind |\n|---|---|---|\n| one | 2 | file |\n| two | | dir |\n"
    assert shown(source, Setting(16)) == (
        "name: one\nsize: 2\nkind: file\n───\nname: two\nkind: dir\n───"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("natural", "room", "widths"),
    [((3, 5), 40, [3, 5]), ((3, 50), 40, [3, 34]), ((50, 50), 43, [20, 20]), ((9, 9, 9), 12, [])],
)
def test_columns_keep_their_width_where_it_fits_and_share_the_rest(
    natural: tuple[int, ...], room: int, widths: list[int]
) -> None:
    assert column_widths(Table(("",) * len(natural), natural), room) == widths


def test_a_long_table_has_the_same_columns_from_its_first_row_to_its_last() -> None:
    source = "| a | b |\n|---|---|\n" + "".join(f"| {n} | x |\n" for n in range(90))
    rows = painted(source)
    assert len({row.text.index("│") for row in rows if "│" in row.text}) == 1
    assert len(rows) == 92


def test_a_terminal_without_unicode_gets_signs_it_can_show() -> None:
    source = "- a\n  - b\n\n> q\n\n```\nx\n```\n\n***\n\n| a | b |\n|--|--|\n| 1 | 2 |"
    assert shown(source, Setting(40, ASCII)).isascii()


def test_headings_differ_without_colours() -> None:
    looks = [painted("#" * level + " t")[0].spans[0].ink & ~inks.BASE for level in (1, 2, 3, 4)]
    assert len(set(looks)) == 4
    assert all(looks)


def test_a_paragraph_of_a_megabyte_is_set_in_parts_that_end_with_sentences() -> None:
    body = Body()
    body.grow("A sentence of some words. " * 4000)
    parts = [leaf.text for index in range(len(body.slabs) - 1) for leaf in body.leaves_of(index)]
    assert len(parts) > 30
    assert all(part.endswith(". ") for part in parts)


def test_many_containers_leave_at_least_half_the_width_to_the_text() -> None:
    rows = painted("> " * 40 + "text of some words that wraps", Setting(40))
    assert all(row.text.count("▎") <= 10 for row in rows)
    assert "".join(row.text for row in rows).count("text") == 1
