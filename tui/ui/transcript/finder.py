"""Find in the transcript: over everything that was said, folded or not, loaded or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tui.core.transcript import DataBlock, QuestionBlock, TextBlock
from tui.ui.transcript.blocks import tool_source
from tui.ui.transcript.document import Document
from tui.ui.transcript.facts import pretty
from tui.ui.transcript.items import TurnItem
from tui.ui.transcript.lines import lines_text
from tui.ui.transcript.section import Section

_MARKS = "[*_~`]*"
MOST = 100_000
"""Hits kept per turn."""


class Hit(NamedTuple):
    """A match: index of the turn, key of the section, offsets in its source."""

    turn: int
    section: str
    begin: int
    end: int


def pattern(query: str) -> re.Pattern[str]:
    """What is looked for: any case; a space in the query is any white space, and marks of emphasis in between
    do not matter ("bold word" finds "**bold** word")."""
    words = [re.escape(word.lower()) for word in query.split()]
    return re.compile(f"{_MARKS}\\s+{_MARKS}".join(words) or r"(?!)")


def matches(source: str, wanted: re.Pattern[str], start: int = 0) -> Iterator[tuple[int, int]]:
    """Begin and end of each match in `source`."""
    low = source.lower()
    if len(low) != len(source):  # some letter changes its length: look letter by letter
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in source)
    for match in wanted.finditer(low, start):
        yield match.span()


class Finder:
    """The hits of one query. Turns are looked through one by one, as they are needed or as time allows."""

    def __init__(self, document: Document, query: str) -> None:
        self.document, self.query = document, query
        self.pattern = pattern(query)
        self.current: Hit | None = None
        self._turns: dict[int, list[Hit]] = {}
        self._sections: dict[Section, tuple[int, list[tuple[int, int]]]] = {}
        self._waiting: Iterator[int] = iter(range(len(document.keys) - 1, -1, -1))

    # --- what is on the screen ----------------------------------------------------------------------------

    def in_section(self, section: Section) -> list[tuple[int, int]]:
        """The matches of a section as it is now. A grown source is looked through from where it grew."""
        length = section.source_length
        known, found = self._sections.get(section, (0, []))
        if known != length:
            start = max(0, known - 2 * len(self.query) - 64) if known < length else 0
            found = [match for match in found if match[0] < start]
            begin = max(start, found[-1][1] if found else 0)
            text = section.source_between(begin, length)
            found = found + [(begin + a, begin + b) for a, b in matches(text, self.pattern)][:MOST]
            self._sections[section] = (length, found)
        return found

    # --- all of it ----------------------------------------------------------------------------------------

    def hits(self, turn: int) -> list[Hit]:
        """The hits of a turn, in order."""
        if turn not in self._turns:
            self._turns[turn] = list(self._look_through(turn))
        return self._turns[turn]

    def _look_through(self, turn: int) -> Iterable[Hit]:
        for key, source in sources_of(self.document.item(turn)):
            for count, (begin, end) in enumerate(matches(source, self.pattern)):
                if count >= MOST:
                    break
                yield Hit(turn, key, begin, end)

    def forget(self, turn: int) -> None:
        """This turn has changed."""
        self._turns.pop(turn, None)

    def go_on(self) -> bool:
        """Look through one more turn. False when all were looked through."""
        turn = next(self._waiting, None)
        if turn is not None and turn < len(self.document.keys):
            self.hits(turn)
        return turn is not None

    @property
    def total(self) -> int:
        """Hits counted so far."""
        return sum(len(hits) for hits in self._turns.values())

    @property
    def number(self) -> int:
        """Which of them the current hit is, from 1; 0 without one. As far as turns were looked through."""
        if self.current is None:
            return 0
        before = sum(len(hits) for turn, hits in self._turns.items() if turn < self.current.turn)
        here = self.hits(self.current.turn)
        return before + (here.index(self.current) + 1 if self.current in here else 0)

    def step(self, forward: bool, near: int) -> Hit | None:
        """The next hit from the current one, or from turn `near`; around the ends."""
        count = len(self.document.keys)
        if not count:
            return None
        found = self._in_turn(forward)
        turn = self.current.turn if self.current else near
        for distance in range(0 if self.current is None else 1, count + 1):
            if found:
                break
            hits = self.hits((turn + (distance if forward else -distance)) % count)
            found = (hits[0] if forward else hits[-1]) if hits else None
        self.current = found
        return found

    def _in_turn(self, forward: bool) -> Hit | None:
        """The next hit in the turn of the current one."""
        if self.current is None:
            return None
        hits = self.hits(self.current.turn)
        if self.current not in hits:
            return None
        index = hits.index(self.current) + (1 if forward else -1)
        return hits[index] if 0 <= index < len(hits) else None


def sources_of(item: TurnItem) -> Iterator[tuple[str, str]]:
    """Keys and sources of a turn's sections, the same as its layout has, without laying it out."""
    yield "prompt", item.prompt
    for index, block in enumerate(item.blocks):
        key = f"block:{index}"
        if isinstance(block, TextBlock):
            yield key, block.content.text()
        elif isinstance(block, DataBlock):
            yield key, pretty(block.value)
        elif isinstance(block, QuestionBlock):
            yield key, block.text
        else:
            yield key, tool_source(block)
    for card in item.cards:
        yield f"card:{card.key}", lines_text(card.lines)
