"""The person's own editor, in a real terminal, while a run streams."""

from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal

LOOKED = r"""#!/bin/sh
printf '\033[2J'
stat -c '%a' "$1" "$(dirname "$1")" > "$HOME/modes"
echo "$1" > "$HOME/path"
cp "$1" "$HOME/seen"
"""


def editor(home: Path, script: str, *, name: str = "my editor") -> dict[str, str]:
    """An editor that does what the script says with its file, $1."""
    place = home / name
    place.write_text(LOOKED + script)
    place.chmod(0o700)
    return {"VISUAL": f"'{place}'", "TMPDIR": str(home)}


def taken_again(t: Terminal) -> None:
    """Wait until the terminal was lent and taken again."""
    t.wait_until(lambda _: t.raw.count(b"?1049h") == 2, what="the terminal taken again")


def opened(home: Path) -> Path:
    return Path((home / "path").read_text().strip())


def events(home: Path) -> int:
    """How many are on the disk."""
    (file,) = home.rglob("conversations.db")
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return int(db.execute("SELECT count(*) FROM event").fetchone()[0])
    finally:
        db.close()


def test_what_the_editor_saves_comes_back_into_the_box_and_undo_takes_it_away(tmp_path: Path) -> None:
    env = editor(tmp_path, """printf 'a draft\r\nand a second line\n' > "$1"\n""")
    with Terminal("chat", home=tmp_path, env=env) as t:
        t.wait_for("IDLE")
        t.type("a draft")
        t.wait_for("a draft")
        t.press("ctrl+g")
        taken_again(t)
        t.wait_for("a draft", "and a second line", "IDLE", "^P Commands")
        assert (tmp_path / "seen").read_text() == "a draft"
        assert (tmp_path / "modes").read_text().split() == ["600", "700"]
        assert opened(tmp_path).suffix == ".md"
        t.wait_until(lambda _: not opened(tmp_path).parent.exists(), what="the file removed")
        t.press("ctrl+z")
        t.wait_until(lambda now: "second line" not in now, what="the draft alone")
        assert "a draft" in t.text()
        t.press("ctrl+q")
        assert t.wait_exit() == 0


def test_a_run_that_streams_meanwhile_is_read_and_stored_and_can_be_stopped_after_it(
    tmp_path: Path,
) -> None:
    done = tmp_path / "done"
    env = editor(tmp_path, f'echo IN-THE-EDITOR; while [ ! -e "{done}" ]; do sleep 0.05; done\n')
    with Terminal("chat", home=tmp_path, env=env) as t:
        t.wait_for("IDLE")
        t.type("/long go")
        t.press("enter")
        t.wait_for("STREAMING")
        t.press("ctrl+g")
        t.wait_for("IN-THE-EDITOR")
        before = events(tmp_path)
        t.wait_until(lambda _: events(tmp_path) > before + 20, what="the run going on in the store")
        done.touch()
        t.wait_for("STREAMING", "F1 help", "F8")
        t.press("f8")
        t.wait_for("STOPPED")
        t.press("ctrl+q")
        assert t.wait_exit() == 0


def test_a_run_that_ended_meanwhile_is_told_of(tmp_path: Path) -> None:
    done = tmp_path / "done"
    env = editor(tmp_path, f'while [ ! -e "{done}" ]; do sleep 0.05; done\n')
    with Terminal("chat", home=tmp_path, env=env) as t:
        t.wait_for("IDLE")
        t.type("[[demo speed=4]] go")
        t.press("enter")
        t.wait_for("STREAMING")
        t.press("ctrl+g")
        t.wait_until(lambda _: settled(tmp_path), what="the end of the run in the store")
        done.touch()
        t.wait_for("The run ended while you were in the editor: done.", "FINISHED")
        t.press("ctrl+q")
        assert t.wait_exit() == 0


def settled(home: Path) -> bool:
    (file,) = home.rglob("conversations.db")
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return bool(db.execute("SELECT count(*) FROM event WHERE kind='Settled'").fetchone()[0])
    finally:
        db.close()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3\n", "my editor ended with 3: the text is as it was."),
        ("kill -9 $$\n", "my editor was killed by signal 9: the text is as it was."),
        ("kill -INT 0; sleep 1; exit 3\n", "my editor was killed by signal 2: the text is as it was."),
        ('printf " saved" >> "$1"; kill -9 $$\n', "killed by signal 9: what it had saved is in the box"),
        ('rm "$1"\n', ""),
    ],
)
def test_an_editor_that_fails_loses_nothing_and_says_so(tmp_path: Path, script: str, said: str) -> None:
    with Terminal("chat", home=tmp_path, columns=120, env=editor(tmp_path, script)) as t:
        t.wait_for("IDLE")
        t.type("my draft")
        t.wait_for("my draft")
        t.press("ctrl+g")
        taken_again(t)
        t.wait_for("my draft" + (" saved" if "saved" in script else ""), said, "IDLE")
        t.press("ctrl+q")
        assert t.wait_exit() == 0
        assert not opened(tmp_path).parent.exists()


def test_an_editor_that_is_not_there_is_told_of_before_anything_happens(tmp_path: Path) -> None:
    with Terminal("chat", home=tmp_path, columns=120, env={"VISUAL": "nosuch --wait"}) as t:
        t.wait_for("IDLE")
        t.type("/editor")
        t.press("enter")
        t.wait_for("VISUAL names nosuch, which is not on this machine.")
        t.press("ctrl+q")
        assert t.wait_exit() == 0


def test_a_signal_while_the_editor_is_open_keeps_what_it_had_saved(tmp_path: Path) -> None:
    env = editor(tmp_path, """printf 'saved in time' > "$1"; echo READY; sleep 60\n""")
    with Terminal("chat", home=tmp_path, env=env) as t:
        t.wait_for("IDLE")
        t.press("ctrl+g")
        t.wait_for("READY")
        os.kill(t.process.pid, signal.SIGTERM)
        assert t.wait_exit() == 128 + signal.SIGTERM
        assert not opened(tmp_path).parent.exists()
    with Terminal("chat", home=tmp_path) as t:
        t.wait_for("Last time")
        t.type("/last")
        t.press("enter")
        t.wait_for("saved in time")
        t.press("ctrl+q")
        assert t.wait_exit() == 0
