"""`stopkey abort`: end a run from outside, by the same driver, order and evidence as the Stop key."""

from __future__ import annotations

import asyncio
import time

import click

from tui import receipt
from tui.backends.base import Backend, BackendError, RemoteStop, Scope, Target
from tui.commands.common import Exit, Trouble, exit_code, open_store, settings
from tui.commands.target import Wanted, make_backend, resolve, target_options
from tui.config import Settings
from tui.core.conversation import Conversation, Turn
from tui.core.events import Prompted, Record, RunStarted
from tui.core.safe_text import safe_line
from tui.core.view import look
from tui.desk import clocks
from tui.session import Session


@click.command("abort")
@target_options
@click.option(
    "--run", "run_id", default="", metavar="ID", help="This run. Default: what runs in --conversation."
)
@click.option("--reason", default="", help="Sent along, where the backend's abort takes one.")
def abort_command(wanted: Wanted, run_id: str, reason: str) -> int:
    """End a run that someone else started: the run with this ID, or whatever runs in TARGET's conversation.

    Prints what is known of it; exits with the code of the outcome, as `run` does.
    """
    known = settings()
    target = resolve(wanted, known)
    if target is None:
        raise Trouble("Say where the run is: give --profile, or --backend and --url")
    if not (run_id or wanted.conversation):
        raise Trouble("Say which run it is: give --run ID or --conversation ID")
    return asyncio.run(_abort(target, wanted.conversation, run_id, reason, known))


async def _abort(target: Target, conversation: str, run_id: str, reason: str, known: Settings) -> Exit:
    backend = make_backend(target)
    try:
        await backend.connect()
        run_id = run_id or _newest_run(backend, target, conversation, known)
        turn = await _stop(backend, conversation, run_id, reason, known)
    except BackendError as error:
        raise Trouble(str(error), Exit.UNCONFIRMED) from None
    finally:
        await backend.aclose()
    _tell(turn)
    return exit_code(turn)


def _newest_run(backend: Backend, target: Target, conversation: str, known: Settings) -> str:
    """The id of the conversation's last run, from our own store. Empty where the backend needs none."""
    store = open_store(known)
    try:
        found = store.find_remote(target.backend, target.url, target.agent, conversation)
        started = [r.event for r in store.load(found) if isinstance(r.event, RunStarted)] if found else []
    finally:
        store.close()
    if started and backend.capabilities.scope is Scope.RUN:
        return started[-1].run_id
    if backend.capabilities.scope is Scope.RUN and backend.capabilities.client_run_id:
        raise Trouble("This backend ends runs by their id, and this client knows of none here; give --run ID")
    return ""


async def _stop(backend: Backend, conversation: str, run_id: str, reason: str, known: Settings) -> Turn:
    """A turn of which we hear nothing, stopped: the driver asks, waits, looks it up and judges."""
    if backend.capabilities.remote_stop is RemoteStop.CLOSE:
        raise Trouble(
            "This backend ends a run only when the connection that started it is closed; that cannot be done "
            "from outside",
            Exit.LOCAL_ONLY,
        )
    told = Conversation(conversation or run_id)
    for number, event in enumerate((Prompted("", run_id=run_id), RunStarted(run_id, conversation)), 1):
        told.apply(Record(number, 1, time.time(), time.monotonic(), event))
    session = Session(backend, conversation=told, clocks=clocks(known))
    session.stop("abort command", reason)
    turn = told.turns[0]
    await session.settled(turn)
    await session.close()
    return turn


def _tell(turn: Turn) -> None:
    print(safe_line(f"{look(turn).word}: {receipt.meaning(turn)}", 240))
    if turn.stop and turn.stop.answer and turn.stop.answer.detail:
        print(safe_line(turn.stop.answer.detail, 240))
    print(receipt.happened(turn))
