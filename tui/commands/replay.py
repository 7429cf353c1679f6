"""`stopkey replay`: a recorded conversation on the screen: its timing, its stops, and no backend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.commands.common import Exit, Trouble, need_terminal, open_store, tell_of
from tui.commands.recording import Shot, film, film_options
from tui.config import data_dir, load
from tui.core.safe_text import safe_line
from tui.store import Store, StoreError

if TYPE_CHECKING:
    from tui.core.events import Record
    from tui.film.frames import Film
    from tui.session import Opening


@click.command("replay")
@click.argument("what", metavar="FILE|ID")
@click.option(
    "--speed", type=click.FloatRange(0.1, 1000), default=1.0, metavar="N", help="So many times as fast."
)
@click.option("--paused", is_flag=True, help="Begin paused: Space goes on, . shows the next event.")
@click.option("--plain", is_flag=True, help="No animation, ASCII signs.")
@film_options
def replay_command(what: str, speed: float, paused: bool, plain: bool, shot: Shot) -> int:
    """Play a conversation as it was: FILE from `stopkey export` (JSON lines or evidence), or ID.

    Space pauses, . steps, + and - change the speed. Nothing is sent; only --record writes.
    """
    from tui.commands import chat
    from tui.desk import Desk

    if not shot.path:
        need_terminal("The replay")
    loaded = load()
    store = open_store(loaded.settings)
    opening = opening_of(what, store, speed, paused and not shot.path)
    if shot.path:
        return _record(opening, store, shot, plain)
    return chat._show(Desk(loaded.settings, store, data_dir(loaded.settings), None), opening, loaded, plain)


def _record(opening: Opening, store: Store, shot: Shot, plain: bool) -> int:
    """Film it from its first event to its last."""
    from tui.session.player import Player
    from tui.ui.app import StopkeyApp

    store.close()
    app = StopkeyApp(opening, theme=f"textual-{shot.theme or 'dark'}", still=plain, plain=plain)

    async def watch(taken: Film) -> None:
        player = app.pane.talk.session
        assert isinstance(player, Player)
        await player.ended()

    film(app, shot, opening.label, watch)
    if app.fault:
        tell_of(app.fault)
    return Exit.FAILED if app.fault else Exit.COMPLETED


def opening_of(what: str, store: Store, speed: float, paused: bool) -> Opening:
    """What it takes to show this recording. Raises Trouble."""
    from tui.session.player import replaying
    from tui.session.reel import Reel

    try:
        head, records = _from_file(Path(what)) if Path(what).is_file() else _from_store(what, store)
        reel = Reel(records, speed, paused=paused)
    except (StoreError, OSError, UnicodeDecodeError) as error:
        raise Trouble(safe_line(str(error), 300), Exit.FAILED) from None
    if reel.over:
        raise Trouble(safe_line(reel.problem) or "There is nothing in this recording", Exit.FAILED)
    label = safe_line(str(head.get("title") or head.get("agent") or head.get("backend") or what), 60)
    return replaying(reel, safe_line(str(head.get("id") or "file"), 20), label)


def _from_store(beginning: str, store: Store) -> tuple[dict[str, Any], Iterable[Record]]:
    found = store.find(beginning)
    info = store.info(found)
    head = {"id": found, "title": info.title, "agent": info.agent, "backend": info.backend}
    return head, store.load(found)


def _from_file(path: Path) -> tuple[dict[str, Any], Iterable[Record]]:
    from tui.store import jsonl
    from tui.store.sound import sound

    head, records = jsonl.read(_lines(path))
    return head, sound(records)


def _lines(path: Path) -> Iterator[str]:
    """The lines of an exported log, or of the one in an evidence bundle."""
    import tarfile

    if tarfile.is_tarfile(path):
        with tarfile.open(path) as bundle:
            member = bundle.extractfile("events.jsonl")
            if member is None:
                raise StoreError("There is no events.jsonl in this bundle.")
            for line in member:
                yield line.decode("utf-8", "surrogatepass")
        return
    with path.open(encoding="utf-8") as file:
        yield from file
