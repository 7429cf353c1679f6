"""Each promise of the design is held by tests: a bug planted against it makes them fail.

Every victim passes without the bug, as the suite shows; here it runs in this process with the bug in place.
"""

# ruff: noqa: E501 - a table: one mutation a line

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from backend_stub import gates
from tests.faults import oracle
from tests.mutations import bugs
from tests.races.test_load import FLOOD
from tests.store import made
from tui.store import Store

pytestmark = pytest.mark.thorough

FAILS = (AssertionError, TimeoutError, pytest.fail.Exception)
"""How a test fails; a TypeError would only say that a victim was called in the wrong way."""


@dataclass(frozen=True)
class Mutation:
    """A bug, the promise that it breaks, and a test that must notice: `file::test`, with its parameters."""

    promise: str
    plant: Callable[[pytest.MonkeyPatch], None]
    victim: str
    given: dict[str, Any] = field(default_factory=dict)


FROZEN = "text never moves after a stop; a stopped turn never turns into completed or failed"
ABORTS = "one abort in flight, one cancel a stream; none that overtakes its prompt, none of a newer run"
CLAIMS = "confirmed and completed are said only by the backend's own word"
AT_ONCE = "the key acts at once, under any load"
ON_DISK = "what the person saw, and the stop, is on disk"
LATE = "late events never reach the next turn, and are written as the person chose"
CLEAN = "no byte from the wire reaches the terminal unsanitised"
DROPS = "a dropped connection is no stop, and no prompt is posted twice"
TYPED = "nothing typed is lost; whatever fails, an end is reached"

HOSTILE = {"vector": {"id": "x", "payload": "A\x1b[2J\x1b]0;owned\x07Z"}}
FREEZES = (
    "session/test_stop.py::test_a_stop_freezes_the_text_before_it_returns_and_is_confirmed_by_the_stream"
)

MUTATIONS = [
    Mutation(FROZEN, bugs.late_text, FREEZES),
    Mutation(FROZEN, bugs.late_text, "races/test_answers.py::test_S25_late_events_that_were_in_flight"),
    Mutation(FROZEN, bugs.stopped_turn_completes, "races/test_answers.py::test_S18_abort_of_a_run_that_had_just_finished"),
    Mutation(FROZEN, bugs.freeze_left_out, "races/test_reconnecting.py::test_S12_stop_while_reconnecting"),
    Mutation(ABORTS, bugs.double_abort, "races/test_streaming.py::test_S08_stop_twice_within_five_loop_turns", {"turns_between": 0}),
    Mutation(ABORTS, bugs.no_deferred_abort, "races/test_beginning.py::test_S03_stop_after_the_headers_and_before_the_run_is_known"),
    Mutation(ABORTS, bugs.abort_that_overtakes, "races/test_beginning.py::test_S02_stop_after_the_request_and_before_the_headers"),
    Mutation(ABORTS, bugs.abort_that_overtakes, "core/test_interleavings.py::test_no_interleaving_breaks_a_promise"),
    Mutation(ABORTS, bugs.two_cancels, "races/test_streaming.py::test_S08_the_stream_is_cancelled_once_however_long_it_takes_to_close"),
    Mutation(ABORTS, bugs.abort_of_a_newer_run, "races/test_reconnecting.py::test_S33_the_server_reuses_a_run_id"),
    Mutation(CLAIMS, bugs.a_yes_taken_for_the_end, "races/test_answers.py::test_S23_abort_accepted_and_the_end_never_comes"),
    Mutation(CLAIMS, bugs.any_yes_says_over, "races/test_answers.py::test_S22_abort_with_a_body_that_says_nothing", {"body": "html"}),
    Mutation(CLAIMS, bugs.no_word_taken_for_an_end, "races/test_answers.py::test_S17_abort_of_a_run_that_the_server_does_not_know"),
    Mutation(CLAIMS, bugs.error_shown_as_success, "core/test_turn_table.py::test_the_table_is_what_the_grid_says_in_every_cell"),
    Mutation(CLAIMS, bugs.end_of_stream_taken_for_success, "races/test_reconnecting.py::test_S27_the_stream_ends_cleanly_without_an_end_marker"),
    Mutation(CLAIMS, bugs.going_on_is_not_noticed, "races/test_answers.py::test_S24_the_server_says_yes_and_goes_on"),
    Mutation(CLAIMS, bugs.clocks_of_two_clients_compared, "session/test_another_client.py::test_an_end_that_a_later_client_saw_is_told_without_a_time", {"clock": 3.0}),
    Mutation(AT_ONCE, bugs.stop_waits_for_its_answer, "races/test_reconnecting.py::test_S29_black_hole_both_ways_then_stop"),
    Mutation(AT_ONCE, bugs.stop_waits_for_the_disk, "races/test_saving.py::test_S38_stop_when_the_store_is_locked"),
    Mutation(AT_ONCE, bugs.reading_holds_the_loop, "races/test_load.py::test_S36_stop_in_a_flood", {"body": FLOOD}),
    Mutation(ON_DISK, bugs.stop_record_not_saved, "races/test_streaming.py::test_S04_stop_mid_token_stream"),
    Mutation(ON_DISK, bugs.records_of_a_failed_commit_are_lost, "races/test_saving.py::test_S38_stop_when_the_disk_is_full"),
    Mutation(ON_DISK, bugs.text_gathers_for_long, "store/test_journal.py::test_text_is_on_disk_within_250_ms_and_a_flood_of_it_earlier"),
    Mutation(LATE, bugs.token_into_the_newest_turn, "races/test_reconnecting.py::test_S33_the_server_reuses_a_run_id"),
    Mutation(LATE, bugs.late_events_written_in_spite_of_drop, "session/test_late.py::test_late_text_is_written_as_the_person_chose", {"late": "drop", "written": []}),
    Mutation(CLEAN, bugs.text_goes_through_as_it_came, "core/test_safe_text.py::test_a_hostile_payload_comes_out_clean_whole_and_in_pieces", HOSTILE),
    Mutation(DROPS, bugs.drop_taken_for_a_stop, "races/test_reconnecting.py::test_S27_the_stream_ends_cleanly_without_an_end_marker"),
    Mutation(DROPS, bugs.prompt_posted_again, "races/test_reconnecting.py::test_S27_the_stream_ends_cleanly_without_an_end_marker"),
    Mutation(DROPS, bugs.never_sent_not_noticed, "races/test_beginning.py::test_S01_stop_while_connecting"),
    Mutation(TYPED, bugs.draft_and_queue_not_saved, "store/test_list.py::test_draft_and_queue_are_kept_and_the_last_one_wins"),
    Mutation(TYPED, bugs.fault_in_the_stop_path_hangs, "session/test_stop.py::test_a_fault_in_the_stop_path_itself_still_leads_to_an_end"),
    Mutation(TYPED, bugs.quit_does_not_wait, "session/test_stop.py::test_quitting_waits_for_the_answer_to_the_abort"),
]  # fmt: skip


@pytest.mark.parametrize(
    "one", MUTATIONS, ids=lambda one: f"{one.plant.__name__}-{one.victim.split('::')[1][:40]}"
)
def test_a_bug_against_a_promise_is_noticed(
    one: Mutation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(oracle, "LIMIT_S", 1.5)  # a victim that hangs has noticed, too
    monkeypatch.setattr(gates.Gates.reached, "__defaults__", ("", 1.0))
    monkeypatch.setattr(made.eventually, "__defaults__", (0.8,))
    given = {**one.given}
    victim = _find(one.victim)
    store = None
    for name in inspect.signature(victim).parameters:
        if name == "store":
            store = given["store"] = Store.open(tmp_path / "data/conversations.db")
            assert store.opened()
        elif name in ("tmp_path", "monkeypatch", "path"):
            given[name] = {"tmp_path": tmp_path, "monkeypatch": monkeypatch}.get(
                name, tmp_path / "data/conversations.db"
            )
    one.plant(monkeypatch)
    try:
        with pytest.raises(FAILS):
            victim(**given)
    finally:
        monkeypatch.undo()
        if store:
            store.close(0.2)


def _find(name: str) -> Callable[..., None]:
    file, _, function = name.partition("::")
    found: Callable[..., None] = getattr(
        importlib.import_module("tests." + file.removesuffix(".py").replace("/", ".")), function
    )
    return found


def test_every_promise_has_its_bugs() -> None:
    promises = {FROZEN, ABORTS, CLAIMS, AT_ONCE, ON_DISK, LATE, CLEAN, DROPS, TYPED}
    assert {one.promise for one in MUTATIONS} == promises
