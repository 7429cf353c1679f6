"""ADK's sessions: what is stored of every run, by app, user and session. Partial events never are."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from backend_stub import events as ev
from backend_stub.dialects.adk_events import Asking, Words
from backend_stub.dialects.kept import kept_events
from backend_stub.engine import Engine
from backend_stub.log import Entry
from backend_stub.run import Run

JSON = dict[str, Any]
Key = tuple[str, str, str]
"""App, user, session: only together do they name a session, and the runs in it."""


@dataclass(slots=True)
class Kept:
    """What the session stores of one run; grows when somebody looks."""

    run: Run
    words: Words
    events: list[JSON]
    _at: int = 0

    def read(self) -> list[JSON]:
        entries = self.run.log.entries
        for entry in entries[self._at :]:
            self.events += [told.frame for told in self.words.say(entry) if told.stored]
        self._at = len(entries)
        return self.events


@dataclass(slots=True)
class Session:
    """One session. `conversation_id` is the engine's name for it."""

    key: Key
    conversation_id: str
    state: JSON = field(default_factory=dict)
    began: float = field(default_factory=time.time)
    runs: list[Kept] = field(default_factory=list)
    earlier: list[JSON] = field(default_factory=list)  # events of an earlier process

    def told(self, *, events: bool = True) -> JSON:
        app, user, session = self.key
        stored = self.events()
        last = stored[-1]["timestamp"] if stored else self.began
        names = {"id": session, "appName": app, "userId": user, "state": self._state(stored)}
        return {**names, "events": stored if events else [], "lastUpdateTime": last}

    def events(self) -> list[JSON]:
        """All stored events in the order in which they happened: runs may go on side by side."""
        stored = [event for kept in self.runs for event in kept.read()]
        return self.earlier + sorted(stored, key=lambda event: float(event["timestamp"]))

    def asking(self, call: str) -> tuple[Asking, str] | None:
        """The open question of that call, and the invocation it belongs to."""
        for kept in self.runs:
            kept.read()
            asking = kept.words.asking
            if asking and asking.call == call:
                return asking, kept.words.invocation
        return None

    def _state(self, stored: list[JSON]) -> JSON:
        state = dict(self.state)
        for event in stored:
            state |= event["actions"]["stateDelta"]
        return state


class Sessions:
    """All sessions of one form of the dialect; `name` keeps forms apart in the engine."""

    def __init__(self, engine: Engine, name: str, *, sealed: bool) -> None:
        self._engine, self._name = engine, name
        self.sealed = sealed
        self._sessions: dict[Key, Session] = {}
        self._deleted: set[Key] = set()

    def create(self, key: Key, state: JSON) -> Session | None:
        """A new session; None: there is one of that name."""
        if self.find(key):
            return None
        self._sessions[key] = Session(key, self._conversation(key), state)
        return self._sessions[key]

    def find(self, key: Key) -> Session | None:
        """The session, also one of an earlier process."""
        if key not in self._sessions:
            if key in self._deleted:
                return None
            rows = self._engine.conversation(self._conversation(key))
            if not rows:
                return None
            earlier = [event for row in rows for event in _kept(row)]
            self._sessions[key] = Session(key, self._conversation(key), {}, rows[0]["began"], [], earlier)
        return self._sessions[key]

    def delete(self, key: Key) -> None:
        """Forget it; a run in it goes on, as in the original."""
        self._sessions.pop(key, None)
        self._deleted.add(key)

    def of(self, app: str, user: str) -> list[Session]:
        return [session for key, session in self._sessions.items() if key[:2] == (app, user)]

    def words(self, run: Run, metadata: JSON | None) -> Words:
        """A speller of a run. Its invocation outlives a question: the run that goes on has it, too."""
        return Words(run.id, run.id.partition(".")[0], run.agent, metadata, self.sealed)

    def keep(self, session: Session, run: Run, parts: list[JSON], metadata: JSON | None) -> Kept:
        """Store a run's message, and from now on what it says."""
        words = self.words(run, metadata)
        kept = Kept(run, words, [words.user(parts, run.began)])
        session.runs.append(kept)
        return kept

    def _conversation(self, key: Key) -> str:
        return f"{self._name}:" + "/".join(quote(part, safe="") for part in key)


def _kept(row: JSON) -> list[JSON]:
    words = Words(row["run_id"], row["run_id"].partition(".")[0], row["agent"])
    stored = [words.user([{"text": row["prompt"]}], row["began"])]
    for event in kept_events(row):
        if not isinstance(event, ev.RunBegan):
            entry = Entry(0, row["ended"] or row["began"], row["run_id"], event)
            stored += [told.frame for told in words.say(entry) if told.stored]
    return stored


def new_invocation() -> str:
    return f"e-{uuid.uuid4()}"
