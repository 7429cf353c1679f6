"""What a developer does, with the real program: look into a run, replay it from a file, read the figures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.terminal import Terminal


def stopkey(home: Path, *arguments: str) -> str:
    """The command without a screen, in the home that the terminal used."""
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    environment["STOPKEY_DATA"] = str(home / "stopkey_data")
    done = subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        capture_output=True, text=True, timeout=30, check=True, env=environment,
    )  # fmt: skip
    return done.stdout


def test_look_into_a_stop_then_replay_it_from_a_file(tmp_path: Path) -> None:
    data = {"STOPKEY_DATA": str(tmp_path / "stopkey_data")}
    with Terminal(home=tmp_path, rows=30, columns=130, env=data) as t:
        t.wait_for("IDLE", "Type a message")
        t.type("tell me about stopping")
        t.press("enter")
        t.wait_for("STREAMING", "Most clients")
        t.press("f2")
        t.wait_for("EVENTS", "TextDelta")
        t.press("f8")
        t.wait_for("STOP pressed (f8)", "STOP RECEIPT", "STOPPED BY YOU")
        t.type("w")
        t.wait_for("WATERFALL", "first event", "STOP pressed")
        t.press("ctrl+q")
        assert t.wait_exit() == 0
    identity = stopkey(tmp_path, "list").split()[0]
    assert "1 stop in" in stopkey(tmp_path, "stats", identity)
    file = tmp_path / "run.jsonl"
    stopkey(tmp_path, "export", identity, "--format", "jsonl", "--output", str(file))
    with Terminal("replay", str(file), "--speed", "64", home=tmp_path, rows=30, env=data) as t:
        t.wait_for("replay: ", "STOPPED BY YOU", "recording at its end")
        t.press("ctrl+q")
        assert t.wait_exit() == 0
