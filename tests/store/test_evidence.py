"""An evidence bundle holds what was received, and shows any byte that was changed since."""

from __future__ import annotations

import io
import json
import random
import shutil
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.store.made import Log, settled
from tui.commands.evidence import export_evidence, files_of, verify_command
from tui.commands.writing import as_jsonl
from tui.core import events as ev
from tui.store import Store, StoreError, evidence, jsonl


@pytest.fixture
def stopped(store: Store) -> str:
    """A conversation with a stop, hostile text, and late events that were dropped."""
    log = Log(store.create("stub", "http://127.0.0.1:9", "agent"))
    log.prompt("Where is order 42?")
    log.text("It left \x1b]0;evil\x07", "Leip\ud800zig")
    log.add(ev.StopAsked("esc", "enough", 20, log.number), urgent=True)
    log.number += 4  # late events, with late = drop
    log.add(ev.AbortAnswered(ev.Answer.ACKNOWLEDGED, status=200, ms=3.5), urgent=True)
    log.add(ev.RunFinished(ev.End.CANCELLED), urgent=True)
    log.add(ev.Settled("stopped", "confirmed", 4, 99, "drop"), urgent=True)
    settled(store)
    assert log.journal
    return log.journal.conversation_id


@pytest.fixture
def bundle(store: Store, stopped: str, tmp_path: Path) -> Path:
    path = tmp_path / "bundle.tar"
    export_evidence(store, stopped, str(path))
    return path


def verify(path: Path, *options: str) -> Result:
    return CliRunner().invoke(verify_command, [str(path), *options], standalone_mode=False)


def test_a_fresh_bundle_is_found_unchanged_and_says_what_that_means(bundle: Path) -> None:
    done = verify(bundle)
    assert done.return_value == 0, done.output
    assert done.output.startswith("OK  ") and "does not show who made it" in done.output
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600


def test_any_single_changed_byte_is_found(bundle: Path) -> None:
    whole = bundle.read_bytes()
    chosen = random.Random(42).sample(range(len(whole)), 400)
    for at in [0, len(whole) - 1, *chosen]:
        changed = bytearray(whole)
        changed[at] ^= 1 << (at % 8)
        try:
            assert evidence.check(bytes(changed)).faults, f"byte {at}"
        except StoreError:
            pass  # no longer a bundle at all


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b[:5000], lambda b: b""])
def test_a_bundle_cut_short_or_grown_is_found(bundle: Path, change: object) -> None:
    bundle.write_bytes(change(bundle.read_bytes()))  # type: ignore[operator]
    done = verify(bundle)
    assert done.return_value == 1 or done.exception


def test_a_receipt_that_was_changed_and_given_new_sums_contradicts_the_records(bundle: Path) -> None:
    files = dict(evidence.check(bundle.read_bytes()).files)
    files["receipts.json"] = files["receipts.json"].replace(b'"late_events": 4', b'"late_events": 0')
    bundle.write_bytes(evidence.pack(files))
    done = verify(bundle)
    assert done.return_value == 1 and "do not follow from the records" in done.output


def test_a_bundle_made_anew_is_not_the_one_whose_sum_was_kept(bundle: Path) -> None:
    kept = evidence.sha256(bundle.read_bytes())
    assert verify(bundle, "--sha256", kept.upper()).return_value == 0
    files = dict(evidence.check(bundle.read_bytes()).files)
    files["transcript.md"] += b"one more line\n"
    bundle.write_bytes(evidence.pack(files))
    assert verify(bundle).return_value == 0, "sums alone cannot tell"
    done = verify(bundle, "--sha256", kept)
    assert done.return_value == 1 and "another file" in done.output


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="macOS calls it shasum -a 256")
def test_others_can_check_it_without_stopkey(bundle: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "xf", str(bundle)], cwd=tmp_path, check=True)
    done = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout.count(": OK") == 6


def test_it_holds_what_was_received_and_what_was_shown_and_what_is_missing(bundle: Path) -> None:
    files = evidence.check(bundle.read_bytes()).files
    (reply,) = [json.loads(line) for line in files["received.jsonl"].splitlines()]
    assert reply["received"] == "It left \x1b]0;evil\x07Leip\ud800zig"
    assert "\x1b" not in reply["shown"] and b"\x1b" not in files["transcript.md"]
    assert files["events.jsonl"].isascii()
    (receipt,) = json.loads(files["receipts.json"])
    assert (receipt["outcome"], receipt["reason"], receipt["late_policy"]) == ("confirmed", "enough", "drop")
    manifest = json.loads(files["manifest.json"])
    assert manifest["missing_numbers"] == [[6, 9]] and "late = drop" in manifest["missing_means"]


def test_an_exported_log_reads_back_exactly(store: Store, stopped: str) -> None:
    records = list(store.load(stopped))
    head, again = jsonl.read(as_jsonl(store.info(stopped), records))
    assert head["id"] == stopped
    back = list(again)
    assert back == records and [r.event.raw for r in back] == [r.event.raw for r in records]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        ("not json\n", "Line 1 is not a JSON object"),
        ("[]\n", "Line 1 is not a JSON object"),
        ('{"type":"conversation","format":2}\n', "newer stopkey"),
        ('{"type":"conversation","format":1}\n{"type":"TextDelta"}\n', "Line 2 is not a record"),
        ('{"type":"conversation","format":1}\n\n{', "Line 3 is not a JSON object"),
    ],
)
def test_a_file_that_is_no_exported_log_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence):
        list(jsonl.read(io.StringIO(text))[1])


def test_a_tar_file_of_something_else_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("x"))
    done = verify(path)
    assert done.exception and "no evidence bundle" in str(done.exception)


def test_an_existing_file_is_not_overwritten(store: Store, stopped: str, bundle: Path) -> None:
    before = bundle.read_bytes()
    with pytest.raises(Exception, match="is there already"):
        export_evidence(store, stopped, str(bundle))
    assert bundle.read_bytes() == before and files_of(store, stopped)
