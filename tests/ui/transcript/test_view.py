"""The widget: what it shows, and that it draws only what changed, only when something changed."""

from __future__ import annotations

import asyncio

import pytest
from textual.geometry import Region
from textual.pilot import Pilot

from tests.ui.transcript.stage import STOPPED, Stage, Talk, play, rows, text
from tui.core import events as ev
from tui.ui.transcript import Acted, Word, pouring

ARGUMENTS = '{"tracking": "1Z999AA10123456784"}'


def grown(talk: Talk) -> None:
    """The turn of the drawing in ux.md, screen A."""
    talk.take(ev.ReasoningDelta("r", "x" * 318), at=100.0)
    talk.take(ev.BlockEnded("r"), at=102.1)
    talk.take(ev.ToolStarted("c", "lookup_order", '{"id": 42}'), at=102.1)
    talk.take(ev.ToolFinished("c", "y" * 212), at=103.0)
    talk.take(ev.ToolStarted("d", "carrier_status", ARGUMENTS), at=103.0)
    talk.say("Order 42 left the Leipzig warehouse on Tuesday. The carrier scanned it in Kassel on ")
    talk.say("Wednesday night and then there is a gap, which usually means that the parcel was")
    talk.change(mark="▌")


def test_a_turn_while_it_streams() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        stage.now = 106.4
        grown(Talk(stage.view))
        assert text(stage.view) == (
            " You                                                                   14:02:11\n"
            "   Where is order 42?\n"
            "\n"
            " Agent                                                      ttft 0.6s   running\n"
            " ▸ thinking                                                    2.1s   318 chars\n"
            " ▸ tool  lookup_order(id=42)                            ok      0.9s      212 B\n"
            ' ▸ tool  carrier_status(tracking="1Z999AA10123456784")  …       3.4s\n'
            "   Order 42 left the Leipzig warehouse on Tuesday. The carrier scanned it in\n"
            "   Kassel on Wednesday night and then there is a gap, which usually means\n"
            "   that the parcel was▌"
        )

    play(scene)


def test_a_turn_that_was_stopped() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        grown(talk)
        talk.transcript.seal(106.6)
        talk.change(mark="⏹", cards=[STOPPED])
        assert rows(stage.view)[6:13] == [
            ' ▸ tool  carrier_status(tracking="1Z999AA10123456784")  cut     3.6s  no result',
            "   Order 42 left the Leipzig warehouse on Tuesday. The carrier scanned it in",
            "   Kassel on Wednesday night and then there is a gap, which usually means",
            "   that the parcel was ⏹",
            " ┄┄ STOPPED BY YOU  14:02:24 ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄",
            "   ^R Resend   Copy",
            "",
        ]

    play(scene)


@pytest.mark.parametrize(("width", "height"), [(40, 10), (20, 5), (12, 3), (140, 40)])
def test_at_other_sizes_no_row_is_wider_than_the_screen(width: int, height: int) -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        grown(talk)
        talk.say("\n\n```python\ndef f(): ...\n```\n\n| a | long heading | c |\n|--|--|--|\n| 1 | 2 | 3 |\n")
        stage.view.fold_all(False)
        for y in range(height):
            assert stage.view.render_line(y).cell_length == width

    play(scene, (width, height))


def test_forty_columns_say_everything_that_eighty_say() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        stage.now = 106.4
        talk = Talk(stage.view)
        grown(talk)
        talk.change(cards=[STOPPED])
        shown = text(stage.view)
        for word in (
            "You",
            "14:02:11",
            "running",
            "thinking",
            "2.1s",
            "lookup_order",
            "ok",
            "…",
            "STOPPED BY YOU",
        ):
            assert word in shown
        assert "^R Resend" in shown

    play(scene, (40, 24))


def test_twenty_thousand_touches_a_second_make_no_more_than_thirty_frames() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say("hello")
        frames = 0
        frame = stage.view.frame

        def counted() -> None:
            nonlocal frames
            frames += 1
            frame()

        stage.view.frame = counted  # type: ignore[method-assign]
        loop = asyncio.get_running_loop()
        end, touches = loop.time() + 0.3, 0
        while loop.time() < end:
            for _ in range(100):
                talk.transcript.apply(ev.TextDelta("a", "x"), 1.0)
                stage.view.touch(1)
                touches += 1
            await asyncio.sleep(0)
        assert touches > 3000
        assert 1 <= frames <= 11

    play(scene)


def test_nothing_is_scheduled_while_nothing_changes() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say("hello")
        await pilot.pause()
        assert stage.view._frame_due is None
        assert not stage.view._timers

    play(scene)


def test_the_time_of_a_running_tool_goes_on_by_itself_until_it_ended() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.take(ev.ToolStarted("c", "look", "{}"), at=100.0)
        assert "0.0s" in text(stage.view)
        stage.now = 107.0
        ticked = asyncio.Event()
        tick = stage.view._tick
        stage.view._tick = lambda: tick() or ticked.set()  # type: ignore[method-assign, func-returns-value]
        talk.say("")
        async with asyncio.timeout(5):
            await ticked.wait()
        assert "7.0s" in text(stage.view)
        talk.take(ev.ToolFinished("c", "ok"), at=108.0)
        await asyncio.sleep(0.3)
        assert stage.view._tick_due is None

    play(scene)


def test_one_more_word_repaints_the_row_it_stands_in_and_no_other() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say("- one\n- two\n\n" + "word " * 305)
        painted: list[Region] = []
        refresh = stage.view.refresh

        def watched(*regions: Region, **options: bool) -> object:
            painted.extend(regions)
            return refresh(*regions, **options)

        stage.view.refresh = watched  # type: ignore[method-assign, assignment]
        talk.say("more")
        assert sum(region.height for region in painted) == 1

    play(scene)


def test_a_terminal_that_takes_no_more_is_given_no_frame_until_it_does() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say("first")
        takes = False
        stage.view.may_draw = lambda: takes
        talk.transcript.apply(ev.TextDelta("a", " second"), 1.0)
        stage.view.touch(1)
        drawn = asyncio.Event()
        frame = stage.view.frame
        stage.view.frame = lambda: drawn.set() or frame()  # type: ignore[method-assign, func-returns-value]
        await asyncio.sleep(0.1)
        assert not drawn.is_set()
        assert "second" not in text(stage.view)
        takes = True
        async with asyncio.timeout(5):
            await drawn.wait()
        assert "second" in text(stage.view)

    play(scene)


def test_a_click_on_a_word_asks_the_app_and_changes_nothing_by_itself() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say("see [it](https://x.y/z)")
        talk.change(cards=[STOPPED])
        line = next(y for y, row in enumerate(rows(stage.view)) if "Resend" in row)
        await pilot.click(stage.view, offset=(6, line))
        await pilot.click(stage.view, offset=(8, line - 2))
        asked = [(m.turn, m.section, m.action, m.value) for m in stage.said(Acted) if isinstance(m, Acted)]
        assert asked == [(1, "card:stop", "resend", ""), (1, "block:0", "link", "https://x.y/z")]

    play(scene)


def test_a_click_takes_no_focus() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        stage.set_focus(None)
        Talk(stage.view).say("hello")
        await pilot.click(stage.view, offset=(5, 4))
        assert stage.focused is None

    play(scene)


def test_text_stopped_inside_marks_looks_the_same_when_it_is_sealed() -> None:
    """Nothing moves after a stop: open emphasis, half a fence, a bullet without text."""

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        for number, source in enumerate(
            ["a **bold", "b `co", "c\n-", "d\n``", "e\n1.", "f\n| a |\n|--", "g\n```py\nx"]
        ):
            talk = Talk(stage.view, number + 1)
            talk.say(source)
            before = rows(stage.view)
            talk.transcript.seal(101.0)
            talk.take()
            assert rows(stage.view) == before

    play(scene, (60, 60))


def test_a_replaced_text_is_drawn_anew() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say("one two")
        talk.take(ev.TextReplaced("a", "three"))
        assert "three" in text(stage.view)
        assert "one" not in text(stage.view)

    play(scene)


def test_another_item_for_a_turn_takes_the_place_of_the_one_that_was_shown() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        Talk(stage.view).say("as it streamed")
        Talk(stage.view, prompt="again").say("as it was stored")
        assert "again" in text(stage.view)
        assert "as it was stored" in text(stage.view)
        assert "as it streamed" not in text(stage.view)

    play(scene)


def test_a_tool_whose_name_comes_after_its_arguments_is_shown_by_its_name() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.take(ev.ToolArguments("c", '{"a"'))
        talk.take(ev.ToolStarted("c", "look"))
        assert "tool  look(" in text(stage.view)

    play(scene)


def test_a_result_of_megabytes_costs_nothing_folded_and_comes_in_over_frames_unfolded() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        result = "".join(f"row {n}\n" for n in range(2000))
        talk.take(ev.ToolStarted("c", "look", "{}"), ev.ToolFinished("c", result))
        section = stage.view.document.layout(0).sections[2]
        assert section.body
        assert section.body.source.length == 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pouring, "AT_ONCE", 3000)
            stage.view.fold_all(False)
            assert 0 < section.body.source.length <= 3000
            frames = 0
            while stage.view.document.behind:
                stage.view.draw_now()
                frames += 1
        assert frames >= 5
        assert section.body.source.text() == section.source()
        stage.view.follow()
        assert "row 1999" in text(stage.view)

    play(scene)


def test_a_reply_of_megabytes_comes_in_over_frames() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pouring, "AT_ONCE", 3000)
            talk = Talk(stage.view)
            talk.say("".join(f"row {n}\n\n" for n in range(2000)))
            assert stage.view.document.behind
            async with asyncio.timeout(10):
                while stage.view.document.behind:
                    await pilot.pause()
        assert "row 1999" in text(stage.view)

    play(scene)


def test_a_block_that_grows_after_the_next_one_began_is_drawn_where_it_stands() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.say("first", "a")
        talk.say("second", "b")
        talk.say(" goes on", "a")
        shown = text(stage.view)
        assert shown.index("first goes on") < shown.index("second")

    play(scene)


def test_data_and_questions_are_shown_and_answered_by_a_click() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.take(ev.DataReceived("state", {"step": 1}))
        talk.take(ev.DataReceived("state", {"step": 2}))
        talk.take(ev.QuestionAsked("q", "Refund order 42?"))
        shown = rows(stage.view)
        assert any("▸ data  state" in row for row in shown)
        line = next(y for y, row in enumerate(shown) if "waits for you" in row)
        await pilot.click(stage.view, offset=(rows(stage.view)[line].index("yes"), line))
        assert [(m.action, m.value) for m in stage.said(Acted) if isinstance(m, Acted)] == [("answer", "yes")]
        talk.take(ev.QuestionAnswered("q", "yes"))
        assert "answered: yes" in text(stage.view)

    play(scene)


def test_a_question_of_a_turn_that_is_over_waits_for_nobody() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.take(ev.QuestionAsked("q", "Deploy?", kind="approval"))
        assert "? waits for you   yes   no" in text(stage.view)
        talk.transcript.seal(101.0)
        talk.take()
        shown = text(stage.view)
        assert "waits for you" not in shown and "not answered" in shown

    play(scene)


def test_cards_may_come_and_go_and_blocks_still_come_before_them() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        talk = Talk(stage.view)
        talk.change(cards=[STOPPED])
        talk.say("text")
        talk.change(head=[Word("Agent"), Word(" ", fill=True), Word("stopped")])
        shown = text(stage.view)
        assert shown.index("stopped") < shown.index("text") < shown.index("STOPPED BY YOU")
        talk.change(cards=[])
        assert "STOPPED" not in text(stage.view)

    play(scene)


def test_a_change_of_theme_changes_colours_and_not_a_single_row() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        Talk(stage.view).say("# Title\n\ntext `code`\n\n```python\nreturn 1\n```\n")
        before, dark = rows(stage.view), [list(stage.view.render_line(y)) for y in range(12)]
        stage.theme = "textual-light"
        await pilot.pause()
        assert rows(stage.view) == before
        assert [list(stage.view.render_line(y)) for y in range(12)] != dark

    play(scene)


def test_a_long_stored_conversation_opens_at_its_end_and_loads_only_what_is_seen() -> None:
    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        loaded: list[int] = []

        def load(number: int) -> object:
            loaded.append(number)
            talk = Talk(Stage().view, number, f"prompt {number}")
            talk.transcript.apply(ev.TextDelta("a", f"reply {number}"), 1.0)
            return talk.item

        stage.view.open(range(1, 20_001), load)  # type: ignore[arg-type]
        stage.view.draw_now()
        assert "reply 20000" in text(stage.view)
        assert len(loaded) < 10
        stage.view.action_top()
        assert "prompt 1" in text(stage.view)
        assert len(loaded) < 20

    play(scene)
