"""What the block scanner finds: leaves (a paragraph, a heading, a line of code), and its state."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """Kinds of leaves. `Leaf.info` is what stands in brackets."""

    PARAGRAPH = 0
    HEADING = 1  # level, "1" to "6"
    RULE = 2
    CODE_OPEN = 3  # the language
    CODE_LINE = 4  # the language; an empty one for indented code
    CODE_CLOSE = 5
    TABLE = 6  # heading, delimiter row and the first rows
    TABLE_ROW = 7
    REFERENCE = 8  # a link definition
    EMPTY = 9  # a list item without content
    PLAIN = 10  # a line of plain text


class Nest(NamedTuple):
    """A container: a quote (marker "") or a list item. `indent`: columns its content stands in."""

    marker: str
    indent: int = 0


QUOTE = Nest("")


class Fence(NamedTuple):
    """An open code fence."""

    char: str
    size: int
    indent: int
    language: str


class Table(NamedTuple):
    """A table: alignments ("", "<", ">" or "^") and, once settled, natural widths in cells and names."""

    aligns: tuple[str, ...]
    widths: tuple[int, ...] = ()
    heads: tuple[str, ...] = ()


class State(NamedTuple):
    """Where the scanner stands between two leaves: enough to go on from there at any later time."""

    nests: tuple[Nest, ...] = ()
    shown: int = 0  # how many of them had their marker shown
    gap: bool = False  # a blank line came before
    open: Fence | Table | None = None
    carry: int = (
        0  # 1: between two lines of a paragraph that was cut; 2: within one; 3: within another long line
    )


Run = tuple[int, str]
"""Source offset and text that stands there as it is."""


class Leaf(NamedTuple):
    """One leaf. `runs` joined are its text. `fresh`: index of the first container that is new with it."""

    kind: Kind
    runs: tuple[Run, ...]
    nests: tuple[Nest, ...]
    fresh: int
    gap: bool
    info: str = ""
    table: Table | None = None

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.runs)


class Found(NamedTuple):
    """A leaf, the source offset behind it, and the state to go on with from there."""

    leaf: Leaf
    end: int
    state: State
