"""Pastes into the real program, marked by the terminal and not."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.e2e.terminal import Terminal


def send(t: Terminal, text: str) -> threading.Thread:
    """As a terminal does: as fast as the program reads."""
    sender = threading.Thread(target=t.type, args=(text,))
    sender.start()
    return sender


def test_a_marked_paste_of_a_megabyte_is_a_chip_and_the_next_key_is_there(tmp_path: Path) -> None:
    with Terminal("chat", home=tmp_path) as t:
        t.wait_for("IDLE")
        text = "\r".join(["x" * 99] * 10_000)
        sender = send(t, f"\x1b[200~{text}\x1b[201~ and typed")
        t.wait_for("[pasted 10,000 lines, 999 kB #1] and typed")
        sender.join()
        t.press("ctrl+q")
        assert t.wait_exit() == 0


def test_an_unmarked_paste_sends_none_of_its_lines(tmp_path: Path) -> None:
    with Terminal("chat", home=tmp_path) as t:
        t.wait_for("IDLE")
        send(t, "first line\rsecond line\rthird line\r").join()
        t.wait_for("first line", "second line", "third line", "IDLE")
        assert "SENDING" not in t.text() and "STREAMING" not in t.text()
        sender = send(t, "\r".join(f"line {n}" for n in range(2000)))
        t.wait_for("[pasted 2,000 lines")
        sender.join()
        t.press("ctrl+q")
        assert t.wait_exit() == 0


def test_a_line_and_its_enter_written_at_once_are_sent(tmp_path: Path) -> None:
    with Terminal("chat", home=tmp_path) as t:
        t.wait_for("IDLE")
        t.type("/short hello\r")
        t.wait_for("FINISHED", "/short hello")
        t.press("ctrl+q")
        assert t.wait_exit() == 0
