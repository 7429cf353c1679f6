"""The inspector as a part of the screen: events or waterfall, a filter line, and the newest receipt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from tui.core.conversation import Turn
from tui.core.events import Record
from tui.ui.inspector.event_roll import EventRoll
from tui.ui.inspector.places import belongs, offset_of, section_of
from tui.ui.inspector.receipt_rows import ReceiptRows
from tui.ui.inspector.spans import Gaps, Span, spans
from tui.ui.inspector.waterfall import Waterfall
from tui.ui.inspector.words import as_json
from tui.ui.transcript.items import CopyAsked
from tui.ui.widgets.lines import Piece, Row
from tui.ui.widgets.roll import Roll

if TYPE_CHECKING:
    from tui.ui.talk import Talk


class Inspector(Vertical):
    """Looks at a talk. Costs nothing while it is not displayed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,f", "find", show=False),
        Binding("y", "copy", show=False),
        Binding("g", "place", show=False),
        Binding("w", "tab", show=False),
        Binding("left_square_bracket", "turn(-1)", show=False),
        Binding("right_square_bracket", "turn(1)", show=False),
    ]
    DEFAULT_CSS = """
    Inspector { width: 1fr; height: 1fr; background: $surface; }
    Inspector > Input { height: 1; border: none; padding: 0 1; display: none; }
    Inspector > Input.-shown { display: block; }
    Inspector > #waterfall { display: none; }
    Inspector.-waterfall > #waterfall { display: block; }
    Inspector.-waterfall > #events { display: none; }
    """

    class Jump(Message):
        """Show this place in the transcript."""

        def __init__(self, turn: int, section: str, at: int) -> None:
            super().__init__()
            self.turn, self.section, self.at = turn, section, at

    class Opened(Message):
        """Show this event whole."""

        def __init__(self, record: Record) -> None:
            super().__init__()
            self.record = record

    def __init__(self, talk: Talk, now: Callable[[], float], plain: bool = False) -> None:
        super().__init__(id="inspector")
        self.talk, self.now = talk, now
        conversation = talk.session.conversation
        self.events = EventRoll(talk.log, conversation, talk.opening.older, plain)
        self.waterfall = Waterfall(self._spans, plain)
        self.chosen = 0  # the turn of the waterfall; 0: the newest
        self._gaps: dict[int, Gaps] = {}
        self.receipt = ReceiptRows()

    def compose(self) -> ComposeResult:
        yield Row(self._head, id="inspector-head")
        yield Row(self._status, id="inspector-status")
        yield self.events
        yield self.waterfall
        yield Input(placeholder="type, text, late, turn:2", select_on_focus=False)
        yield self.receipt

    # --- shown and hidden ---------------------------------------------------------------------------------

    def on_show(self) -> None:
        self.talk.log.on_growth = self.roll.grown
        self.moved()

    def on_hide(self) -> None:
        self.talk.log.on_growth = None

    def on_unmount(self) -> None:
        self.talk.log.on_growth = None

    @property
    def roll(self) -> Roll:
        """The list in sight."""
        return self.waterfall if self.has_class("-waterfall") else self.events

    def moved(self) -> None:
        """A phase or a stop changed: the receipt and the head are drawn anew."""
        if not self.is_mounted or not self.display:
            return
        turns = self.talk.session.conversation.turns
        self.receipt.show(next((turn for turn in reversed(turns) if turn.stop), None))
        self._refresh_heads()
        self.roll.grown()

    def _refresh_heads(self) -> None:
        for row in self.query(Row):
            row.refresh()

    # --- head lines ---------------------------------------------------------------------------------------

    def _head(self, width: int) -> tuple[list[Piece], list[Piece]]:
        waterfall = self.has_class("-waterfall")
        keys = (
            [("w", "events"), ("[ ]", "turn"), ("+ -", "zoom"), ("← →", "pan"), ("g", "place")]
            if waterfall
            else [("t", "type"), ("/", "filter"), ("p", "pause"), ("Enter", "raw"), ("y", "copy"),
                  ("g", "place"), ("w", "waterfall")]
        )  # fmt: skip
        pieces: list[Piece] = [(" WATERFALL " if waterfall else " EVENTS ", "row--strong")]
        used = len(pieces[0][0])
        for key, word in keys:
            used += len(key) + len(word) + 2
            if used > width:
                break
            pieces += [(f" {key}", "row--key"), (f" {word}", "row--dim")]
        return pieces, []

    def _status(self, width: int) -> tuple[list[Piece], list[Piece]]:
        if self.has_class("-waterfall"):
            return [(f" {self._about(self.turn)}", "row--dim")], []
        events = self.events
        words = f" {events.group}" + (f' "{events.text}"' if events.text else "")
        paused: list[Piece] = [("paused ", "row--warn")] if events.paused_at else []
        return [(f"{words}  shown {events.total():,} of {self.talk.log.last:,}", "row--dim")], paused

    def _about(self, turn: Turn | None) -> str:
        if turn is None:
            return "nothing has been sent yet"
        words = [f"turn {turn.number}", f"{turn.events:,} events"]
        script = turn.transcript
        if script.input_tokens or script.output_tokens:
            words.append(f"{script.input_tokens:,} + {script.output_tokens:,} tokens")
        took = turn.last_at - turn.first_at if turn.first_at is not None else 0.0
        if took > 0 and script.output_tokens:
            words.append(f"{script.output_tokens / took:,.1f} tokens/s")
        if took > 0 and script.chars:
            words.append(f"{script.chars / took:,.0f} ch/s")
        return "  ".join(words)

    # --- waterfall ----------------------------------------------------------------------------------------

    @property
    def turn(self) -> Turn | None:
        """The turn of the waterfall."""
        return self.events.turn(self.chosen) if self.chosen else self.talk.turn

    def _spans(self) -> list[Span]:
        turn = self.turn
        return spans(turn, self.now(), self._quiet(turn)) if turn else []

    def _quiet(self, turn: Turn) -> list[tuple[float, float]]:
        """Quiet stretches; found once, from the store where need be, and added to while the turn grows."""
        known = self._gaps.get(turn.number)
        if known is None:
            known = self._gaps[turn.number] = Gaps()
            self.events.spawn(self._find_gaps(turn, known))
        elif known.complete:
            known.go_on(self.talk.log.backwards(turn.number))
        return known.found

    async def _find_gaps(self, turn: Turn, known: Gaps) -> None:
        known.go_on(reversed(await self.events.of_turn(turn)))
        known.complete = True
        self.waterfall.grown()

    def action_turn(self, step: int) -> None:
        """The waterfall of another turn."""
        conversation = self.talk.session.conversation
        now = self.chosen or conversation.count
        self.chosen = max(conversation.base + 1, min(conversation.count, now + step))
        self.waterfall.cursor = 0
        self.waterfall.action_whole()
        self._refresh_heads()

    def action_tab(self) -> None:
        """Events or waterfall."""
        record = self.events.current
        self.toggle_class("-waterfall")
        if self.has_class("-waterfall") and record and self.events.turn(record.turn):
            self.chosen = record.turn if record.turn != self.talk.session.conversation.count else 0
        self.talk.log.on_growth = self.roll.grown
        self.roll.focus()
        self._refresh_heads()

    # --- filtering ----------------------------------------------------------------------------------------

    def action_find(self) -> None:
        """Open the filter line."""
        line = self.query_one(Input)
        line.add_class("-shown")
        line.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.events.filter(self.events.group, event.value)

    @on(Input.Submitted)
    def _typed_all(self, event: Input.Submitted) -> None:
        event.stop()
        event.input.set_class(bool(event.value), "-shown")
        self.events.focus()

    # --- one event ----------------------------------------------------------------------------------------

    @on(Roll.Moved)
    def _cursor_moved(self, event: Roll.Moved) -> None:
        event.stop()
        self._refresh_heads()

    @on(Roll.Chosen)
    def _chosen(self, event: Roll.Chosen) -> None:
        event.stop()
        if event.control is self.waterfall:
            self.action_place()
        elif self.events.current:
            self.post_message(self.Opened(self.events.current))

    def action_copy(self) -> None:
        """Copy the event as JSON."""
        if self.roll is self.events and self.events.current:
            self.post_message(CopyAsked(as_json(self.events.current)))

    def action_place(self) -> None:
        """Show the place in the transcript that the row belongs to."""
        if self.roll is self.waterfall:
            span = self.waterfall.span(self.waterfall.cursor)
            if span and self.turn:
                self.post_message(self.Jump(self.turn.number, span.section, 0))
            return
        record = self.events.current
        turn = self.events.turn(record.turn) if record else None
        if record and turn:
            earlier = self.talk.log.backwards(record.turn)
            self.post_message(self.Jump(turn.number, section_of(record, turn), offset_of(record, earlier)))

    def show_section(self, number: int, section: str) -> None:
        """The transcript's cursor stands there: mark its events, and go to the first of them."""
        turn = self.events.turn(number)
        if turn is None or not self.display:
            return
        self.events.marked = belongs(turn, section)
        self.events.refresh()
        if not self.events.has_focus:
            self.events.spawn(self._go_to_first(turn, self.events.marked))

    async def _go_to_first(self, turn: Turn, mine: Callable[[Record], bool]) -> None:
        """To the first event of a section, unless the cursor stands on another one meanwhile."""
        first = next((r.number for r in await self.events.of_turn(turn) if mine(r)), 0)
        if first and self.events.marked is mine:
            self.events.stand(self.events.row_of(first))
