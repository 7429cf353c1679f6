"""Every race of `tests/vectors/stop_races.jsonl`, and the tests that hold it.

Most are named after it (`test_S04_…`) and live here. Where a test elsewhere says the same, it is named below
and not written again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
RACES = {
    race["id"]: race["when"]
    for race in map(json.loads, (TESTS / "vectors/stop_races.jsonl").read_text().splitlines())
}

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "S08": (
        "session/test_stop.py::test_pressing_again_while_stopping_does_nothing",
        "ui/test_stopping.py::test_with_double_confirmation_the_first_press_only_asks",
    ),
    "S09": ("session/test_stop.py::test_quitting_waits_for_the_answer_to_the_abort",),
    "S10": ("store/test_kill.py::test_no_acknowledged_record_is_lost_by_kill_9_and_hardly_any_other",),
    "S14": (
        "backends/test_abort.py::test_s14_the_second_try_can_succeed",
        "backends/test_abort.py::test_s14_there_is_no_third_try",
    ),
    "S15": ("session/test_looking_on.py::test_an_end_that_shows_long_after_the_grace_raises_the_outcome",),
    "S18": ("backends/test_abort.py::test_s18_a_conflict_means_an_end_where_the_body_says_so",),
    "S19": (
        "ui/test_stopping.py::test_a_backend_without_an_abort_says_so_before_and_after_the_stop",
        "session/test_stop.py::test_a_backend_without_an_abort_is_stopped_here_only",
    ),
    "S20": ("backends/test_abort.py::test_s20_a_wait_that_does_not_fit_or_is_no_time_is_not_waited",),
    "S21": ("backends/test_abort.py::test_s21_a_redirect_is_not_followed_and_names_its_origin_only",),
    "S22": ("backends/test_abort.py::test_s22_a_yes_is_an_acknowledgement_at_best_whatever_its_body",),
    "S36": ("backends/test_sse.py::test_a_burst_lets_other_tasks_run_every_few_milliseconds",),
    "S37": ("backends/test_http.py::test_streams_never_keep_an_abort_waiting",),
    "S38": (
        "store/test_faults.py::test_a_full_disk_keeps_everything_in_memory_and_writes_it_when_there_is_room",
    ),
    "S42": ("session/test_another_client.py::test_an_end_that_a_later_client_saw_is_told_without_a_time",),
}


def named_after_a_race() -> dict[str, list[str]]:
    """The tests here, by the race in their name."""
    found: dict[str, list[str]] = {}
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        for race, name in re.findall(r"^def test_(S\d\d)(_\w+)", file.read_text(), re.MULTILINE):
            found.setdefault(race, []).append(f"races/{file.name}::test_{race}{name}")
    return found


def all_of() -> Iterator[tuple[str, str, list[str]]]:
    """Each race with its moment and its tests, as pytest names them below `tests/`."""
    here = named_after_a_race()
    for race, when in RACES.items():
        yield race, when, [*here.get(race, ()), *ELSEWHERE.get(race, ())]


def exists(test: str) -> bool:
    file, _, name = test.partition("::")
    path = TESTS / file
    return path.exists() and f"\ndef {name}(" in path.read_text()
