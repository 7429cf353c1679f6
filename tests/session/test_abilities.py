"""What a backend's Stop can do is told before the key is pressed."""

from __future__ import annotations

import pytest

from tui.backends.base import Capabilities, RemoteStop, Scope
from tui.session import abilities

RUN = Capabilities(RemoteStop.ABORT)
ALL = Capabilities(RemoteStop.ABORT, scope=Scope.CONVERSATION, remembers_partial=False)
NONE = Capabilities(RemoteStop.NONE)
CLOSE = Capabilities(RemoteStop.CLOSE, disconnect_stops=True)


def test_the_ordinary_case_needs_no_words_while_running() -> None:
    assert abilities.before_a_stop(RUN) == "" and abilities.after_a_stop(RUN) == ""


def test_an_abort_of_the_whole_conversation_is_told_before_and_after() -> None:
    assert "all of this conversation" in abilities.before_a_stop(ALL)
    assert "whole conversation" in abilities.after_a_stop(ALL)


def test_a_backend_without_an_abort_says_so_first() -> None:
    assert abilities.before_a_stop(NONE) == "Stop ends it here only"
    assert "no abort" in abilities.in_short(NONE)


@pytest.mark.parametrize("can", [RUN, ALL, NONE, CLOSE])
def test_every_ability_has_its_line(can: Capabilities) -> None:
    lines = abilities.at_length(can)
    assert len(lines) >= 5 and all(line.endswith(".") for line in lines)
    assert ("not known" in " ".join(lines)) is (can.disconnect_stops is None or can.remembers_partial is None)
