"""What the adapter remembers of one prompt: enough to judge what a session shows of its run. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.backends.adk_look_up import Sighting
from tui.backends.adk_questions import Question
from tui.backends.adk_wire import JSON
from tui.backends.base import RunStatus
from tui.core.events import End

TOO_LATE_S = 0.25
"""An ADK server ends a run within milliseconds of the close. What is still open this long after it, and ends
by itself later, was not in flight: the close did not reach the server, and the run went on."""

_WENT_ON = "The run went on after its connection was closed"


@dataclass(slots=True)
class Turn:
    """One prompt's run. `posted` counts our messages of it: the prompt, and answers to its questions."""

    key: str
    conversation_id: str
    run_id: str = ""
    left: bool = False  # our prompt may have left this machine
    posted: int = 0
    closed_at: float | None = None  # monotonic; we closed its stream before the run's end was seen
    broke_at: float | None = None  # monotonic; it broke by itself
    open_size: int | None = None  # what the session held of it in the first look that came TOO_LATE_S after
    questions: dict[str, Question] = field(default_factory=dict)  # still open
    answers: dict[str, JSON] = field(default_factory=dict)  # given, not yet posted

    def post(self) -> None:
        """A message of it is about to leave."""
        self.left = True
        self.posted += 1
        self.closed_at = self.broke_at = self.open_size = None

    def take_back(self, unsent: bool) -> None:
        """It was not taken; `unsent`: it did not even leave."""
        self.posted -= 1
        self.left = bool(self.posted) or not unsent

    def fresh(self, now: float) -> bool:
        """Whether the stream was gone so recently that the server may not have written what it did then."""
        gone_at = self.closed_at or self.broke_at
        return gone_at is not None and now - gone_at < TOO_LATE_S

    def judge(self, seen: Sighting, asked_at: float) -> RunStatus | None:
        """What a look that was sent at `asked_at` (monotonic) says. None: no word on this run."""
        if seen.end is End.CANCELLED:
            return status_of(seen)
        if seen.posted < self.posted:  # what is there tells of the time before our latest message
            return self._no_end("does not hold our message", asked_at)
        if seen.end is None:
            return self._still_open(seen, asked_at)
        if self.open_size is not None and seen.end is not End.UNSPECIFIED:
            late = f"{_WENT_ON} and ended by itself: the close did not reach it."
            return RunStatus(End.ALIVE, late, seen.text)
        return status_of(seen)

    def _still_open(self, seen: Sighting, asked_at: float) -> RunStatus | None:
        no_end = self._no_end("shows no end of this run", asked_at)
        if no_end is None:
            return None
        if self.open_size is None:
            self.open_size = seen.size
        grown = seen.size - self.open_size
        return RunStatus(End.ALIVE, f"{_WENT_ON}: its session grew by {grown}.") if grown > 0 else no_end

    def _no_end(self, shows: str, asked_at: float) -> RunStatus | None:
        """What to say of a run that we closed, and whose close has had time to take effect."""
        if self.closed_at is None or self.fresh(asked_at):
            return None
        since = asked_at - self.closed_at
        return RunStatus(None, f"The session {shows} {since:.1f} s after its connection was closed.")


def status_of(seen: Sighting) -> RunStatus | None:
    return None if seen.end is None else RunStatus(seen.end, seen.detail, seen.text)
