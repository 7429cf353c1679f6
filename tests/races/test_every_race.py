"""No race is forgotten, and no test is only claimed."""

from __future__ import annotations

from tests.races.table import RACES, all_of, exists, named_after_a_race


def test_every_race_of_the_vectors_has_its_tests() -> None:
    assert len(RACES) == 42
    assert [race for race, _, tests in all_of() if not tests] == []


def test_every_test_that_the_table_names_exists() -> None:
    assert [test for _, _, tests in all_of() for test in tests if not exists(test)] == []


def test_no_test_is_named_after_a_race_that_is_none() -> None:
    assert set(named_after_a_race()) <= set(RACES)
