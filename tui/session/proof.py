"""The abort, and the search for evidence that the run really ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.backends.base import AbortAnswer, BackendError, RemoteStop, RunStatus
from tui.core import events as ev
from tui.core.conversation import Turn
from tui.core.events import Answer, Clock, End, Event
from tui.core.turn import Phase
from tui.session.parts import Live

if TYPE_CHECKING:
    from tui.session.driver import Session

SLOWEST = 10.0
"""Seconds between two look-ups at most."""


async def send_abort(session: Session, turn: Turn, live: Live, again: bool) -> None:
    """One abort and its answer. `again`: the person asked for it after the turn had settled."""
    if turn.phase is Phase.STOPPED and not again:
        return  # the run ended in this very loop turn: an abort could only hit a newer one (S33)
    session.note_request(turn, "abort")
    began = session.mono()
    answer = await _ask(session, turn, live)
    ms = (session.mono() - began) * 1000
    session.record(turn.number, ev.AbortAnswered(answer.answer, answer.detail, answer.status, ms))
    if answer.over:
        session.record(turn.number, ev.RunLookedUp(End.CANCELLED, "The answer to the abort says so."))
    elif turn.phase is Phase.STOPPED and session.backend.capabilities.status:
        await look_up_once(session, turn, live)


async def _ask(session: Session, turn: Turn, live: Live) -> AbortAnswer:
    limit = session.backend.capabilities.abort_s or session.clocks.abort
    try:
        async with asyncio.timeout(limit):
            return await session.backend.abort(live.ref, turn.stop.reason if turn.stop else "")
    except TimeoutError:
        return AbortAnswer(Answer.UNANSWERED, f"No answer to the abort within {limit:g} s.")
    except BackendError as error:
        return AbortAnswer(Answer.UNANSWERED, str(error), error.status)
    except Exception as fault:  # S41: whatever happens here, the turn reaches an end
        return AbortAnswer(Answer.UNANSWERED, f"The abort could not be sent: {type(fault).__name__}.")


async def check(session: Session, turn: Turn, live: Live) -> None:
    """Ask whether the run is over, until it is or the rest of the grace has run out."""
    if live.reading and not live.reading.done():
        await asyncio.wait([live.reading], timeout=session.grace)
    spent = session.mono() - live.answered if live.answered else 0.0
    seen = await _poll(session, live, session.grace - spent)
    session.record(turn.number, _looked_up(seen))


async def afterwards(session: Session, turn: Turn, live: Live) -> None:
    """After the settling: fetch what the backend has saved, and raise the outcome if its end shows."""
    seen = await _poll(session, live, session.clocks.look_up)
    if seen is not None and (seen.over or seen.end):
        session.record(turn.number, _looked_up(seen))


async def look_up_once(session: Session, turn: Turn, live: Live) -> None:
    """One look-up, as the person asked for."""
    session.note_request(turn, "status")
    session.record(turn.number, _looked_up(await _status(session, live)))


async def _poll(session: Session, live: Live, limit: float) -> RunStatus | None:
    if not session.backend.capabilities.status:
        return None
    pause, seen = session.clocks.poll, None
    until = session.mono() + limit
    while True:
        seen = await _status(session, live) or seen
        if (seen and seen.over) or session.mono() + pause > until:
            return seen
        await asyncio.sleep(pause)
        pause = min(pause * 2, SLOWEST)


async def _status(session: Session, live: Live) -> RunStatus | None:
    try:
        async with asyncio.timeout(session.clocks.abort):
            return await session.backend.status(live.ref)
    except Exception:  # no word is no evidence, whatever the reason
        return None


def instead_of_an_abort(how: RemoteStop) -> Event:
    """What is recorded where nothing can be sent."""
    if how is RemoteStop.CLOSE:
        return ev.AbortAnswered(Answer.CLOSED, "Closing the connection is this backend's way to stop.")
    return ev.AbortAnswered(Answer.UNSUPPORTED, "This backend has no abort: only our connection was closed.")


def how_the_grace_ended(live: Live, grace: float) -> Clock:
    """Text that still came in the last third of the grace was not merely in flight: the run went on."""
    return Clock.WENT_ON if live.last_late > live.answered + grace * 2 / 3 else Clock.GRACE


def _looked_up(seen: RunStatus | None) -> Event:
    if seen is None:
        return ev.RunLookedUp(None, "The backend had no word on this run.")
    if seen.unsent:
        return ev.NotSent(seen.detail)
    return ev.RunLookedUp(seen.end, seen.detail, seen.text)
