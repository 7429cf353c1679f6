"""`stopkey replay`: what it takes an exported file, an evidence bundle or an id for."""

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tui.commands.common import Trouble, open_store
from tui.commands.replay import opening_of
from tui.config import load
from tui.core import events as ev


@pytest.fixture
def store(home):
    store = open_store(load().settings)
    yield store
    store.close()


@pytest.fixture
def exported(play, stopkey, tmp_path):
    """The id of a conversation with a stop, and the files it was exported to."""
    play(
        ScriptedBackend([[ev.RunStarted("r"), *words("half an "), Gate()]]),
        "run",
        "--stop-after",
        "first",
        "Why?",
    )
    identity = stopkey("list").out.split()[0]
    assert stopkey("export", identity, "--format", "jsonl", "--output", str(tmp_path / "e.jsonl")).code == 0
    assert stopkey("export", identity, "--evidence", "--output", str(tmp_path / "e.tar")).code == 0
    return identity, tmp_path


def taken(opening):
    found = []
    while not opening.reel.over:
        found.append(opening.reel.take().event)
    return found


def test_a_file_a_bundle_and_an_id_play_the_same(exported, store):
    identity, folder = exported
    openings = [
        opening_of(str(what), store, 4.0, False) for what in (folder / "e.jsonl", folder / "e.tar", identity)
    ]
    assert [o.label for o in openings] == ["replay: Why?"] * 3 and openings[0].reel.speed == 4.0
    first, *others = [taken(opening) for opening in openings]
    assert any(isinstance(event, ev.StopAsked) for event in first)
    assert all(other == first for other in others)


def test_what_is_no_recording_is_refused_in_a_sentence(store, tmp_path):
    for text in ("", "not json\n", '{"type":"conversation","format":1}\n', "\x00\xff"):
        (tmp_path / "x.jsonl").write_bytes(text.encode("latin-1"))
        with pytest.raises(Trouble):
            opening_of(str(tmp_path / "x.jsonl"), store, 1.0, False)
    with pytest.raises(Trouble, match="There is no conversation"):
        opening_of("nothing-here", store, 1.0, False)


def test_it_needs_a_terminal(stopkey):
    done = stopkey("replay", "nothing-here")
    assert done.code == 2 and "needs a terminal" in done.err
