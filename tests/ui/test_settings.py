"""F4: the settings on the screen are those of the file, judged alike, written with comments kept."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, say, screen_of, until
from tui.config import Row, load, rows
from tui.config.writing import CannotWrite, change
from tui.core import events as ev

FILE = '# mine\ntheme = "light"  # I like it\n\n# long runs\n[keys]\n"run.stop" = "f8,ctrl+y"\n'
PLAIN = [row for row in rows().values() if row.kind is not dict]


def another(row: Row) -> Any:
    """A value that is not the default."""
    if row.kind is bool:
        return not row.default
    if row.choices:
        return next(choice for choice in row.choices if choice != row.default)
    if row.kind in (int, float):
        return row.kind(row.most)
    return "nord" if row.name == "theme" else "elsewhere"


@pytest.mark.parametrize("row", PLAIN, ids=[row.name for row in PLAIN])
def test_each_setting_is_changed_on_the_screen_and_is_in_the_file_then(row: Row, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    wanted = another(row)

    async def run() -> None:
        async with on_stage(ScriptedBackend([[]])) as (app, pilot):
            app.settings_file = file
            await pilot.press("f4", *["down"] * PLAIN.index(row))
            screen = app.screen
            await until(
                pilot, lambda: screen.options.option_count == len(PLAIN) and screen.row.name == row.name
            )
            for _ in range(60):
                if getattr(load(file).settings, row.name) == wanted:
                    return
                if row.kind is bool or row.choices or row.name == "theme":
                    before = file.read_text() if file.exists() else ""
                    await pilot.press("right")
                    await until(pilot, lambda: file.exists() and file.read_text() != before)  # noqa: B023
                else:
                    await pilot.press("enter")
                    screen.input.value = str(wanted)
                    await pilot.press("enter")
                    await until(pilot, file.exists)
            raise AssertionError(file.read_text())

    asyncio.run(run())
    assert getattr(load(file).settings, row.name) == wanted and not load(file).problems
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_comments_order_and_what_others_wrote_stay_and_a_default_is_taken_out_again(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(FILE)
    change(file, ("late",), "drop")
    assert load(file).settings.late == "drop" and load(file).settings.theme == "light"
    for line in FILE.splitlines():
        assert line in file.read_text()
    change(file, ("late",), None)
    assert file.read_text().split() == FILE.split()
    change(file, ("theme",), "dark")
    assert "# I like it" in file.read_text()


@pytest.mark.parametrize(
    ("text", "path", "value", "says"),
    [
        ("theme = [", ("theme",), "dark", "Mend the file first"),
        ('late = "never"\n', ("theme",), "dark", "line 1"),
        ("", ("late",), "never", "must be one of"),
        ("", ("abort_s",), 500.0, "between"),
    ],
)
def test_nothing_is_written_over_a_mistake_and_no_mistake_is_written(
    text: str, path: tuple[str, ...], value: Any, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(CannotWrite, match=says):
        change(file, path, value)
    assert file.read_text() == text


def test_a_change_holds_at_once_in_every_tab_and_a_wrong_one_is_said(tmp_path: Path) -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("x"), gate]])
        async with on_stage(backend) as (app, pilot):
            app.settings_file = tmp_path / "config.toml"
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await pilot.press("f4")
            screen = app.screen
            names = [row.name for row in PLAIN]
            await pilot.press(*["down"] * names.index("stop_confirm"), "right")
            await until(pilot, lambda: app.double)
            await pilot.press(*["down"] * (names.index("late") - names.index("stop_confirm")), "left")
            await until(pilot, lambda: app.pane.talk.session.late == "drop")
            await pilot.press("down", "down", "enter")
            screen.input.value = "soon"
            await pilot.press("enter")
            await until(pilot, lambda: "must be a number" in screen_of(app))
            await pilot.press("escape", "escape")
            assert app.pane.talk.turn and app.pane.talk.turn.stop is None, "Esc closed the screen, no more"
            await pilot.press("escape", "escape")
            assert app.pane.talk.turn.stop, "and two of them stop now, as was chosen"

    asyncio.run(run())
