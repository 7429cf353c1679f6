"""Reads what real Flue servers sent, byte for byte, and cuts it up as a network would."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h11

from tui.backends.flue_decode import RunReader
from tui.backends.sse import Decoder
from tui.core import events as ev
from tui.core.transcript import Transcript

ROOT = Path(__file__).parent.parent / "captures" / "flue"


@dataclass(frozen=True)
class Captured:
    """One recorded response, its framing taken off."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def captured(name: str) -> Captured:
    """The response recorded under `folder/name`."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data((ROOT / f"{name}.resp").read_bytes())
    head = client.next_event()
    assert isinstance(head, h11.Response)
    body = b""
    while isinstance(event := client.next_event(), h11.Data):
        body += bytes(event.data)
    return Captured(head.status_code, {k.decode(): v.decode() for k, v in head.headers}, body)


def submission(name: str) -> str:
    """The run that a recorded 202 admitted."""
    return str(captured(name).json["submissionId"])


def decode(reader: RunReader, body: bytes, cuts: Iterable[int] = ()) -> Iterator[ev.Event]:
    """What a reader makes of a stream that arrives in these pieces."""
    decoder, at = Decoder(), 0
    for cut in [*sorted(cuts), len(body)]:
        for event in decoder.feed(body[at:cut]):
            yield from reader.frame(event.event, event.data)
        at = max(at, cut)


def shown(events: Iterable[ev.Event]) -> Transcript:
    """The transcript that these events grow."""
    transcript = Transcript()
    for event in events:
        transcript.apply(event, 0.0)
    return transcript
