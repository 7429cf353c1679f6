"""The main job, done by the real program in a pseudo-terminal, with the keys a person would press."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from tests.e2e.terminal import Terminal


def started(home: Path, *args: str, rows: int = 24, columns: int = 80) -> Terminal:
    return Terminal(*args, home=home, rows=rows, columns=columns)


def test_type_stream_stop_resend_quit_and_reopen(tmp_path: Path) -> None:
    with started(tmp_path, rows=30) as t:
        t.wait_for("IDLE", "Type a message")
        t.type("[[demo speed=6]] tell me about stopping")
        t.press("enter")
        t.wait_for("STREAMING", "Most clients")
        t.press("esc")
        t.wait_for("STOPPED BY YOU", "remote confirmed", "kept", "itself says that the run is over")
        t.press("ctrl+r")
        t.wait_until(lambda now: now.count("STREAMING") == 1, what="the resent run")
        t.press("f8")
        t.wait_until(lambda now: "STOPPED  remote confirmed" in now, what="the second stop")
        t.type("a draft that must survive")
        t.wait_for("a draft that must survive")
        t.press("ctrl+q")
        assert t.wait_exit() == 0
    with started(tmp_path, rows=30) as t:
        t.wait_for("Last time", "tell me about stopping")
        t.type("/last")
        t.press("enter")
        t.wait_for("STOPPED BY YOU", "a draft that must survive", "remote confirmed")
        t.press("ctrl+q")
        assert t.wait_exit() == 0


def test_stop_in_the_middle_of_a_tool_call_names_the_tool(tmp_path: Path) -> None:
    with started(tmp_path, rows=30) as t:
        t.wait_for("IDLE")
        t.type("/tool go")
        t.press("enter")
        t.wait_for("STREAMING", "tool ")
        t.wait_until(lambda now: re.search(r"STREAMING +tool ", now) is not None, what="a running tool")
        t.press("ctrl+c")
        t.wait_for("STOPPED BY YOU", "remote confirmed")
        t.press("ctrl+q")
        assert t.wait_exit() == 0


def test_a_client_that_is_killed_while_streaming_shows_the_run_as_what_it_is(tmp_path: Path) -> None:
    with started(tmp_path) as t:
        t.wait_for("IDLE")
        t.type("[[demo speed=6]] tell me about stopping")
        t.press("enter")
        t.wait_for("Most clients")
        os.kill(t.process.pid, signal.SIGKILL)
        t.process.wait()
    with started(tmp_path, "list") as t:
        t.wait_exit()
        ident = re.search(r"\b[0-9a-f]{12}\b|\b[0-9a-f]{6,12}\b", t.text())
        assert ident, t.text()
    with started(tmp_path, "open", ident.group(0), rows=30) as t:
        screen = t.wait_for("Most clients")
        assert "STREAMING" not in screen
        t.press("ctrl+q")
        assert t.wait_exit() == 0


def test_a_terminated_client_keeps_the_partial_and_puts_the_terminal_back(tmp_path: Path) -> None:
    with started(tmp_path) as t:
        t.wait_for("IDLE")
        t.type("[[demo speed=6]] tell me about stopping")
        t.press("enter")
        t.wait_for("Most clients")
        os.kill(t.process.pid, signal.SIGTERM)
        assert t.wait_exit() == 128 + signal.SIGTERM
        assert b"\x1b[?1049l" in t.raw
    with started(tmp_path, rows=30) as t:
        t.wait_for("Last time")
        t.type("/last")
        t.press("enter")
        t.wait_for("STOPPED BY A SIGNAL")
        t.press("ctrl+q")
        assert t.wait_exit() == 0


def test_it_is_usable_in_40_columns_and_10_rows_and_survives_resizing(tmp_path: Path) -> None:
    with started(tmp_path, rows=10, columns=40) as t:
        t.wait_for("IDLE", "Stop  Esc")
        t.type("[[demo speed=6]] tell me about stopping")
        t.press("enter")
        t.wait_for("STREAMING", "STOP")
        t.resize(24, 80)
        t.wait_for("STOP  Esc · F8")
        t.resize(10, 40)
        t.press("f8")
        t.wait_for("STOPPED")
        t.press("ctrl+q")
        assert t.wait_exit() == 0
