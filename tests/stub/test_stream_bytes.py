"""What the backend writes is an event stream that any reader reads back as it was meant."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_stub.stream import HEARTBEAT, sse
from tui.backends.sse import Decoder


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"])),
            st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"])),
        )
    )
)
def test_any_text_comes_back_with_its_line_ends_as_newlines(items: list[tuple[str, str]]) -> None:
    stream = b"".join(sse(data, event=event) + HEARTBEAT for data, event in items)
    read = Decoder().feed(stream)
    assert [(e.data, e.event) for e in read] == [
        (re.sub("\r\n?", "\n", data), event or "message") for data, event in items
    ]


def test_ids_are_read_back_as_the_last_event_id() -> None:
    decoder = Decoder()
    assert [e.id for e in decoder.feed(sse("a", id="7") + sse("b", id="8"))] == ["7", "8"]
    assert decoder.last_event_id == "8"


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b", "x\ndata: injected"])
def test_a_line_end_in_a_name_or_an_id_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        sse("data", event=bad)
    with pytest.raises(ValueError, match="one line"):
        sse("data", id=bad)


def test_a_lone_surrogate_becomes_a_question_mark_and_not_an_error() -> None:
    assert sse("a\ud800b") == b"data: a?b\n\n"
