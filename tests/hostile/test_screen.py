"""Hostile text on the real screen, judged by the bytes that reach the terminal and by a terminal's model."""

import json
import re
from pathlib import Path

from tests.e2e.terminal import Terminal
from tests.hostile.sequences import dangerous_in, taken_apart
from tests.hostile.server import Agent, agent

VECTORS = Path(__file__).parents[1] / "vectors/terminal.jsonl"
PAYLOADS = [json.loads(line)["payload"] for line in VECTORS.read_text().splitlines()]
DRAWS = re.compile(r"\x1b\]22;\w*\x07|\x1b\[\?2026[hl]|\x1b\]2;[^\x00-\x1f\x7f-\x9f]*\x07")
"""What drawing needs beside colours and places: the mouse pointer's shape, frames that appear at once, and a
title in which nothing is left that acts."""


def test_no_payload_reaches_the_terminal_as_anything_but_text(tmp_path):
    """Every payload everywhere, unfolded, the Stop cell in sight; then a stop, refused in hostile words."""
    with agent() as server, _chat(server, tmp_path) as terminal:
        terminal.wait_for("IDLE")
        started = len(terminal.raw)
        terminal.type("hello")
        terminal.wait_for("hello")
        terminal.press("enter")
        for number, payload in enumerate(PAYLOADS):
            server.say(number, payload)
            assert _stop_cell(terminal.wait_for(f"m{number}m")), payload
            if number == 0:
                terminal.press("ctrl+o")
        terminal.press("f8")
        terminal.wait_for("RETRY")
        terminal.press("ctrl+t")
        terminal.wait_for("Conversations")
        hostile = len(terminal.raw)
        terminal.press("esc")
        terminal.wait_until(lambda screen: "Conversations" not in screen, what="the list closed")
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
    sequences, _ = taken_apart(bytes(terminal.raw[started:hostile]))
    assert not [each for each in sequences if not DRAWS.fullmatch(each)]
    _, text = taken_apart(bytes(terminal.raw))
    assert dangerous_in(text) == set()


def _chat(server: Agent, home: Path) -> Terminal:
    target = ("--backend", "ag-ui", "--url", server.url, "--abort-url", server.url + "/abort")
    return Terminal("chat", *target, home=home, rows=40, columns=100)


def _stop_cell(screen: str) -> bool:
    """In the last rows, at the right edge, as everywhere in this client."""
    return any(line.endswith("F8") and "STOP" in line for line in screen.splitlines()[-8:])
