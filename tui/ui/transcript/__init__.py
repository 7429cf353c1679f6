"""The transcript: a conversation of any length, drawn line by line at a cost that does not grow with it.

The way of a delta: `view` (a widget: `reader` on `canvas`) notes that a turn was touched. With the next
frame `document` has the turn's `layout` look at its `section`s (`blocks`); what is new is poured
(`pouring`) into the section's `body`. There the `scanner` (`marks`, `tables`) cuts it into `leaves`, and
`paint` (`inline`, `emphasis`, `growth`, `code` with `highlight`, `grid`) makes `rows` of spans, but only of
slabs near the screen. The `viewport` picks the rows to show, `canvas` finds those that changed, and the
`palette` gives them colours.

What keeps it fast: nothing sealed is read or painted again (a slab keeps where it begins, the scanner's
state and its height); what is open is bounded; heights are known or guessed, and nothing on the screen
depends on a guess, because the viewport holds on to text; rows are compared by identity, and a row that
only moved keeps its strip.
"""

from tui.ui.transcript.items import (
    Acted,
    Card,
    CopyAsked,
    CursorMoved,
    FollowChanged,
    Found,
    Line,
    PlainTurn,
    TurnItem,
    Word,
)
from tui.ui.transcript.view import TranscriptView

__all__ = [
    "Acted",
    "Card",
    "CopyAsked",
    "CursorMoved",
    "FollowChanged",
    "Found",
    "Line",
    "PlainTurn",
    "TranscriptView",
    "TurnItem",
    "Word",
]
