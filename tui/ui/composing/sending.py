"""Enter, stop and send, resend: what a person sends, with the files it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.core.safe_text import safe_line
from tui.ui.composing.mentions import mentions
from tui.ui.composing.reading import CannotSend
from tui.ui.screens.choice import Choice, ChoiceScreen
from tui.ui.slash import is_command, run_slash

if TYPE_CHECKING:
    from tui.ui.pane import ChatPane


class Sending:
    """Mixed into the App, which has `pane`, `note`, `spawn` and `push_screen`."""

    pane: ChatPane

    def send_typed(self: Any, written: str, typed: str) -> None:
        """Enter in the text box: `written` is all of it, `typed` what it shows, with its chips."""
        text = written.strip("\n")
        if not text.strip():
            self.pane.talk.submit_empty()
        elif is_command(text):
            self.pane.box.clear_draft()
            self.note(run_slash(self, text))
        elif self.pane.branch_at:
            self.send_branch(text)
        elif self.pane.talk.unproven and not self.pane.talk.busy:
            self._ask_before_sending(lambda: self._submit(text, typed))
        else:
            self._submit(text, typed)

    def _submit(self: Any, text: str, typed: str) -> None:
        pane = self.pane

        def send(whole: str) -> None:
            note = pane.talk.submit(whole)
            pane.box.take_out(typed)
            pane.view.follow()
            self.note(note)

        self._with_files(typed, text, send)

    def _with_files(self: Any, typed: str, text: str, send: Callable[[str], None]) -> None:
        """Send at once; where files are named, once they are read. An answer to the agent carries none."""
        attaching = self.pane.composer.attaching
        if not mentions(typed) or attaching.asked:
            send(text)
        elif not attaching.reading:
            self.spawn(self._read_and_send(attaching, typed, text, send))

    async def _read_and_send(
        self: Any, attaching: Any, typed: str, text: str, send: Callable[[str], None]
    ) -> None:
        try:
            whole = await attaching.prepare(typed, text)
        except CannotSend as problem:
            self.note(safe_line(f"Not sent: {problem}", 300))
        else:
            send(whole)

    def _ask_before_sending(self: Any, send: Callable[[], None]) -> None:
        choices = [
            Choice("send", "s", "Send anyway", "the old run may still be writing"),
            Choice("wait", "w", "Not yet", "keep the text in the box"),
        ]
        sentence = "Nothing has shown that the stopped run ended."
        screen = ChoiceScreen(self.pane, "Send now?", sentence, choices)
        self.push_screen(screen, lambda chosen: send() if chosen == "send" else None)

    def action_stop_and_send(self: Any) -> None:
        """Stop at once; what is to follow may name files that are read first."""
        pane, typed = self.pane, self.pane.box.text

        def send(whole: str) -> None:
            note = pane.talk.stop_and_send(whole)
            if not note:
                pane.box.take_out(typed)
            self.note(note)

        if mentions(typed) and pane.talk.session.running:
            pane.talk.stop("stop and send")
        self._with_files(typed, pane.box.written.strip(), send)

    def action_resend(self: Any) -> None:
        self._resend(quote=False)

    def action_resend_quoting(self: Any) -> None:
        self._resend(quote=True)

    def _resend(self: Any, *, quote: bool) -> None:
        pane = self.pane

        def send() -> None:
            self.note(pane.talk.resend(quote=quote))
            pane.view.follow()

        def send_with_files() -> None:
            turn, attaching = pane.talk.turn, pane.composer.attaching
            if attaching.at_hand(turn):
                send()
            else:
                self.spawn(self._bring_back_and_send(attaching, turn, send))

        if pane.talk.unproven:
            self._ask_before_sending(send_with_files)
        else:
            send_with_files()

    async def _bring_back_and_send(self: Any, attaching: Any, turn: Any, send: Callable[[], None]) -> None:
        try:
            await attaching.bring_back(turn)
        except CannotSend as problem:
            self.note(safe_line(f"Not sent: {problem}", 300))
        else:
            send()

    def action_continue_turn(self: Any) -> None:
        self.note(self.pane.talk.go_on())
