"""One Flue conversation: its queue of submissions, its stream as numbered batches, its history."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

from backend_stub import events as ev
from backend_stub.dialects.flue_snapshot import JSON, Snapshot
from backend_stub.dialects.flue_words import Words
from backend_stub.dialects.kept import kept_events
from backend_stub.engine import Engine
from backend_stub.events import Phase
from backend_stub.log import Entry
from backend_stub.run import Run

_TOGETHER = 8  # deltas in a batch
_MANY = 256  # waiting deltas from which on they are told as one
_DELTAS = (ev.TextDelta, ev.ReasoningDelta)

Waiting = deque[tuple[str, JSON]]
"""Submissions and their payloads, in order."""


class Conversation:
    """`name` is the agent's own (`Chat` for the mount `chat`). Batches are made when somebody looks.

    An offset counts batches: it stands after the batch of its number. Batch 0 holds what an earlier process
    had kept; its offsets are gone, so the incarnation is a new one for each process.
    """

    def __init__(self, engine: Engine, agent: str, id: str) -> None:
        self._engine = engine
        self.agent, self.id = agent, id
        self.key = f"flue:{agent}/{id}"
        self.name = agent[:1].upper() + agent[1:]
        self.incarnation = f"inc_{secrets.token_hex(13)}"
        self.conversation_id = f"conv_{_digest(self.key)}"
        self.snapshot = Snapshot()
        self.batches: list[list[JSON]] = []
        self.payloads: dict[str, JSON] = {}
        self.uid = ""
        self._log = engine.conversation_log(self.key)
        self._at = 0
        self._words: dict[str, Words] = {}
        self._queue: Waiting = deque()
        self._working: asyncio.Task[None] | None = None
        self._restore()

    @property
    def exists(self) -> bool:
        return bool(self.uid)

    # --- submissions --------------------------------------------------------------------------------------

    def submission_of(self, key: str) -> str:
        """The id of a submission: the original derives it from the key where one is given."""
        if not key:
            return f"sub_{secrets.token_hex(13)}"
        whole = f"flue-submission-key\n{self.name}\n{self.id}\n{key}"
        return f"sub_ik_{hashlib.sha256(whole.encode()).hexdigest()[:32]}"

    def knows(self, submission: str) -> bool:
        return submission in self.payloads or self._engine.look_up(submission) is not None

    async def submit(self, submission: str, payload: JSON) -> None:
        """Take a prompt. It starts at once, or waits until what runs here is over."""
        self.payloads[submission] = payload
        self.uid = self.uid or f"inst_{_digest(submission)}"
        if self.running or self._queue:
            self._queue.append((submission, payload))
            self._work_soon()
        else:
            await self._start(submission, payload)

    @property
    def running(self) -> list[Run]:
        return self._engine.active(self.key)

    def take_waiting(self) -> Waiting:
        """What waits for its turn, which it does not get any more unless it is given back."""
        waiting, self._queue = self._queue, deque()
        return waiting

    def give_back(self, waiting: Waiting) -> None:
        self._queue.extendleft(reversed(waiting))
        self._work_soon()

    def settle_aborted(self, waiting: Waiting) -> None:
        """Its text appears nowhere, in the original neither."""
        for submission, _ in waiting:
            self._log.append(submission, ev.RunOver(Phase.CANCELLED))

    def _work_soon(self) -> None:
        if self._queue and (self._working is None or self._working.done()):
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._queue:
            for run in self.running:
                await run.over.wait()
            if self._queue:
                await self._start(*self._queue.popleft())

    async def _start(self, submission: str, payload: JSON) -> None:
        names = {"run_id": submission, "conversation_id": self.key, "agent": self.agent}
        last = self._log.entries[-1].event if self._log.entries else None
        if isinstance(last, ev.RunOver) and last.request:
            self._engine.go_on(**names, request=last.request, reply=payload["body"])
        else:
            await self._engine.start(**names, prompt=payload["body"], pauses=True)

    # --- the stream ---------------------------------------------------------------------------------------

    @property
    def head(self) -> int:
        return len(self.batches) - 1

    def advance(self) -> None:
        """Make batches of what has happened since the last look."""
        deltas: list[JSON] = []
        for entry in self._log.entries[self._at :]:
            words = self._words.setdefault(entry.run, Words(entry.run))
            chunks = words.say(entry)
            if isinstance(entry.event, _DELTAS):
                deltas += chunks
                continue
            deltas = self._flush(deltas)
            self._add(chunks, one_each=True)
        self._flush(deltas)
        self._at = len(self._log.entries)

    def _flush(self, deltas: list[JSON]) -> list[JSON]:
        if len(deltas) > _MANY:
            deltas = _merged(deltas)
        for start in range(0, len(deltas), _TOGETHER):
            self._add(deltas[start : start + _TOGETHER])
        return []

    def _add(self, chunks: Iterable[JSON], *, one_each: bool = False) -> None:
        for group in [[chunk] for chunk in chunks] if one_each else [list(chunks)]:
            if group:
                self.batches.append([self._placed(chunk, index) for index, chunk in enumerate(group)])

    def _placed(self, chunk: JSON, index: int) -> JSON:
        self.snapshot.apply(chunk)
        position = {"batch": len(self.batches), "index": index}
        named = {"type": chunk["type"], "conversationId": self.conversation_id}
        return {**named, **{k: v for k, v in chunk.items() if k != "type"}, "position": position}

    async def more(self, seconds: float) -> bool:
        """Wait until something happens in this conversation. False: nothing did in this time."""
        async with aclosing(self._log.follow(self._at, seconds)) as batches:
            return bool(await anext(batches, []))

    @property
    def closed(self) -> bool:
        """Whether nothing can come any more: the backend is stopping."""
        return self._log.closed

    def newest(self) -> Run | None:
        """The run that began last, if this process has played it."""
        entries = self._log.entries
        return self._engine.runs.get(entries[-1].run) if entries else None

    def history(self) -> JSON:
        self.advance()
        told = {"v": 1, "conversationId": self.conversation_id, "offset": offset(self.head)}
        return {**told, **self.snapshot.told(), "incarnation": self.incarnation}

    # --- an earlier process -------------------------------------------------------------------------------

    def _restore(self) -> None:
        for row in self._engine.conversation(self.key):
            self.uid = self.uid or f"inst_{_digest(row['run_id'])}"
            for chunk in _kept(row):
                self.snapshot.apply(chunk)
        told = {"v": 1, "conversationId": self.conversation_id, "offset": offset(0)} | self.snapshot.told()
        self.batches = [[self._placed({"type": "conversation-reset", "snapshot": told}, 0)]]


def offset(batch: int) -> str:
    return f"{0:016d}_{batch:016d}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:26]


def _merged(deltas: list[JSON]) -> list[JSON]:
    merged: list[JSON] = []
    pieces: list[str] = []
    for delta in deltas:
        if not merged or merged[-1]["kind"] != delta["kind"]:
            _join(merged, pieces)
            merged.append(delta)
            pieces = []
        pieces.append(delta["delta"])
    _join(merged, pieces)
    return merged


def _join(merged: list[JSON], pieces: list[str]) -> None:
    if merged:
        merged[-1] = {**merged[-1], "delta": "".join(pieces)}


def _kept(row: dict[str, Any]) -> Iterable[JSON]:
    """The chunks of a run of an earlier process, made again from what was saved of it."""
    words, at = Words(row["run_id"]), row["began"]
    for event in kept_events(row):
        yield from words.say(Entry(0, at, row["run_id"], event))
