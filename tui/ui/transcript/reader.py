"""The reading half of the transcript widget: scrolling, cursor, folding, jumping, finding."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from tui.ui.transcript import inks
from tui.ui.transcript.canvas import Canvas
from tui.ui.transcript.document import Load, Place
from tui.ui.transcript.finder import Finder, Hit
from tui.ui.transcript.items import Acted, CopyAsked, CursorMoved, Found
from tui.ui.transcript.overlay import Range
from tui.ui.transcript.places import Stretch, source_of
from tui.ui.transcript.section import Section
from tui.ui.transcript.viewport import Shown

FIND_SLICE = 0.006
"""Seconds of a frame spent on counting what is found elsewhere."""


class Reader(Canvas):
    """Where one is in the conversation. The cursor is a turn's number and a section's key."""

    cursor: tuple[int, str] | None = None
    finder: Finder | None = None
    selection: Stretch | None = None

    def open(self, keys: Sequence[int], load: Load) -> None:
        self.cursor = self.finder = self.selection = None
        super().open(keys, load)

    # --- scrolling ----------------------------------------------------------------------------------------

    @property
    def following(self) -> bool:
        """Whether the view sticks to the end."""
        return self.viewport.following

    def follow(self) -> None:
        """Back to the end."""
        self.viewport.follow()
        self.redraw()

    def scroll_rows(self, rows: int) -> None:
        """Scroll down by `rows`, up if negative."""
        if self.size.height and self.viewport.move(rows):
            self.redraw()

    def scroll_page_up(self, **_: Any) -> None:
        """Scroll by a page. There is no animation, whatever is asked for: it would draw what nobody reads."""
        self.action_page(-1)

    def scroll_page_down(self, **_: Any) -> None:
        self.action_page(1)

    def scroll_end(self, **_: Any) -> None:
        self.follow()

    def scroll_home(self, **_: Any) -> None:
        self.action_top()

    def action_page(self, pages: int) -> None:
        self.scroll_rows(pages * max(1, self.size.height - 2))

    def action_top(self) -> None:
        if self.document.keys:
            self.viewport.stand(Place(0, 0, 0), 0)
            self.redraw()

    def action_follow(self) -> None:
        self.follow()

    # --- jumping ------------------------------------------------------------------------------------------

    def go_to(self, turn: int, section: str = "prompt", at: int = 0) -> bool:
        """Show a turn, a section of it ("block:3", "card:stop") and the source offset `at` in it, and put the
        cursor there. What is folded is unfolded. False if there is no such place."""
        index = self.document.index_of(turn)
        if index is None:
            return False
        number = self.document.layout(index).index_of(section)
        if number < 0:
            return False
        self._reveal(index, number, at, unfold=at > 0)
        self._stand_on(turn, section)
        self.redraw()
        return True

    def _reveal(self, turn: int, section: int, at: int, unfold: bool) -> None:
        """Bring a place to the upper third of the screen, unless it is on the screen already."""
        found = self.document.layout(turn).sections[section]
        if unfold and found.folded:
            self.document.fold(turn, found, False)
        slab = found.slab_at(at) if at or not found.foldable else 0
        place, row = self.viewport.row_at(Place(turn, section, slab), at)
        if any(s.place == place and s.nth == row for s in self.screen_rows):
            return
        self.viewport.stand(place, row, self.size.height // 3)

    def action_turn(self, step: int) -> None:
        """To the next prompt, or the one before."""
        top = next((s.place for s in self.screen_rows if s.place), None)
        if top is None:
            return
        turn = top.turn + step if step > 0 or self._at_prompt(top) else top.turn
        if turn >= len(self.document.keys):
            self.follow()
        elif turn >= 0:
            self.viewport.stand(Place(turn, 0, 0), 0)
            self._stand_on(self.document.keys[turn], "prompt")
            self.redraw()

    def _at_prompt(self, top: Place) -> bool:
        return top.section == 0 and top.slab == 0

    # --- the cursor ---------------------------------------------------------------------------------------

    def has_cursor(self, shown: Shown) -> bool:
        if self.cursor is None or not self.has_focus or shown.place is None or shown.section is None:
            return False
        here = self.document.keys[shown.place.turn] == self.cursor[0] and shown.section.key == self.cursor[1]
        return here and bool(shown.row.spans)

    def _stand_on(self, turn: int, section: str) -> None:
        if self.cursor != (turn, section):
            self.cursor = (turn, section)
            self.post_message(CursorMoved(turn, section))

    def _cursor_place(self) -> tuple[int, int] | None:
        """Indices of the cursor's turn and section; without one, those of the last section on the screen."""
        if self.cursor is not None:
            turn = self.document.index_of(self.cursor[0])
            if turn is not None and (section := self.document.layout(turn).index_of(self.cursor[1])) >= 0:
                return turn, section
        for shown in reversed(self.screen_rows):
            if shown.place and shown.section and shown.section.can_stand and shown.row.spans:
                return shown.place.turn, shown.place.section
        return None

    def under_cursor(self) -> tuple[int, Section] | None:
        """The turn's number and the section the cursor stands on."""
        place = self._cursor_place()
        if place is None:
            return None
        return self.document.keys[place[0]], self.document.layout(place[0]).sections[place[1]]

    def action_cursor(self, step: int) -> None:
        """To the next section, or the one before; one higher than the screen is scrolled through first."""
        place = self._cursor_place()
        if place is None:
            return
        if self.cursor is not None and self._goes_on(place, step):
            self.scroll_rows(step * max(1, self.size.height - 3))
            return
        if self.cursor is not None:
            place = self._neighbour(place, step) or place
        turn, number = place
        section = self.document.layout(turn).sections[number]
        self._stand_on(self.document.keys[turn], section.key)
        if not any(s.place and s.place[:2] == place and s.row.spans for s in self.screen_rows):
            place_there = Place(turn, number, 0 if step > 0 else section.slabs - 1)
            self.viewport.stand(place_there, 0, self.size.height // 3)
        self.redraw()

    def _goes_on(self, place: tuple[int, int], step: int) -> bool:
        """Whether the cursor's section goes on beyond the screen in this direction."""
        edge = self.screen_rows[-1 if step > 0 else 0]
        if edge.place is None or edge.place[:2] != place or edge.section is None:
            return False
        rows = self.document.rows(edge.place)
        if step > 0:
            return edge.place.slab + 1 < edge.section.slabs or edge.nth + 1 < len(rows)
        return edge.place.slab > 0 or edge.nth > 0

    def _neighbour(self, place: tuple[int, int], step: int) -> tuple[int, int] | None:
        turn, number = place
        while 0 <= turn < len(self.document.keys):
            sections = self.document.layout(turn).sections
            number += step
            if not 0 <= number < len(sections):
                turn += step
                if not 0 <= turn < len(self.document.keys):
                    return None
                number = -1 if step > 0 else len(self.document.layout(turn).sections)
            elif sections[number].can_stand:
                return turn, number
        return None

    def action_ask(self, action: str) -> None:
        """A key for the section under the cursor; the app knows what to do."""
        found = self.under_cursor()
        if found:
            self.post_message(Acted(found[0], found[1].key, action))

    def action_links(self) -> None:
        """The links in sight of the section under the cursor; the app asks before it opens one."""
        found = self.under_cursor()
        if found:
            rows = (shown.row for shown in self.screen_rows if shown.section is found[1])
            actions = (span.action for row in rows for span in row.spans)
            targets = dict.fromkeys(each[5:] for each in actions if each.startswith("link:"))
            self.post_message(Acted(found[0], found[1].key, "links", "\n".join(targets)))

    def action_copy(self) -> None:
        """Copy what is selected, else the source of the section under the cursor; for a card, ask the app."""
        found = self.under_cursor()
        if text := self.selected_text():
            self.post_message(CopyAsked(text))
        elif found and found[1].key.startswith("card:"):
            self.action_ask("copy")
        elif found:
            self.post_message(CopyAsked(found[1].source()))

    def selected_text(self) -> str:
        """The source text of the selection."""
        return source_of(self.document, self.selection) if self.selection else ""

    # --- folding ------------------------------------------------------------------------------------------

    def action_fold(self) -> None:
        """Fold or unfold the section under the cursor; a card is asked to show its details."""
        found = self.under_cursor()
        if found is None:
            return
        if found[1].foldable:
            self.toggle(found[0], found[1])
        else:
            self.action_ask("open")

    def toggle(self, turn: int, section: Section, y: int | None = None) -> None:
        """Fold or unfold a section. Its head stays in screen row `y`, or where it is."""
        index = self.document.index_of(turn)
        if index is None:
            return
        place = Place(index, self.document.layout(index).index_of(section.key), 0)
        if y is None:
            y = next((y for y, s in enumerate(self.screen_rows) if s.place == place), 0)
        self.document.fold(index, section, not section.folded)
        self.viewport.stand(place, len(self.document.rows(place)) - 1, y)
        self.redraw()

    def fold_all(self, folded: bool | None = None) -> None:
        """Fold or unfold all that can be; None: unfold if anything on the screen is folded, else fold."""
        if folded is None:
            folded = not any(s.section and s.section.folded for s in self.screen_rows)
        self.document.fold_all(folded)
        self.redraw()

    # --- finding ------------------------------------------------------------------------------------------

    def find(self, query: str) -> None:
        """Mark every match, and go to the nearest one above the end of the screen. Empty: stop finding."""
        self.finder = Finder(self.document, query) if query.strip() else None
        if self.finder:
            bottom = next((s.place.turn for s in reversed(self.screen_rows) if s.place), 0)
            self._go_to_hit(self.finder.step(forward=False, near=bottom))
            self._count_slice()
        self.redraw()

    def find_next(self, forward: bool = True) -> None:
        """On to the next match, or back; around the ends."""
        if self.finder:
            self._go_to_hit(self.finder.step(forward, near=0))
            self._tell_found(done=False)
            self.redraw()

    def _go_to_hit(self, hit: Hit | None) -> None:
        if hit is None:
            return
        number = self.document.layout(hit.turn).index_of(hit.section)
        if number >= 0:
            self._reveal(hit.turn, number, hit.begin, unfold=True)
            self._stand_on(self.document.keys[hit.turn], hit.section)

    def _count_slice(self) -> None:
        """Count on in slices, so that a long conversation freezes nothing."""
        finder = self.finder
        if finder is None or not self.is_running:
            return
        end = self.document.clock() + FIND_SLICE
        while more := finder.go_on():
            if self.document.clock() > end:
                break
        self._tell_found(done=not more)
        if more:
            self.set_timer(0.02, self._count_slice)

    def _tell_found(self, done: bool) -> None:
        if self.finder:
            self.post_message(Found(self.finder.query, self.finder.number, self.finder.total, done))

    # --- what is laid over rows ---------------------------------------------------------------------------

    def overlays(self, shown: Shown) -> list[Range]:
        if (self.selection is None and self.finder is None) or shown.row.at < 0 or shown.place is None:
            return []
        return [*self._found_in(shown), *self._selected_in(shown)]

    def _found_in(self, shown: Shown) -> list[Range]:
        if self.finder is None or shown.section is None or shown.place is None:
            return []
        begin, end = shown.row.at, shown.row.end
        hits = self.finder.in_section(shown.section)
        current = self.finder.current
        mine = current and current.section == shown.section.key and current.turn == shown.place.turn
        return [
            Range(a, b, inks.CURRENT if mine and current and a == current.begin else inks.FOUND)
            for a, b in hits_between(hits, begin, end)
        ]

    def _selected_in(self, shown: Shown) -> list[Range]:
        if self.selection is None or shown.place is None:
            return []
        covered = self.selection.in_section(shown.place.turn, shown.place.section)
        if covered is None or covered[0] >= shown.row.end or covered[1] <= shown.row.at:
            return []
        return [Range(max(covered[0], shown.row.at), min(covered[1], shown.row.end), inks.SELECTED)]


def hits_between(hits: list[tuple[int, int]], begin: int, end: int) -> list[tuple[int, int]]:
    """Those matches that touch the offsets from `begin` to `end`."""
    first = bisect_left(hits, (begin, 0))
    first -= first > 0 and hits[first - 1][1] > begin
    found = []
    for hit in hits[first:]:
        if hit[0] >= end:
            break
        found.append(hit)
    return found
