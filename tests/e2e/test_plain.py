"""--plain, for a screen reader: nothing is written while nothing changes, and signs are letters."""

from __future__ import annotations

import time
from pathlib import Path

from tests.e2e.terminal import Terminal


def test_between_two_changes_not_one_byte_is_written(tmp_path: Path) -> None:
    with Terminal("chat", "--plain", home=tmp_path) as terminal:
        terminal.wait_for("IDLE")
        terminal.type("/silence")
        terminal.press("esc", "enter")  # the list of commands first
        terminal.wait_for("STREAMING")
        _quiet(terminal)
        written = len(terminal.raw)
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            terminal.read(0.1)
        assert len(terminal.raw) == written, bytes(terminal.raw[written:])
        terminal.press("f8")
        terminal.wait_for("STOPPED  remote confirmed")
        strange = {sign for sign in terminal.text() if not sign.isascii()} - set("·↑…")
        assert not strange, terminal.text()


def _quiet(terminal: Terminal) -> None:
    while terminal.read(0.6):
        pass
