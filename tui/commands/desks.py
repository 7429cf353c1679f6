"""The desk for one command: which backend, which store, which conversation."""

from __future__ import annotations

import asyncio

from tui.backends.base import BackendError
from tui.commands.common import Exit, Trouble, open_store
from tui.commands.target import Wanted, overridden, resolve
from tui.config import Settings, data_dir
from tui.desk import EMBEDDED, Desk
from tui.reach import again
from tui.session import Opening
from tui.store import StoreError


def open_new(wanted: Wanted, settings: Settings) -> tuple[Desk, Opening]:
    """A new conversation with TARGET; with --conversation the stored one by that id, if there is one.

    Raises Trouble.
    """
    target = resolve(wanted, settings)
    store = open_store(settings, wanted.no_store)
    desk = Desk(settings, store, None if wanted.no_store else data_dir(settings), target)
    place = (target.backend, target.url, target.agent) if target else (EMBEDDED, "", "")
    try:
        found = store.find_remote(*place, wanted.conversation) if wanted.conversation else None
        return desk, desk.reopen(found) if found else desk.fresh(wanted.conversation)
    except (StoreError, BackendError) as error:
        close_store(desk)
        raise Trouble(str(error)) from None


def open_stored(beginning: str, wanted: Wanted, settings: Settings) -> tuple[Desk, Opening]:
    """The stored conversation whose id begins so; options given go before what is stored. Raises Trouble."""
    store = open_store(settings)
    desk = Desk(settings, store, data_dir(settings), resolve(wanted, settings) if wanted.profile else None)
    try:
        listed = store.info(store.find(beginning))
        if listed.backend != EMBEDDED and not wanted.profile:
            stored = again(listed.backend, listed.url, listed.agent, listed.settings, settings)
            desk.target = overridden(stored, wanted)
        return desk, desk.reopen(listed.conversation_id)
    except (StoreError, BackendError) as error:
        close_store(desk)
        raise Trouble(str(error)) from None


async def close(desk: Desk, opening: Opening) -> None:
    """Close every connection, end the embedded backend, write what is left."""
    await opening.backend.aclose()
    await desk.embedded.stop()
    await opening.end()
    await asyncio.to_thread(close_store, desk)


def close_store(desk: Desk) -> None:
    """Write what is left. Blocks, at most two seconds."""
    desk.store.close()


def need_writable(opening: Opening) -> None:
    """Raises Trouble where another client has the conversation open: two would write over each other."""
    if getattr(opening.journal, "read_only", False):
        raise Trouble("Another stopkey has this conversation open; close it there first", Exit.FAILED)
