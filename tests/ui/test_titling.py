"""The terminal's title and progress: what runs, in words of ours, and put back at the end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.terminal import Terminal
from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, say, until
from tui.core import events as ev
from tui.core.turn import Phase
from tui.ui.titling import BUSY, NO_PROGRESS, WAITS, Titling, shows_progress


class Written:
    """A driver that keeps what is written."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> None:
        self.texts.append(text)


def test_title_and_progress_follow_the_run_and_are_written_only_when_they_change() -> None:
    async def run() -> None:
        gate = Gate()
        question = ev.QuestionAsked("q", "may I?")
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("a", "b"), gate, question, Gate()]])
        async with on_stage(backend) as (app, pilot):
            titling = Titling(app, {"WT_SESSION": "1"})
            written: Any = Written()
            app.titling = titling
            seen = _spied(app, titling, written)
            await say(pilot, "where is\x1b]0;x\x07 order 42?")
            await until(pilot, gate.reached.is_set)
            assert seen.count(BUSY) == 1
            assert any("order 42?" in text and "\x1b]2;" in text for text in seen)
            assert not any("\x1b]0" in text or text.count("\x1b") > 1 for text in seen), "cleaned"
            gate.open()
            await until(pilot, lambda: WAITS in seen)
            await pilot.press("f8")
            turn = app.pane.talk.turn
            await until(pilot, lambda: turn is not None and turn.phase is Phase.STOPPED)
            await until(pilot, lambda: seen[-1] == NO_PROGRESS or seen[-2] == NO_PROGRESS)
            before = len(seen)
            app.situation_changed()
            assert len(seen) == before

    asyncio.run(run())


def _spied(app: Any, titling: Titling, written: Written) -> list[str]:
    """As if there were a terminal: what is written to it."""

    class OnATerminal:
        _driver = written
        is_headless = False

        def __getattr__(self, name: str) -> Any:
            return getattr(app, name)

    titling.app = OnATerminal()  # type: ignore[assignment]
    return written.texts


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({}, False),
        ({"TERM_PROGRAM": "iTerm.app"}, False),
        ({"WT_SESSION": "x"}, True),
        ({"ConEmuANSI": "ON"}, True),
        ({"TERM_PROGRAM": "ghostty"}, True),
    ],
)
def test_progress_is_shown_where_it_is_no_notification(environ: dict[str, str], shown: bool) -> None:
    assert shows_progress(environ) is shown


def test_the_title_that_was_there_comes_back_also_when_the_client_is_terminated(tmp_path: Path) -> None:
    with Terminal(home=tmp_path) as terminal:
        terminal.wait_for("IDLE")
        terminal.type("[[demo speed=6]] tell me")
        terminal.press("enter")
        terminal.wait_for("STREAMING")
        terminal.process.terminate()
        terminal.wait_exit()
    raw = bytes(terminal.raw)
    assert raw.count(b"\x1b[22;0t") == 1 and raw.count(b"\x1b[23;0t") == 1
    assert raw.index(b"\x1b[22;0t") < raw.index(b"\x1b]2;") < raw.index(b"\x1b[23;0t")
    assert b"\x1b]9;4" not in raw
