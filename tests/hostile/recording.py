"""A conversation with a payload in every field that can hold text: what a store or a file may bring back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tui.core import events as ev
from tui.core.codec import dumps, to_fields
from tui.core.events import Event, Record

VECTORS = Path(__file__).parents[1] / "vectors/terminal.jsonl"
PAYLOADS: list[str] = [json.loads(line)["payload"] for line in VECTORS.read_text().splitlines()]


def records(payloads: Iterable[str] = PAYLOADS) -> Iterator[Record]:
    """A turn a payload, by turns stopped and refused, failed, and lost; the last one waits for an answer.

    An ending holds the payloads of its neighbours, too: so each payload is in all three kinds.
    """
    number = turn = 0
    every = list(payloads)
    for turn, payload in enumerate(every, 1):
        ending = (_stopped, _failed, _lost)[turn % 3]
        near = (every[-2:] + every)[turn - 1 : turn + 2]
        for event in (*_said(payload, f"{turn}"), *ending("".join(near))):
            number += 1
            made = dataclasses.replace(event, raw=json.dumps({"wire": payload}) + payload)
            yield Record(number, turn, 1_790_000_000.0 + turn, turn / 1000, made)
    asked = ev.QuestionAsked("last", "".join(PAYLOADS), "input")
    for event in (ev.Prompted("last"), ev.RunStarted("last"), asked):
        number += 1
        yield Record(number, turn + 1, 1_790_000_000.0 + turn, turn / 1000, event)


def _said(payload: str, key: str) -> Iterator[Event]:
    yield ev.Prompted(payload, key, payload)
    yield ev.Requested(payload, payload, payload)
    yield ev.RunStarted(payload + key, payload)
    yield ev.StepStarted(payload)
    yield ev.ReasoningDelta(f"r{key}", payload)
    yield ev.ToolStarted(f"c{key}", payload, payload)
    yield ev.ToolFinished(f"c{key}", payload, ev.ToolStatus.ERROR)
    yield ev.DataReceived(payload, {payload: payload})
    yield ev.UsageReported(3, 4, payload)
    yield ev.QuestionAsked(f"q{key}", payload, payload, (payload, payload), f"c{key}")
    yield ev.QuestionAnswered(f"q{key}", payload)
    yield ev.Unknown(payload)
    yield ev.StepFinished(payload)
    yield ev.TextDelta(f"b{key}", f"{payload}\n\n[{payload}]({payload}) `{payload}`\n")
    yield ev.ToolStarted(f"d{key}", payload)


def _stopped(payload: str) -> Iterator[Event]:
    yield ev.StopAsked("f8", payload, 1, 1)
    yield ev.AbortAnswered(ev.Answer.REFUSED, payload, 403, 1.0)
    yield ev.RunLookedUp(None, payload, payload)
    yield ev.ClockRan(ev.Clock.GRACE)
    yield ev.RunLookedUp(None, payload)
    yield ev.Settled("stopped", "unconfirmed")


def _failed(payload: str) -> Iterator[Event]:
    yield ev.RunFinished(ev.End.FAILED, payload, payload)
    yield ev.Settled("failed")


def _lost(payload: str) -> Iterator[Event]:
    yield ev.StreamBroke(payload)
    yield ev.ClientLeft(payload)


def exported(made: Iterable[Record]) -> Iterator[str]:
    """The lines of `stopkey export --format jsonl`."""
    every = PAYLOADS[0]
    yield dumps({"type": "conversation", "format": 1, "id": every, "title": every, "agent": every})
    for record in made:
        line: dict[str, Any] = {"number": record.number, "turn": record.turn}
        line |= {"wall": record.wall, "mono": record.mono, "type": type(record.event).__name__}
        yield dumps({**line, **to_fields(record.event), "raw": record.event.raw})
