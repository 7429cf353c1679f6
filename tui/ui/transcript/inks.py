"""How a span looks, as one small integer: a base ink and flags. Rows know no colours."""

from __future__ import annotations

from typing import Final

# Base inks. The names are those of the component classes, `transcript--<name>`.
NAMES: Final = (
    "text", "dim", "label", "heading", "code", "link", "target", "bullet", "quote", "rule",
    "good", "warning", "error", "accent", "key", "reasoning", "border",
    "tok-keyword", "tok-name", "tok-string", "tok-number", "tok-comment", "tok-operator", "tok-deleted",
    "tok-inserted", "cursor", "bar", "thumb", "fence",
)  # fmt: skip
(
    TEXT, DIM, LABEL, HEADING, CODE, LINK, TARGET, BULLET, QUOTE, RULE,
    GOOD, WARNING, ERROR, ACCENT, KEY, REASONING, BORDER,
    KEYWORD, NAME, STRING, NUMBER, COMMENT, OPERATOR, DELETED,
    INSERTED, CURSOR, BAR, THUMB, FENCE,
) = range(len(NAMES))  # fmt: skip

BASE: Final = 0xFF
BOLD: Final = 1 << 8
ITALIC: Final = 1 << 9
STRIKE: Final = 1 << 10
UNDERLINE: Final = 1 << 11
SELECTED: Final = 1 << 12
FOUND: Final = 1 << 13
CURRENT: Final = 1 << 14  # the match that find stands on

TONES: Final = {
    "": TEXT, "dim": DIM, "strong": LABEL | BOLD, "accent": ACCENT, "good": GOOD, "warning": WARNING,
    "error": ERROR, "key": KEY,
}  # fmt: skip
