"""The Textual app: keys in, intent out to the open conversation. It decides nothing about runs."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.timer import Timer

from tui import __version__
from tui.core.safe_text import safe_line
from tui.core.view import short
from tui.session import Opening, Pressed, abilities
from tui.ui.branching import Branching
from tui.ui.cards import Cards
from tui.ui.clipboard import Copying
from tui.ui.collector import Collector
from tui.ui.composing.commands import NOT_OVER_A_MODAL as NOT_WHILE_A_DIALOG_ASKS
from tui.ui.composing.commands import Composing
from tui.ui.composing.sending import Sending
from tui.ui.configuring import NOT_OVER_A_MODAL as NOT_WHILE_SOMETHING_ASKS
from tui.ui.configuring import Configuring
from tui.ui.egress import Guarded
from tui.ui.finding import NOT_OVER_A_MODAL as NOT_WHILE_ONE_ASKS
from tui.ui.finding import Finding
from tui.ui.insight import NOT_OVER_A_MODAL, Insight
from tui.ui.keys import KEYS, bindings, in_force, wrong_with
from tui.ui.leaving import Leaving
from tui.ui.notifier import Notifier
from tui.ui.pane import ChatPane
from tui.ui.queueing import NOT_OVER_A_MODAL as NOT_WHILE_ASKING
from tui.ui.queueing import Queueing
from tui.ui.screens.help import HelpScreen
from tui.ui.screens.palette import BarredPalette
from tui.ui.stop_keys import Act, Moment, Situation, decide
from tui.ui.switching import DeskLike, Switching
from tui.ui.tabs import Tabbing, Tabs
from tui.ui.titling import Titling
from tui.ui.widgets.lines import Piece, Row
from tui.ui.widgets.run_bar import RunBar

NOTE_FOR = 3.0
"""Seconds a note stays in the hint line."""
_HINTS = (
    ("view.details", "Details"),
    ("app.commands", "Commands"),
    ("app.quit", "Quit"),
    ("view.events", "Events"),
)
QUIT_ARMED_FOR = 1.5
"""Seconds in which a second Ctrl+C quits."""


class StopkeyApp(
    Insight,
    Cards,
    Sending,
    Composing,
    Finding,
    Tabbing,
    Branching,
    Queueing,
    Configuring,
    Copying,
    Guarded[int],
):
    """Conversations on the screen, one of them seen, with its Stop key always live. Returns the exit code."""

    TITLE = "stopkey"
    ESCAPE_TO_MINIMIZE = False  # Esc stops, even while a widget is maximised
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    CSS = """
    Screen { layers: base; }
    #header { background: $panel; }
    #hints { dock: bottom; color: $foreground-muted; }
    """

    def __init__(
        self,
        opening: Opening,
        *,
        desk: DeskLike | None = None,
        theme: str = "textual-dark",
        still: bool = False,
        plain: bool = False,
        double: bool = False,
        keymap: dict[str, str] | None = None,
        notifications: str = "off",
    ) -> None:
        super().__init__()
        self.opening = opening
        self.desk = desk
        self.still, self.plain, self.double = still, plain, double
        self.keymap = dict(keymap or {})
        self.chosen_theme = theme
        self.notifier = Notifier(self, notifications)
        self.titling = Titling(self)
        self.pane = ChatPane(opening, desk=desk, still=still, plain=plain)
        self.tabs = Tabs(self, self.pane)
        self._note = opening.note
        self._note_timer: Timer | None = None
        self.store_problem = ""
        self._quit_armed_until = 0.0
        self._stop_armed_until = 0.0
        self._reason = ""  # of the stop that is being pressed
        self.reason_for = 0  # the turn whose card asked for one
        self.leaving = Leaving(self)
        self.switching = Switching(self)
        self.collector = Collector()
        self._chores: set[asyncio.Task[None]] = set()

    # --- the screen ---------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield Row(self._header_pieces, id="header")
        yield self.tabs.bar
        yield self.pane
        yield Row(self._hint_pieces, id="hints")

    def on_mount(self) -> None:
        self.theme = self.chosen_theme
        if self.keymap:
            self.set_keymap(self.keymap)
            self.note(wrong_with(self.keymap) or self._note)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.leaving.signalled, number)
        self.spawn(self.warm_up(self.pane))
        if self.desk:
            self.desk.store.on_problem = self._saving_changed
            self.spawn(self._look_at_the_store())

    def _saving_changed(self, problem: str | None) -> None:
        """From the store's own thread: whether what is said is being saved has changed."""
        self.call_later(self._show_problem, problem)

    async def _look_at_the_store(self) -> None:
        assert self.desk
        await asyncio.to_thread(self.desk.store.opened)
        self._show_problem(self.desk.store.problem)

    def _show_problem(self, problem: str | None) -> None:
        """Stays in the header for as long as it holds: a note would be gone before it is read."""
        self.store_problem = safe_line(problem or "", 200)
        self._refresh_hints()
        self.call_after_refresh(self.collector.started)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """A task that lives as long as it has to."""
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)  # a task that nobody holds may vanish
        task.add_done_callback(self._chores.discard)

    async def warm_up(self, pane: ChatPane) -> None:
        """Get its backend ready behind the first paint: neither a prompt nor an abort is to wait for it."""
        try:
            await pane.talk.session.backend.connect()
        except Exception as error:
            self.note(safe_line(str(error), 160))

    def _header_pieces(self, width: int) -> tuple[list[Piece], list[Piece]]:
        opening = self.pane.talk.opening
        if self.store_problem:
            return [(f" ⚠ not saved: {self.store_problem}", "row--warn")], []
        left = [(f" {opening.label}", "row--strong")]
        if width >= 60:
            left.append((f"   chat {opening.conversation.id[:6]}", "row--dim"))
        return left, [("F1 help ", "row--dim")]

    def _hint_pieces(self, width: int) -> tuple[list[Piece], list[Piece]]:
        if self._note:
            return [(f" {self._note}", "row--warn")], []
        busy = self.pane.talk.busy
        named = partial(in_force, keymap=self.keymap)
        hints = [("Enter", "Queue" if busy else "Send"), ("^J", "Newline")]
        hints += [(named("run.stop_and_send"), "Stop & send")] if busy else [(named("turn.resend"), "Resend")]
        hints += [] if busy else [(named("app.conversations"), "Talks")]
        if self.pane.talk.opening.reel:
            hints = [("Space", "Pause"), (".", "Step"), ("+ -", "Speed")]
        hints += [(named(f"{id}"), word) for id, word in _HINTS]
        pieces: list[Piece] = []
        used = 0
        for key, word in hints:
            if used + len(key) + len(word) + 3 > width:
                break
            pieces += [(f" {key}", "row--key"), (f" {word} ", "")]
            used += len(key) + len(word) + 3
        return pieces, []

    def note(self, sentence: str) -> None:
        """Say something in the hint line for a moment."""
        self._note = sentence
        if self._note_timer:
            self._note_timer.stop()
        if sentence:
            self._note_timer = self.set_timer(NOTE_FOR, self._forget_note)
        self._refresh_hints()

    def _forget_note(self) -> None:
        self._note = ""
        self._refresh_hints()

    def _refresh_hints(self) -> None:
        for row in self.screen_stack[0].query(Row):
            row.refresh()

    def situation_changed(self) -> None:
        """What the keys mean has changed: every run bar and hint line is drawn anew."""
        if not self.screen_stack:
            return
        self._refresh_hints()
        self.titling.update()
        busy = any(pane.talk.busy for pane in self.tabs.panes)
        (self.collector.busy if busy else self.collector.idle)()
        for screen in self.screen_stack:
            for bar in screen.query(RunBar):
                bar.wake()

    # --- Stop ---------------------------------------------------------------------------------------------

    def situation(self) -> Situation:
        """Everything that decides what a Stop key does right now."""
        now = time.monotonic()
        return Situation(
            self.pane.moment,
            modal=len(self.screen_stack) > 1,
            popup=self.pane.popup,
            selection=self._selected() != "",
            draft=self.pane.box.text != "",
            quit_armed=now < self._quit_armed_until,
            double=self.double,
            stop_armed=now < self._stop_armed_until,
        )

    def _selected(self) -> str:
        if self.focused is self.pane.box and self.pane.box.selected_text:
            return self.pane.box.selected_text
        return self.screen.get_selected_text() or self.pane.selected_source()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let Esc and Ctrl+C go on to the focused widget where they are not ours."""
        if action == "stop_key" and self.screen_stack:
            return decide(str(parameters[0]), self.situation()) is not Act.PASS
        return len(self.screen_stack) <= 1 or action not in _NOT_OVER_A_MODAL

    def action_stop_key(self, key: str) -> None:
        self.press_stop(key)

    def press_stop(self, cause: str, reason: str = "") -> None:
        """One press of a Stop key, by whatever means. The text is frozen when this returns."""
        self._reason = reason
        _ACTS[decide(cause, self.situation())](self, cause)

    def _stop(self, cause: str) -> None:
        self._stop_armed_until = 0.0
        empty = not self.pane.talk.turn or not self.pane.talk.turn.transcript.blocks
        pressed = self.pane.talk.stop(cause, self._reason)
        if pressed is Pressed.STOPPED:  # in one frame: what came before the key, and the new state
            asyncio.get_running_loop().call_soon(self.pane.view.draw_now)
        turn = self.pane.talk.turn
        if pressed is not Pressed.STOPPED or turn is None or self.pane.box.text:
            return
        back = [turn.prompt.text] if empty else []  # nothing had come yet: the prompt goes back into the box
        back += [self.pane.talk.restored()]
        if any(back):
            self.pane.box.put("\n\n".join(filter(None, back)))

    def _retry(self, cause: str) -> None:
        if self.pane.talk.stop(cause) is Pressed.RETRIED:
            self.note("asked the backend again")

    def _say_settled(self, cause: str) -> None:
        turn = self.pane.talk.turn
        self.note(f"already settled: {short(turn)}" if turn and turn.outcome else "already finished")

    def _confirm(self, cause: str) -> None:
        self._stop_armed_until = time.monotonic() + QUIT_ARMED_FOR
        self.note("press again to stop")

    def _copy(self, cause: str) -> None:
        running = self.pane.moment in (Moment.RUNNING, Moment.WAITING)
        self.copy(self._selected(), "; F8 stops" if running else "")
        self.screen.clear_selection()
        self.pane.clear_selected()

    def _clear_draft(self, cause: str) -> None:
        self.pane.box.clear_draft()
        self.note("draft cleared; ^Z brings it back")

    def _arm_quit(self, cause: str) -> None:
        self._quit_armed_until = time.monotonic() + QUIT_ARMED_FOR
        self.note("^C again to quit")

    def _quit_now(self, cause: str) -> None:
        self.call_later(self.action_quit)

    # --- seeing -------------------------------------------------------------------------------------------

    def action_toggle_details(self) -> None:
        self.pane.view.fold_all()

    def action_follow(self) -> None:
        self.pane.view.follow()

    # --- other conversations, help, commands ----------------------------------------------------------------

    def action_new_conversation(self) -> None:
        self.switching.new()

    def action_conversations(self) -> None:
        self.switching.ask()

    def action_last_conversation(self) -> None:
        self.switching.last()

    def action_help(self) -> None:
        backend = self.pane.talk.session.backend
        lines = [f"stopkey {__version__}, with the backend {backend.name}"]
        about = "\n  ".join([*lines, *abilities.at_length(backend.capabilities)])
        self.push_screen(HelpScreen(self.pane, self.keymap, about))

    def action_command_palette(self) -> None:
        self.push_screen(BarredPalette(self.pane))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette holds every key's command and Textual's own themes."""
        for key in KEYS:
            action = key.action
            yield SystemCommand(
                key.label, key.help, lambda action=action: self.call_later(self.run_action, action)
            )
        yield SystemCommand(
            "Continue", "Ask the agent to go on where it was stopped", self.action_continue_turn
        )
        yield SystemCommand("Last", "Go on with the conversation of last time", self.action_last_conversation)
        yield SystemCommand("Connect to a backend", "Try it, keep it, and talk to it", self.action_connect)
        yield from self.insight_commands()
        yield from (own for own in super().get_system_commands(screen) if own.title == "Theme")

    async def action_quit(self) -> None:
        self.leaving.quit()


_NOT_OVER_A_MODAL = frozenset(
    {
        "resend",
        "resend_quoting",
        "stop_and_send",
        "new_conversation",
        "conversations",
        "help",
        "command_palette",
        *NOT_OVER_A_MODAL,
        *NOT_WHILE_ONE_ASKS,
        *NOT_WHILE_ASKING,
        *NOT_WHILE_SOMETHING_ASKS,
        *NOT_WHILE_A_DIALOG_ASKS,
    }
)

_ACTS: dict[Act, Callable[[StopkeyApp, str], None]] = {
    Act.STOP: StopkeyApp._stop,
    Act.RETRY: StopkeyApp._retry,
    Act.CONFIRM: StopkeyApp._confirm,
    Act.COPY: StopkeyApp._copy,
    Act.PASS: lambda app, cause: None,
    Act.CLOSE_POPUP: lambda app, cause: app.pane.close_popup(),
    Act.SWALLOW: lambda app, cause: None,
    Act.SAY_USE_F8: lambda app, cause: app.note("the agent asks you: type an answer, or F8 stops the run"),
    Act.SAY_STOPPING: lambda app, cause: app.note("stopping already"),
    Act.SAY_FINISHED: StopkeyApp._say_settled,
    Act.SAY_NOTHING: lambda app, cause: app.note("nothing is running"),
    Act.CLEAR_DRAFT: StopkeyApp._clear_draft,
    Act.ARM_QUIT: StopkeyApp._arm_quit,
    Act.QUIT: StopkeyApp._quit_now,
}
