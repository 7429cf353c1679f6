"""Emphasis: which runs of `*`, `_` and `~` belong together (CommonMark, "delimiter runs")."""

from __future__ import annotations

from functools import lru_cache
from string import punctuation
from unicodedata import category

from tui.ui.transcript import inks

_FLAGS = {1: inks.ITALIC, 2: inks.BOLD}
_Kind = tuple[str, bool, int]


class Node:
    """A stretch of a paragraph before it becomes a span."""

    __slots__ = ("action", "at", "close", "ink", "open", "size", "text")

    def __init__(self, text: str, at: int, size: int, ink: int = 0, action: str = "") -> None:
        self.text, self.at, self.size, self.ink, self.action = text, at, size, ink, action
        self.open: list[int] = []  # flags that begin behind this node
        self.close: list[int] = []  # flags that end before it


class Run:
    """A run of marks that may open or close. `count` are those not used yet, of `length`."""

    __slots__ = ("char", "closes", "count", "length", "node", "opens")

    def __init__(self, node: int, mark: str, opens: bool, closes: bool) -> None:
        self.node, self.char, self.opens, self.closes = node, mark[0], opens, closes
        self.count = self.length = len(mark)

    @property
    def kind(self) -> _Kind:
        """Closers of one kind find the same openers."""
        return self.char, self.opens, self.length % 3


def run_of(mark: str, node: int, before: str, after: str) -> Run | None:
    """The run `mark` is between two characters (empty at an end of the text); None if it can do nothing."""
    space_before, space_after = not before.strip(), not after.strip()
    odd_before, odd_after = _is_punctuation(before), _is_punctuation(after)
    left = not space_after and (not odd_after or space_before or odd_before)
    right = not space_before and (not odd_before or space_after or odd_after)
    opens, closes = left, right
    if mark[0] == "_":
        opens = left and (not right or odd_before)
        closes = right and (not left or odd_after)
    return Run(node, mark, opens, closes) if opens or closes else None


def pair(runs: list[Run], nodes: list[Node]) -> list[Run]:
    """Match closers with openers, take the marks that are used out of their nodes, and put flags there.

    Returns the openers that found no closer.
    """
    openers: list[Run] = []
    floor: dict[_Kind, int] = {}  # below this no opener fits a closer of the kind: it was tried
    for run in runs:
        if run.closes:
            _close(run, openers, floor, nodes)
        if run.opens and run.count:
            openers.append(run)
    return openers


def _close(run: Run, openers: list[Run], floor: dict[_Kind, int], nodes: list[Node]) -> None:
    while run.count and openers:
        low = min(floor.get(run.kind, 0), len(openers))
        index = next((i for i in range(len(openers) - 1, low - 1, -1) if _match(openers[i], run)), -1)
        if index < 0:
            floor[run.kind] = len(openers)
            return
        opener = openers[index]
        _use(opener, run, nodes)
        del openers[index + bool(opener.count) :]
        for kind, depth in floor.items():
            floor[kind] = min(depth, len(openers))


def _match(opener: Run, closer: Run) -> bool:
    if opener.char != closer.char:
        return False
    if closer.char == "~":
        return opener.count == closer.count
    if opener.closes or closer.opens:  # the rule of three
        return (opener.length + closer.length) % 3 != 0 or (opener.length % 3 == 0 and closer.length % 3 == 0)
    return True


def _use(opener: Run, closer: Run, nodes: list[Node]) -> None:
    size = 2 if opener.count >= 2 and closer.count >= 2 else 1
    flag = inks.STRIKE if closer.char == "~" else _FLAGS[size]
    size = closer.count if closer.char == "~" else size
    left, right = nodes[opener.node], nodes[closer.node]
    left.open.append(flag)
    right.close.append(flag)
    opener.count -= size
    closer.count -= size
    left.text, left.size = left.text[:-size], left.size - size
    right.text, right.at, right.size = right.text[size:], right.at + size, right.size - size


@lru_cache(maxsize=1024)
def _is_punctuation(char: str) -> bool:
    return bool(char) and (char in punctuation if char.isascii() else category(char)[0] in "PS")
