"""The screens as they are, pinned: size, theme, time and cursor do not vary."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.ui.scenes import Stage, scenes

SnapCompare = Callable[..., bool]
NAMES = list(scenes())
OVER = ("prompts", "commands", "find", "conversations", "queue", "settings", "connect")
WIDE = ("streaming", "stopped", "help", *OVER)
NARROW = ("streaming", "stopped", "stopping", "unconfirmed", "idle", "quit")
LIGHT = ("streaming", "stopped", "unconfirmed")


def shoot(snap_compare: SnapCompare, name: str, size: tuple[int, int], **how: object) -> None:
    stage = Stage(scenes()[name], **how)  # type: ignore[arg-type]
    assert snap_compare(stage.app, run_before=stage.play, terminal_size=size)


@pytest.mark.parametrize("name", NAMES)
def test_at_80_columns(snap_compare: SnapCompare, name: str) -> None:
    shoot(snap_compare, name, (80, 24))


@pytest.mark.parametrize("name", WIDE)
def test_at_140_columns(snap_compare: SnapCompare, name: str) -> None:
    shoot(snap_compare, name, (140, 40))


@pytest.mark.parametrize("name", NARROW)
def test_at_40_columns_and_10_rows(snap_compare: SnapCompare, name: str) -> None:
    shoot(snap_compare, name, (40, 10))


@pytest.mark.parametrize("name", OVER)
def test_at_40_columns_and_20_rows(snap_compare: SnapCompare, name: str) -> None:
    shoot(snap_compare, name, (40, 20))


@pytest.mark.parametrize("name", LIGHT)
def test_in_a_light_theme(snap_compare: SnapCompare, name: str) -> None:
    shoot(snap_compare, name, (80, 24), theme="textual-light")


@pytest.mark.parametrize("name", LIGHT)
def test_without_colour(snap_compare: SnapCompare, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shoot(snap_compare, name, (80, 24))
