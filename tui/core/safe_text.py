"""The one door for text that came over the wire. (First cut; the full rules follow.)"""

from __future__ import annotations

from typing import NewType

SafeText = NewType("SafeText", str)
"""Text that cannot act on a terminal. Only this module makes it."""


def safe(text: str) -> SafeText:
    """`text` with everything that could act on a terminal made visible. Newlines and tabs stay."""
    return SafeText("".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in text))


def safe_line(text: str, limit: int = 200) -> SafeText:
    """One line of at most `limit` characters: newlines and tabs made visible, the rest cut with an ellipsis."""
    line = safe(text[: limit + 1]).replace("\n", "⏎").replace("\t", " ")
    return SafeText(line if len(line) <= limit else line[: limit - 1] + "…")


class Door:
    """`safe` for text that comes in pieces: any chunking gives the same joined result."""

    __slots__ = ()

    def feed(self, text: str) -> SafeText:
        return safe(text)

    def close(self) -> SafeText:
        return SafeText("")
