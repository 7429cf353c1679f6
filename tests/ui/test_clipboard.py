"""Copying reaches the clipboard before the person: by the terminal, by a tool, in tmux, over ssh."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.terminal import environment
from tests.fakes import ScriptedBackend, words
from tests.ui.stage import on_stage, say, screen_of, until
from tui.core import events as ev
from tui.ui.clipboard import by_terminal, by_tool, code_of, tool

REPLY = "Here:\n\n```python\nfirst\n```\n\nand\n\n```\nlast one\n```\ndone"


def everything(name: str) -> str:
    return f"/usr/bin/{name}"


@pytest.mark.parametrize(
    ("environ", "platform", "first"),
    [
        ({"TMUX": "x"}, "linux", "tmux"),
        ({"TMUX": "x", "SSH_CONNECTION": "y"}, "linux", "tmux"),
        ({"SSH_TTY": "x", "DISPLAY": ":0"}, "linux", ""),
        ({"SSH_TTY": "x"}, "darwin", ""),
        ({}, "darwin", "pbcopy"),
        ({"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, "linux", "wl-copy"),
        ({"DISPLAY": ":0"}, "linux", "xclip"),
        ({"WSL_DISTRO_NAME": "Debian"}, "linux", "clip.exe"),
        ({}, "linux", ""),
    ],
)
def test_the_tool_is_the_one_that_reaches_the_person(
    environ: dict[str, str], platform: str, first: str
) -> None:
    assert (tool(environ, platform, everything) or [""])[0] == first


def test_a_tool_that_is_not_installed_is_not_counted_on() -> None:
    assert tool({"DISPLAY": ":0"}, "linux", lambda name: name if name == "xsel" else None)[0] == "xsel"
    assert tool({"DISPLAY": ":0", "TMUX": "x"}, "linux", lambda name: None) == []


def test_gnu_screen_gets_the_sequence_in_pieces_that_it_hands_on() -> None:
    text = "é" * 2000
    plain, wrapped = by_terminal(text, {}), by_terminal(text, {"STY": "1"})
    pieces = wrapped.split("\x1b\\")[:-1]
    assert all(piece.startswith("\x1bP") and len(piece) < 768 for piece in pieces) and len(pieces) > 5
    assert "".join(piece.removeprefix("\x1bP") for piece in pieces) == plain
    assert base64.b64decode(plain.removeprefix("\x1b]52;c;").removesuffix("\x07")).decode() == text


def test_a_tool_that_fails_or_is_not_there_is_said_to_have_failed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    takes = [sys.executable, "-c", f"import sys; open({str(kept)!r}, 'w').write(sys.stdin.read())"]
    assert asyncio.run(by_tool(takes, "some text")) and kept.read_text() == "some text"
    assert not asyncio.run(by_tool(["false"], "x")) and not asyncio.run(by_tool(["no-such-tool"], "x"))


@pytest.mark.parametrize(
    ("reply", "code"),
    [(REPLY, "last one"), ("~~~\na\n```\nb\n~~~", "a\n```\nb"), ("```\ncut off", "cut off"), ("none", "")],
)
def test_the_last_block_of_code_is_found_as_it_was_written(reply: str, code: str) -> None:
    assert code_of(reply) == code


def test_words_copy_the_reply_its_code_all_of_it_or_keep_it_in_a_private_file(tmp_path: Path) -> None:
    async def run() -> None:
        backend = ScriptedBackend([[ev.RunStarted("r"), *words(REPLY), ev.RunFinished()]])
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "/copy")
            await until(pilot, lambda: "nothing to copy" in screen_of(app))
            await say(pilot, "show me")
            await until(pilot, lambda: not app.pane.talk.busy and "done" in screen_of(app))
            for typed, copied in (("/copy", REPLY), ("/copy code", "last one")):
                await say(pilot, typed)
                assert app.clipboard == copied
            await say(pilot, "/copy all")
            assert "## You\n\nshow me" in app.clipboard and REPLY in app.clipboard
            assert "copied" in screen_of(app) and "OSC 52" in screen_of(app)
            file = tmp_path / "kept.md"
            await say(pilot, f"/copy file {file}")
            await until(pilot, lambda: "kept" in screen_of(app))
            assert file.read_text() == REPLY and stat.S_IMODE(file.stat().st_mode) == 0o600
            await say(pilot, f"/copy file {file}")
            await until(pilot, lambda: "Not kept" in screen_of(app))
            await say(pilot, "/copy everything")
            await until(pilot, lambda: "Say /copy" in screen_of(app))

    asyncio.run(run())


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed here")
def test_what_is_copied_in_tmux_is_in_its_buffer_with_tmuxs_own_defaults(tmp_path: Path) -> None:
    socket = str(tmp_path / "tmux")

    def tmux(*words: str) -> str:
        done = subprocess.run(["tmux", "-S", socket, *words], capture_output=True, text=True, check=False)
        return done.stdout

    def wait(seen: str, *words: str) -> None:
        until_ = time.monotonic() + 20
        while seen not in tmux(*words):
            assert time.monotonic() < until_, tmux("capture-pane", "-p")
            time.sleep(0.05)

    env = {**environment(tmp_path, {}), "TERM": "screen-256color"}
    command = " ".join(f"{name}={value}" for name, value in env.items() if name != "PATH")
    tmux(
        "-f",
        os.devnull,
        "new-session",
        "-d",
        "-x",
        "80",
        "-y",
        "24",
        f"env {command} {sys.executable} -m tui",
    )
    try:
        wait("IDLE", "capture-pane", "-p")
        tmux("send-keys", "[[short]] hello", "Enter")
        wait("done", "capture-pane", "-p")
        tmux("send-keys", "/copy", "Enter")
        wait("short answer", "show-buffer")
    finally:
        tmux("kill-server")
