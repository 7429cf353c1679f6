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
