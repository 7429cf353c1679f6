"""The state machine finds nothing in the client, and each of the bugs that are planted in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.mutations import bugs
from tests.races.machine import StopMachine

QUICK = settings(
    max_examples=60, stateful_step_count=25, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
HUNT = settings(QUICK, max_examples=400, phases=(Phase.generate,))  # found is enough: no shrinking


def test_no_order_of_events_breaks_a_promise() -> None:
    run_state_machine_as_test(StopMachine, settings=QUICK)


PLANTED: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "late text": bugs.late_text,
    "double abort": bugs.double_abort,
    "missing deferred abort": bugs.no_deferred_abort,
    "error shown as success": bugs.error_shown_as_success,
    "end of stream taken for success": bugs.end_of_stream_taken_for_success,
    "token into the wrong run": bugs.token_into_the_newest_turn,
    "stop record not saved": bugs.stop_record_not_saved,
    "a yes taken for the end": bugs.a_yes_taken_for_the_end,
    "abort that overtakes its prompt": bugs.abort_that_overtakes,
}


@pytest.mark.parametrize("bug", PLANTED)
def test_the_machine_finds_a_planted_bug(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTED[bug](monkeypatch)
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        run_state_machine_as_test(StopMachine, settings=HUNT)
