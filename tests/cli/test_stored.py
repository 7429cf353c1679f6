"""`stopkey list`, `show`, `export`: what was said is read back without a screen and without a network."""

import json

import pytest

from tests.core.test_safe_text import VECTORS
from tests.fakes import Gate, ScriptedBackend, words
from tui.core import events as ev
from tui.core.safe_text import DANGEROUS

SCRIPT = [
    ev.RunStarted("r1"),
    ev.ReasoningDelta("t", "let me see"),
    ev.ToolStarted("c", "look_up", '{"id": 42}'),
    ev.ToolFinished("c", "found ```it```"),
    *words("The *answer*\nis 42."),
    ev.RunFinished(raw='{"type":"RUN_FINISHED"}'),
]


@pytest.fixture
def conversation(play, stopkey):
    """The id of a conversation of two turns, the second one stopped."""
    stop = [ev.RunStarted("r2"), *words("half an "), Gate()]
    play(ScriptedBackend([SCRIPT]), "run", "--conversation", "c-42", "What is it?")
    play(ScriptedBackend([stop]), "run", "--conversation", "c-42", "--stop-after", "first", "And why?")
    return stopkey("list").out.split()[0]


def test_the_list_shows_each_conversation_on_a_line_with_how_it_ended(stopkey, play, conversation):
    play(ScriptedBackend([[ev.RunStarted("r"), ev.RunFinished(ev.End.FAILED, "no")]]), "run", "Other")
    done = stopkey("list")
    newest, oldest = done.out.splitlines()
    assert done.code == 0
    assert "failed" in newest and "Other" in newest
    assert oldest.startswith(conversation) and "stopped" in oldest and "What is it?" in oldest
    assert stopkey("list", "other").out.splitlines() == [newest]
    assert stopkey("list", "--limit", "1").out.splitlines() == [newest]


def test_an_empty_list_says_so_beside_the_output(stopkey):
    done = stopkey("list")
    assert (done.code, done.out, done.err) == (0, "", "No conversations yet.\n")


def test_show_prints_what_was_said_and_what_is_known_of_the_stop(stopkey, conversation):
    done = stopkey("show", conversation[:5])
    assert done.code == 0
    for part in ("What is it?", "[reasoning]\n  let me see", "[tool look_up: ok]", "The *answer*\n  is 42."):
        assert part in done.out
    assert "half an" in done.out and "-- STOPPED: The backend itself says" in done.out


def test_markdown_quotes_the_reasoning_and_fences_the_tools(stopkey, conversation):
    done = stopkey("export", conversation)
    assert done.out.startswith("# What is it?\n")
    assert "> let me see" in done.out
    assert "**look_up** (ok)" in done.out and "````\nfound ```it```\n````" in done.out
    assert "The *answer*\nis 42." in done.out and "> STOPPED: The backend itself" in done.out


def test_json_lines_hold_every_record_as_received(stopkey, conversation):
    done = stopkey("export", conversation, "--format", "jsonl")
    head, *records = map(json.loads, done.out.splitlines())
    assert (head["type"], head["id"], head["conversation"]) == ("conversation", conversation, "c-42")
    assert [record["number"] for record in records] == list(range(1, len(records) + 1))
    assert {"number", "turn", "wall", "mono", "late", "type", "raw"} <= set(records[0])
    assert '{"type":"RUN_FINISHED"}' in [record["raw"] for record in records]
    assert done.out.isascii()


def test_an_export_goes_to_a_file_of_the_owner_and_never_over_another(stopkey, conversation, tmp_path):
    file = tmp_path / "out.md"
    assert stopkey("export", conversation, "--output", str(file)).code == 0
    assert file.read_text().startswith("# What is it?") and file.stat().st_mode & 0o777 == 0o600
    again = stopkey("export", conversation, "--output", str(file))
    assert again.code == 2 and "is there already" in again.err
    nowhere = stopkey("export", conversation, "--output", str(tmp_path / "no/such/dir"))
    assert nowhere.code == 1 and "could not be written" in nowhere.err


@pytest.mark.parametrize("command", ["show", "export"])
def test_an_unknown_id_is_one_sentence(stopkey, command):
    done = stopkey(command, "no\x1bsuch")
    assert (done.code, done.out) == (2, "")
    assert "There is no conversation" in done.err and done.err.count("\n") == 1 and "\x1b" not in done.err


def test_hostile_text_in_every_part_is_shown_harmless(play, stopkey):
    script = [ev.RunStarted("r")]
    for number, vector in enumerate(VECTORS):
        text, key = vector["payload"], str(number)
        script += [ev.TextDelta("b" + key, text), ev.ReasoningDelta("r" + key, text)]
        script += [ev.ToolStarted(key, text, text), ev.ToolFinished(key, text), ev.DataReceived(text, text)]
    hostile = "".join(vector["payload"] for vector in VECTORS).replace("\0", "")
    play(
        ScriptedBackend([[*script, ev.RunFinished(ev.End.FAILED, hostile)]]),
        "run",
        "-",
        stdin=_encodable(hostile),
    )
    listed = stopkey("list")
    identity = listed.out.split()[0]
    for done in (listed, stopkey("show", identity), stopkey("export", identity)):
        assert done.out and not DANGEROUS.search(done.out) and not DANGEROUS.search(done.err)
    raw = stopkey("export", identity, "--format", "jsonl")
    assert raw.out.isascii() and not DANGEROUS.search(raw.out)


def _encodable(text):
    return text.encode("utf-8", "replace").decode()


def test_a_store_that_cannot_be_read_is_one_sentence(stopkey, home):
    (home / "data").mkdir()
    (home / "data/conversations.db").write_bytes(b"not a database" * 100)
    done = stopkey("list")
    assert done.code == 1 and "conversations.db" in done.err and done.err.count("\n") == 1
