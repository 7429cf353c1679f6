"""`stopkey probe` as people and CI servers call it: what it prints, writes, exits with, and leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from backend_stub.engine import Engine
from backend_stub.events import Phase
from backend_stub.switches import Switches
from tests.stub.serving import Stub, eventually, go, stub
from tui.probe.report import Report, as_markdown, as_text
from tui.probe.trials import Kind, Trial
from tui.probe.verdict import judge

CLOCKS = "abort_s = 0.5\ngrace_s = 0.15\npending_s = 0.5\nquit_s = 0.5\nlook_up_s = 0\n"


async def probe(home: Path, served: Stub, *more: str, interrupt: Kind | None = None) -> tuple[int, str, str]:
    """Run the command against a served backend; Ctrl+C once a trial of this kind has a run."""
    url = f"{served.running.url}/agents/demo"
    target = ("--backend", "ag-ui", "--url", url, "--token-env", "T", "--option", "dialect=stopkey")
    return await _run(home, served, *target, *more, interrupt=interrupt)


async def _run(
    home: Path, served: Stub | None, *arguments: str, interrupt: Kind | None = None
) -> tuple[int, str, str]:
    (home / "config.toml").write_text(CLOCKS)
    token = served.running.token if served else ""
    env = {**os.environ, "STOPKEY_CONFIG": str(home / "config.toml"), "STOPKEY_DATA": str(home), "T": token}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tui", "probe", *arguments, env=env, stdout=pipe, stderr=pipe
    )
    if interrupt and served:
        await eventually(
            lambda: any("words" in run.prompt and run.reply.chars for run in served.engine.runs.values())
        )
        process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


PROMPTS = ("--prompt", "[[words]]", "--short-prompt", "[[short]]", "--seed", "1")


def test_an_honest_backend_passes_and_every_report_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stub(Engine(switches=Switches(speed=4))) as served:
            files = ("--junit", str(tmp_path / "j.xml"), "--md", str(tmp_path / "r.md"))
            witness = ("--witness", f"{served.running.url}/witness")
            code, out, err = await probe(
                tmp_path, served, *PROMPTS, "--trials", "1", "--json", *files, *witness
            )
        found = json.loads(out)
        assert (code, found["grade"], found["passed"]) == (0, "truthful", True), (out, err)
        assert found["trials"][0]["calls"] == 1 and found["trials"][0]["sent_ms"] is not None
        assert "1/1" in err
        suite = ElementTree.parse(tmp_path / "j.xml").getroot()[0]
        assert (suite.get("tests"), suite.get("failures")) == ("2", "0")
        assert "What Stop does here" in (tmp_path / "r.md").read_text()

    go(scenario())


def test_a_liar_fails_and_side_by_side_shows_who(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stub(Engine(switches=Switches(speed=4, abort="lie"))) as served:
            more = ("--trials", "1", "--junit", str(tmp_path / "j.xml"))
            code, out, _ = await probe(tmp_path, served, *PROMPTS, *more)
        assert code == 1 and "LIES" in out and "Stop lies here" in out
        suite = ElementTree.parse(tmp_path / "j.xml").getroot()[0]
        assert suite.get("failures") == "2"

    go(scenario())


def test_ctrl_c_ends_the_drill_and_aborts_what_it_had_started(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stub(Engine(switches=Switches(speed=1))) as served:
            code, out, err = await probe(
                tmp_path, served, *PROMPTS, "--prompt", "[[words]]", interrupt=Kind.TEXT
            )
            assert code == 130 and "Ctrl+C" in out, (out, err)
            assert [run.phase for run in served.engine.runs.values() if not run.phase.over] == []
            assert Phase.CANCELLED in [run.phase for run in served.engine.runs.values()]

    go(scenario())


def test_nobody_there_is_exit_code_three_and_one_sentence(tmp_path: Path) -> None:
    async def scenario() -> None:
        arguments = ("--backend", "flue", "--url", "http://127.0.0.1:9/agents/x", "--trials", "2")
        code, out, err = await _run(tmp_path, None, *arguments)
        assert code == 3 and "Traceback" not in err
        assert "127.0.0.1:9" in out and "TRUTHFUL" not in out

    go(scenario())


def test_a_witness_that_cannot_be_heard_never_passes(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "log").write_text("nonsense\n")
        async with stub(Engine(switches=Switches(speed=4))) as served:
            more = ("--trials", "1", "--witness", str(tmp_path / "log"))
            code, out, _ = await probe(tmp_path, served, *PROMPTS, *more)
        assert code == 1 and "could not be heard" in out

    go(scenario())


def test_the_page_for_authors_is_printed_and_names_every_trial_and_grade(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from tui import cli
    from tui.probe import Grade

    with pytest.raises(SystemExit) as left:
        cli.main(["probe", "--explain"])
    page = capsys.readouterr().out.lower()
    assert left.value.code == 0
    assert all(kind in page for kind in Kind) and all(grade in page for grade in Grade)


def test_what_a_server_says_cannot_act_on_the_terminal_or_break_the_table() -> None:
    trial = Trial(Kind.TEXT, 1, skipped="\x1b[2J\x1b]0;owned\x07 | <script>")
    report = Report("evil \x1b[31m|`", [trial], judge([trial]))
    assert "\x1b" not in as_text(report) + as_markdown(report)
    assert "<script>" not in as_markdown(report).replace("\\<", "")
