"""Whatever a file holds: replaying a log and checking evidence end in a recording or in one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.hostile.recording import PAYLOADS, exported, records
from tui.core.codec import from_json
from tui.core.conversation import replay
from tui.core.events import ALL_EVENTS, Unknown
from tui.store import StoreError, evidence, jsonl
from tui.store.sound import sound

LINES = list(exported(records(PAYLOADS[:4])))
KINDS = list(ALL_EVENTS)
NAMES = [
    "number",
    "turn",
    "wall",
    "mono",
    "late",
    "type",
    "raw",
    "block",
    "text",
    "call",
    "end",
    "answer",
    "clock",
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(KINDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn) -> list[str]:
    """A log some of whose lines have other values, are cut, are missing, or come again."""
    lines = []
    for line in draw(st.lists(st.sampled_from(LINES[1:]), max_size=12)):
        fields: dict[str, Any] = json.loads(line) | draw(
            st.dictionaries(st.sampled_from(NAMES), values, max_size=2)
        )
        whole = json.dumps(fields)
        lines.append(draw(st.sampled_from([whole, whole, whole, whole[: len(whole) // 2], ""])))
    return [LINES[0], *lines]


def played(lines: list[str]) -> None:
    """As `stopkey replay FILE` reads it."""
    try:
        _, read = jsonl.read(lines)
        replay("x", _in_bounds(sound(read)))
    except StoreError as error:
        assert str(error)


def _in_bounds(read: Iterator[Any]) -> Iterator[Any]:
    for number, record in enumerate(read):
        if number > 1_000:
            return  # a turn of a large number is preceded by as many empty ones
        yield record


@given(damaged() | st.lists(st.text(max_size=60), max_size=6))
@settings(max_examples=150, deadline=None)
@example(LINES)
@example([LINES[0], LINES[1].replace('"turn":1', '"turn":0')])
@example([LINES[0], LINES[2].replace('"turn":1', '"turn":-7')])
def test_a_damaged_log_is_played_or_refused_in_a_sentence(lines: list[str]) -> None:
    played(lines)


WRONG = [
    ("RunLookedUp", '{"end":null,"text":[]}'),
    ("RunFinished", '{"end":null}'),
    ("QuestionAsked", '{"request":"q","text":"","choices":[1]}'),
]


@pytest.mark.parametrize(("kind", "text"), WRONG)
def test_a_value_of_a_wrong_kind_makes_the_event_unknown(kind: str, text: str) -> None:
    assert isinstance(from_json(kind, text), Unknown)


@given(st.sampled_from(KINDS) | st.text(max_size=12), st.text(max_size=60) | values.map(json.dumps))
@settings(max_examples=200, deadline=None)
def test_any_stored_event_is_read_as_something(kind: str, text: str) -> None:
    assert type(from_json(kind, text, text)).__name__ in KINDS


GOOD = evidence.pack({"events.jsonl": "\n".join(LINES).encode(), "manifest.json": b"{}"})


@given(
    st.binary(max_size=700)
    | st.tuples(st.integers(0, len(GOOD) - 1), st.binary(max_size=9)).map(
        lambda cut: GOOD[: cut[0]] + cut[1] + GOOD[cut[0] + len(cut[1]) :]
    )
)
@settings(max_examples=150, deadline=None)
def test_any_bundle_is_judged_or_refused_in_a_sentence(bundle: bytes) -> None:
    try:
        found = evidence.check(bundle)
    except StoreError as error:
        assert str(error)
    else:
        assert found.faults or bundle == GOOD
