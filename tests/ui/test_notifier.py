"""The end of a long run is told where nobody looks, once, and never by a sound that was not asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tui.core import events as ev
from tui.core.conversation import Turn, replay
from tui.core.events import End, Record
from tui.ui.notifier import Notifier


class Elsewhere:
    """An app on a terminal that has no focus, unless told otherwise."""

    is_headless = False

    def __init__(self, focused: bool = False) -> None:
        self.app_focus = focused
        self.written: list[str] = []
        self.bells = 0
        self._driver: Any = self

    def write(self, text: str) -> None:
        self.written.append(text)

    def bell(self) -> None:
        self.bells += 1


def ended(seconds: float) -> Turn:
    events = [ev.Prompted("where is\x1b]0;it\x07?", "k"), ev.RunStarted("r"), ev.RunFinished(End.COMPLETED)]
    times = zip(events, (0.0, 0.0, seconds), strict=True)
    records = [Record(n, 1, 0.0, at, event) for n, (event, at) in enumerate(times, 1)]
    return replay("c", records).turns[0]


@pytest.mark.parametrize(("how", "words", "bells"), [("desktop", 1, 1), ("bell", 0, 1), ("off", 0, 0)])
def test_a_long_run_that_ends_unseen_is_told_as_chosen_and_once(how: str, words: int, bells: int) -> None:
    app = Elsewhere()
    notifier = Notifier(app, how)  # type: ignore[arg-type]
    for _ in range(3):
        notifier.ended("c", ended(12.0))
    assert (len(app.written), app.bells) == (words, bells)
    assert all(text.startswith("\x1b]9;stopkey: ") and "0;it" not in text for text in app.written)
    notifier.ended("another", ended(12.0))
    assert app.bells == 2 * bells, "the same number in another conversation is another turn"


@pytest.mark.parametrize(("focused", "seconds"), [(True, 12.0), (False, 3.0)])
def test_nothing_is_told_to_someone_who_looks_or_of_a_run_that_was_short(
    focused: bool, seconds: float
) -> None:
    app = Elsewhere(focused)
    Notifier(app, "desktop").ended("c", ended(seconds))  # type: ignore[arg-type]
    assert not app.written and not app.bells
