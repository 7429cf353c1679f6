"""Selecting with the mouse and finding: both work on the source, not on what is drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import MouseMove
from textual.pilot import Pilot

from tests.ui.transcript.sources import sources
from tests.ui.transcript.stage import STOPPED, Stage, Talk, play, rows, text
from tui.core import events as ev
from tui.ui.transcript import CopyAsked, Found
from tui.ui.transcript.body import Body
from tui.ui.transcript.code import fence_source
from tui.ui.transcript.finder import Finder, matches, pattern, sources_of
from tui.ui.transcript.rows import cells

SOURCE = (
    "# A title\n\nSome **bold words** and `code` that [link](https://x.y) here.\n\n"
    "- first item\n- second item\n"
)


async def drag(pilot: Pilot[None], stage: Stage, begin: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(stage.view, offset=begin)
    await pilot._post_mouse_events([MouseMove], stage.view, end, button=1)
    await pilot.mouse_up(stage.view, offset=end)
    await pilot.pause()


def find_row(stage: Stage, word: str) -> tuple[int, int]:
    """Column and row of a word on the screen."""
    y = next(y for y, row in enumerate(rows(stage.view)) if word in row)
    row = rows(stage.view)[y]
    return cells(row[: row.index(word)]), y


# --- selecting -----------------------------------------------------------------------------------------


def test_dragging_selects_the_source_between_two_characters() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        Talk(stage.view).say(SOURCE)
        x, y = find_row(stage, "bold")
        await drag(pilot, stage, (x, y), (find_row(stage, "code")[0] + 3, y))
        assert stage.view.selected_text() == "bold words** and `code"
        assert stage.screen.get_selected_text() == "bold words** and `code"

    play(scene)


def test_a_selection_over_rows_blocks_and_turns_is_the_source_of_all_of_them() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say(SOURCE)
        talk.change(cards=[STOPPED])
        Talk(stage.view, 2, "and then?").say("more")
        x, y = find_row(stage, "A title")
        last = find_row(stage, "and then?")
        await drag(pilot, stage, (x, y), (last[0] + 2, last[1]))
        assert stage.view.selected_text() == (
            SOURCE[2:].strip() + "\n\n┄┄ STOPPED BY YOU  14:02:24 \n  ^R Resend   Copy\n\nand"
        )

    play(scene, (80, 40))


def test_dragging_backwards_selects_the_same() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        Talk(stage.view).say(SOURCE)
        first, last = find_row(stage, "first item"), find_row(stage, "second item")
        await drag(pilot, stage, (last[0] + 5, last[1]), first)
        assert stage.view.selected_text() == "first item\n- second"

    play(scene)


def test_a_selection_stays_on_its_text_while_more_comes_and_a_click_ends_it() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say(SOURCE)
        x, y = find_row(stage, "first")
        await drag(pilot, stage, (x, y), (x + 4, y))
        talk.say("more\n\n" * 100)
        assert stage.view.selected_text() == "first"
        await pilot.click(stage.view, offset=(3, 3))
        await pilot.pause()
        assert stage.view.selected_text() == ""

    play(scene)


def test_what_is_selected_is_marked_and_nothing_else() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        Talk(stage.view).say(SOURCE)
        x, y = find_row(stage, "first")
        await drag(pilot, stage, (x, y), (x + 4, y))
        marked = stage.view.get_component_rich_style("transcript--selected").bgcolor
        strip = stage.view.render_line(y)
        assert "".join(s.text for s in strip if s.style and s.style.bgcolor == marked) == "first"

    play(scene)


def test_a_double_click_selects_a_word_and_a_third_the_line() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        Talk(stage.view).say(SOURCE)
        x, y = find_row(stage, "words")
        await pilot.click(stage.view, offset=(x + 1, y), times=2)
        await pilot.pause()
        assert stage.view.selected_text() == "words"
        await pilot.click(stage.view, offset=(x + 1, y), times=3)
        await pilot.pause()
        assert stage.view.selected_text() == SOURCE.split("\n")[2]

    play(scene)


def test_wide_characters_are_selected_whole() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        Talk(stage.view).say("表中 👩‍👩‍👧 e\u0301x")
        y = find_row(stage, "表中")[1]
        await drag(pilot, stage, (6, y), (8, y))
        assert stage.view.selected_text() == "中 👩‍👩‍👧"[: len("中 👩‍👩‍👧")]

    play(scene)


def test_the_word_copy_over_code_copies_the_code_alone() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        Talk(stage.view).say("text\n\n```python\ndef f():\n\n    return 1\n```\n\nafter")
        x, y = find_row(stage, "copy")
        await pilot.click(stage.view, offset=(x, y))
        copied = [m.text for m in stage.said(CopyAsked) if isinstance(m, CopyAsked)]
        assert copied == ["def f():\n\n    return 1"]

    play(scene)


@given(st.lists(st.text(alphabet="ab #-", max_size=9), max_size=30), st.booleans())
def test_the_source_of_a_fence_is_what_stood_in_it(lines: list[str], closed: bool) -> None:
    body = Body()
    body.grow("before\n\n```x\n" + "".join(line + "\n" for line in lines) + "```\nafter\n" * closed)
    assert fence_source(body, len("before\n\n")) == "\n".join(lines)


# --- finding -------------------------------------------------------------------------------------------


def last_found(stage: Stage) -> tuple[int, int, bool]:
    message = stage.said(Found)[-1]
    assert isinstance(message, Found)
    return message.number, message.total, message.done


def test_finding_goes_to_the_last_match_first_then_up_then_around() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        for number in range(1, 4):
            Talk(stage.view, number, f"prompt {number}").say(f"text {number}\n\n" * 40 + f"needle {number}")
        stage.view.find("NEEDLE")
        await pilot.pause(0.1)
        assert last_found(stage) == (3, 3, True)
        seen = []
        for _ in range(4):
            stage.view.find_next(forward=False)
            await pilot.pause()
            seen.append(last_found(stage)[0])
            assert f"needle {seen[-1]}" in text(stage.view)
        assert seen == [2, 1, 3, 2]
        stage.view.find_next()
        await pilot.pause()
        assert last_found(stage)[0] == 3

    play(scene)


def test_finding_looks_into_what_is_folded_and_opens_it() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.take(ev.ToolStarted("c", "look", '{"id": 1}'), ev.ToolFinished("c", "a needle in the result"))
        talk.say("answer")
        stage.view.find("needle")
        assert "a needle in the result" in text(stage.view)

    play(scene)


def test_every_match_on_the_screen_is_marked_and_the_current_one_otherwise() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say("one word, two **word**, three\nword")
        stage.view.find("word")
        talk.say(" and one more word")
        found = stage.view.get_component_rich_style("transcript--found").bgcolor
        current = stage.view.get_component_rich_style("transcript--current").bgcolor
        looks = [
            s.style.bgcolor
            for y in range(24)
            for s in stage.view.render_line(y)
            if s.text == "word" and s.style
        ]
        assert sorted(look == current for look in looks) == [False, False, False, True]
        assert all(look in (found, current) for look in looks)
        stage.view.find("")
        looks = [s.style.bgcolor for y in range(24) for s in stage.view.render_line(y) if s.style]
        assert found not in looks
        assert current not in looks

    play(scene)


def test_a_match_is_seen_without_colours_too() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        Talk(stage.view).say("a word")
        stage.view.find("word")
        style = next(s.style for y in range(24) for s in stage.view.render_line(y) if s.text == "word")
        assert style
        assert style.underline
        assert style.bold

    play(scene)


@pytest.mark.parametrize(
    ("query", "source", "found"),
    [
        ("bold word", "some **bold** word", ["bold** word"]),
        ("two lines", "two\nlines", ["two\nlines"]),
        ("a.b", "a.b axb", ["a.b"]),
        ("ÄH", "äh", ["äh"]),
        ("i", "İi", ["i"]),
        ("  ", "  ", []),
    ],
)
def test_what_counts_as_a_match(query: str, source: str, found: list[str]) -> None:
    assert [source[a:b] for a, b in matches(source, pattern(query))] == found


@given(sources, st.text(alphabet="abte ", min_size=1, max_size=3))
def test_matches_found_while_a_source_grows_are_those_found_at_its_end(source: str, query: str) -> None:
    stage = Stage()
    talk = Talk(stage.view)
    finder = Finder(stage.view.document, query)
    for at in range(0, len(source), 7):
        talk.transcript.apply(ev.TextDelta("a", source[at : at + 7]), 1.0)
        stage.view.document.sync(1)
        section = stage.view.document.layout(0).sections[-1]
        if section.key == "block:0":
            assert finder.in_section(section) == list(matches(section.source(), pattern(query)))


def test_the_sources_looked_through_are_those_the_layout_shows() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.take(ev.ReasoningDelta("r", "think"), ev.ToolStarted("c", "t", '{"a": "' + "x" * 80 + '"}'))
        talk.take(
            ev.ToolFinished("c", "result"),
            ev.DataReceived("d", {"k": "v" * 80}),
            ev.QuestionAsked("q", "ok?"),
        )
        talk.say(SOURCE)
        talk.change(cards=[STOPPED])
        layout = stage.view.document.layout(0)
        shown = {section.key: section.source() for section in layout.sections if section.key != "head"}
        assert dict(sources_of(talk.item)) == shown

    play(scene)
