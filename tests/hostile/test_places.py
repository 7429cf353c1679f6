"""Hostile text that a file brings back, on every screen that can show it, judged on the terminal."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.e2e.terminal import Terminal
from tests.hostile.recording import PAYLOADS, exported, records
from tests.hostile.sequences import as_it_came, dangerous_in, taken_apart
from tests.hostile.test_screen import DRAWS

PAGE_UP = "\x1b[5~"
OWN = re.compile(rf"{DRAWS.pattern}|\x1b\[\?\d+[hl]|\x1b\[\?\d+\$p|\x1b\[[<>=]\d*u|\x1b\[[0-9;]*t")
"""What the client itself writes when it starts and leaves, beside what drawing needs."""

STOP = re.compile(r"■ STOP  F8( · \^C)?$", re.M)
"""The Stop cell, at the right edge of its row."""
UNFILTERED = re.compile(r"shown ([\d,]+) of \1")


def test_no_screen_lets_a_recorded_payload_act_on_the_terminal(tmp_path: Path) -> None:
    """Transcript with its cards, inspector (list, one event whole, filter, waterfall), statistics."""
    file = tmp_path / "hostile.jsonl"
    file.write_text("\n".join(exported(records())))
    with Terminal("replay", str(file), "--speed", "1000", home=tmp_path, rows=100, columns=120) as terminal:
        terminal.wait_for("recording at its end", "■ STOP")
        terminal.press("ctrl+o")
        _leaf(terminal, PAGE_UP, "the transcript")
        terminal.press("f2")
        terminal.wait_for("EVENTS")
        _leaf(terminal, PAGE_UP, "the events")
        terminal.press("enter")
        _stays(terminal.wait_for("Esc close"))
        terminal.press("r")
        _stays(_settled(terminal))
        terminal.press("esc")
        terminal.wait_until(lambda screen: "Esc close" not in screen, what="the event closed")
        terminal.press("f")
        _settled(terminal)
        terminal.type("PWNED\r")
        terminal.wait_until(lambda screen: not UNFILTERED.search(screen), what="the filter at work")
        _stays(_settled(terminal))
        terminal.press("w")
        _leaf(terminal, PAGE_UP, "the waterfall")
        terminal.press("f2", "\x1bOR")
        _stays(terminal.wait_for("stops in this conversation"))
        terminal.press("esc", "ctrl+q")
        assert terminal.wait_exit() == 0
    sequences, text = taken_apart(bytes(terminal.raw))
    assert not [each for each in sequences if not OWN.fullmatch(each)]
    assert dangerous_in(text) == set() and as_it_came(bytes(terminal.raw), PAYLOADS) == []
    assert "␛" in text


def _leaf(terminal: Terminal, key: str, what: str) -> None:
    """Press a key until the screen no longer changes, looking for the Stop cell on every page."""
    before = ""
    for _ in range(400):
        now = _settled(terminal)
        _stays(now)
        if now == before:
            return
        before = now
        terminal.press(key)
    raise AssertionError(f"{what} never came to its beginning:\n{terminal.text()}")


def _settled(terminal: Terminal) -> str:
    """The screen, once the program has been quiet for two frames; figures that go on are not waited for."""
    until = time.monotonic() + 1
    while time.monotonic() < until and terminal.read(0.07):
        pass
    return terminal.text()


def _stays(screen: str) -> None:
    assert STOP.search(screen), screen
