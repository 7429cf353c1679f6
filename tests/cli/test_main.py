"""The command as it is installed: start-up, help, usage errors, and the real thing once with each end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tui import __version__
from tui.cli import COMMANDS

ROOT = Path(__file__).parents[2]
LIMIT = 30


@pytest.fixture
def environment(home):
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path.rstrip(os.pathsep), "STOPKEY_TEST": "1"}


def command(*arguments):
    return [sys.executable, "-m", "tui", *arguments]


def run(environment, *arguments, **more):
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=LIMIT, env=environment, check=False,
        stdin=subprocess.DEVNULL, **more,
    )  # fmt: skip


IMPORTED = """
import sys
from tui.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sorted(sys.modules))
"""


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (("--version",), {"textual", "httpx", "rich", "asyncio", "sqlite3", "platformdirs", "tui.config"}),
        (("--help",), {"textual", "httpx", "rich", "asyncio", "sqlite3", "platformdirs", "tui.config"}),
        (("list",), {"textual", "httpx", "rich", "starlette", "tui.session", "tui.backends", "platformdirs"}),
        (("run", "--help"), {"textual", "httpx", "rich", "starlette", "sqlite3"}),
        (
            ("run", "--backend", "ag-ui", "--url", "http://127.0.0.1:9", "hi"),
            {"textual", "starlette", "uvicorn"},
        ),
        (
            ("events", "http://127.0.0.1:9"),
            {"textual", "starlette", "sqlite3", "tui.session", "tui.ui"},
        ),
    ],
)
def test_a_command_imports_nothing_that_it_does_not_use(environment, arguments, unwanted):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *arguments],
        capture_output=True, text=True, timeout=LIMIT, env=environment, check=True,
    )  # fmt: skip
    loaded = done.stdout.splitlines()[-1].split()
    assert not unwanted & set(loaded)


def test_version_and_help_and_every_commands_help(stopkey):
    assert stopkey("--version").out == f"stopkey {__version__}\n"
    text = stopkey("--help").out
    for name, about in COMMANDS.items():
        assert name in text and about.split(".")[0] in text
        done = stopkey(name, "--help")
        assert done.code == 0 and f"Usage: stopkey {name}" in done.out
    assert "15 never sent" in " ".join(text.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("rnu",), "There is no command 'rnu'; did you mean run"),
        (("zzz",), "No such command 'zzz'"),
        (("--nope",), "No such option"),
        (("run",), "Missing argument 'PROMPT'"),
        (("run", "--no-such-option", "x"), "No such option"),
        (("run", "two", "prompts"), "unexpected extra argument"),
        (("run", "--backend", "contractspec", "--url", "http://127.0.0.1:9", "x"), "--agent"),
        (("run", "--backend", "ag-ui", "--url", "127.0.0.1:9", "x"), "http:// or https://"),
        (("run", "--backend", "ag-ui", "--url", "http://u:CANARY@h", "x"), "must not hold a user name"),
        (("run", "--backend", "ag-ui", "--url", "http://h", "--token-env", "NO_SUCH", "x"), "NO_SUCH"),
        (("export", "x", "--format", "pdf"), "'pdf' is not one of"),
        (("serve", "--port", "99999"), "99999 is not in the range"),
        (("chat", "--profile", "x"), "needs a terminal"),
        (("open", "x"), "needs a terminal"),
        ((), "needs a terminal"),
    ],
)
def test_a_usage_error_is_one_sentence_and_exit_code_2(stopkey, arguments, says):
    done = stopkey(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("stopkey: ") and says in done.err and done.err.count("\n") == 1
    assert "CANARY" not in done.err


@pytest.mark.parametrize("arguments", [("run", "hi"), ("list",), ("show", "x"), ("abort", "--run", "x")])
def test_a_broken_config_file_ends_a_command_with_file_line_and_key(stopkey, home, arguments):
    (home / "config.toml").write_text('\nlate = "kep"\n')
    done = stopkey(*arguments)
    assert done.code == 2
    assert f"{home / 'config.toml'}, line 2: late must be one of keep, count, drop" in done.err


def test_events_and_serve_do_not_ask_the_config_file(stopkey, home):
    (home / "config.toml").write_text("[")
    assert stopkey("events", "http://127.0.0.1:9").code == 1


def test_a_real_run_on_the_embedded_backend_is_stopped_confirmed_and_stored(environment, home):
    done = run(environment, "run", "--json", "--stop-after", "60ch", "/long please")
    last = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 10, done.stderr
    assert (last["type"], last["outcome"], last["phase_before"]) == ("receipt", "confirmed", "streaming")
    assert last["kept_chars"] >= 60 and last["conversation"]
    listed = run(environment, "list")
    assert listed.stdout.startswith(last["conversation"]) and "stopped" in listed.stdout


def test_ctrl_c_in_the_real_program_stops_the_run_and_not_the_client(environment):
    running = subprocess.Popen(
        command("run", "--json", "/long please"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    for line in running.stdout:
        if json.loads(line)["type"] == "TextDelta":
            running.send_signal(signal.SIGINT)
            break
    out, err = running.communicate(timeout=LIMIT)
    assert running.returncode == 10, err
    assert json.loads(out.splitlines()[-1])["cause"] == "ctrl+c"
    assert "Traceback" not in err


def test_when_the_reader_of_the_output_goes_away_the_run_is_stopped(environment):
    running = subprocess.Popen(
        command("run", "/long please"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    assert running.stdout.read(20)
    running.stdout.close()
    assert running.wait(LIMIT) == 10, running.stderr.read()
    assert b"Error" not in running.stderr.read()
    running.stderr.close()


def test_serve_runs_the_backend_in_the_foreground_until_ctrl_c(environment):
    serving = subprocess.Popen(
        command("serve", "--port", "0", "--scenario", "short"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    said = serving.stdout.readline()
    serving.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, err = serving.communicate(timeout=LIMIT)
    assert "http://127.0.0.1:" in said
    assert (serving.returncode, err) == (0, "")
    assert time.monotonic() - began < 3


def test_serve_lists_its_scenarios_and_passes_errors_on(environment):
    listed = run(environment, "serve", "--list")
    assert listed.returncode == 0 and "long" in listed.stdout
    wrong = run(environment, "serve", "--scenario", "nope")
    assert wrong.returncode == 2 and "nope" in wrong.stderr and wrong.stderr.count("\n") == 1
