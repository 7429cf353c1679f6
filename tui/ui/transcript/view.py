"""The transcript widget: draws the rows of a viewport by `render_line`, at most once per frame.

There is one widget however long the conversation is. It has no size of its own to lay out, no children, and no
timer while nothing changes. What changed since the last frame is found by comparing rows by identity.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.transcript import inks
from tui.ui.transcript.document import Document, Load
from tui.ui.transcript.highlight import engines
from tui.ui.transcript.items import Acted, FollowChanged, TurnItem
from tui.ui.transcript.palette import Palette
from tui.ui.transcript.rows import Span, cells
from tui.ui.transcript.scrollbar import thumb
from tui.ui.transcript.setting import UNICODE, Glyphs, Setting
from tui.ui.transcript.viewport import NOTHING, Shown, Viewport

FRAME = 1 / 30
"""Seconds between two frames, at least."""

GUTTER = 1  # columns left of the text, for the cursor
BAR = 1  # columns of the scroll bar


class TranscriptView(Widget, can_focus=True):
    """A conversation. Feed it with `show` and `touch`; it posts the messages of `items`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"transcript--{name}" for name in (*inks.NAMES, "found", "current", "selected")
    }
    ALLOW_SELECT = False  # it selects source text, not what is drawn
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "top", "Start", show=False),
        Binding("end", "follow", "Back to live", show=False),
        Binding("ctrl+up", "line(-1)", "Line up", show=False),
        Binding("ctrl+down", "line(1)", "Line down", show=False),
    ]
    DEFAULT_CSS = """
    TranscriptView {
        height: 1fr;
        background: $background;
        color: $foreground;
        & > .transcript--dim, & > .transcript--target, & > .transcript--tok-comment { color: $text-muted; }
        & > .transcript--heading { color: $text-primary; }
        & > .transcript--code { color: $text-accent; }
        & > .transcript--link { color: $text-primary; text-style: underline; }
        & > .transcript--bullet, & > .transcript--accent { color: $text-primary; }
        & > .transcript--quote, & > .transcript--rule, & > .transcript--border { color: $text-disabled; }
        & > .transcript--good { color: $text-success; }
        & > .transcript--warning { color: $text-warning; }
        & > .transcript--error { color: $text-error; }
        & > .transcript--key { color: $text-accent; }
        & > .transcript--reasoning { color: $text-muted; text-style: italic; }
        & > .transcript--tok-keyword { color: $text-primary; text-style: bold; }
        & > .transcript--tok-name { color: $text-secondary; }
        & > .transcript--tok-string { color: $text-success; }
        & > .transcript--tok-number { color: $text-warning; }
        & > .transcript--tok-operator { color: $foreground; }
        & > .transcript--tok-deleted { color: $text-error; }
        & > .transcript--tok-inserted { color: $text-success; }
        & > .transcript--fence { color: $foreground; }
        & > .transcript--cursor { color: $accent; text-style: bold; }
        & > .transcript--bar { color: $text-disabled; }
        & > .transcript--thumb { color: $text-disabled; }
        & > .transcript--found { background: $warning-muted; color: $text-warning; text-style: underline; }
        & > .transcript--current { background: $warning; color: $background; text-style: bold underline; }
        & > .transcript--selected { background: $primary; color: $background; }
    }
    """

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
        self._dirty: set[int] = set()
        self._frame_due: asyncio.TimerHandle | None = None
        self._next_frame = 0.0
        self._screen: list[Shown] = []
        self._drawn: list[tuple[object, ...]] = []  # what each screen row was made of
        self._strips: list[Strip | None] = []
        self._told = (True, 0)

    # --- feeding ------------------------------------------------------------------------------------------

    def open(self, keys: Sequence[int], load: Load) -> None:
        """Show a stored conversation: the numbers of its turns, and how to get one. Turns are asked for when
        they come into view."""
        self.document.open(keys, load)
        self.viewport.follow()
        self._wake()

    def show(self, item: TurnItem) -> None:
        """Add a turn at the end, or another item for a turn that is there."""
        self.document.show(item)
        self._wake()

    def touch(self, turn: int) -> None:
        """Something in this turn changed. O(1); drawing follows with the next frame."""
        self._dirty.add(turn)
        if self._frame_due is None:
            self._wake()

    def draw_now(self) -> None:
        """Draw what is pending without waiting for the next frame (the text is frozen, now)."""
        if self._frame_due:
            self._frame_due.cancel()
            self._frame_due = None
        self._frame()

    # --- frames -------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """See that a frame comes, soon but not sooner than the frame rate allows."""
        if self._frame_due is None and self.is_running:
            loop = asyncio.get_running_loop()
            self._frame_due = loop.call_at(max(loop.time(), self._next_frame), self._frame_is_due)

    def _frame_is_due(self) -> None:
        self.call_later(self._due)

    def _due(self) -> None:
        self._frame_due = None
        if self._dirty and not self.may_draw():
            self._next_frame = asyncio.get_running_loop().time() + FRAME
            self._wake()
            return
        self._frame()

    def _frame(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        dirty, self._dirty = self._dirty, set()
        for turn in dirty:
            self.document.sync(turn)
        self._draw()
        cost = loop.time() - began
        self._next_frame = began + max(FRAME, 3 * cost)

    def on_mount(self) -> None:
        self._wake()

    def on_unmount(self) -> None:
        if self._frame_due:
            self._frame_due.cancel()

    # --- drawing ------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Compose the screen, and have those rows painted that are not what they were."""
        if not self.size.width or not self.size.height:
            return
        changed = self._lay_out()
        for region in _regions(changed, self.size.width):
            self.refresh(region)
        self._tell()

    def _lay_out(self) -> list[int]:
        """Find what is on the screen; returns the screen rows that differ from what was drawn."""
        width, height = self.size
        self.document.setting = Setting(max(8, width - GUTTER - BAR), self.glyphs, engines.count)
        self.viewport.height = height
        self._screen = self.viewport.compose()
        engines.when_more(self._wake)
        start, size = thumb(height, self.viewport.above, self.document.height)
        if self.viewport.following and size:
            start = height - size
        drawn: list[tuple[object, ...]] = [
            (id(shown.row), shown.row, shown.indent, shown.mark, start <= y < start + size, width)
            for y, shown in enumerate(self._screen)
        ]
        old = self._drawn
        changed = [
            y
            for y, made in enumerate(drawn)
            if y >= len(old) or made[0] != old[y][0] or made[2:] != old[y][2:]
        ]
        self._drawn = drawn
        if len(self._strips) != height:
            self._strips = [None] * height
        for y in changed:
            self._strips[y] = None
        return changed

    def render_line(self, y: int) -> Strip:
        if len(self._drawn) != self.size.height or not self._drawn or self._drawn[0][5] != self.size.width:
            self._lay_out()
        if y >= len(self._strips):
            return Strip.blank(self.size.width, self.rich_style)
        strip = self._strips[y]
        if strip is None:
            strip = self._strips[y] = self._strip(y)
        return strip

    def _strip(self, y: int) -> Strip:
        shown = self._screen[y]
        width = self.size.width
        mark = (
            [Span(f" {shown.mark}" if shown.mark != self.glyphs.cursor else shown.mark)] if shown.mark else []
        )
        used = GUTTER + shown.indent + shown.row.width + sum(cells(span.text) for span in mark) + BAR
        bar = Span(self.glyphs.thumb, inks.THUMB) if self._drawn[y][4] else Span(" ", inks.BAR)
        left = Span(" " * (GUTTER + shown.indent))
        spans = [left, *shown.row.spans, *mark, Span(" " * max(0, width - used)), bar]
        strip = self.palette.strip(spans, max(width, used))
        return strip if used <= width else strip.crop(0, width)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.palette.clear()
        self._strips = [None] * len(self._strips)

    def on_resize(self, event: events.Resize) -> None:
        self._draw()

    def _tell(self) -> None:
        now = (self.viewport.following, self.viewport.below)
        if now != self._told:
            self._told = now
            self.post_message(FollowChanged(*now))

    # --- scrolling ----------------------------------------------------------------------------------------

    @property
    def following(self) -> bool:
        """Whether the view sticks to the end."""
        return self.viewport.following

    def follow(self) -> None:
        """Back to the end."""
        self.viewport.follow()
        self._draw()

    def scroll_rows(self, rows: int) -> None:
        """Scroll down by `rows`, up if negative."""
        if self.size.height and self.viewport.move(rows):
            self._draw()

    def scroll_page_up(self, **_: Any) -> None:
        """Scroll by a page. There is no animation, whatever is asked for: it would draw what nobody reads."""
        self.action_page(-1)

    def scroll_page_down(self, **_: Any) -> None:
        self.action_page(1)

    def scroll_end(self, **_: Any) -> None:
        self.follow()

    def scroll_home(self, **_: Any) -> None:
        self.action_top()

    def action_line(self, rows: int) -> None:
        self.scroll_rows(rows)

    def action_page(self, pages: int) -> None:
        self.scroll_rows(pages * max(1, self.size.height - 2))

    def action_top(self) -> None:
        if self.document.keys:
            self.viewport.stand(self.document.at_row(0)[0], 0)
            self._draw()

    def action_follow(self) -> None:
        self.follow()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_rows(-round(self.app.scroll_sensitivity_y))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_rows(round(self.app.scroll_sensitivity_y))

    # --- folding ------------------------------------------------------------------------------------------

    def fold_all(self, folded: bool | None = None) -> None:
        """Fold or unfold everything that can be; None: unfold if anything is folded, else fold."""

    def _act(self, shown: Shown, action: str) -> None:
        section, place = shown.section, shown.place
        if section is None or place is None:
            return
        if action == "fold":
            section.folded = not section.folded
            section.changed()
            layout = self.document.layout(place.turn)
            layout.resized(section)
            self.document.settle(place.turn)
            self._draw()
            return
        name, _, value = action.partition(":")
        self.post_message(Acted(self.document.keys[place.turn], section.key, name, value))

    def on_click(self, event: events.Click) -> None:
        shown = self._screen[event.y] if event.y < len(self._screen) else NOTHING
        column = event.x - GUTTER - shown.indent
        for span in shown.row.spans:
            column -= cells(span.text)
            if column < 0:
                if span.action:
                    self._act(shown, span.action)
                return


def _regions(rows: list[int], width: int) -> list[Region]:
    """Runs of screen rows as regions."""
    found: list[Region] = []
    for y in rows:
        if found and found[-1].bottom == y:
            found[-1] = Region(0, found[-1].y, width, found[-1].height + 1)
        else:
            found.append(Region(0, y, width, 1))
    return found
