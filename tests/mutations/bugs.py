"""Bugs to plant: for each promise of the design at least one way to break it, as a small patch."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from tui.backends import abort as http_abort
from tui.backends import ag_ui, http
from tui.core import conversation, safe_text, turn
from tui.core import events as ev
from tui.core.events import Answer
from tui.core.turn import Effect, Outcome, Phase, Signal, TurnState
from tui.session import driver, parts, proof, reading
from tui.store import journal, writer

Plant = pytest.MonkeyPatch


# --- text never moves after a stop; a stopped turn never becomes anything else ------------------------------


def late_text(plant: Plant) -> None:
    """What comes after the stop goes into the reply."""
    take = conversation._take

    def careless(one: conversation.Turn, record: ev.Record, before: TurnState) -> None:
        take(one, replace(record, late=False), TurnState(Phase.STREAMING))

    plant.setattr(conversation, "_take", careless)


def stopped_turn_completes(plant: Plant) -> None:
    """The backend's late success makes a stopped turn a completed one."""
    for phase in (Phase.ASKING, Phase.READING_ON, Phase.CHECKING):
        plant.setitem(turn.TRANSITIONS[phase], Signal.COMPLETED, Phase.COMPLETED)


def freeze_left_out(plant: Plant) -> None:
    """A re-attaching goes on after the stop."""
    plant.setitem(driver._DO, Effect.FREEZE, lambda self, one, live: None)


# --- one abort in flight, one cancel a stream, no abort that overtakes, none of a newer run -----------------


def double_abort(plant: Plant) -> None:
    """Each press sends an abort."""

    def stop(self: driver.Session, cause: str, reason: str = "") -> driver.Pressed:
        if self.turn and self.turn.phase is Phase.ASKING:
            live = self._living(self.turn)
            self._spawn(proof.send_abort(self, self.turn, live, False))
        return honest(self, cause, reason)

    honest = driver.Session.stop
    plant.setattr(driver.Session, "stop", stop)


def no_deferred_abort(plant: Plant) -> None:
    """A stop that came before the run was known is forgotten when it becomes known."""
    for signal in (Signal.STARTED, Signal.CONTENT, Signal.QUESTION):
        plant.delitem(turn.TRANSITIONS[Phase.STOP_PENDING], signal)


def abort_that_overtakes(plant: Plant) -> None:
    """The abort goes out at once, whether or not the prompt has arrived."""
    plant.setitem(turn.TRANSITIONS[Phase.SENDING], Signal.STOP, Phase.ASKING)


def two_cancels(plant: Plant) -> None:
    """Closing twice cancels twice."""

    def close(self: parts.Live) -> None:
        self.unwind()
        self.closing = True
        if self.reading and not self.reading.done():
            self.reading.cancel()

    plant.setattr(parts.Live, "close", close)


def abort_of_a_newer_run(plant: Plant) -> None:
    """A retry is allowed although a newer run has the same id."""
    plant.setattr(driver.Session, "may_retry", lambda self, turn: True)


# --- confirmed and completed only by the backend's own word -------------------------------------------------


def a_yes_taken_for_the_end(plant: Plant) -> None:
    plant.setitem(turn.VERDICT[None], Answer.ACKNOWLEDGED, Outcome.CONFIRMED)


def any_yes_says_over(plant: Plant) -> None:
    """A 2xx alone is proof."""
    honest = http_abort._of_yes
    plant.setattr(http_abort, "_of_yes", lambda reply: replace(honest(reply), over=True))


def error_shown_as_success(plant: Plant) -> None:
    plant.setitem(turn.TRANSITIONS[Phase.STREAMING], Signal.ERRORED, Phase.COMPLETED)


def end_of_stream_taken_for_success(plant: Plant) -> None:
    plant.setitem(turn.TRANSITIONS[Phase.STREAMING], Signal.BROKE, Phase.COMPLETED)


def no_word_taken_for_an_end(plant: Plant) -> None:
    """An unknown run counts as one that is over."""
    plant.setitem(turn.VERDICT[None], Answer.NOTHING_RUNNING, Outcome.CONFIRMED)


def going_on_is_not_noticed(plant: Plant) -> None:
    plant.setattr(proof, "how_the_grace_ended", lambda live, grace: ev.Clock.GRACE)
    plant.setattr(proof, "check", _settle_without_looking)


async def _settle_without_looking(session: driver.Session, one: conversation.Turn, live: parts.Live) -> None:
    session.record(one.number, ev.RunLookedUp(None))


def clocks_of_two_clients_compared(plant: Plant) -> None:
    plant.setattr(conversation.Stop, "at", lambda self, mono: mono)


# --- the key acts at once -----------------------------------------------------------------------------------


def stop_waits_for_its_answer(plant: Plant) -> None:
    """The text is frozen only when the abort was answered."""
    plant.setitem(turn.TRANSITIONS[Phase.STREAMING], Signal.STOP, Phase.STREAMING)
    plant.setitem(turn.TRANSITIONS[Phase.STREAMING], Signal.YES, Phase.READING_ON)


def stop_waits_for_the_disk(plant: Plant) -> None:
    """Nothing goes on before an urgent record is saved."""
    keep = driver.Session._keep

    def patient(self: driver.Session, record: ev.Record) -> None:
        keep(self, record)
        if isinstance(record.event, ev.StopAsked) and isinstance(self._journal, journal.Journal):
            self._journal._writer.wait_drained(0.5)

    plant.setattr(driver.Session, "_keep", patient)


def reading_holds_the_loop(plant: Plant) -> None:
    """Each piece of a reply costs the loop a fifth of a second."""
    record = driver.Session.record

    def slow(self: driver.Session, number: int, event: ev.Event) -> None:
        record(self, number, event)
        if isinstance(event, ev.TextDelta):
            time.sleep(0.2)

    plant.setattr(driver.Session, "record", slow)


# --- what was seen is on disk -------------------------------------------------------------------------------


def stop_record_not_saved(plant: Plant) -> None:
    keep = driver.Session._keep

    def forgetful(self: driver.Session, record: ev.Record) -> None:
        if not isinstance(record.event, ev.StopAsked):
            keep(self, record)

    plant.setattr(driver.Session, "_keep", forgetful)


def text_gathers_for_long(plant: Plant) -> None:
    plant.setattr(writer, "GATHER_S", 60.0)


def records_of_a_failed_commit_are_lost(plant: Plant) -> None:
    from tui.store import saving

    save = saving.save

    def careless(db: Any, one: journal.Journal) -> Any:
        try:
            return save(db, one)
        except Exception:
            one.unsaved.rows.clear()
            raise

    plant.setattr(saving, "save", careless)


# --- late events stay late ----------------------------------------------------------------------------------


def token_into_the_newest_turn(plant: Plant) -> None:
    """What a stream says goes to whatever turn is the newest; and a late stream is read on."""
    record = driver.Session.record

    def careless(self: driver.Session, number: int, event: ev.Event) -> None:
        if isinstance(event, ev.TextDelta):
            number = self.conversation.count
        record(self, number, event)

    plant.setattr(driver.Session, "record", careless)
    plant.setattr(parts.Live, "close", lambda self: self.unwind())
    plant.setattr(reading, "_ended", lambda session, one, live: False)


def late_events_written_in_spite_of_drop(plant: Plant) -> None:
    plant.setattr(driver.Session, "_keep", lambda self, record: self._journal.append(record))


# --- no byte unsanitised ------------------------------------------------------------------------------------


def text_goes_through_as_it_came(plant: Plant) -> None:
    plant.setattr(safe_text, "_is_clean", lambda text: True)


# --- a drop is no stop; never posted twice ------------------------------------------------------------------


def prompt_posted_again(plant: Plant) -> None:
    """A connection that broke is answered by sending the prompt once more."""
    start = ag_ui.AgUi._start

    async def insistent(self: Any, *given: Any) -> Any:
        try:
            async for event in start(self, *given):
                yield event
        except http.StreamLost:
            async for event in start(self, *given):
                yield event

    plant.setattr(ag_ui.AgUi, "_start", insistent)


def drop_taken_for_a_stop(plant: Plant) -> None:
    plant.setitem(turn.TRANSITIONS[Phase.STREAMING], Signal.BROKE, Phase.STOPPED)


def never_sent_not_noticed(plant: Plant) -> None:
    plant.setattr(reading, "NEVER_LEFT", "something else")


# --- what was typed is never lost; faults reach an end ------------------------------------------------------


def draft_and_queue_not_saved(plant: Plant) -> None:
    plant.setattr(journal.Journal, "save_note", lambda self, kind, value: None)


def fault_in_the_stop_path_hangs(plant: Plant) -> None:
    plant.setattr(driver, "_INSTEAD", {})


def quit_does_not_wait(plant: Plant) -> None:
    async def at_once(seconds: float, work: Any) -> None:
        work.close()

    plant.setattr(driver, "_at_most", at_once)
