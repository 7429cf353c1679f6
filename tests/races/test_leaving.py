"""Stop, and then the program ends: S09 to S11, with the real program in a pseudo-terminal.

A lost byte of text or a missing stop record would be in the store, so that is where they look.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tui.core.conversation import Conversation, Turn, replay
from tui.core.turn import Outcome, Phase
from tui.store import Store

QUICK = "abort_s = 2.0\ngrace_s = 0.2\nquit_s = 2.0\nlook_up_s = 0\n"


def chat(home: Path, *arguments: str) -> Terminal:
    (home / "config.toml").write_text(QUICK)
    env = {"STOPKEY_CONFIG": str(home / "config.toml"), "STOPKEY_DATA": str(home / "data")}
    return Terminal(*(arguments or ("chat",)), home=home, env=env)


def running(terminal: Terminal, switches: str) -> None:
    """A run of the embedded backend that stands in the middle of its text."""
    terminal.wait_for("IDLE")
    terminal.type(f"[[words gates=text:9 speed=0 {switches}]]")
    terminal.wait_for("]]")
    terminal.press("enter")
    terminal.wait_for("word9")


def stored(home: Path) -> Conversation:
    store = Store.open(home / "data/conversations.db")
    try:
        (only,) = store.list()
        return replay(only.conversation_id, store.load(only.conversation_id))
    finally:
        store.close()


def restored(terminal: Terminal) -> bool:
    """The last word on the alternate screen, the cursor and the mouse is that they are as before."""
    raw = bytes(terminal.raw)
    return raw.rfind(b"\x1b[?1049l") > raw.rfind(b"\x1b[?1049h") and raw.rfind(b"\x1b[?25h") > raw.rfind(
        b"\x1b[?25l"
    )


def check_kept(turn: Turn) -> None:
    assert turn.transcript.reply().split()[:9] == [f"word{n}" for n in range(1, 10)]


@pytest.mark.parametrize("quits", [("ctrl+q",), ("ctrl+q", "ctrl+q")], ids=["quit", "forced"])
def test_S09_stop_then_quit(tmp_path: Path, quits: tuple[str, ...]) -> None:
    with chat(tmp_path) as terminal:
        running(terminal, "answer_delay=0.5")
        terminal.press("f8", *quits)
        if len(quits) == 1:
            terminal.wait_for("stopping before leaving")
        assert terminal.wait_exit() == 0 and restored(terminal)
    (turn,) = stored(tmp_path).turns
    check_kept(turn)
    assert turn.stop and turn.stop.aborts == 1
    if len(quits) == 1:
        assert turn.outcome is Outcome.CONFIRMED
    else:
        assert turn.outcome is not Outcome.CONFIRMED or turn.stop.evidence


def test_S10_stop_then_kill_9(tmp_path: Path) -> None:
    with chat(tmp_path) as terminal:
        running(terminal, "abort=hang")
        terminal.press("f8")
        terminal.wait_for("STOPPING")
        terminal.wait_until(lambda screen: _has_stop(tmp_path), what="the stop record on disk")
        os.killpg(terminal.process.pid, signal.SIGKILL)
        terminal.process.wait()
    conversation = stored(tmp_path)
    with chat(tmp_path, "open", conversation.id) as terminal:
        terminal.wait_for("word9", "REMOTE NOT CONFIRMED", "RETRY")
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
    (turn,) = stored(tmp_path).turns
    check_kept(turn)
    assert (turn.phase, turn.outcome) == (Phase.STOPPED, Outcome.UNCONFIRMED)
    assert turn.stop and turn.stop.asked.cause == "f8"


def _has_stop(home: Path) -> bool:
    return any(turn.stop for turn in stored(home).turns)


@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "closed"])
def test_S11_a_signal_or_a_closed_terminal_while_streaming(tmp_path: Path, how: str) -> None:
    terminal = chat(tmp_path)
    running(terminal, "")
    if how == "closed":
        os.close(terminal._master)
        code = terminal.process.wait(10)
    else:
        os.kill(terminal.process.pid, getattr(signal, how))
        code = terminal.wait_exit()
        assert restored(terminal)
        os.close(terminal._master)
    assert code == 128 + (signal.SIGTERM if how == "SIGTERM" else signal.SIGHUP)
    (turn,) = stored(tmp_path).turns
    check_kept(turn)
    assert turn.stop and turn.stop.asked.cause == "signal" and turn.stop.aborts == 1
    assert turn.outcome is Outcome.CONFIRMED


def test_what_was_typed_survives_kill_9(tmp_path: Path) -> None:
    """Draft and queue, too: nothing typed is lost."""
    with chat(tmp_path) as terminal:
        running(terminal, "")
        terminal.type("a second thought")
        terminal.wait_for("a second thought")  # all of it in one reading is a paste
        terminal.press("enter")
        terminal.wait_for("queued 1")
        terminal.type("half a sen")
        terminal.wait_for("half a sen")
        terminal.wait_until(lambda screen: _notes(tmp_path).get("draft") == "half a sen", what="the draft")
        os.killpg(terminal.process.pid, signal.SIGKILL)
        terminal.process.wait()
    assert _notes(tmp_path)["queue"] == ["a second thought"]


def _notes(home: Path) -> dict[str, object]:
    store = Store.open(home / "data/conversations.db")
    try:
        return store.notes(store.list()[0].conversation_id)
    finally:
        store.close()


def test_the_records_of_a_killed_client_end_with_no_claim(tmp_path: Path) -> None:
    with chat(tmp_path) as terminal:
        running(terminal, "")
        terminal.wait_until(lambda screen: "word9" in _said(tmp_path), what="the text on disk")
        os.killpg(terminal.process.pid, signal.SIGKILL)
        terminal.process.wait()
    (turn,) = stored(tmp_path).turns
    assert turn.phase is Phase.STREAMING and turn.outcome is None
    check_kept(turn)


def _said(home: Path) -> str:
    turns = stored(home).turns
    return turns[0].transcript.reply() if turns else ""
