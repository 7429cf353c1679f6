"""`python -m tests.table`: every race, fault, payload and promise with its result, into `tests/RESULTS.md`.

It runs their tests and writes what pytest says of them; no result in there is written by hand.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from tests.faults.table import FAULTS
from tests.mutations.test_promises import MUTATIONS
from tests.races.table import TESTS, all_of

RESULTS = TESTS / "RESULTS.md"
PAYLOADS = {
    one["id"]: one["cls"]
    for one in map(json.loads, (TESTS / "vectors/terminal.jsonl").read_text().splitlines())
}
EACH_PAYLOAD = (
    "core/test_safe_text.py::test_a_hostile_payload_comes_out_clean_whole_and_in_pieces",
    "ui/test_egress.py::test_a_payload_in_a_segment_does_not_leave_the_screen",
    "cli/test_run.py::test_every_hostile_payload_is_printed_harmless",
)
ALL_PAYLOADS = (
    "hostile/test_screen.py::test_no_payload_reaches_the_terminal_as_anything_but_text",
    "hostile/test_stored.py::test_nothing_that_the_store_brings_back_acts_on_the_terminal_in_any_place",
    "hostile/test_places.py::test_no_screen_lets_a_recorded_payload_act_on_the_terminal",
    "hostile/test_lines.py::test_what_is_printed_on_a_terminal_has_no_escape_sequence",
)
MACHINE = "races/test_state_machine.py::test_the_machine_finds_a_planted_bug"
MUTANT = "mutations/test_promises.py::test_a_bug_against_a_promise_is_noticed"


class Collected:
    """What pytest says of each test: its worst outcome of set-up, call and end, and why it was skipped."""

    def __init__(self) -> None:
        self.outcome: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.removeprefix("tests/")
        before = self.outcome.get(name, "passed")
        if report.outcome == "failed" or before == "passed":
            self.outcome[name] = report.outcome
        if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
            self.reasons[name] = report.longrepr[2]

    def of(self, test: str, parameter: str = "") -> list[str]:
        """The outcomes of a test, with all its parameters or with those that contain one."""
        return [
            outcome
            for name, outcome in self.outcome.items()
            if name.partition("[")[0] == test and parameter in name.partition("[")[2]
        ]


def result(found: Iterable[str]) -> str:
    """`12 passed`, `1 failed, 11 passed`, or that nothing ran."""
    counts = Counter(found)
    return ", ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "**did not run**"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _section(title: str, *heads: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield from ("", f"## {title}", "", _row(*heads), _row(*("---" for _ in heads)))
    yield from (_row(*row) for row in rows)


def _names(tests: Iterable[str]) -> str:
    return "<br>".join(f"`{test.partition('::')[2]}`" for test in tests)


def _tests(ran: Collected, tests: Iterable[str]) -> tuple[str, str]:
    return result(outcome for test in tests for outcome in ran.of(test)), _names(tests)


def written(ran: Collected) -> str:
    """The whole page."""
    lines = ["# Every race, fault, payload and promise", "", "Made by `python -m tests.table`; see there."]
    races = ((race, when, *_tests(ran, tests)) for race, when, tests in all_of())
    lines += _section("Races", "id", "moment", "result", "tests", rows=races)
    faults = ((fault, *_tests(ran, tests)) for fault, tests in FAULTS.items())
    lines += _section("Faults", "fault", "result", "tests", rows=faults)
    lines += _section("Payloads", "id", "class", "result of each", rows=_payloads(ran))
    lines += _section(
        "All payloads at once", "result", "test", rows=((_tests(ran, [t])) for t in ALL_PAYLOADS)
    )
    lines += _section("Planted bugs that must be noticed", "promise", "bug", "result", "by", rows=_bugs(ran))
    machine = (
        (name.partition("[")[2].rstrip("]"), outcome)
        for name, outcome in ran.outcome.items()
        if MACHINE in name
    )
    lines += _section("Planted bugs that the state machine must find", "bug", "result", rows=machine)
    skipped = ((name, reason) for name, reason in ran.reasons.items())
    lines += _section("Skipped", "test", "reason", rows=skipped)
    return "\n".join(lines) + "\n"


def _payloads(ran: Collected) -> Iterator[tuple[str, str, str]]:
    for number, (payload, kind) in enumerate(PAYLOADS.items()):
        found = [outcome for test in EACH_PAYLOAD for outcome in _of_payload(ran, test, payload, number)]
        yield payload, kind, result(found)


def _of_payload(ran: Collected, test: str, payload: str, number: int) -> list[str]:
    """A test over all payloads is parametrised by their ids, or by their order."""
    names = [name for name in ran.outcome if name.partition("[")[0] == test]
    named = [name for name in names if name.endswith(f"[{payload}]")]
    if named:
        return [ran.outcome[name] for name in named]
    return [ran.outcome[names[number]]] if len(names) == len(PAYLOADS) else [ran.outcome[n] for n in names]


def _bugs(ran: Collected) -> Iterator[tuple[str, str, str, str]]:
    for one in MUTATIONS:
        label = f"{one.plant.__name__}-{one.victim.split('::')[1][:40]}"
        what = (one.plant.__doc__ or one.plant.__name__.replace("_", " ")).strip().rstrip(".")
        yield one.promise, what, result(ran.of(MUTANT, label)), _names([one.victim])


def main() -> int:
    """Run what the table tells of, and write it. Returns pytest's exit code."""
    ran = Collected()
    named = {test for _, _, tests in all_of() for test in tests} | {t for ts in FAULTS.values() for t in ts}
    named |= {*EACH_PAYLOAD, *ALL_PAYLOADS}
    wanted = sorted({*named, MACHINE, MUTANT})
    how = ["-q", "-m", "not interop", "-p", "no:cacheprovider"]
    code = pytest.main([*(str(TESTS / test) for test in wanted), *how], [ran])
    RESULTS.write_text(written(ran), encoding="utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
