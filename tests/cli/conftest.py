"""The command line in this process: arguments in; exit code, output and errors out."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes import ScriptedBackend
from tui import cli

TARGET = ("--backend", "ag-ui", "--url", "http://127.0.0.1:9/agents/demo")
QUICK = "abort_s = 0.5\ngrace_s = 0.05\npending_s = 0.5\nquit_s = 0.5\nlook_up_s = 0\n"


@dataclass
class Done:
    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of our own for settings (with quick clocks) and data."""
    (tmp_path / "config.toml").write_text(QUICK)
    monkeypatch.setenv("STOPKEY_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("STOPKEY_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("STOPKEY_DEBUG", raising=False)
    return tmp_path


@pytest.fixture
def stopkey(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Done]:
    taken = (sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook"), (logging, "lastResort")
    for owner, hook in taken:
        monkeypatch.setattr(
            owner, hook, getattr(owner, hook)
        )  # a command takes them over: given back at the end

    def run(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            cli.main(list(arguments))
        shown = capsys.readouterr()
        return Done(int(exit_.value.code or 0), shown.out, shown.err)

    return run


@pytest.fixture
def play(stopkey: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run a command against a backend by hand: `play(backend, "run", ...)`; TARGET is added."""

    def run(backend: ScriptedBackend, command: str, *arguments: str, stdin: str = "") -> Done:
        for user in ("tui.desk.make", "tui.commands.target.make"):
            monkeypatch.setattr(user, lambda target: backend)
        return stopkey(command, *TARGET, *arguments, stdin=stdin)

    return run
