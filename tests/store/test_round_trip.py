"""What is loaded is what was appended: every event, every character, every time."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.made import Log, drain
from tui.core import events as ev
from tui.core.codec import _ENUMS
from tui.core.events import ALL_EVENTS, Event, Record
from tui.store import Store, pack

NASTY = ["\ud800", "\udfff\ud800", "\0", "\x1b]52;c;eA==\x07", "é\u0301\u202e", "😀", '"\\\n\r\u2028', ""]
texts = st.one_of(st.text(st.characters(), max_size=40), st.sampled_from(NASTY))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
times = st.floats(0, 4e9, allow_nan=False)


def _field(kind: type[Event], field: dataclasses.Field[Any]) -> st.SearchStrategy[Any]:
    if enum := _ENUMS.get((kind.__name__, field.name)):
        found: st.SearchStrategy[StrEnum | None] = st.sampled_from(list(enum))
        return found | st.none() if "None" in str(field.type) else found
    return {
        "str": texts,
        "int": st.integers(-(2**70), 2**70),
        "float": times,
        "str | None": texts | st.none(),
        "tuple[str, ...]": st.lists(texts, max_size=3).map(tuple),
        "tuple[Attached, ...]": st.lists(
            st.builds(ev.Attached, texts, texts, st.integers(0, 2**70), texts), max_size=3
        ).map(tuple),
        "Any": values,
    }[str(field.type)]


def _events(kind: type[Event]) -> st.SearchStrategy[Event]:
    parts = {f.name: _field(kind, f) for f in dataclasses.fields(kind) if f.name != "raw"}
    return st.builds(kind, **parts, raw=texts)


any_event = st.one_of([_events(kind) for kind in ALL_EVENTS.values()])
deltas = st.lists(_events(ev.TextDelta) | _events(ev.ToolArguments), max_size=12)


@st.composite
def logs(draw: st.DrawFn) -> list[Record]:
    """Events of all kinds with runs of deltas among them, numbers with gaps, several turns, some late."""
    events = draw(st.lists(any_event, max_size=8)) + draw(deltas) + draw(st.lists(any_event, max_size=4))
    records, number, turn = [], 1, 1
    for at, event in enumerate(events):
        number += draw(st.sampled_from([1, 1, 1, 3]))
        turn += draw(st.sampled_from([0, 0, 0, 1])) if at else 1
        records.append(Record(number, turn, draw(times), draw(times), event, draw(st.booleans())))
    return records


def whole(records: list[Record]) -> list[tuple[Record, str]]:
    """`raw` takes no part in the comparison of events; here it must."""
    return [(record, record.event.raw) for record in records]


@given(logs())
@settings(max_examples=150, deadline=None)
def test_any_log_comes_back_exactly(log: list[Record]) -> None:
    rows = pack.encode(log)
    assert all(part.isascii() for row in rows for part in row[6:])
    assert whole(list(pack.decode(rows))) == whole(log)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store.memory()
    yield store
    store.close()


def told(log: list[Record]) -> list[Record]:
    """The log as a session writes it: each turn begins with its prompt, and has only that one."""
    found: list[Record] = []
    for record in log:
        if not found or record.turn > found[-1].turn:
            found.append(dataclasses.replace(record, event=ev.Prompted("x"), late=False))
        elif not isinstance(record.event, ev.Prompted):
            found.append(record)
    return found


@given(logs().map(told))
@settings(max_examples=40, deadline=None)
def test_any_log_comes_back_through_the_database(store: Store, log: list[Record]) -> None:
    journal = store.create("stub", title="\ud800\0")
    for record in [Record(1, 1, 0.0, 0.0, ev.Prompted("x")), *log]:
        journal.append(record)
    drain(store)
    loaded = list(store.load(journal.conversation_id))[1:]
    assert whole(loaded) == whole(log)
    turns = {record.turn for record in log if record.turn > 1}
    for turn in turns:
        expected = [record for record in log if record.turn == turn]
        assert whole(store.load_turns(journal.conversation_id, turn, turn)) == whole(expected)


def test_a_flood_of_deltas_costs_few_rows_and_comes_back_exactly() -> None:
    log = Log()
    log.text(*(f"word {n} " for n in range(5000)))
    rows = pack.encode(log.records)
    assert len(rows) <= 5000 // pack.MOST + 1
    assert whole(list(pack.decode(rows))) == whole(log.records)


def test_a_run_of_heavy_events_does_not_become_one_huge_row() -> None:
    log = Log()
    for _ in range(10):
        log.add(ev.TextDelta("b", "x", raw="y" * 200_000))
    assert len(pack.encode(log.records)) >= 5


def test_a_text_of_ten_million_characters_comes_back(store: Store) -> None:
    log = Log(store.create("stub"))
    log.prompt("long")
    log.add(ev.TextDelta("b", "aé\ud800" * 3_300_000))
    drain(store)
    assert list(store.load(log.journal.conversation_id)) == log.records  # type: ignore[union-attr]


def test_a_value_that_json_cannot_spell_does_not_hold_up_the_rest(store: Store) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    log = Log(store.create("stub"))
    log.prompt("deep")
    log.add(ev.DataReceived("state", deep, raw="as received"))
    log.text("after it")
    drain(store)
    loaded = list(store.load(log.journal.conversation_id))  # type: ignore[union-attr]
    assert [type(record.event).__name__ for record in loaded[2:]] == ["Unknown", "TextDelta"]
    assert loaded[2].event.raw == "as received"
    while deep:  # let go of it layer by layer: freed at once it would exhaust the stack
        deep = deep[0]


json_texts = st.one_of(st.text(), values.map(json.dumps))
damaged = st.tuples(
    st.integers(1, 9), st.integers(1, 12), st.integers(1, 3), times | st.none(), times | st.none(),
    st.integers(0, 1), st.sampled_from([*ALL_EVENTS, "FromTheFuture"]), json_texts, json_texts,
)  # fmt: skip


@given(st.lists(damaged, max_size=5))
@settings(max_examples=200, deadline=None)
def test_damaged_rows_load_as_something_and_never_raise(rows: list[Any]) -> None:
    for record in pack.decode(rows):
        for field in dataclasses.fields(record.event):
            if str(field.type) == "str":
                assert isinstance(getattr(record.event, field.name), str)


@given(st.dictionaries(st.sampled_from(["wall", "mono", "block", "text"]), values | st.lists(values)))
@settings(max_examples=200, deadline=None)
def test_a_damaged_run_is_one_unknown_event(columns: dict[str, Any]) -> None:
    row = (1, 4, 1, 0.0, 0.0, 0, "TextDelta", json.dumps(columns), "")
    for record in pack.decode([row]):
        event: Any = record.event
        if isinstance(event, ev.TextDelta):
            assert isinstance(event.block, str) and isinstance(event.text, str)
            assert isinstance(record.wall, int | float) and isinstance(record.mono, int | float)
        else:
            assert isinstance(event, ev.Unknown)
