"""Long pastes: one text, quick keys, nothing lost on the way to sending, saving, undoing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, opening, screen_of, until
from tui.config import Settings
from tui.core import events as ev
from tui.core.turn import Phase
from tui.desk import Desk
from tui.store import Store
from tui.ui.app import StopkeyApp
from tui.ui.composing.chips import CHARS, KEPT, LINES, Chips, is_long, plain, weight

WHOLE = [ev.RunStarted("r"), ev.RunFinished()]
LOG = "".join(f"line {n} of a log\n" for n in range(1204))


async def paste(pilot: Pilot[int], text: str) -> None:
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()


def box(app: StopkeyApp) -> Any:
    return app.pane.box


def test_a_paste_of_some_lines_is_one_text_and_sends_nothing() -> None:
    async def run() -> None:
        backend = ScriptedBackend([WHOLE])
        async with on_stage(backend) as (app, pilot):
            await paste(pilot, "one\r\ntwo\rthree\n")
            assert box(app).text == "one\ntwo\nthree\n" and not backend.prompts

    asyncio.run(run())


def test_a_paste_over_the_transcript_goes_into_the_box() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            app.pane.view.focus()
            await pilot.pause()
            await paste(pilot, "meant for the box")
            await until(pilot, lambda: box(app).text == "meant for the box" and app.focused is box(app))

    asyncio.run(run())


def test_a_long_paste_is_a_chip_that_is_sent_in_full() -> None:
    async def run() -> None:
        backend = ScriptedBackend([WHOLE])
        async with on_stage(backend) as (app, pilot):
            box(app).put("Why? ")
            await paste(pilot, LOG)
            chip = f"[pasted 1,204 lines, {weight(len(LOG))} #1]"
            assert box(app).text == f"Why? {chip}"
            await until(pilot, lambda: chip in screen_of(app) and "Tab unfolds it" in screen_of(app))
            await pilot.press("enter")
            await until(pilot, lambda: len(backend.prompts) == 1)
            assert backend.prompts[0].text == ("Why? " + LOG).strip("\n") and box(app).text == ""
            await pilot.press("ctrl+z")
            assert box(app).written == f"Why? {LOG}"

    asyncio.run(run())


def test_a_chip_goes_as_one_comes_back_by_undo_and_nothing_is_typed_into_it() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            await paste(pilot, LOG)
            chip = box(app).text
            await pilot.press("left", "x")
            assert box(app).text == f"{chip}x"
            await pilot.press("backspace", "backspace")
            assert box(app).text == ""
            await pilot.press("ctrl+z")
            assert box(app).written.startswith(LOG)

    asyncio.run(run())


def test_tab_behind_a_chip_unfolds_it_unless_it_is_for_an_editor() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            await paste(pilot, LOG)
            await pilot.press("tab")
            assert box(app).text == LOG
            box(app).put("")
            await paste(pilot, LOG * 10)
            chip = box(app).text
            await pilot.press("tab")
            await until(pilot, lambda: "too long for this box: ^G" in screen_of(app))
            assert box(app).text == chip

    asyncio.run(run())


def test_a_queued_and_a_recalled_prompt_come_back_folded_and_whole() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("a"), gate, ev.RunFinished()], WHOLE])
        async with on_stage(backend) as (app, pilot):
            await paste(pilot, LOG)
            await pilot.press("enter")
            await until(pilot, gate.reached.is_set)
            await paste(pilot, f"queued {LOG}")
            await pilot.press("enter")
            await until(pilot, lambda: len(app.pane.talk.queue) == 1)
            await pilot.press("up")
            assert "[pasted" in box(app).text and box(app).written == f"queued {LOG}".strip("\n")
            box(app).clear_draft()
            gate.open()
            await until(pilot, lambda: app.pane.talk.turn.phase is Phase.COMPLETED)
            await pilot.press("up")
            assert "[pasted" in box(app).text and box(app).written == LOG.strip("\n")

    asyncio.run(run())


def test_a_draft_with_a_chip_is_there_after_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "c.db"
        store = Store.open(path)
        desk: Any = Desk(Settings(), store, None, None)
        opened = desk.fresh()
        opened.backend = ScriptedBackend([])
        async with asyncio.timeout(20), StopkeyApp(opened, desk=desk, still=True).run_test() as pilot:
            app: Any = pilot.app
            box(app).put("Why? ")
            await paste(pilot, LOG)
            app.pane.save_draft()
            await app.pane.talk.leave()
        store.close()
        store = Store.open(path)
        desk = Desk(Settings(), store, None, None)
        again = await asyncio.to_thread(desk.reopen, opened.conversation.id)
        store.close()
        again = opening_of(again)
        async with asyncio.timeout(20), StopkeyApp(again, still=True).run_test() as pilot:
            app = pilot.app
            assert box(app).text.startswith("Why? [pasted 1,204 lines") and box(app).written == f"Why? {LOG}"
            await paste(pilot, LOG + "!")
            assert box(app).text.endswith("#2]")

    asyncio.run(run())


def opening_of(again: Any) -> Any:
    made = opening(ScriptedBackend([]))
    made.draft, made.pasted = again.draft, again.pasted
    return made


def test_pasting_and_typing_after_a_megabyte_keeps_the_box_short() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            for text in ("x" * 1_000_000, "x\n" * 500_000):
                await paste(pilot, text)
            assert len(box(app).text) < 80 and len(box(app).written) == 2_000_000

    asyncio.run(run())


def test_control_characters_become_signs() -> None:
    assert plain("a\x1b[31mb\x07\x00\x7f\x9b\tc\r\nd\r") == "a␛[31mb␇␀␡\ufffd\tc\nd\n"
    clean = "ünïcödé \u200d 👩‍🚀\n"
    assert plain(clean) is clean or plain(clean) == clean


def test_what_is_long() -> None:
    assert is_long("x" * (CHARS + 1)) and is_long("\n" * LINES)
    assert not is_long("x" * CHARS) and not is_long("\n" * (LINES - 1))
    assert [weight(n) for n in (0, 999, 1234, 56_789, 1_234_567)] == [
        "0 B",
        "999 B",
        "1.2 kB",
        "56 kB",
        "1,234 kB",
    ]


def test_what_looks_like_a_chip_and_is_none_stays_as_it_is() -> None:
    chips = Chips()
    assert chips.unfold("[pasted 3 lines, 5 B #1]") == "[pasted 3 lines, 5 B #1]"
    chip = chips.fold("a\nb\nc")
    assert chips.unfold(f"<{chip}> \\1 [pasted 3 lines, 6 B #1]") == "<a\nb\nc> \\1 [pasted 3 lines, 6 B #1]"


def test_what_is_kept_for_undo_is_bounded_and_what_is_in_use_stays() -> None:
    chips = Chips()
    first, *others = [chips.fold(str(n) * (KEPT // 4)) for n in range(6)]
    chips.forget(first)
    assert chips.unfold(first) != first
    assert sum(chips.unfold(chip) != chip for chip in others) == 3
