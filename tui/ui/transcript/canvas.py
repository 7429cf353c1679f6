"""The drawing half of the transcript widget: rows of a viewport by `render_line`, at most once per frame.

There is one widget however long the conversation is. It has no size of its own to lay out, no children, and
no timer while nothing changes. What changed since the last frame is found by comparing rows by identity.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.transcript import inks
from tui.ui.transcript.document import Document, Load
from tui.ui.transcript.highlight import budget, engines
from tui.ui.transcript.items import FollowChanged, TurnItem
from tui.ui.transcript.overlay import Range, laid_over
from tui.ui.transcript.palette import Drawn, Palette
from tui.ui.transcript.rows import Span, cells
from tui.ui.transcript.scrollbar import thumb
from tui.ui.transcript.section import Section
from tui.ui.transcript.setting import UNICODE, Glyphs, Setting
from tui.ui.transcript.viewport import Shown, Viewport

FRAME = 1 / 30
"""Seconds between two frames, at least."""
TICK = 0.25
"""Seconds between two looks at the times of what is running."""
LIGHT = 1600
"""Characters of code highlighted in a frame while text comes: some 4 ms, and at least one slab."""
LIGHT_AT_REST = 6000
"""The same when someone scrolls, folds or jumps: a screen full of code."""
GUTTER = 1  # columns left of the text, for the cursor
BAR = 1  # columns of the scroll bar

_Made = tuple[object, ...]


class Canvas(Widget):
    """Takes turns in, and draws them when there is something to draw."""

    def __init__(
        self,
        *,
        id: str | None = None,
        classes: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.document = Document(clock)
        self.viewport = Viewport(self.document)
        self.palette = Palette(self.get_component_rich_style)
        self.glyphs = glyphs
        self.may_draw: Callable[[], bool] = lambda: True
        """Whether the terminal takes a frame now; growth waits while it does not."""
        self.seen = True
        """Whether it is on the screen; what comes while it is behind another is drawn when it is shown."""
        self.ticking = True
        """Whether times of what is running go on (off where nothing may move by itself)."""
        self.screen_rows: list[Shown] = []
        self._touched: set[int] = set()
        self._frame_due: asyncio.TimerHandle | None = None
        self._next_frame = 0.0
        self._tick_due: asyncio.TimerHandle | None = None
        self._made: list[_Made] = []  # what each screen row was drawn from
        self._strips: list[Strip | None] = []  # as drawn; None: to be made
        self._drawn_size = (0, 0)
        self._told = (True, 0)

    # --- feeding ------------------------------------------------------------------------------------------

    def open(self, keys: Sequence[int], load: Load) -> None:
        """Show a stored conversation: the numbers of its turns, and how to get one.

        Turns are asked for when they come into view, so opening costs the same for ten and for 20,000.
        """
        self.document.open(keys, load)
        self.viewport.follow()
        self._wake()

    def show(self, item: TurnItem) -> None:
        """Add a turn at the end, or another item for a turn that is there."""
        self.document.show(item)
        self._wake()

    def touch(self, turn: int) -> None:
        """Something in this turn changed. O(1), 20,000 times a second if need be; the next frame draws it."""
        self._touched.add(turn)
        if self._frame_due is None:
            self._wake()

    def draw_now(self) -> None:
        """Draw what is pending without waiting for the next frame (the text is frozen, now)."""
        if self._frame_due:
            self._frame_due.cancel()
            self._frame_due = None
        if self.is_running and self.seen:
            self.frame()

    # --- frames -------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """See that a frame comes, soon but not sooner than the frame rate allows."""
        if self._frame_due is None and self.is_running and self.seen:
            loop = asyncio.get_running_loop()
            self._frame_due = loop.call_at(max(loop.time(), self._next_frame), self.call_later, self._due)

    def _due(self) -> None:
        if self._frame_due is None:
            return  # drawn meanwhile
        self._frame_due = None
        if self.may_draw():
            self.frame()
        else:
            self._next_frame = asyncio.get_running_loop().time() + FRAME
            self._wake()

    def frame(self) -> None:
        """Take in what was touched, and draw. A slow frame makes the next one wait longer."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        touched, self._touched = self._touched | self.document.behind, set()
        budget.renew(LIGHT)
        for turn in touched:
            self.document.sync(turn)
        more = self._draw()
        self._next_frame = began + max(FRAME, 3 * (loop.time() - began))
        if more:
            self._wake()

    def on_mount(self) -> None:
        self._wake()

    def on_unmount(self) -> None:
        for due in (self._frame_due, self._tick_due):
            if due:
                due.cancel()
        self._frame_due = self._tick_due = None

    def _tick_later(self) -> None:
        """While something that runs is on the screen, its time goes on. Nothing else ever ticks."""
        if self.ticking and self.seen and self._tick_due is None and self._ticking_sections():
            loop = asyncio.get_running_loop()
            self._tick_due = loop.call_later(TICK, self.call_later, self._tick)

    def _tick(self) -> None:
        self._tick_due = None
        for section in self._ticking_sections():
            section.changed()
        self.redraw()

    def _ticking_sections(self) -> list[Section]:
        return [
            s.section
            for s in self.screen_rows
            if s.section and s.place and not s.place.slab and s.section.ticks
        ]

    # --- drawing ------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Find what is on the screen now, and have those rows painted that are not what they were."""
        budget.renew(LIGHT_AT_REST)
        if self._draw():
            self._wake()

    def _draw(self) -> bool:
        """True if there is more to do in the next frame."""
        if not self.seen or not self.size.width or not self.size.height:
            return False
        for region in _regions(self._lay_out(), self.size.width):
            self.refresh(region)
        self._tell()
        self._tick_later()
        return bool(self.document.behind) or budget.out

    def _lay_out(self) -> list[int]:
        """Make the rows of the screen; returns those that differ from what was drawn."""
        width, height = self.size
        self.document.setting = Setting(max(8, width - GUTTER - BAR), self.glyphs, engines.count)
        self.viewport.height = height
        self.screen_rows = self.viewport.compose()
        engines.when_more(self._wake)
        start, size = thumb(height, self.viewport.above, self.document.height, self.viewport.following)
        made = [self._making(y, shown, start <= y < start + size) for y, shown in enumerate(self.screen_rows)]
        if self._drawn_size != (width, height):
            self._drawn_size = (width, height)
            self._made, self._strips = [], []
        old = self._made
        changed = [y for y, now in enumerate(made) if y >= len(old) or not _same(now, old[y])]
        self._strips = self._strips_for(made, changed)
        self._made = made
        return changed

    def _strips_for(self, made: list[_Made], changed: list[int]) -> list[Strip | None]:
        """A row that only moved keeps its strip, and with it what Textual found out about it."""
        where = {id(was[0]): y for y, was in enumerate(self._made)}
        strips = self._strips + [None] * (len(made) - len(self._strips))
        for y in changed:
            at = where.get(id(made[y][0]), -1)
            moved = at >= 0 and _same(made[y], self._made[at])
            strips[y] = self._strips[at] if moved else None
        return strips

    def _making(self, y: int, shown: Shown, barred: bool) -> _Made:
        """All that the look of a screen row depends on, besides the theme. The row itself is first."""
        return (shown.row, shown.indent, shown.mark, barred, self.has_cursor(shown), *self.overlays(shown))

    def has_cursor(self, shown: Shown) -> bool:
        """Whether the row carries the cursor in its gutter."""
        return False

    def overlays(self, shown: Shown) -> list[Range]:
        """What is laid over a row."""
        return []

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of a region. There is no border or padding to add, so nothing is kept twice."""
        lines = [self.render_line(y) for y in crop.line_range]
        if crop.column_span == (0, self.size.width):
            return lines
        return [line.crop(*crop.column_span) for line in lines]

    def render_line(self, y: int) -> Strip:
        if self._drawn_size != self.size:
            self._lay_out()
        if y >= len(self._strips):
            return Strip.blank(self.size.width, self.rich_style)
        strip = self._strips[y]
        if strip is None:
            strip = self._strips[y] = self._filtered(self._strip(y))
        return strip

    def _filtered(self, strip: Drawn) -> Drawn:
        """What the terminal asks for: no colours, no dim, plain 16 colours made exact."""
        segments: list[Segment] = list(strip)
        for change in self.get_line_filters():
            segments = change.apply(segments, self.background_colors[1])
        return Drawn(segments, strip.cell_length)

    def _strip(self, y: int) -> Drawn:
        shown = self.screen_rows[y]
        _, _, _, barred, cursor, *ranges = self._made[y]
        room = self.size.width - BAR
        mark = _mark_span(shown.mark)
        used = GUTTER + shown.indent + shown.row.width + cells(mark.text)
        spans = [
            Span(self.glyphs.cursor, inks.CURSOR) if cursor else Span(" "),
            Span(" " * shown.indent),
            *(laid_over(shown.row, ranges) if ranges else shown.row.spans),  # type: ignore[arg-type]
            mark,
            Span(" " * (room - used)),
        ]
        bar = Span(self.glyphs.thumb if barred else " ", inks.THUMB)
        if used <= room:
            return self.palette.strip([*spans, bar], room + BAR)
        text, edge = self.palette.strip(spans, used), self.palette.strip([bar], BAR)
        return Drawn([*text.crop(0, room), *edge], room + BAR)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.palette.clear()
        self._strips = [None] * len(self._strips)

    def on_resize(self, event: events.Resize) -> None:
        self.redraw()

    def _tell(self) -> None:
        now = (self.viewport.following, self.viewport.below)
        if now != self._told:
            self._told = now
            self.post_message(FollowChanged(*now))


def _same(one: _Made, other: _Made) -> bool:
    return one[0] is other[0] and one[1:] == other[1:]


def _mark_span(mark: str) -> Span:
    """The mark behind the last character. A caret stands close, a sign apart."""
    return Span(mark if mark in ("", "▌", "|", "_") else f" {mark}", inks.LABEL)


def _regions(rows: list[int], width: int) -> list[Region]:
    """Screen rows as regions, neighbours in one."""
    found: list[Region] = []
    for y in rows:
        if found and found[-1].bottom == y:
            found[-1] = Region(0, found[-1].y, width, found[-1].height + 1)
        else:
            found.append(Region(0, y, width, 1))
    return found
