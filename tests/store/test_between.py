"""Records by number, for the inspector: from rows that hold many, and from those that hold one."""

from __future__ import annotations

import pytest

from tests.store.made import Log, drain
from tui.store import NoSuchConversation, Store


def test_any_stretch_of_numbers_comes_back_whole_also_from_the_middle_of_a_packed_row(store: Store) -> None:
    log = Log(store.create("flue"))
    log.prompt("hello")
    log.text(*(f"w{n} " for n in range(2_500)))
    log.complete()
    drain(store)
    assert log.journal
    identity = log.journal.conversation_id
    for first, last in ((1, 3), (1_000, 1_400), (2_400, 9_999), (1, len(log.records))):
        found = store.load_between(identity, first, last)
        assert found == log.records[first - 1 : last]
        assert [r.event.raw for r in found] == [r.event.raw for r in log.records[first - 1 : last]]
    assert store.load_between(identity, 9_000, 9_999) == []
    with pytest.raises(NoSuchConversation):
        store.load_between("nothing", 1, 2)
