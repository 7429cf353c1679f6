"""Two replies word by word: what of the first is gone in the second, and what is new. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from rich.cells import cell_len, chop_cells

from tui.core.conversation import Conversation, Turn
from tui.core.safe_text import SafeText
from tui.ui.widgets.lines import Piece

MOST = 4_000
"""Words of each side that are compared word by word; beyond that line by line."""
GONE, NEW = "gone", "new"
_WORD = re.compile(r"\n|[^\S\n]+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides as pieces (text, tone), and how many words are the same, gone and new."""

    left: list[Piece]
    right: list[Piece]
    same: int
    gone: int
    new: int


def pair(conversation: Conversation, number: int = 0) -> tuple[Turn, Turn] | None:
    """A stopped turn and the next one with an answer; the newest such pair, where no turn is named."""
    stopped = [t for t in reversed(conversation.turns) if t.stop and number in (0, t.number)]
    for turn in stopped:
        later = [t for t in conversation.turns if t.number > turn.number and t.transcript.chars]
        if later and turn.transcript.chars:
            return turn, later[0]
    return None


def compare(left: SafeText, right: SafeText) -> Compared:
    """The difference. What both begin with costs nothing to find."""
    a, b = _units(left), _units(right)
    begin = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    matcher = SequenceMatcher(None, a[begin:], b[begin:], autojunk=False)
    ours, theirs = [(_text(a[:begin]), "")], [(_text(b[:begin]), "")]
    for kind, a1, a2, b1, b2 in matcher.get_opcodes():
        same = kind == "equal"
        ours.append((_text(a[begin + a1 : begin + a2]), "" if same else GONE))
        theirs.append((_text(b[begin + b1 : begin + b2]), "" if same else NEW))
    ours, theirs = [p for p in ours if p[0]], [p for p in theirs if p[0]]
    return Compared(ours, theirs, _count(ours, ""), _count(ours, GONE), _count(theirs, NEW))


def _units(text: str) -> list[str]:
    words = _WORD.findall(text)
    return words if len(words) <= MOST else text.splitlines(keepends=True)


def _text(units: Sequence[str]) -> str:
    return "".join(units)


def _count(pieces: Sequence[Piece], tone: str) -> int:
    return sum(len(text.split()) for text, its in pieces if its == tone)


def wrapped(pieces: Sequence[Piece], width: int) -> list[list[Piece]]:
    """Rows of at most `width` cells, broken between words where that can be."""
    rows: list[list[Piece]] = [[]]
    used = 0
    for text, tone in pieces:
        for unit in _WORD.findall(text.replace("\t", "    ")):
            if unit == "\n":
                rows.append([])
                used = 0
                continue
            for part in chop_cells(unit, width) if cell_len(unit) > width else [unit]:
                if used + cell_len(part) > width:
                    rows.append([])
                    used = 0
                    if part.isspace():
                        continue
                _add(rows[-1], part, tone)
                used += cell_len(part)
    return rows


def _add(row: list[Piece], text: str, tone: str) -> None:
    if row and row[-1][1] == tone:
        row[-1] = (row[-1][0] + text, tone)
    else:
        row.append((text, tone))


def sign(row: Sequence[Piece]) -> str:
    """What a row holds, for eyes without colours."""
    tones = {tone for text, tone in row if text.strip()}
    return "−" if GONE in tones else "+" if NEW in tones else " "
