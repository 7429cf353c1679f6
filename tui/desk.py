"""Puts conversations together: backend, stored log, draft and queue, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui.backends.base import Backend, Capabilities, RemoteStop, Said, Scope, Takes, Target
from tui.backends.later import Later
from tui.backends.registry import make
from tui.config import Profile, Settings
from tui.core import events as ev
from tui.core.conversation import Conversation, replay, unsettled
from tui.core.events import Record
from tui.core.turn import Outcome, Phase
from tui.embedded import EmbeddedBackend
from tui.reach import again, of_profile, to_store
from tui.session import Clocks, Opening, abilities
from tui.store import Journal, Store

if TYPE_CHECKING:
    from tui.store.reader import Listed

EMBEDDED = "embedded"
LOADED_TURNS = 40
"""Turns of a stored conversation that are loaded at once; the others come when they are scrolled to."""

EMBEDDED_ABILITIES = Capabilities(
    RemoteStop.ABORT,
    scope=Scope.RUN,
    answer_confirms=True,
    disconnect_stops=False,
    client_run_id=True,
    takes_history=True,
    resume=True,
    status=True,
    history=True,
    remembers_partial=True,
    takes_reason=True,
    answers_questions=True,
    takes_files=Takes(("*/*",), 500_000, 600_000),
)


class Desk:
    """Makes `Opening`s. `target` None: the embedded backend, started once, at first use."""

    def __init__(self, settings: Settings, store: Store, data: Path | None, target: Target | None) -> None:
        self.settings = settings
        self.store = store
        self.target = target
        self.embedded = EmbeddedBackend(data / "embedded" if data else None)

    async def attempt(self, profile: Profile) -> tuple[bool, list[str]]:
        """Whether its backend takes a connection, and what its Stop can do, or why not."""
        from tui.doctor import tried

        can, sentence = await tried(profile)
        return (True, abilities.at_length(can)) if can else (False, [f"It {sentence}"])

    def fresh_with(self, profile: Profile) -> Opening:
        """A new conversation with the backend of a profile. Raises BackendError."""
        return self._begun(of_profile(profile))

    def fresh(self, remote_id: str = "") -> Opening:
        """A new conversation with the target."""
        return self._begun(self.target, remote_id)

    def _begun(self, target: Target | None, remote_id: str = "") -> Opening:
        journal = self.store.create(
            target.backend if target else EMBEDDED,
            target.url if target else "",
            target.agent if target else "",
            remote_id=remote_id,
            settings=to_store(target),
        )
        return self._opening(
            self._backend(target), journal, Conversation(journal.conversation_id), target, ()
        )

    def reopen(self, conversation_id: str) -> Opening:
        """A stored conversation. Raises StoreError or BackendError."""
        listed = self.store.info(conversation_id)
        target = self._target_of(listed)
        journal = self.store.open_journal(conversation_id)
        first = max(1, listed.turns - LOADED_TURNS + 1)
        records = self.store.load_turns(conversation_id, first, listed.turns)
        conversation = replay(conversation_id, records, base=first - 1)
        conversation.number = max(conversation.number, journal.last_number)
        _leave_unsettled(conversation, journal)
        before = _said(self.store, conversation_id, first - 1)
        opening = self._opening(self._backend(target), journal, conversation, target, before)
        notes = self.store.notes(conversation_id)
        opening.draft = str(notes.get("draft") or "")
        opening.pasted = dict(notes.get("pasted") or {})
        opening.queue = [str(text) for text in notes.get("queue") or []]
        opening.title = listed.title
        opening.note = journal.why if journal.read_only else ""
        return opening

    def branch(self, conversation_id: str, before: int) -> Opening:
        """A new conversation that begins with the turns of another one that come before turn `before`.

        They are copied: each of the two is whole by itself, in exports, evidence and replay. Blocks. Raises
        StoreError.
        """
        listed = self.store.info(conversation_id)
        target = self._target_of(listed)
        journal = self.store.create(listed.backend, listed.url, listed.agent, settings=to_store(target))
        copied = _renumbered(self.store.load(conversation_id), before)
        for record in copied:
            journal.append(record)
        journal.save_note("branch", [conversation_id, before])
        conversation = replay(journal.conversation_id, copied)
        opening = self._opening(self._backend(target), journal, conversation, target, ())
        opening.title = f"↳ {listed.title}"
        if journal.written():
            self.store.rename(journal.conversation_id, opening.title)
        return opening

    def _opening(
        self,
        backend: Backend,
        journal: Journal,
        conversation: Conversation,
        target: Target | None,
        before: tuple[Said, ...],
    ) -> Opening:
        settings = self.settings
        return Opening(
            backend,
            conversation,
            journal,
            label=_label(target),
            embedded=target is None,
            come_back=f"stopkey open {conversation.id}",
            remote_id=journal.place.remote,
            said_before=before,
            clocks=clocks(settings),
            late=settings.late,
            on_disk=lambda: self.store.on_disk,
            queue_on_stop=settings.queue_on_stop,
            commands=_nothing if target else _scenarios,
            save_note=journal.save_note,
            keep_file=journal.keep_file,
            kept_file=partial(self.store.file, conversation.id),
            old_turn=partial(_one_turn, self.store, conversation.id),
            older=partial(self.store.load_between, conversation.id),
            end=partial(asyncio.to_thread, journal.close),
        )

    def _backend(self, target: Target | None) -> Backend:
        if target is None:
            return Later(EMBEDDED, EMBEDDED_ABILITIES, self._start_embedded)
        return make(target)

    async def _start_embedded(self) -> Backend:
        if not self.embedded.alive:
            await self.embedded.start()
        url = f"{self.embedded.url}/agents/{self.embedded.agent}"
        token = ("Authorization", f"Bearer {self.embedded.token}")
        return make(
            Target("ag-ui", url, agent=self.embedded.agent, headers=(token,), options={"dialect": "stopkey"})
        )

    def _target_of(self, listed: Listed) -> Target | None:
        """The target of a stored conversation; secrets come from where they came from then."""
        if listed.backend == EMBEDDED:
            return None
        if self.target and (self.target.backend, self.target.url) == (listed.backend, listed.url):
            return self.target
        return again(listed.backend, listed.url, listed.agent, listed.settings, self.settings)


def _renumbered(records: Iterable[Record], before: int) -> list[Record]:
    """Those of the turns before one, counted anew: what was seen of them later stood among other turns."""
    kept = (record for record in records if record.turn < before)
    return [replace(record, number=number) for number, record in enumerate(kept, 1)]


def _nothing() -> Sequence[tuple[str, str]]:
    return ()


def _scenarios() -> Sequence[tuple[str, str]]:
    """What the embedded backend plays for /name."""
    from backend_stub.scenarios import SCENARIOS  # data; the start does not wait for it

    return [(scenario.name, scenario.about) for scenario in SCENARIOS.values()]


def _label(target: Target | None) -> str:
    if target is None:
        return "demo @ embedded"
    host = urlsplit(target.url).netloc.rpartition("@")[2]
    return f"{target.agent or target.backend} @ {host}"


def clocks(settings: Settings) -> Clocks:
    return Clocks(
        abort=settings.abort_s,
        grace=settings.grace_s,
        pending=settings.pending_s,
        quit=settings.quit_s,
        look_up=settings.look_up_s,
    )


def _leave_unsettled(conversation: Conversation, journal: Journal) -> None:
    """A client that died left turns unsettled: note it, once, so that they are shown as what they are."""
    for turn in unsettled(conversation):
        number = conversation.number + 1
        record = Record(
            number, turn.number, turn.wall, turn.last_at, ev.ClientLeft("the client ended before the run did")
        )
        conversation.apply(record)
        journal.append(record, urgent=True)


def _one_turn(store: Store, conversation_id: str, number: int) -> Sequence[Record]:
    return store.load_turns(conversation_id, number, number, joined=True)


def _said(store: Store, conversation_id: str, turns: int) -> tuple[Said, ...]:
    """What was said in turns that stay on disk, for protocols in which the client sends the history."""
    if turns < 1:
        return ()
    return tuple(
        Said("user", line.text, id=line.key)
        if line.role == "prompt"
        else Said("assistant", line.text, partial=line.phase != Phase.COMPLETED)
        for line in store.said(conversation_id, 1, turns)
        if line.outcome != Outcome.NEVER_SENT
    )
