"""Every dialect and every failure switch of the embedded backend gets the verdict that it deserves."""

from __future__ import annotations

import asyncio

import pytest

from backend_stub.switches import ABORT_MODES, END_MODES
from tests.backends.test_contract import ADAPTERS
from tests.probe.drilled import Drilled, drill_all
from tui.core.turn import Outcome
from tui.probe import Grade, Kind
from tui.probe.verdict import UNWATCHED

pytestmark = pytest.mark.thorough

TRUE, LIES, NO, UNPROVEN = Grade.TRUTHFUL, Grade.LIES, Grade.NO_STOP, Grade.UNPROVEN
ABORTABLE = ("ag-ui", "flue", "contractspec", "adk with :cancel")

# What each switch deserves, in the order of ABORTABLE. ADK ends a run whose stream is closed, so an abort
# that has no effect there is made up for by the closing that follows it.
DESERVED: dict[str, tuple[Grade, Grade, Grade, Grade]] = {
    "abort=honest": (TRUE, TRUE, TRUE, TRUE),
    "abort=lie": (LIES, LIES, LIES, LIES),
    "abort=lie-quietly": (LIES, LIES, LIES, LIES),
    "abort=never-settles": (UNPROVEN, UNPROVEN, UNPROVEN, UNPROVEN),
    "abort=settles-late settle=0.3": (TRUE, TRUE, TRUE, TRUE),
    "abort=finishes": (NO, LIES, NO, NO),  # Flue's answer is a yes all the same
    "abort=hang": (NO, NO, NO, TRUE),
    "abort=drop": (NO, NO, NO, TRUE),
    "abort=redirect": (NO, NO, NO, TRUE),
    "abort=html": (LIES, NO, NO, TRUE),  # a 200 is a yes on AG-UI's routes, and nothing came of it
    "abort=huge": (LIES, NO, NO, TRUE),
    "abort=garbage": (LIES, NO, NO, TRUE),
    "abort=empty": (LIES, NO, NO, TRUE),
    "abort=gzip": (LIES, NO, NO, TRUE),
    "abort=403": (NO, NO, NO, TRUE),
    "abort=405": (NO, NO, NO, TRUE),
    "abort=500": (NO, NO, NO, TRUE),
    "abort=hang acts=1": (TRUE, TRUE, TRUE, TRUE),
    "abort=html acts=1": (TRUE, TRUE, TRUE, TRUE),
    "abort=500 acts=1": (TRUE, TRUE, TRUE, TRUE),
    "end=no-outcome": (TRUE, TRUE, TRUE, TRUE),
    "end=open": (TRUE, TRUE, TRUE, TRUE),
    "end=silent-end": (TRUE, TRUE, TRUE, TRUE),
    "end=cut": (TRUE, TRUE, TRUE, TRUE),
    "end=reset": (TRUE, TRUE, TRUE, TRUE),
    "end=eof": (TRUE, TRUE, TRUE, TRUE),
    "end=stall after=20": (TRUE, TRUE, TRUE, TRUE),
    "status=500": (TRUE, UNPROVEN, UNPROVEN, TRUE),  # where the end is learnt by looking the run up
}
STOCK = {  # closing the stream is the stop: no abort can be answered wrongly
    "abort=honest": TRUE,
    "abort=never-settles": UNPROVEN,
    "end=cut": TRUE,
    "status=500": UNPROVEN,
}
CASES = [(adapter, switch) for switch in DESERVED for adapter in ABORTABLE]
CASES += [("adk stock", switch) for switch in STOCK]
IN_TOOLS = dict.fromkeys(("abort=honest", "abort=lie", "abort=lie-quietly"), (Kind.TOOL,))
"""Stopped inside a tool, where a run that goes on shows it by its calls; the others in their text."""
Verdicts = dict[tuple[str, str], Drilled]


def deserved(adapter: str, switch: str) -> Grade:
    return STOCK[switch] if adapter == "adk stock" else DESERVED[switch][ABORTABLE.index(adapter)]


@pytest.fixture(scope="module")
def drilled() -> Verdicts:
    """All drills side by side: they mostly wait."""
    cases = [(adapter, switch, IN_TOOLS.get(switch, (Kind.TEXT,))) for adapter, switch in CASES]
    return dict(zip(CASES, asyncio.run(drill_all(cases)), strict=True))


@pytest.fixture(scope="module")
def whole() -> dict[str, Drilled]:
    """One drill of every kind of trial, a dialect each."""
    cases = [(adapter, "abort=honest", ()) for adapter in ADAPTERS]
    return dict(zip(ADAPTERS, asyncio.run(drill_all(cases)), strict=True))


def test_every_way_to_abort_and_to_end_is_among_the_cases() -> None:
    tried = " ".join(DESERVED)
    missing = [f"abort={mode}" for mode in ABORT_MODES if f"abort={mode}" not in tried]
    missing += [f"end={mode}" for mode in END_MODES if mode != "normal" and f"end={mode}" not in tried]
    assert not missing


@pytest.mark.parametrize(("adapter", "switch"), CASES)
def test_the_verdict_is_what_the_switch_deserves(drilled: Verdicts, adapter: str, switch: str) -> None:
    found = drilled[adapter, switch]
    assert found.watched.grade is deserved(adapter, switch), (found.watched, found.trials)


@pytest.mark.parametrize(("adapter", "switch"), CASES)
def test_without_a_witness_it_is_the_same_but_for_what_only_a_witness_sees(
    drilled: Verdicts, adapter: str, switch: str
) -> None:
    found = drilled[adapter, switch].alone
    unseen = switch == "abort=lie-quietly"
    assert found.grade is (TRUE if unseen else deserved(adapter, switch)), found
    assert UNWATCHED in found.says


@pytest.mark.parametrize("adapter", ABORTABLE)
def test_a_liar_that_says_it_is_over_is_convicted_by_the_calls_it_began(
    drilled: Verdicts, adapter: str
) -> None:
    quiet = drilled[adapter, "abort=lie-quietly"][Kind.TOOL]
    assert quiet.outcome is Outcome.CONFIRMED
    names = [name for name, after in quiet.calls_after if after > 0]
    assert "tool work" in names and any(name.startswith("model") for name in names)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_whole_drill_of_an_honest_backend_tries_everything_and_finds_nothing_wrong(
    whole: dict[str, Drilled], adapter: str
) -> None:
    found = whole[adapter]
    assert found.watched.grade is TRUE and not found.watched.faults
    kinds = [kind for kind in Kind if kind is not Kind.DISCONNECT or adapter != "adk stock"]
    assert [trial.kind for trial in found.trials] == kinds
    for trial in found.trials:
        assert not trial.skipped and trial.next_turn == ("" if trial.kind is Kind.DISCONNECT else "works")
        assert trial.calls is not None and not trial.calls_after
    for kind in (Kind.TEXT, Kind.TOOL, Kind.TWICE):
        assert found[kind].outcome is Outcome.CONFIRMED and found[kind].end_ms is not None
        assert found[kind].aborts <= 1
    assert found[Kind.FIRST].outcome in (Outcome.CONFIRMED, Outcome.NEVER_SENT)


def test_whether_a_run_goes_on_when_its_reader_leaves_is_found_out(whole: dict[str, Drilled]) -> None:
    runs_on = {name: whole[name][Kind.DISCONNECT].runs_on for name in ABORTABLE}
    assert runs_on == {"ag-ui": True, "flue": True, "contractspec": True, "adk with :cancel": False}
