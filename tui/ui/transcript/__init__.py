"""The transcript: a conversation of any length, drawn line by line at a cost that does not grow with it."""

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
