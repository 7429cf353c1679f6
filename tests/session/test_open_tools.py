"""Which tools a stopped turn names as maybe still running: those whose end nobody told, early or late."""

from __future__ import annotations

from tui import receipt
from tui.core import events as ev
from tui.core.conversation import Conversation, Turn
from tui.core.events import End, Event, Record, ToolStatus


def stopped(before: list[Event], after: list[Event]) -> Turn:
    """A turn that was stopped between these events, and confirmed."""
    conversation = Conversation("c")
    start = [ev.Prompted("go", "k"), ev.RunStarted("r1")]
    for number, event in enumerate(
        [*start, *before, ev.StopAsked("test"), *after, ev.RunFinished(End.CANCELLED)], 1
    ):
        conversation.apply(Record(number, 1, float(number), float(number), event))
    return conversation.turns[0]


def named(turn: Turn) -> list[str]:
    told = receipt.as_data(turn)["open_tools"]
    assert [line for line in receipt.cautions(turn) if "still be finishing" in line] == [
        f"{name}: its end was not seen; it may still be finishing." for name in told
    ]
    return list(told)


def test_a_tool_whose_end_never_came_is_named() -> None:
    assert named(stopped([ev.ToolStarted("a", "dig")], [])) == ["dig"]


def test_a_tool_that_was_told_of_only_after_the_stop_is_named() -> None:
    """It ran before the stop and could not be cut: seen on a real server, once in 200 stops."""
    assert named(stopped([], [ev.ToolStarted("a", "dig"), ev.ToolRunning("a")])) == ["dig"]


def test_a_tool_whose_end_came_after_the_stop_is_not_named() -> None:
    end = ev.ToolFinished("a", "aborted", ToolStatus.INTERRUPTED)
    assert named(stopped([ev.ToolStarted("a", "dig")], [end])) == []
    assert named(stopped([], [ev.ToolStarted("a", "dig"), end])) == []


def test_one_of_two_is_named_once() -> None:
    both: list[Event] = [ev.ToolStarted("a", "dig"), ev.ToolStarted("b", "fell")]
    assert named(stopped(both, [*both, ev.ToolFinished("a")])) == ["fell"]
