"""A conversation's part of the screen: transcript, run bar, queue, text box."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Static

from tui.core.conversation import Turn
from tui.core.safe_text import safe_line
from tui.core.turn import FINAL, Phase
from tui.core.view import Look, detail, look
from tui.session import Opening, abilities
from tui.session.player import Player
from tui.ui.composing.composer import Composer
from tui.ui.finding import Search
from tui.ui.stop_keys import Moment, Situation, keys_now, moment
from tui.ui.talk import Talk
from tui.ui.transcript import TranscriptView
from tui.ui.transcript.items import CursorMoved, FollowChanged, Found
from tui.ui.transcript.setting import ASCII, UNICODE
from tui.ui.turn_item import ShownTurn
from tui.ui.widgets.lines import Piece, Row
from tui.ui.widgets.prompt_box import PromptBox
from tui.ui.widgets.replay_box import ReplayBox
from tui.ui.widgets.run_bar import RunBar
from tui.ui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from tui.ui.app import StopkeyApp
    from tui.ui.inspector.panel import Inspector
    from tui.ui.switching import DeskLike

WIDE = 110
"""Columns from which on the inspector stands beside the chat; below that it covers it."""
DRAFT_AFTER = 0.25
"""Seconds of quiet after which a draft is saved."""


class ChatPane(Vertical):
    """Everything of one conversation. Forwards intent to `talk`, draws what it tells."""

    DEFAULT_CSS = """
    ChatPane { height: 1fr; }
    ChatPane > .top { height: 1fr; min-height: 2; overflow: hidden; }
    ChatPane .chat { height: 1fr; width: 1fr; }
    ChatPane TranscriptView { height: 1fr; }
    ChatPane.-inspecting .chat { display: none; }
    ChatPane.-wide.-inspecting .chat { display: block; }
    ChatPane.-wide Inspector { width: 40%; min-width: 50; border-left: solid $panel; }
    ChatPane #below { display: none; color: $accent; text-align: right; }
    ChatPane #below.-shown { display: block; }
    ChatPane .queued { height: auto; max-height: 4; color: $foreground-muted; display: none; }
    ChatPane .queued.-shown { display: block; }
    ChatPane .files { height: auto; max-height: 4; color: $foreground-muted; }
    ChatPane PromptBox { height: auto; min-height: 2; max-height: 8; padding: 0 1; border: none; }
    """

    def __init__(
        self, opening: Opening, *, desk: DeskLike | None = None, still: bool = False, plain: bool = False
    ) -> None:
        super().__init__()
        self.still, self.plain = still, plain
        self.desk = desk
        self.last_id = ""
        self.inspector: Inspector | None = None
        self.view = TranscriptView(clock=opening.mono, glyphs=ASCII if plain else UNICODE)
        self.view.may_draw = self._terminal_keeps_up
        self.welcome = Welcome(opening.embedded, abilities.in_short(opening.backend.capabilities))
        self.bar = RunBar(self)
        self.talk = Talk(opening, self)
        session = self.talk.session
        self.box = ReplayBox(session) if isinstance(session, Player) else PromptBox()
        self.composer = Composer(self)
        self.search = Search(self)
        self.branch_at = 0  # the turn that the text in the box is an edited prompt of; 0: none
        self.below = Row(self._below_pieces, id="below")
        self.queued = Static("", classes="queued", markup=False)
        self._below = 0
        self._draft_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(classes="top"), Vertical(classes="chat"):
            if self.talk.turn is None:
                yield self.welcome
            yield self.view
        yield self.below
        yield self.bar
        yield self.queued
        yield self.box

    def on_mount(self) -> None:
        self._seconds = self.set_interval(1.0, self._a_second_passed, pause=True)
        if base := self.talk.session.conversation.base:
            self.view.open(range(1, base + 1), self.talk.old)
        self.talk.show_all()
        self.composer.bring_draft()
        self.talk.look_up_left_over()
        self.moved()
        self.box.focus()
        if isinstance(self.talk.session, Player):
            self.talk.session.say = self.app.note  # type: ignore[attr-defined]
            self.talk.session.start()
        elif self.desk and self.talk.turn is None:
            self.run_worker(self._offer_last(), group="last")

    async def _offer_last(self) -> None:
        """Offer to go on with the conversation that was used last."""
        assert self.desk
        found = await asyncio.to_thread(self.desk.store.list, 1)
        if found and self.talk.turn is None:
            self.last_id = found[0].conversation_id
            self.welcome.say(found[0].title or "a conversation without a word")

    @property
    def untouched(self) -> bool:
        """Whether nothing was said or typed here: another conversation may take its place."""
        return self.talk.turn is None and not self.talk.session.conversation.count and not self.box.text

    def put_behind(self) -> None:
        """Another pane is seen: what goes on here is read and kept, and drawn when it is shown again."""
        self.display = self.view.seen = False
        self.moved()

    def bring_before(self) -> None:
        """This pane is the one that is seen."""
        self.display = self.view.seen = True
        if not self.is_mounted:
            return
        self.moved()
        self.call_after_refresh(self.view.draw_now)
        (self.inspector.roll if self.has_class("-inspecting") and self.inspector else self.box).focus()

    # --- Listener -----------------------------------------------------------------------------------------

    def opened(self, shown: ShownTurn) -> None:
        if self.welcome.is_attached:
            self.welcome.remove()
        self.view.show(shown)

    def touched(self, turn: int) -> None:
        self.view.touch(turn)

    def moved(self) -> None:
        """A phase, a queue or a stop changed: the bar and the lines around it are drawn anew."""
        if not self.is_mounted:
            return
        app: StopkeyApp = self.app  # type: ignore[assignment]
        if self.talk.turn and self.talk.turn.phase in FINAL and not self.talk.opening.reel:
            app.notifier.ended(self.talk.opening.conversation.id, self.talk.turn)
        app.tabs.changed()
        self.bar.wake()
        if not self.display:
            self._seconds.pause()
            return
        if self.talk.busy and not self.still and not self.plain:
            self._seconds.resume()
        else:
            self._seconds.pause()
        self._show_queue()
        if self.inspector:
            self.inspector.moved()
        app.situation_changed()

    def _a_second_passed(self) -> None:
        """A tool that says nothing still shows how long it has been running."""
        if self.talk.turn:
            self.view.touch(self.talk.turn.number)

    # --- the inspector ------------------------------------------------------------------------------------

    async def toggle_inspector(self) -> None:
        """Show the inspector, beside the chat or over it, or hide it."""
        if self.inspector is None:
            from tui.ui.inspector.panel import Inspector  # the start does not wait for it

            self.inspector = Inspector(self.talk, lambda: self.now, self.plain)
            await self.query_one(".top").mount(self.inspector)
        self._show_inspector(not self.has_class("-inspecting"))

    def _show_inspector(self, shown: bool) -> None:
        assert self.inspector
        self.set_class(shown, "-inspecting")
        self.inspector.display = shown
        (self.inspector.roll if shown else self.box).focus()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= WIDE, "-wide")

    def on_inspector_jump(self, event: Inspector.Jump) -> None:
        if not self.has_class("-wide"):
            self._show_inspector(False)
        found = self.view.go_to(event.turn, event.section, event.at) or self.view.go_to(event.turn, "head")
        if found or self.view.go_to(event.turn):
            self.view.focus()

    def on_inspector_opened(self, event: Inspector.Opened) -> None:
        from tui.ui.inspector.raw import RawScreen

        self.app.push_screen(RawScreen(self, event.record))

    def on_found(self, event: Found) -> None:
        self.search.told(event)

    @property
    def popup(self) -> bool:
        """Whether something is open here that Esc closes first."""
        return self.composer.completing.open or self.search.open or bool(self.branch_at)

    def close_popup(self) -> None:
        """What Esc does then."""
        if self.composer.completing.open:
            self.composer.completing.dismiss()
        elif self.search.open:
            self.search.end()
        else:
            self.branch_at = 0
            self.app.note("No branch: Enter sends it here.")  # type: ignore[attr-defined]

    def on_cursor_moved(self, event: CursorMoved) -> None:
        if self.inspector:
            self.inspector.show_section(event.turn, event.section)

    # --- Facts for the run bar ----------------------------------------------------------------------------

    def bar_turn(self) -> Turn | None:
        return self.talk.turn

    def bar_look(self) -> Look:
        return look(self.talk.turn, self.talk.can_retry)

    def bar_detail(self) -> str:
        turn = self.talk.turn
        words = safe_line(detail(turn, self.now), 160)
        if turn and turn.phase in (Phase.SENDING, Phase.STREAMING):
            before = abilities.before_a_stop(self.talk.session.backend.capabilities)
            return f"{words}  {before}" if before else words
        return words

    def bar_keys(self) -> str:
        return keys_now(self.situation, self.app.keymap)  # type: ignore[attr-defined]

    @property
    def now(self) -> float:
        return self.talk.opening.mono()

    @property
    def situation(self) -> Situation:
        return self.app.situation()  # type: ignore[attr-defined, no-any-return]

    @property
    def moment(self) -> Moment:
        return moment(self.talk.turn, self.now, self.talk.can_retry)

    def selected_source(self) -> str:
        """The source text of what is selected in the transcript."""
        return str(getattr(self.view, "selected_source", str)())

    def clear_selected(self) -> None:
        getattr(self.view, "clear_selected", str)()

    def _terminal_keeps_up(self) -> bool:
        return bool(getattr(self.app._driver, "keeps_up", True))

    # --- small things -------------------------------------------------------------------------------------

    def _show_queue(self) -> None:
        queue, held = self.talk.queue, self.talk.held
        self.queued.set_class(bool(queue), "-shown")
        word = "held" if held else "queued"
        hint = "Enter on empty sends, ↑ edits" if held and not self.talk.busy else "↑ edits"
        rows = [f'  {word} {n}: "{safe_line(text, 60)}"' for n, text in enumerate(queue, 1)]
        if rows:
            rows[-1] += f"   ({hint})"
        self.queued.update("\n".join(rows), layout=True)
        for screen in self.app.screen_stack:
            getattr(screen, "queue_changed", str)()

    def _below_pieces(self, width: int) -> tuple[list[Piece], list[Piece]]:
        return [], [(f"↓ {self._below:,} more lines  (End) ", "row--key")]

    def on_follow_changed(self, event: FollowChanged) -> None:
        self._below = event.below
        self.below.set_class(not event.following and event.below > 0, "-shown")
        self.below.refresh()

    def on_prompt_box_scroll(self, event: PromptBox.Scroll) -> None:
        if event.end:
            self.view.follow()
        elif event.pages < 0:
            self.view.scroll_page_up(animate=False)
        else:
            self.view.scroll_page_down(animate=False)

    def on_text_area_changed(self) -> None:
        if self._draft_timer:
            self._draft_timer.stop()
        self._draft_timer = self.set_timer(DRAFT_AFTER, self.save_draft)
        self.composer.text_changed()
        self.app.situation_changed()  # type: ignore[attr-defined]

    def on_text_area_selection_changed(self) -> None:
        self.composer.completing.look()

    def on_popup_chosen(self) -> None:
        self.composer.completing.choose(run=False)

    def save_draft(self) -> None:
        """Keep what stands in the box, so that no way of leaving loses it."""
        self.composer.save_draft()
