"""One turn on the screen: its sections in order, kept in step with the `TurnItem` they show."""

from __future__ import annotations

from tui.core.transcript import Block
from tui.ui.transcript.blocks import Clock, Text, section_of
from tui.ui.transcript.heights import Heights
from tui.ui.transcript.items import TurnItem
from tui.ui.transcript.section import Lines, Prompt, Section

SWEEP = 64
"""Closed blocks looked at again per sync: a backend may repeat or replace one that had ended."""


class TurnLayout:
    """Sections: the prompt, the head of the reply, the blocks, the cards."""

    def __init__(self, item: TurnItem, clock: Clock, first: bool = False, folded: bool = True) -> None:
        self.item, self.clock, self.first, self.folded = item, clock, first, folded
        self.sections: list[Section] = []
        self.heights = Heights()
        self._by_key: dict[str, int] = {}
        self._revision: int | None = None
        self._known: list[Block] = []
        self._blocks: list[Section] = []  # those of the known blocks
        self._open: list[Section] = []
        self.grown: list[Section] = []  # sections that the last sync changed
        self._swept = 0
        self._cards = 0
        self.sync()

    def sync(self) -> None:
        """Take in what changed. Its cost does not depend on how long the turn is."""
        known = len(self._blocks)
        self._grow_blocks()
        self._sync_open()
        if self._revision != self.item.revision:
            self._revision = self.item.revision
            self._rebuild()
        elif known != len(self._blocks):
            self._insert(known)

    @property
    def behind(self) -> bool:
        """Whether there is more to take in than one frame should."""
        return any(section.behind for section in self._open)

    def fold_all(self, folded: bool) -> None:
        self.folded = folded
        for section in self.sections:
            if section.foldable and section.folded != folded:
                self.fold(section, folded)

    def fold(self, section: Section, folded: bool) -> None:
        section.folded = folded
        section.changed()
        section.sync()
        if section.open and section not in self._open:
            self._open.append(section)
        self.resized(section)

    def replace(self, item: TurnItem) -> None:
        """Another item for the same turn."""
        had = list(map(id, item.blocks[: len(self._known)]))
        if had != list(map(id, self._known)):
            self._known, self._blocks, self._open = [], [], []  # another turn in all but its number
        self.item, self._revision = item, None
        self.sync()

    def _grow_blocks(self) -> None:
        for index in range(len(self._blocks), len(self.item.blocks)):
            section = section_of(index, self.item.blocks[index], self.clock)
            section.gap = self._needs_gap()
            section.folded = section.foldable and self.folded
            self._known.append(self.item.blocks[index])
            self._blocks.append(section)
            self._open.append(section)

    def _needs_gap(self) -> bool:
        """Whether a blank row comes next: behind a text, not behind the sections of one line."""
        if not self._blocks:
            return False
        before = self._blocks[-1]
        return isinstance(before, Text) and not before.foldable

    def _sync_open(self) -> None:
        self.grown = [section for section in self._open if section.sync()]
        for section in self.grown:
            self.resized(section)
        self._open = [section for section in self._open if section.open]
        for _ in range(min(SWEEP, len(self._blocks))):
            self._swept = (self._swept + 1) % len(self._blocks)
            section = self._blocks[self._swept]
            if not section.open and section.sync():
                self.resized(section)
                if section.open:
                    self._open.append(section)

    def resized(self, section: Section) -> None:
        index = self._by_key.get(section.key)
        if index is not None:
            self.heights.set(index, section.height)

    def _rebuild(self) -> None:
        item = self.item
        folds = {s.key: s.folded for s in self.sections}
        fixed: list[Section] = [self._prompt()]
        if item.head:
            fixed.append(Lines("head", [item.head]))
            fixed[-1].gap = True
        cards: list[Section] = [Lines(f"card:{card.key}", list(card.lines)) for card in item.cards]
        for section in fixed + cards:
            section.folded = folds.get(section.key, section.folded)
        self._arrange([*fixed, *self._blocks, *cards], len(cards))

    def _prompt(self) -> Prompt:
        old = self.sections[0] if self.sections else None
        if isinstance(old, Prompt) and old.text == self.item.prompt:
            old.head_line = self.item.prompt_head
            old.changed()
            return old
        fresh = Prompt(self.item.prompt_head, self.item.prompt)
        fresh.gap = not self.first
        if fresh.behind:
            self._open.append(fresh)
        return fresh

    def _insert(self, known: int) -> None:
        """New blocks stand before the cards."""
        fresh = self._blocks[known:]
        if self._cards:
            before, after = self.sections[: -self._cards], self.sections[-self._cards :]
            self._arrange([*before, *fresh, *after], self._cards)
            return
        for section in fresh:
            self._by_key[section.key] = len(self.sections)
            self.sections.append(section)
            self.heights.append(section.height)

    def _arrange(self, sections: list[Section], cards: int) -> None:
        self.sections, self._cards = sections, cards
        self._by_key = {section.key: index for index, section in enumerate(sections)}
        self.heights = Heights(section.height for section in sections)

    def index_of(self, key: str) -> int:
        """Where the section stands, -1 if it is gone."""
        return self._by_key.get(key, -1)

    @property
    def marked(self) -> Section | None:
        """The section whose last row carries the item's mark."""
        last = self._blocks[-1] if self._blocks else None
        return last if isinstance(last, Text) and self.item.mark and not last.folded else None
