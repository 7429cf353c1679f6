"""Growing text: what a reader gets, and what it costs to keep."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from tui.core.safe_text import safe
from tui.core.transcript import SMALL, Grown

pieces = st.lists(st.text(alphabet="ab\u202e\x1b\r\n", max_size=4), max_size=40)


@given(pieces, st.integers(1, 5))
def test_a_reader_that_asks_now_and_then_gets_the_whole_text_once(texts: list[str], every: int) -> None:
    grown, read = Grown(), ""
    for count, text in enumerate(texts):
        grown.append(text)
        if count % every == 0:
            read += grown.after(len(read))
    grown.seal()
    read += grown.after(len(read))
    assert read == grown.text() == safe("".join(texts))
    assert grown.as_received() == "".join(texts)
    assert grown.length == len(read)


def test_joining_pieces_changes_nothing_for_a_reader() -> None:
    grown, read = Grown(), ""
    for number in range(3 * SMALL):
        grown.append(f"{number} ")
        if number % 700 == 0:
            read += grown.after(len(read))
    read += grown.after(len(read))
    assert read == grown.text() == "".join(f"{number} " for number in range(3 * SMALL))


def test_a_long_text_of_small_pieces_is_kept_once_and_not_as_pieces() -> None:
    grown = Grown()
    for number in range(100_000):
        grown.append(f"{number:05}")
    size = sum(map(sys.getsizeof, {id(p): p for p in (*grown.parts, *grown.received)}.values()))
    assert size < 1.2 * grown.length
    grown.seal()
    assert grown.parts == [grown.text()]
    assert grown.parts[0] is grown.received[0]
