"""Hostile text that the store brings back: lists, search, tabs, earlier prompts, a name being changed.

A new place is one line in PLACES: its name, the keys that lead there, and what shows that one is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.terminal import Terminal
from tests.hostile.recording import PAYLOADS
from tests.hostile.sequences import as_it_came, dangerous_in, taken_apart
from tests.hostile.test_places import OWN, _settled
from tests.store.made import Log
from tui.store import Store

STOP = re.compile(r"(■ )?(STOP|Stop|RETRY)  [^\n]*$", re.M)


@dataclass(frozen=True)
class Place:
    """Where stored text is shown. `typed` is typed once there; `down` so many rows are gone through."""

    name: str
    keys: tuple[str, ...]
    seen: str
    typed: str = ""
    down: int = 0
    leave: tuple[str, ...] = ("esc",)


DOWN = "\x1b[B"
PLACES = (
    Place("the welcome line", (), "Last time"),
    Place("the list", ("ctrl+t",), "Conversations", down=len(PAYLOADS)),
    Place("a search over everything said", ("ctrl+t",), "Conversations", typed="pwn", down=60),
    Place("earlier prompts", ("\x1b[15~",), "Esc", down=60),
    Place("an opened one, its tab and its title", ("ctrl+t", "enter"), "2 "),
    Place("finding in it", ("ctrl+f",), "find", typed="e", down=10),
    Place("a name that is being changed", ("ctrl+t", "ctrl+e"), "Enter keeps", leave=("esc", "esc")),
    Place("statistics", ("\x1bOR",), "stop"),
    Place("the box, with an earlier prompt in it", ("up", "up", "up"), ""),
)


def test_nothing_that_the_store_brings_back_acts_on_the_terminal_in_any_place(tmp_path: Path) -> None:
    fill(tmp_path / "data" / "stopkey" / "conversations.db")
    with Terminal(home=tmp_path, rows=40, columns=100) as terminal:
        terminal.wait_for("IDLE", "Last time")
        terminal.type("a draft so that this conversation keeps its tab")
        for place in PLACES:
            visit(terminal, place)
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
    sequences, text = taken_apart(bytes(terminal.raw))
    assert not [each for each in sequences if not OWN.fullmatch(each)]
    assert dangerous_in(text) == set() and as_it_came(bytes(terminal.raw), PAYLOADS) == []
    assert "␛" in text


def visit(terminal: Terminal, place: Place) -> None:
    """Go there, look around, and leave; the Stop cell is to be seen all the while."""
    for key in place.keys:
        terminal.press(key)
        _settled(terminal)
    terminal.wait_until(lambda screen: place.seen in screen, what=place.name)
    if place.typed:
        terminal.type(place.typed)
    for at in range(place.down):
        terminal.press(DOWN)
        if at % 20 == 0:
            assert STOP.search(_settled(terminal)), f"{place.name}: {terminal.text()}"
    assert STOP.search(_settled(terminal)), f"{place.name}: {terminal.text()}"
    for key in place.leave:
        terminal.press(key)
        _settled(terminal)


def fill(path: Path) -> None:
    """A conversation a payload: its prompt, and so its title, and its reply are the payload."""
    store = Store.open(path)
    for payload in PAYLOADS:
        log = Log(store.create("ag-ui", "http://127.0.0.1:9/x", payload[:40]))
        log.prompt(f"{payload} pwn")
        log.text(payload, " ", payload)
        log.complete()
        assert log.journal
        log.journal.close()
    assert store.opened() and not store.problem
    store.close()
