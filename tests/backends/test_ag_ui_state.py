"""JSON Patch, as AG-UI's state changes use it: RFC 6902, its examples among them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.backends.ag_ui_state import patched

GOOD: list[tuple[Any, list[dict[str, Any]], Any]] = [
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    ({"foo": ["a", "b"]}, [{"op": "add", "path": "/foo/1", "value": "q"}], {"foo": ["a", "q", "b"]}),
    ({"foo": ["a"]}, [{"op": "add", "path": "/foo/-", "value": ["b"]}], {"foo": ["a", ["b"]]}),
    ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
    ({"a": [1, 2, 3]}, [{"op": "remove", "path": "/a/1"}], {"a": [1, 3]}),
    ({"a": 1}, [{"op": "replace", "path": "/a", "value": None}], {"a": None}),
    ({"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}], {"a": {}, "c": {"d": 1}}),
    ({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": [1], "b": [1]}),
    ({"a": 1}, [{"op": "test", "path": "/a", "value": 1}], {"a": 1}),
    ({"a": 1}, [{"op": "add", "path": "", "value": [7]}], [7]),
    ({"a": 1}, [{"op": "replace", "path": "", "value": {}}], {}),
    ({"/": 9, "~1": 10}, [{"op": "remove", "path": "/~01"}, {"op": "remove", "path": "/~1"}], {}),
    ({}, [{"op": "add", "path": "/", "value": 1}], {"": 1}),
]
BAD: list[tuple[Any, Any]] = [
    ({}, [{"op": "remove", "path": "/a"}]), ({}, [{"op": "replace", "path": "/a", "value": 1}]),
    ({"a": []}, [{"op": "add", "path": "/a/1", "value": 1}]), ({"a": 1}, [{"op": "add", "path": "/a/b"}]),
    ({"a": [1]}, [{"op": "remove", "path": "/a/01x"}]), ({"a": [1]}, [{"op": "remove", "path": "/a/-1"}]),
    ({"a": 1}, [{"op": "test", "path": "/a", "value": 2}]), ({}, [{"op": "jump", "path": ""}]),
    ({}, [{"op": "add", "path": "a", "value": 1}]), ({}, [{"op": "add", "path": "/a"}]), ({}, [5]), ({}, 7),
    ({}, None), ({}, [{"path": "/a"}]), ("text", [{"op": "add", "path": "/a", "value": 1}]),
]  # fmt: skip


@pytest.mark.parametrize(("state", "operations", "expected"), GOOD)
def test_a_patch_changes_what_it_says(state: Any, operations: Any, expected: Any) -> None:
    before = repr(state)
    assert patched(state, [operations]) == expected
    assert repr(state) == before, "the old state is untouched"


@pytest.mark.parametrize(("state", "operations"), BAD)
def test_a_patch_that_does_not_fit_is_left_out(state: Any, operations: Any) -> None:
    before = repr(state)
    fits = [{"op": "add", "path": "", "value": "after"}]
    assert patched(state, [operations]) == state
    assert patched(state, [operations, fits]) == "after"
    assert repr(state) == before


STEPS = st.sampled_from(["a", "b", "", "0", "1", "-", "~0"])
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(STEPS, inner),
    max_leaves=6,
)
PATHS = st.lists(STEPS, max_size=3).map(lambda steps: "".join("/" + step for step in steps))
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": PATHS},
    optional={"value": VALUES, "from": PATHS},
)


@given(VALUES, st.lists(st.lists(OPERATIONS | VALUES, max_size=3) | VALUES, max_size=3))
def test_any_patch_of_any_state_is_applied_or_left_out(state: Any, patches: Any) -> None:
    before = repr(state)
    patched(state, patches)
    assert repr(state) == before
