"""The transcript widget whole: keys, mouse and colours."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.selection import SELECT_ALL, Selection
from textual.timer import Timer

from tui.ui.transcript import inks
from tui.ui.transcript.canvas import BAR, GUTTER
from tui.ui.transcript.code import fence_source
from tui.ui.transcript.items import Acted, CopyAsked
from tui.ui.transcript.places import Spot, Stretch, line_around, span_at, spot_at, stretch, word_around
from tui.ui.transcript.reader import Reader
from tui.ui.transcript.scrollbar import row_for
from tui.ui.transcript.viewport import Shown

_HIDDEN = {"show": False}


class TranscriptView(Reader, can_focus=True):
    """A conversation. Feed it with `open`, `show` and `touch`; it posts the messages of `items`.

    A click takes no focus from the text box. Selecting with the mouse selects source text; the screen's own
    copy command (`Screen.get_selected_text`) gives it, too.
    """

    ALLOW_SELECT = False  # Textual's selection knows only what is drawn
    FOCUS_ON_CLICK = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"transcript--{name}" for name in (*inks.NAMES, "found", "current", "selected")
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "Section above", show=False, id="transcript.up"),
        Binding("down", "cursor(1)", "Section below", show=False, id="transcript.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="transcript.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="transcript.page_down"),
        Binding("left_square_bracket", "turn(-1)", "Turn above", show=False, id="transcript.turn_up"),
        Binding("right_square_bracket", "turn(1)", "Turn below", show=False, id="transcript.turn_down"),
        Binding("home", "top", "Start", show=False, id="transcript.start"),
        Binding("end", "follow", "Back to live", show=False, id="transcript.end"),
        Binding("enter,space", "fold", "Fold or unfold", show=False, id="transcript.fold"),
        Binding("y", "copy", "Copy", id="transcript.copy"),
        Binding("e", "ask('edit')", "Edit and resend", id="transcript.edit"),
        Binding("r", "ask('resend')", "Resend", show=False, id="transcript.resend"),
        Binding("o", "links", "Open a link", show=False, id="transcript.links"),
        Binding("d", "ask('details')", "Details", show=False, id="transcript.details"),
    ]
    DEFAULT_CSS = """
    TranscriptView {
        height: 1fr;
        background: $background;
        color: $foreground;
        & > .transcript--dim, & > .transcript--target, & > .transcript--tok-comment { color: $text-muted; }
        & > .transcript--heading { color: $text-primary; }
        & > .transcript--code { color: $text-accent; }
        & > .transcript--fence, & > .transcript--tok-operator { color: $foreground; }
        & > .transcript--link { color: $text-primary; text-style: underline; }
        & > .transcript--bullet, & > .transcript--accent { color: $text-primary; }
        & > .transcript--quote, & > .transcript--rule, & > .transcript--border { color: $text-disabled; }
        & > .transcript--good { color: $text-success; }
        & > .transcript--warning { color: $text-warning; }
        & > .transcript--error { color: $text-error; }
        & > .transcript--key { color: $text-accent; }
        & > .transcript--reasoning { color: $text-muted; }
        & > .transcript--tok-keyword { color: $text-primary; text-style: bold; }
        & > .transcript--tok-name { color: $text-secondary; }
        & > .transcript--tok-string, & > .transcript--tok-inserted { color: $text-success; }
        & > .transcript--tok-number { color: $text-warning; }
        & > .transcript--tok-deleted { color: $text-error; }
        & > .transcript--cursor { color: $accent; text-style: bold; }
        & > .transcript--bar, & > .transcript--thumb { color: $text-disabled; }
        & > .transcript--found { background: $warning-muted; color: $text-warning; text-style: underline; }
        & > .transcript--current { background: $warning; color: $background; text-style: bold underline; }
        &:ansi > .transcript--dim, &:ansi > .transcript--target, &:ansi > .transcript--quote,
        &:ansi > .transcript--border, &:ansi > .transcript--reasoning, &:ansi > .transcript--tok-comment {
            text-style: dim;
        }
        & > .transcript--selected { background: $primary; color: $background; }
    }
    """

    _pressed: Spot | None = None
    _dragging = ""  # "text" or "bar"
    _beyond: Timer | None = None
    _pointer = (0, 0)

    # --- words that can be clicked ------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        shown = self._row(event.y)
        if shown is None or shown.section is None or shown.place is None:
            return
        if event.chain > 1:
            self._select_around(event)
            return
        found = span_at(shown.row, event.x - GUTTER - shown.indent)
        self._stand_on(self.document.keys[shown.place.turn], shown.section.key)
        if found and found[0].action and self.selection is None:
            self._act(shown, found[0].action, event.y)
        else:
            self.redraw()

    def _act(self, shown: Shown, action: str, y: int) -> None:
        assert shown.section and shown.place
        turn = self.document.keys[shown.place.turn]
        name, _, value = action.partition(":")
        if name == "fold":
            self.toggle(turn, shown.section, y)
        elif name == "code" and shown.section.body:
            self.post_message(CopyAsked(fence_source(shown.section.body, int(value))))
        else:
            self.post_message(Acted(turn, shown.section.key, name, value))

    def _row(self, y: int) -> Shown | None:
        return self.screen_rows[y] if 0 <= y < len(self.screen_rows) else None

    # --- wheel and bar ------------------------------------------------------------------------------------

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_rows(-max(1, round(self.app.scroll_sensitivity_y)))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_rows(max(1, round(self.app.scroll_sensitivity_y)))

    def _drag_bar(self, y: int) -> None:
        height = self.size.height
        if y >= height - 1:
            self.follow()
            return
        place, row = self.document.at_row(row_for(y, height, self.document.height))
        self.viewport.stand(place, row)
        self.redraw()

    # --- selecting ----------------------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button != 1 or not self.document.keys:
            return
        if event.x >= self.size.width - BAR and self.document.height > self.size.height:
            self._dragging = "bar"
            self.capture_mouse()
            self._drag_bar(event.y)
            return
        self._pressed = spot_at(self.screen_rows, event.y, event.x - GUTTER)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging == "bar":
            self._drag_bar(event.y)
        elif self._pressed is not None and event.button == 1:
            if self._dragging != "text":
                self._dragging = "text"
                self.capture_mouse()
            self._pointer = (event.x, event.y)
            self._drag_text()
            self._watch_edge(event.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        dragged, self._dragging, self._pressed = self._dragging, "", None
        self._stop_edge()
        if dragged:
            self.release_mouse()
        if dragged == "text" and self.selection:
            self.screen.selections = {self: SELECT_ALL}  # what it means is `get_selection`'s to say

    def _drag_text(self) -> None:
        spot = spot_at(self.screen_rows, self._pointer[1], self._pointer[0] - GUTTER)
        if spot and self._pressed:
            self._select(stretch(self._pressed, spot))

    def _select(self, selection: Stretch | None) -> None:
        self.selection = selection
        self.redraw()

    def _select_around(self, event: events.Click) -> None:
        """A double click selects the word, a triple click the line of the source."""
        spot = spot_at(self.screen_rows, event.y, event.x - GUTTER)
        if spot is None:
            return
        section = self.document.layout(spot.turn).sections[spot.section]
        begin, end = (word_around if event.chain == 2 else line_around)(section, spot.at)
        if begin < end:
            self._select(Stretch((spot.turn, spot.section, begin), (spot.turn, spot.section, end)))
            self.screen.selections = {self: SELECT_ALL}

    def _watch_edge(self, y: int) -> None:
        """While the pointer is above or below the text, scroll that way."""
        outside = y < 0 or y >= self.size.height
        if outside and self._beyond is None:
            self._beyond = self.set_interval(1 / 20, self._scroll_on)
        elif not outside:
            self._stop_edge()

    def _scroll_on(self) -> None:
        y = self._pointer[1]
        self.scroll_rows(max(-5, y) if y < 0 else min(5, y - self.size.height + 1))
        self._drag_text()

    def _stop_edge(self) -> None:
        if self._beyond:
            self._beyond.stop()
            self._beyond = None

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The source text of what is selected here, for the screen's copy command."""
        text = self.selected_text()
        return (text, "\n") if text else None

    def selection_updated(self, selection: Selection | None) -> None:
        if selection is None and self._dragging != "text":
            self._select(None)

    # --- focus --------------------------------------------------------------------------------------------

    def on_focus(self) -> None:
        if self.cursor is None and (found := self.under_cursor()):
            self._stand_on(found[0], found[1].key)
        self.call_next(self.redraw)  # by then the focus is here

    def on_blur(self) -> None:
        self.call_next(self.redraw)
