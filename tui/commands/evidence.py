"""`stopkey export ID --evidence` and `stopkey verify FILE`: a conversation as something others can check."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from tui import __version__, receipt
from tui.commands.common import Exit, Trouble
from tui.commands.writing import as_jsonl, as_markdown
from tui.core.codec import dumps
from tui.core.conversation import Conversation, replay
from tui.core.events import Record
from tui.core.safe_text import safe, safe_line
from tui.store import Store, StoreError, evidence, jsonl
from tui.store.evidence import sha256 as sha256_of
from tui.store.reader import Listed

SENT = "sent/"
README = """\
An evidence bundle of stopkey: one conversation with a remote agent, and every stop in it.

events.jsonl    every record in order: wire data as received (raw), times (wall: UTC seconds since 1970;
                mono: monotonic seconds), key presses, our own requests, the answers to them
received.jsonl  each reply exactly as received, beside what was shown of it
transcript.md   the conversation as it was shown, cleaned of what could act on a terminal
receipts.json   what each stop did, in milliseconds since the key
sent/           files that went with prompts, named by their SHA-256, as far as the store has kept them
manifest.json   what this is, who made it and when, and which record numbers are missing
SHA256SUMS      the SHA-256 of each of these files

To check it: `stopkey verify FILE`, or `tar xf FILE && sha256sum -c SHA256SUMS`.

What that shows: no byte was changed since the bundle was made, and the receipts follow from the records.
What it does not show: who made it, that the clock of that machine was right, or that the backend did what
it said. Whoever can change the bundle can make new sums as well, so keep the SHA-256 of the whole file,
which was printed when it was made, somewhere they cannot reach, and compare it: `stopkey verify --sha256`.
"""

SHOWS = (
    "No byte was changed since it was made, and the receipts follow from the records.",
    "This does not show who made it, that the clock was right, or that the backend did what it said.",
)


def files_of(store: Store, conversation_id: str) -> dict[str, bytes]:
    """The files of a conversation's bundle. Raises StoreError."""
    info = store.info(conversation_id)
    records = list(store.load(conversation_id))
    conversation = replay(conversation_id, records)
    manifest = dumps_lines(_manifest(info, records))
    files = {
        "README.txt": README,
        "events.jsonl": "".join(as_jsonl(info, records)),
        "manifest.json": manifest,
        "received.jsonl": _received(conversation),
        "receipts.json": dumps_lines(_receipts(conversation)),
        "transcript.md": "".join(as_markdown(info, conversation)),
    }
    encoded = {name: text.encode("utf-8", "surrogatepass") for name, text in files.items()}
    return encoded | _sent(store, conversation)


def _sent(store: Store, conversation: Conversation) -> dict[str, bytes]:
    """What went with the prompts, each file once."""
    sums = dict.fromkeys(file.sha256 for turn in conversation.turns for file in turn.prompt.files)
    kept = {sha256: store.file(conversation.id, sha256) for sha256 in sums}
    return {f"{SENT}{sha256}": data for sha256, data in kept.items() if data is not None}


def export_evidence(store: Store, conversation_id: str, output: str | None) -> None:
    """Write the bundle, and say what to keep. Raises StoreError or Trouble."""
    path = Path(output or f"stopkey-{conversation_id}.evidence.tar")
    try:
        digest = evidence.write(path, files_of(store, conversation_id))
    except FileExistsError:
        raise Trouble(f"{path} is there already; name another file or remove it") from None
    except OSError as error:
        raise Trouble(f"{path} could not be written ({error.strerror})", Exit.FAILED) from None
    print(f"{digest}  {safe_line(str(path), 400)}")
    print("Keep this SHA-256 where nobody can change it; `stopkey verify` checks the file.", file=sys.stderr)


@click.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--sha256", metavar="HEX", help="The SHA-256 that was printed when the bundle was made.")
def verify_command(file: Path, sha256: str | None) -> int:
    """Check an evidence bundle: whether anything in it was changed since it was made."""
    try:
        verdict = evidence.check(file.read_bytes())
        faults = list(verdict.faults) or inconsistent(verdict.files)
    except (StoreError, OSError) as error:
        raise Trouble(safe_line(str(error), 400), Exit.FAILED) from None
    if sha256 is not None and sha256.strip().lower() != verdict.sha256:
        faults.insert(0, "It is another file than the one whose SHA-256 was given.")
    for fault in faults:
        print(safe(f"CHANGED: {fault}"))
    if not faults:
        print(f"OK  {verdict.sha256}\n" + "\n".join(SHOWS))
    return Exit.FAILED if faults else Exit.COMPLETED


def inconsistent(files: Mapping[str, bytes]) -> list[str]:
    """What in the files contradicts the records: for a bundle that was changed and given new sums."""
    try:
        head, records = jsonl.read(files["events.jsonl"].decode("ascii").splitlines())
        receipts = _receipts(replay(str(head.get("id")), records))
        stored = json.loads(files["receipts.json"])
    except KeyError as error:
        return [f"{error.args[0]} is missing."]
    except (ValueError, IndexError, AssertionError, RecursionError):
        return ["The records or the receipts cannot be read."]
    if json.loads(dumps(receipts)) != stored:
        return ["The receipts do not follow from the records."]
    sent = {name.removeprefix(SENT): data for name, data in files.items() if name.startswith(SENT)}
    return [f"{SENT}{name} is not what was sent." for name, data in sent.items() if name != sha256_of(data)]


def dumps_lines(value: Any) -> str:
    """ASCII JSON for people to read."""
    return json.dumps(value, ensure_ascii=True, indent=1, default=str) + "\n"


def _manifest(info: Listed, records: list[Record]) -> dict[str, Any]:
    return {
        "format": "stopkey evidence 1",
        "made_by": f"stopkey {__version__}",
        "made_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "conversation": info.conversation_id,
        "backend": info.backend,
        "backend_conversation": info.remote_id,
        "url": info.url,
        "agent": info.agent,
        "records": len(records),
        "first_at": _utc(records[0].wall) if records else None,
        "last_at": _utc(records[-1].wall) if records else None,
        "missing_numbers": _gaps(records),
        "missing_means": "late events of a stopped run that were not written, because late = drop was set",
    }


def _gaps(records: list[Record]) -> list[tuple[int, int]]:
    """Numbers that no record has, as (first, last)."""
    numbers = [0, *(record.number for record in records)]
    return [(before + 1, after - 1) for before, after in pairwise(numbers) if after > before + 1]


def _utc(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")


def _received(conversation: Conversation) -> str:
    lines = (
        dumps({"turn": t.number, "received": t.transcript.reply_as_received(), "shown": t.transcript.reply()})
        for t in conversation.turns
    )
    return "".join(line + "\n" for line in lines)


def _receipts(conversation: Conversation) -> list[dict[str, Any]]:
    return [receipt.as_data(turn) for turn in conversation.turns if turn.stop]
