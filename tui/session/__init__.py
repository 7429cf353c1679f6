"""The driver of one conversation: the only concurrent code. It obeys the table in `tui.core.turn`."""

from tui.backends.base import Capabilities, RemoteStop, Scope
from tui.session.driver import Session
from tui.session.opening import Opening
from tui.session.parts import Clocks, Forgetful, JournalLike, NotNow, Pressed

__all__ = [
    "Capabilities",
    "Clocks",
    "Forgetful",
    "JournalLike",
    "NotNow",
    "Opening",
    "Pressed",
    "RemoteStop",
    "Scope",
    "Session",
]
