"""What is fuzzed: each target takes any bytes and must not raise; what it may refuse is a sentence."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.hostile.recording import PAYLOADS, exported, records
from tui.backends import adk_decode, ag_ui_decode, contractspec_decode, flue_decode, sse
from tui.config import load
from tui.config.table import documented
from tui.core.conversation import replay
from tui.core.events import Event
from tui.core.safe_text import DANGEROUS, safe, safe_line
from tui.core.transcript import Transcript
from tui.store import StoreError, jsonl
from tui.store.sound import sound
from tui.ui.transcript.body import Body
from tui.ui.transcript.setting import Setting

CAPTURES = Path(__file__).parents[1] / "captures"
MOST_RECORDS = 500
"""Records of a log that are played: a turn of a large number is preceded by as many empty ones."""


def event_stream(data: bytes) -> None:
    """Whole, and in pieces whose length its first byte says: the same events, and never an exception."""
    whole, cut = _read(data, len(data) or 1), _read(data, data[0] + 1 if data else 1)
    assert whole == cut


def _read(data: bytes, size: int) -> list[Any]:
    decoder, found = sse.Decoder(event_limit=4096), []
    try:
        for at in range(0, len(data), size):
            found += decoder.feed(data[at : at + size])
    except sse.LimitExceeded as full:
        found += [*full.events, "full"]
    return [(e.event, e.data, e.id, e.retry) if not isinstance(e, str) else e for e in found]


def ag_ui(data: bytes) -> None:
    decoder = ag_ui_decode.Decoder("r1", "c1")
    _folded(event for line in _lines(data) for event in decoder.decode(line))
    decoder.finish()


def flue(data: bytes) -> None:
    reader = flue_decode.RunReader("r1")
    _folded(event for line in _lines(data) for event in reader.frame("message", line))


def adk(data: bytes) -> None:
    decoder = adk_decode.Decoder()
    _folded(event for line in _lines(data) for event in decoder.feed(line))
    decoder.end()


def contractspec(data: bytes) -> None:
    watch = contractspec_decode.Watch()
    for line in _lines(data):
        contractspec_decode.read_problem(500, line)
        if run := contractspec_decode.read_object(line):
            _folded(watch.see(run, line))


def _folded(events: Iterator[Event] | list[Event]) -> None:
    """What a decoder yields can be shown."""
    transcript = Transcript()
    for event in events:
        transcript.apply(event, 0.0)
    safe(transcript.reply())


def safe_text(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape" if len(data) % 2 else "replace")
    for cleaned in (safe(text), safe_line(text, 80)):
        assert not DANGEROUS.search(cleaned), ascii(cleaned)


def markdown(data: bytes) -> None:
    """Drawn as it grows, and drawn at once: the same rows, none of them too wide."""
    text, setting = safe(data.decode("utf-8", "replace")), Setting(40)
    grown, whole = Body(), Body()
    for at in range(0, len(text), 7):
        grown.grow(text[at : at + 7])
        grown.rows(len(grown.slabs) - 1, setting)
    whole.grow(text)
    rows = [[_row(r) for n in range(len(b.slabs)) for r in b.rows(n, setting)] for b in (grown, whole)]
    assert rows[0] == rows[1]


def _row(row: Any) -> tuple[object, ...]:
    assert row.width <= 40 or len(row.spans) <= 1
    return tuple(row.spans), row.width


def log(data: bytes) -> None:
    """As `stopkey replay FILE` reads it."""
    try:
        _, records = jsonl.read(data.decode("utf-8", "replace").split("\n"))
        replay("x", (record for _, record in zip(range(MOST_RECORDS), sound(records), strict=False)))
    except StoreError as refused:
        assert str(refused)


def config(data: bytes) -> None:
    """A file with anything in it: settings, and sentences that a terminal can show."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.toml"
        file.write_bytes(data)
        for problem in load(file).problems:
            assert not DANGEROUS.search(problem)


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").split("\n")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "sse": event_stream, "ag-ui": ag_ui, "flue": flue, "adk": adk, "contractspec": contractspec,
    "safe-text": safe_text, "markdown": markdown, "log": log, "config": config,
}  # fmt: skip


def seeds(target: str) -> Iterator[bytes]:
    """Where the search begins: what real servers sent, and what is known to be hostile."""
    yield b""
    for payload in PAYLOADS[:40]:
        yield json.dumps({"type": "TEXT_MESSAGE_CONTENT", "delta": payload}).encode()
        yield payload.encode("utf-8", "replace")
    if target == "log":
        yield "\n".join(exported(records(PAYLOADS[:4]))).encode()
    if target == "config":
        yield documented().replace("# ", "").encode()
    for capture in sorted((CAPTURES / target).rglob("*"))[:40] if (CAPTURES / target).is_dir() else ():
        if capture.is_file():
            yield capture.read_bytes()[:4096]
