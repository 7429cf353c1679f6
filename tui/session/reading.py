"""Reading a run's stream: every event is recorded; a stream that breaks is taken up again where it can be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from tui.backends.base import HALF_EVENT, NEVER_LEFT, BackendError, PromptNotSent, PromptRejected
from tui.core import events as ev
from tui.core.conversation import Turn
from tui.core.events import Event
from tui.core.turn import FINAL, Phase
from tui.session.parts import Live

if TYPE_CHECKING:
    from tui.session.driver import Session

_log = logging.getLogger("stopkey.session")
NO_END = "The connection ended without an end marker; the run may still be alive."


async def read(session: Session, turn: Turn, live: Live, events: AsyncGenerator[Event, None]) -> None:
    """Record everything until the run's end; re-attach after a break, with back-off, never post again."""
    HALF_EVENT.set([0])
    lost = await _take_all(session, turn, live, events)
    tried = 0
    while lost and _may_reattach(session, turn, live, tried):
        turn.reattaching = (tried + 1, len(session.clocks.reattach))
        session.note_request(turn, "resume")
        await asyncio.sleep(session.clocks.reattach[tried])
        seen = _grown(turn)
        lost = await _take_all(session, turn, live, session.backend.resume(live.ref))
        tried = 0 if _grown(turn) > seen else tried + 1
    turn.reattaching = None
    session.wake(turn)


def _grown(turn: Turn) -> int:
    """How much there is of the reply: only more of it makes a re-attaching count as one that worked."""
    return turn.transcript.chars + len(turn.transcript.blocks)


def _may_reattach(session: Session, turn: Turn, live: Live, tried: int) -> bool:
    waits = turn.phase is Phase.LOST and not live.closing
    return waits and session.backend.capabilities.resume and tried < len(session.clocks.reattach)


async def _take_all(session: Session, turn: Turn, live: Live, events: AsyncGenerator[Event, None]) -> bool:
    """Record everything a stream yields. True if it ended without the backend's final word."""
    try:
        async with aclosing(events):
            async for event in events:
                session.record(turn.number, event)
                if live.closing:
                    break
    except PromptNotSent as error:
        session.record(turn.number, _unsent(live, error))
    except PromptRejected as error:
        return _refused(session, turn, live, error)
    except BackendError as error:
        return _broke(session, turn, str(error))
    except asyncio.CancelledError as cancelled:
        session.record(turn.number, _closed(turn, NEVER_LEFT in cancelled.args))
        raise
    except Exception as fault:  # an adapter's own fault must not leave the turn hanging
        _log.info("the adapter failed while reading", exc_info=True)
        return _broke(session, turn, f"The client could not read the stream: {type(fault).__name__}.")
    else:
        return _ended(session, turn, live)
    return False


def _closed(turn: Turn, never_left: bool) -> Event:
    """A prompt that was still waiting for its connection was never sent (S01)."""
    if never_left and turn.started_at is None and turn.events == 0:
        return ev.NotSent("It was stopped before there was a connection: the prompt was not sent.")
    return ev.StreamClosed(half_event())


def half_event() -> int:
    """Bytes of an event that was under way when the stream was closed."""
    half = HALF_EVENT.get()
    return half[0] if half else 0


def _unsent(live: Live, error: PromptNotSent) -> Event:
    """A prompt that did not leave, or an answer to the agent that did not."""
    return ev.AnswerFailed(live.answering, str(error)) if live.answering else ev.NotSent(str(error))


def _refused(session: Session, turn: Turn, live: Live, error: PromptRejected) -> bool:
    """A refused prompt means that no run exists; a refused re-attaching only that we cannot listen."""
    if turn.phase in (Phase.SENDING, Phase.STOP_PENDING):
        session.record(turn.number, ev.PromptRefused(str(error), error.status))
        return False
    if live.answering:
        session.record(turn.number, ev.AnswerFailed(live.answering, str(error)))
        return False
    return _broke(session, turn, str(error))


def _ended(session: Session, turn: Turn, live: Live) -> bool:
    if live.closing and turn.stop:
        session.record(turn.number, ev.StreamClosed(half_event()))
    if live.reading is not asyncio.current_task():
        return False  # an answer was given meanwhile, and its own stream goes on
    if live.closing or turn.state.end is not None or turn.phase in (Phase.WAITING, *FINAL):
        return False
    return _broke(session, turn, NO_END)


def _broke(session: Session, turn: Turn, sentence: str) -> bool:
    session.record(turn.number, ev.StreamBroke(sentence))
    return True
