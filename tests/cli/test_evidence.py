"""The forensic record on the command line: the reason, what was written, a bundle and its check."""

import json

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tui.core import events as ev

LATE = [ev.RunStarted("r1"), *words("half a reply"), Gate()]


def stopped(play, *more):
    backend = ScriptedBackend([LATE])
    return backend, play(backend, "run", "--json", "--stop-after", "first", *more, "Why?")


def test_the_reason_of_run_is_sent_with_the_abort_and_kept(play):
    backend, done = stopped(play, "--reason", "too dear")
    assert backend.aborts == [("r1", "too dear")]
    assert json.loads(done.out.splitlines()[-1])["reason"] == "too dear"


@pytest.mark.parametrize("late", ["keep", "count", "drop"])
def test_the_receipt_says_what_was_to_be_written_of_late_events(play, home, late):
    with (home / "config.toml").open("a") as settings:
        settings.write(f'late = "{late}"\n')
    assert json.loads(stopped(play)[1].out.splitlines()[-1])["late_policy"] == late


def test_the_receipt_says_that_a_conversation_was_kept_off_the_disk(play, stopkey):
    _, done = stopped(play, "--no-store")
    assert json.loads(done.out.splitlines()[-1])["late_policy"] == "off disk"
    assert stopkey("list").out == ""


def test_a_bundle_is_exported_and_a_changed_byte_in_it_is_found(play, stopkey, tmp_path):
    stopped(play, "--reason", "it named a customer")
    identity = stopkey("list").out.split()[0]
    bundle = tmp_path / "stop.tar"
    done = stopkey("export", identity, "--evidence", "--output", str(bundle))
    assert done.code == 0 and done.out.split()[0]
    checked = stopkey("verify", str(bundle), "--sha256", done.out.split()[0])
    assert checked.code == 0 and "does not show who made it" in checked.out
    content = bundle.read_bytes()
    assert b"it named a customer" in content and b"half a reply" in content
    bundle.write_bytes(content.replace(b"it named a customer", b"it named a customeR"))
    changed = stopkey("verify", str(bundle))
    assert changed.code == 1 and "CHANGED" in changed.out


def test_what_went_with_a_prompt_is_in_the_bundle_and_in_every_export(stopkey, home, tmp_path):
    from tests.store.made import Log, drain
    from tui.store import Store
    from tui.store.evidence import check, pack, sha256

    store, data = Store.open(home / "data" / "conversations.db"), b"\x89PNG the picture"
    log = Log(store.create("stub"))
    log.journal.keep_file(sha256(data), data)
    log.add(ev.Prompted("see @a.png", "k", "r", (ev.Attached("a.png", "image/png", 16, sha256(data)),)))
    log.complete()
    drain(store)
    identity = log.journal.conversation_id
    log.journal.close()
    store.close()
    line = f"a.png, image/png, 16 bytes, SHA-256 {sha256(data)}"
    assert line in stopkey("show", identity).out and line in stopkey("export", identity).out
    bundle = tmp_path / "b.tar"
    assert stopkey("export", identity, "--evidence", "--output", str(bundle)).code == 0
    files = dict(check(bundle.read_bytes()).files)
    assert files[f"sent/{sha256(data)}"] == data
    assert stopkey("verify", str(bundle)).code == 0
    files[f"sent/{sha256(data)}"] = b"another picture"
    bundle.write_bytes(pack(files))
    assert "is not what was sent" in stopkey("verify", str(bundle)).out
