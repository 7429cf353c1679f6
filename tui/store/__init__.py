"""The store: every conversation's log in one SQLite file, written by one thread, read from any.

Importing this costs nothing; SQLite itself is loaded in the writer's thread.
"""

from __future__ import annotations

import atexit
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.store.journal import Journal, Place
from tui.store.plain import plain
from tui.store.private import Lock
from tui.store.problems import NoSuchConversation, StoreError
from tui.store.writer import Writer

if TYPE_CHECKING:
    import sqlite3

    from tui.core.events import Record
    from tui.store.prompts import Past
    from tui.store.reader import Listed, SaidLine, TurnLine
    from tui.store.search import Hit
    from tui.store.stats import StopLine

UNDO_S = 24 * 3600.0  # a deletion that was neither undone nor carried out is carried out after so long
OPEN_S = 15.0  # how long a reader waits for the file to be opened and brought up to date


class Store:
    """All conversations. Every method that reads blocks for some milliseconds: a screen calls it in a thread.

    A file that cannot be used is left as it is, and everything is kept in memory instead; `problem` then
    says why, once `opened()`. Methods raise StoreError, whose text is one sentence.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._uri = ""  # once it is open
        self._deleted: list[str] = []
        self._writer = Writer(self._open, path, self._tidy)
        atexit.register(self.close)

    @classmethod
    def open(cls, path: Path) -> Store:
        """The store in this file; made if it is not there. Returns at once: opening is done in a thread."""
        return cls(Path(path))

    @classmethod
    def memory(cls) -> Store:
        """A store that leaves no trace on the disk (`--no-store`)."""
        return cls(None)

    @property
    def in_memory(self) -> bool:
        return not self._uri.startswith("file:///")

    @property
    def on_disk(self) -> bool:
        """Whether what is saved is kept; a file that could not be opened has been replaced by memory."""
        return self.path is not None and not (self._writer.opened.is_set() and self.in_memory)

    @property
    def problem(self) -> str | None:
        """One sentence while saving fails; else why this is only in memory; else None."""
        return self._writer.problem

    @property
    def on_problem(self) -> Callable[[str | None], None] | None:
        """Told of every change of `problem`, from the writer's thread."""
        return self._writer.on_problem

    @on_problem.setter
    def on_problem(self, listener: Callable[[str | None], None] | None) -> None:
        self._writer.on_problem = listener

    def opened(self, timeout_s: float = OPEN_S) -> bool:
        """Wait until the file is open or given up; `problem` is right from then on."""
        return self._writer.opened.wait(timeout_s)

    # --- conversations ------------------------------------------------------------------------------------

    def create(
        self,
        backend: str,
        url: str = "",
        agent: str = "",
        title: str = "",
        *,
        remote_id: str = "",
        settings: dict[str, Any] | None = None,
    ) -> Journal:
        """A new conversation. It is written with its first record; until then it leaves no trace.

        `remote_id` is its id on the backend, if that is not ours to choose. `settings`: what else is needed
        to reach the backend again, as JSON values; no headers. What looks like a secret is left out.
        """
        from tui.core.codec import dumps
        from tui.store.secrets import clean, clean_url, without_secrets

        identity = uuid.uuid4().hex[:12]
        place = Place(
            identity,
            plain(remote_id) or identity,
            plain(backend),
            plain(clean_url(url)),
            plain(agent),
            without_secrets(plain(title)),
            dumps(clean(settings or {})),
            time.time(),
        )
        return self._journal(place)

    def open_journal(self, conversation_id: str) -> Journal:
        """A stored conversation, to go on with. Read-only if another client has it.

        Raises NoSuchConversation.
        """
        from tui.store import reader

        found = reader.one(self._reading, conversation_id)
        names = (found.conversation_id, found.remote_id, found.backend, found.url, found.agent, found.title)
        last = reader.last_number(self._reading, conversation_id)
        return self._journal(Place(*names, last_number=last))

    def _journal(self, place: Place) -> Journal:
        if self.path is None:
            return Journal(self._writer, place, None)
        lock = self._lock(place.id)
        why = "" if lock.take() else "Another stopkey has this conversation open: it is shown read-only here."
        return Journal(self._writer, place, lock, why)

    def _lock(self, conversation_id: str) -> Lock:
        assert self.path is not None
        return Lock(self.path.parent / "locks", conversation_id)

    def live_elsewhere(self, conversation_id: str) -> bool:
        """Whether some client, this one included, has the conversation open."""
        return self.path is not None and self._lock(conversation_id).elsewhere()

    # --- reading ------------------------------------------------------------------------------------------

    def find(self, beginning: str) -> str:
        """The id that begins so. Raises NoSuchConversation if there is none, or more than one."""
        from tui.store import reader

        return reader.find(self._reading, beginning)

    def find_remote(self, backend: str, url: str, agent: str, remote_id: str) -> str | None:
        """The newest conversation that this backend knows by this id."""
        from tui.store import reader
        from tui.store.secrets import clean_url

        return reader.find_remote(self._reading, backend, clean_url(url), agent, remote_id)

    def info(self, conversation_id: str) -> Listed:
        """One conversation's line. Raises NoSuchConversation."""
        from tui.store import reader

        return reader.one(self._reading, conversation_id)

    def last(self) -> Listed | None:
        """The conversation that was used last."""
        found = self.list(1)
        return found[0] if found else None

    def turns(self, conversation_id: str) -> list[TurnLine]:
        """All turns of a conversation, without their logs."""
        from tui.store import reader

        return reader.turns(self._reading, conversation_id)

    def load(self, conversation_id: str, after: int = 0, *, joined: bool = False) -> Iterator[Record]:
        """The log in order, from after record number `after` on, read page by page.

        `joined` gives neighbouring deltas of a block as one: the same text, ten times as fast. Raises
        NoSuchConversation.
        """
        from tui.store import reader

        return reader.records(self._reading, conversation_id, after, joined=joined)

    def load_between(self, conversation_id: str, first: int, last: int) -> list[Record]:
        """The records with these numbers, in order. Raises NoSuchConversation."""
        from tui.store import reader

        return reader.between(self._reading, conversation_id, first, last)

    def load_turns(
        self, conversation_id: str, first: int, last: int, *, joined: bool = False
    ) -> list[Record]:
        """The records of turns `first` to `last`, in order. Raises NoSuchConversation."""
        from tui.store import reader

        return reader.turn_records(self._reading, conversation_id, (first, last), joined=joined)

    def said(self, conversation_id: str, first: int, last: int) -> list[SaidLine]:
        """Prompts and replies of these turns as plain text, each turn's prompt first. Fast at any length.

        Lone surrogates and NUL, which plain text cannot hold, are replaced. Raises NoSuchConversation.
        """
        from tui.store import reader

        return reader.said(self._reading, conversation_id, first, last)

    def notes(self, conversation_id: str) -> dict[str, Any]:
        """What was kept beside the log by `Journal.save_note`."""
        from tui.store import reader

        return reader.notes(self._reading, conversation_id)

    def prompts(self, before: Past | None = None, limit: int = 100, most: int = 20_000) -> list[Past]:
        """What was asked in all conversations, the newest first; the next page is that `before` its last.

        Each has at most `most` characters of its text, and says whether that is all: `whole_prompt`.
        """
        from tui.store import prompts

        return prompts.page(self._reading, before, limit, most)

    def whole_prompt(self, past: Past) -> str:
        """All of a prompt's text."""
        from tui.store import prompts

        return prompts.whole(self._reading, past)

    def file(self, conversation_id: str, sha256: str) -> bytes | None:
        """What went with a prompt, if it was kept."""
        with self._reading() as db:
            row = db.execute(
                "SELECT data FROM file JOIN conversation c ON c.key=conversation WHERE c.id=? AND sha256=?",
                (conversation_id, sha256),
            ).fetchone()
        return bytes(row[0]) if row else None

    def search(self, text: str, limit: int = 50) -> list[Hit]:
        """Where this was said, the best places first."""
        from tui.store.search import search

        return search(self._reading, text, limit)

    def stops(self, conversation_id: str | None = None) -> list[StopLine]:
        """Every settled stop, of one conversation or of all, in order of time; see `tui.store.stats`."""
        from tui.store.stats import stops

        return stops(self._reading, conversation_id)

    # --- changing -----------------------------------------------------------------------------------------

    def rename(self, conversation_id: str, title: str) -> None:
        """Give it a name. Raises NoSuchConversation."""
        self._change(conversation_id, "title=?, named=1", plain(title))

    def delete(self, conversation_id: str) -> None:
        """Take it out of every list and search. `undelete` brings it back until this store is closed."""
        self._change(conversation_id, "deleted=?", time.time())
        self._deleted.append(conversation_id)

    def undelete(self, conversation_id: str) -> None:
        """Bring a deleted conversation back. Raises NoSuchConversation if it is gone for good."""
        self._change(conversation_id, "deleted=?", None)
        self._deleted = [other for other in self._deleted if other != conversation_id]

    def _change(self, conversation_id: str, what: str, value: object) -> None:
        def change(db: sqlite3.Connection) -> int:
            return db.execute(f"UPDATE conversation SET {what} WHERE id=?", (value, conversation_id)).rowcount

        if not self._writer.ask(change):
            raise NoSuchConversation(f"There is no conversation {conversation_id!a}.")

    def close(self, timeout_s: float = 2.0) -> bool:
        """Write what is left, remove for good what was deleted. False if not all could be written."""
        atexit.unregister(self.close)
        if not self._writer.alive:
            return True
        saved = self._writer.wait_drained(timeout_s)
        for journal in list(self._writer.journals):
            journal.let_go()
        gone, self._deleted = self._deleted, []
        if gone:
            self._writer.finally_do(lambda db: self._purge(db, gone))
        self._writer.close(timeout_s)
        return saved

    # --- connections --------------------------------------------------------------------------------------

    def _open(self) -> tuple[sqlite3.Connection, str | None]:
        """In the writer's thread: the file, or memory in its place and the reason."""
        from tui.store.private import make_private
        from tui.store.problems import NEVER, sentence
        from tui.store.schema import connect_for_writing, memory_uri

        banner = None
        if self.path is not None:
            try:
                make_private(self.path)
                uri = self.path.absolute().as_uri()
                db = connect_for_writing(uri, self.path)
            except (StoreError, OSError) as error:
                banner = sentence(error, self.path, NEVER)
            else:
                self._uri = uri
                return db, None
        self._uri = memory_uri(f"stopkey-{uuid.uuid4().hex}")
        return connect_for_writing(self._uri, None), banner

    def _tidy(self, db: sqlite3.Connection) -> Iterator[None]:
        """After opening, when there is time: what a client that died has left undone."""
        from tui.store.digest import undigested
        from tui.store.purge import left_over

        if self.in_memory:
            return
        yield from undigested(db, self.live_elsewhere)
        yield from self._purge(db, left_over(db, time.time() - UNDO_S))

    def _purge(self, db: sqlite3.Connection, ids: Sequence[str]) -> Iterator[None]:
        from tui.store.purge import purge
        from tui.store.schema import remove_copies

        yield from purge(db, ids, self.live_elsewhere)
        if ids and self.path:
            remove_copies(self.path)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        from tui.store.schema import reading

        if not self.opened():
            raise StoreError("The conversation store is still being opened: try again.")
        if not self._writer.alive:
            raise StoreError(self.problem or "The conversation store is closed.")
        with reading(self._uri, self.path) as db:
            yield db

    # Last, because its name hides the builtin from annotations below it.
    def list(self, limit: int = 200, query: str = "", *, deleted: bool = False) -> list[Listed]:
        """Conversations, the newest first; `query` is looked for in title, agent and backend."""
        from tui.store import reader

        return reader.conversations(self._reading, limit, query, deleted)


__all__ = ["Journal", "NoSuchConversation", "Place", "Store", "StoreError"]
