"""What fuzzing found once stays found: every input in `found/`, and the seeds, on the target it broke."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import NAMES
from tests.fuzz.targets import TARGETS, seeds

FOUND = sorted((Path(__file__).parent / "found").glob("*.*"))


@pytest.mark.parametrize("case", FOUND, ids=lambda case: case.name)
def test_an_input_that_broke_something_does_so_no_more(case: Path) -> None:
    TARGETS[case.name.partition(".")[0]](case.read_bytes())


def test_every_target_is_run_by_the_command() -> None:
    assert tuple(TARGETS) == NAMES


@pytest.mark.parametrize("target", TARGETS)
def test_what_the_search_begins_with_breaks_nothing(target: str) -> None:
    for seed in seeds(target):
        TARGETS[target](seed)
