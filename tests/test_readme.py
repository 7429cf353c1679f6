"""What the README promises is there: its commands, its pictures, its keys, and its ten lines of Python."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
from pathlib import Path

from tui.backends.base import Target
from tui.cli import COMMANDS
from tui.core.turn import Outcome
from tui.embedded import EmbeddedBackend

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_two_commands_stand_before_everything_else() -> None:
    run = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/stopkey"
    test = "python3 -m venv .venv && .venv/bin/pip install '.[test]' && .venv/bin/pytest"
    assert README.index(run) < README.index(test) < README.index("## Connect")


def test_every_picture_and_every_linked_file_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', README)
    assert links and pictures
    for link in links + pictures:
        assert (ROOT / link).exists(), link


def test_every_command_that_it_names_exists() -> None:
    for name in re.findall(r"^    stopkey (\w+)", README, re.M):
        assert name in COMMANDS, name


def test_it_tells_what_each_outcome_means() -> None:
    for outcome in Outcome:
        assert f"**{outcome}**" in README


def test_its_ten_lines_of_python_run_as_they_stand() -> None:
    block = re.search(r"```python\n(.*?)```", README, re.S)
    assert block
    code = block.group(1)
    assert len([line for line in code.splitlines() if line.strip()]) <= 12

    async def with_a_server() -> str:
        async with EmbeddedBackend(None, scenario="short", speed=50.0) as embedded:
            url = f"{embedded.url}/agents/demo"
            headers = (("Authorization", f"Bearer {embedded.token}"),)
            more = f'url="{url}", headers={headers!r}, options={{"dialect": "stopkey"}}'
            return await asyncio.to_thread(ran, re.sub(r'url="http[^"]+"', lambda _: more, code))

    said = asyncio.run(with_a_server())
    assert "RunStarted(" in said and "TextDelta(" in said and "RunFinished(" in said
    assert "AbortAnswer(" in said


def ran(code: str) -> str:
    """Run a program in this process and return what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    return printed.getvalue()


def test_the_adapters_it_names_are_all_there_are() -> None:
    from tui.backends.registry import ADAPTERS

    assert Target("ag-ui", "http://127.0.0.1").backend in ADAPTERS
    for name in ADAPTERS:
        assert f"--backend {name} " in README
