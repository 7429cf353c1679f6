"""`stopkey doctor` and `--log`: what can be told without secrets."""

import asyncio
import logging
import stat
import subprocess

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tui import doctor, logs
from tui.config import Profile
from tui.core import events as ev
from tui.core.safe_text import DANGEROUS


def found(findings):
    return {finding.what: (finding.level, finding.found) for finding in findings}


def test_it_tells_versions_paths_and_that_nothing_is_wrong(stopkey, home):
    done = stopkey("doctor", "--offline")
    assert done.code == 0 and done.out.endswith("Nothing is wrong.\n")
    for word in ("stopkey", "python", "textual", "config.toml", "data"):
        assert word in done.out


def test_a_profile_nobody_listens_for_and_an_open_data_folder_are_wrong(stopkey, home):
    (home / "config.toml").write_text('[profiles.work]\nbackend = "ag-ui"\nurl = "http://127.0.0.1:9/x"\n')
    (home / "data").mkdir(mode=0o755)
    (home / "data").chmod(0o755)
    done = stopkey("doctor")
    assert done.code == 1 and "2 wrong." in done.out
    assert "profile work" in done.out and "start it, or mend its url" in done.out
    assert "can be read by others (755): chmod 700 it" in done.out


def test_a_backend_that_takes_connections_is_told_with_what_its_stop_can_do():
    async def scenario():
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await doctor.profile("here", Profile("flue", f"http://127.0.0.1:{port}/agents/a"))
        finally:
            server.close()

    finding = asyncio.run(scenario())
    assert finding.level == doctor.OK and "Stop aborts the run" in finding.found


def test_what_the_way_to_the_terminal_does_to_esc_is_told(monkeypatch):
    asked = subprocess.CompletedProcess([], 0, "500\n", "")
    monkeypatch.setattr(doctor.subprocess, "run", lambda *args, **more: asked)
    keys = found(doctor.keys({"TMUX": "x", "SSH_TTY": "y"}, "vscode"))
    assert "500 ms" in keys["tmux"][1] and "escape-time 10" in keys["tmux"][1]
    assert "50 ms" in keys["ssh"][1] and "VS Code" in keys
    assert "10 ms" in found(doctor.keys({}, ""))["Esc"][1]
    wrong = found(doctor.terminal({"TERM": "dumb"}, tty=True))
    assert wrong["TERM"][0] == doctor.WRONG


def test_what_the_environment_says_cannot_act_on_the_terminal():
    for finding in doctor.terminal({"TERM": "x\x1b]0;owned\x07", "ESCDELAY": "\x1b[2J"}, tty=True):
        assert not DANGEROUS.search(finding.found)


@pytest.fixture
def quiet_root():
    root = logging.getLogger()
    kept, level = list(root.handlers), root.level
    yield
    root.handlers[:] = kept
    root.setLevel(level)


def test_the_log_tells_what_happened_and_neither_what_was_said_nor_a_secret(
    play, home, quiet_root, monkeypatch
):
    stops = []
    monkeypatch.setattr(logs.atexit, "register", stops.append)
    file = home / "x.log"
    script = [ev.RunStarted("r-1"), *words("half an "), Gate()]
    from tui import cli

    monkeypatch.setattr("tui.commands.target.make", lambda target: ScriptedBackend([script]))
    monkeypatch.setattr("tui.desk.make", lambda target: ScriptedBackend([script]))
    arguments = ["--log", str(file), "run", "--backend", "ag-ui", "--url", "http://127.0.0.1:9/a"]
    with pytest.raises(SystemExit):
        cli.main([*arguments, "--stop-after", "first", "a private question"])
    logging.getLogger("stopkey.test").warning("Authorization: Bearer abcdefghijk \x1b[31m")
    for stop in stops:
        stop()
    text = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "StopAsked" in text and "AbortAnswered" in text and "outcome=confirmed" in text
    assert "private question" not in text and "half an" not in text
    assert "abcdefghijk" not in text and "\x1b" not in text and "[hidden]" in text


def test_a_log_that_cannot_be_written_is_a_usage_error(stopkey, home):
    done = stopkey("--log", str(home / "nowhere" / "x.log"), "list")
    assert done.code == 2 and "cannot be written" in done.err
