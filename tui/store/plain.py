"""Text as SQLite can keep it, and in pieces that are quickly indexed."""

from __future__ import annotations

import re

PART = 16 * 1024  # characters of a prompt or reply that are indexed as one piece

_UNKEPT = re.compile("[\0\ud800-\udfff]")


def plain(text: str) -> str:
    """No lone surrogates, no NUL: they would raise, or cut the text. The log itself has it as it was."""
    return _UNKEPT.sub("\ufffd", text)


def parts(text: str) -> list[str]:
    """The text in pieces small enough to index without holding anything up, cut between words."""
    text = plain(text)
    pieces, at = [], 0
    while len(text) - at > PART:
        cut = max(text.rfind(mark, at + PART // 2, at + PART) for mark in ("\n", " ")) + 1 or at + PART
        pieces.append(text[at:cut])
        at = cut
    rest = text[at:]
    return [*pieces, rest] if rest.strip() or not pieces else pieces
