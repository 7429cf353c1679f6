"""Which editor it is. What happens in a terminal is in tests/e2e/test_editor.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.ui.composing.editor import NONE_FOUND, NoEditor, Sheet, command, lay_out
from tui.ui.driver import PromptDriver


@pytest.fixture
def path(tmp_path: Path) -> str:
    for name in ("code", "emacs", "nano", "vi"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o700)
    return str(tmp_path)


def test_visual_comes_before_editor_and_words_are_parted_as_a_shell_does(path: str) -> None:
    assert command({"PATH": path, "VISUAL": "code --wait -n 'a b'", "EDITOR": "vi"}) == [
        "code", "--wait", "-n", "a b",
    ]  # fmt: skip
    assert command({"PATH": path, "VISUAL": " ", "EDITOR": "emacs -nw"}) == ["emacs", "-nw"]


def test_without_a_choice_it_is_nano_and_then_vi(path: str) -> None:
    assert command({"PATH": path}) == ["nano"]
    os.remove(Path(path) / "nano")
    assert command({"PATH": path}) == ["vi"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, NONE_FOUND),
        ({"EDITOR": "nosuch -w"}, "EDITOR names nosuch, which is not on this machine."),
        ({"VISUAL": "vi 'open"}, "VISUAL cannot be read as a command (No closing quotation): vi 'open"),
    ],
)
def test_each_mistake_gives_one_sentence(given: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(NoEditor) as told:
        command({"PATH": str(tmp_path / "empty"), **given})
    assert str(told.value) == said


def test_a_text_comes_back_as_it_was_where_the_editor_only_ended_its_last_line() -> None:
    for text, written, read in (("a", "a\n", "a"), ("a\n", "a\n", "a\n"), ("a", "a\r\nb\r\n", "a\nb")):
        sheet = lay_out(text)
        sheet.path.write_bytes(written.encode())
        assert sheet.read() == read
        sheet.remove()
        assert not sheet.path.parent.exists() and sheet.read() == text


def test_what_is_not_text_comes_back_readable(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\xff ok")
    assert Sheet(tmp_path / "f", "x").read() == "\ufffd ok"


def test_while_the_editor_has_the_terminal_nothing_is_written_to_it_and_nothing_waits() -> None:
    driver = PromptDriver.__new__(PromptDriver)
    driver._writer_thread = None  # as it is once the terminal was given back: a write would fail, or block
    driver.away = True
    for _ in range(100):
        driver.write("a frame, a bell, a note to the desktop")
    assert not driver.keeps_up
