"""Reading while it grows: following, holding still, folding, jumping, the cursor, the bar."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.events import MouseScrollUp
from textual.pilot import Pilot

from tests.ui.transcript.stage import STOPPED, Stage, Talk, play, rows, text
from tui.core import events as ev
from tui.ui.transcript import Acted, CopyAsked, CursorMoved, FollowChanged

LINES = "".join(f"line {n} of the reply\n\n" for n in range(60))


def long_talk(stage: Stage, number: int = 1) -> Talk:
    talk = Talk(stage.view, number)
    talk.say(LINES)
    return talk


def last_follow(stage: Stage) -> tuple[bool, int]:
    message = stage.said(FollowChanged)[-1]
    assert isinstance(message, FollowChanged)
    return message.following, message.below


# --- following and holding still ------------------------------------------------------------------------


def test_the_view_sticks_to_the_end_while_text_comes() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = long_talk(stage)
        for n in range(5):
            talk.say(f"news {n}\n\n")
            assert rows(stage.view)[-1].strip() == f"news {n}"
        assert stage.view.following

    play(scene)


def test_scrolling_up_lets_go_and_says_how_much_is_below_and_end_comes_back() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = long_talk(stage)
        stage.view.focus()
        await pilot.press("pageup")
        await pilot.pause()
        assert last_follow(stage) == (False, 22)
        talk.say("one more\n\nand one\n\n")
        await pilot.pause()
        assert last_follow(stage) == (False, 26)
        await pilot.press("end")
        await pilot.pause()
        assert last_follow(stage) == (True, 0)
        assert rows(stage.view)[-1].strip("▌ ") == "and one"

    play(scene)


def test_scrolling_down_to_the_end_follows_again() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = long_talk(stage)
        stage.view.scroll_rows(-5)
        assert not stage.view.following
        stage.view.scroll_rows(5)
        assert stage.view.following
        talk.say("news\n\n")
        assert rows(stage.view)[-1].strip() == "news"

    play(scene)


def test_the_wheel_scrolls_a_few_rows() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        long_talk(stage)
        before = rows(stage.view)
        await pilot._post_mouse_events([MouseScrollUp], stage.view, (5, 5))
        assert rows(stage.view)[2:] == before[:-2]
        assert not stage.view.following

    play(scene)


def held_still(change: Callable[[Stage, Talk], None], scroll: int = -30) -> None:
    """Scrolled up, a change leaves every row on the screen where it is."""

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = long_talk(stage)
        stage.view.scroll_rows(scroll)
        before = rows(stage.view)
        change(stage, talk)
        stage.view.draw_now()
        assert rows(stage.view) == before

    play(scene)


def test_text_that_comes_below_moves_nothing() -> None:
    held_still(lambda stage, talk: talk.say("more\n\n" * 500))


def test_a_turn_that_comes_below_moves_nothing() -> None:
    held_still(lambda stage, talk: Talk(stage.view, 2).say("hello"))


def test_a_block_that_grows_above_moves_nothing() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say("above\n\n", "above")
        talk.say(LINES)
        stage.view.scroll_rows(-30)
        before = rows(stage.view)
        talk.say("it goes on\n\n" * 20, "above")
        assert rows(stage.view) == before

    play(scene)


def test_a_card_that_comes_or_a_mark_that_changes_moves_nothing() -> None:
    held_still(lambda stage, talk: talk.change(cards=[STOPPED], mark="⏹"))


@pytest.mark.parametrize("scroll", [-160, -161, -240])
def test_after_any_number_of_resizes_the_top_row_shows_the_same_text(scroll: int) -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say("".join(f"paragraph {n}: " + "some words " * 30 + "\n\n- item\n\n" for n in range(60)))
        stage.view.scroll_rows(scroll)
        before = rows(stage.view)
        at = next(s.row.at for s in stage.view.screen_rows if s.row.at >= 0)
        for width in (50, 100, 30, 33, 80):
            await pilot.resize_terminal(width, 24)
            await pilot.pause()
            assert any(s.row.at <= at < s.row.end for s in stage.view.screen_rows[:2])
        assert rows(stage.view) == before

    play(scene)


def test_following_survives_a_resize() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        long_talk(stage)
        await pilot.resize_terminal(40, 12)
        await pilot.pause()
        assert stage.view.following
        assert rows(stage.view)[-1].strip() == "line 59 of the reply"

    play(scene)


def test_paging_up_and_down_shows_every_row_once_and_comes_back() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        for number in range(1, 6):
            long_talk(stage, number)
        seen = rows(stage.view)
        while stage.view.viewport.above:
            before = rows(stage.view)
            stage.view.scroll_rows(-10)
            assert rows(stage.view)[10:] == before[:-10] or not stage.view.viewport.above
            seen = rows(stage.view)
        assert seen[0].strip().startswith("You")
        for _ in range(100):
            stage.view.scroll_rows(10)
        assert stage.view.following

    play(scene)


# --- folding --------------------------------------------------------------------------------------------


def with_tool(stage: Stage) -> Talk:
    talk = Talk(stage.view)
    talk.take(ev.ReasoningDelta("r", "first I think"), ev.BlockEnded("r"))
    talk.take(ev.ToolStarted("c", "look", '{"id": 1}'), ev.ToolFinished("c", "found it"))
    talk.say("the answer")
    return talk


def test_a_click_unfolds_a_tool_call_where_it_stands_and_folds_it_again() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        with_tool(stage)
        folded = text(stage.view)
        line = next(y for y, row in enumerate(rows(stage.view)) if "tool  look" in row)
        await pilot.click(stage.view, offset=(1, line))
        assert rows(stage.view)[line : line + 4] == [
            rows(stage.view)[line], '     in   {"id": 1}', "     out  found it", "   the answer",
        ]  # fmt: skip
        assert rows(stage.view)[line].startswith(" ▾ tool  look(id=1)")
        await pilot.click(stage.view, offset=(1, line))
        assert text(stage.view) == folded

    play(scene)


def test_everything_folds_and_unfolds_at_once_also_what_comes_later() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = with_tool(stage)
        stage.view.fold_all()
        assert "first I think" in text(stage.view)
        assert "found it" in text(stage.view)
        talk.take(ev.ReasoningDelta("later", "then I thought"))
        assert "then I thought" in text(stage.view)
        stage.view.fold_all()
        assert "I think" not in text(stage.view)

    play(scene)


def test_long_json_is_laid_out_over_lines_and_cannot_smuggle_a_control_character() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        result = '{"key": "\\u009b31m", "list": [1, 2], "text": "' + "x" * 40 + '"}'
        talk.take(ev.ToolStarted("c", "look", '{"a": "\\u001b[31m"}'), ev.ToolFinished("c", result))
        stage.view.fold_all(False)
        shown = text(stage.view)
        assert '"list": [' in shown
        assert "\x9b" not in shown
        assert "\x1b" not in shown

    play(scene)


# --- cursor, keys, jumping ------------------------------------------------------------------------------


def test_the_cursor_walks_from_section_to_section_and_keys_ask_the_app() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = with_tool(stage)
        talk.change(cards=[STOPPED])
        stage.view.focus()
        await pilot.pause()
        assert stage.view.cursor == (1, "card:stop")
        await pilot.press("y")
        assert [(m.section, m.action) for m in stage.said(Acted) if isinstance(m, Acted)] == [
            ("card:stop", "copy")
        ]
        stage.heard.clear()
        for section in ("block:2", "block:1", "block:0", "prompt", "prompt"):
            await pilot.press("up")
            assert stage.view.cursor == (1, section)
        assert rows(stage.view)[0].startswith("▌You")
        await pilot.press("e", "down", "enter", "y")
        asked = [(m.section, m.action) for m in stage.said(Acted) if isinstance(m, Acted)]
        assert asked == [("prompt", "edit")]
        assert "first I think" in text(stage.view)
        assert [m.text for m in stage.said(CopyAsked) if isinstance(m, CopyAsked)] == ["first I think"]
        moved = [m.section for m in stage.said(CursorMoved) if isinstance(m, CursorMoved)]
        assert moved == ["block:2", "block:1", "block:0", "prompt", "block:0"]

    play(scene)


def test_the_cursor_is_seen_only_while_the_transcript_has_the_focus() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        with_tool(stage)
        stage.view.focus()
        await pilot.pause()
        assert "▌" in text(stage.view)
        stage.set_focus(None)
        await pilot.pause()
        assert "▌" not in text(stage.view)

    play(scene)


def test_the_cursor_scrolls_through_a_section_that_is_higher_than_the_screen() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        long_talk(stage)
        stage.view.focus()
        await pilot.pause()
        pages = 0
        while stage.view.cursor != (1, "prompt"):
            await pilot.press("up")
            pages += 1
            assert pages < 12
        assert pages > 4
        assert "You" in text(stage.view)

    play(scene)


def test_jumping_shows_the_place_and_unfolds_what_hides_it() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        for number in range(1, 4):
            talk = Talk(stage.view, number)
            talk.take(ev.ReasoningDelta("r", "".join(f"thought {n}\n\n" for n in range(80))))
            talk.say(LINES)
        place = "".join(f"thought {n}\n\n" for n in range(70))
        assert stage.view.go_to(2, "block:0", len(place))
        assert "thought 70" in text(stage.view)
        assert stage.view.cursor == (2, "block:0")
        assert stage.view.go_to(1)
        assert rows(stage.view)[0].strip("▌ ").startswith("You")
        assert not stage.view.go_to(99)
        assert not stage.view.go_to(1, "block:99")

    play(scene)


def test_brackets_jump_from_prompt_to_prompt() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        for number in range(1, 4):
            Talk(stage.view, number, f"prompt {number}").say(LINES)
        stage.view.focus()
        seen = []
        for _ in range(3):
            await pilot.press("left_square_bracket")
            seen.append(next(row.strip(" ▌▐") for row in rows(stage.view) if "prompt" in row))
        assert seen == ["prompt 3", "prompt 2", "prompt 1"]
        await pilot.press("right_square_bracket")
        assert "prompt 2" in text(stage.view)

    play(scene)


# --- the bar --------------------------------------------------------------------------------------------


def test_the_bar_shows_where_one_is_and_can_be_dragged() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        for number in range(1, 4):
            long_talk(stage, number)
        assert bar(stage)[-1]
        assert not bar(stage)[0]
        await pilot.mouse_down(stage.view, offset=(79, 0))
        await pilot.mouse_up(stage.view, offset=(79, 0))
        assert rows(stage.view)[0].strip(" ▐").startswith("You")
        assert bar(stage)[0]
        await pilot.mouse_down(stage.view, offset=(79, 12))
        await pilot.hover(stage.view, offset=(79, 23))
        await pilot.mouse_up(stage.view, offset=(79, 23))
        assert stage.view.following

    play(scene)


def bar(stage: Stage) -> list[bool]:
    return [stage.view.render_line(y).text.endswith("▐") for y in range(stage.view.size.height)]


def test_there_is_no_bar_while_everything_is_on_the_screen() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        with_tool(stage)
        assert not any(bar(stage))

    play(scene)


@pytest.mark.parametrize("height", [1, 2, 3])
def test_a_screen_of_very_few_rows_still_shows_the_end(height: int) -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        long_talk(stage)
        assert rows(stage.view)[-1].strip(" ▐") == "line 59 of the reply"
        stage.view.action_page(-1)
        stage.view.action_top()
        stage.view.follow()

    play(scene, (80, height))
