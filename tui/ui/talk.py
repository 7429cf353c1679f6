"""One open conversation on the screen: its session, its queue, and what follows when a turn ends.

No widget: it is told of every record by the session, and tells its listener what to draw anew.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Protocol

from tui.core.conversation import Turn, replay
from tui.core.events import Prompted, Record
from tui.core.quoting import quoted
from tui.core.safe_text import SafeText, safe_line
from tui.core.turn import FINAL, Outcome, Phase
from tui.session import Opening, Pressed, Session
from tui.session.player import Player
from tui.ui.inspector.log import EventLog
from tui.ui.turn_item import QUIET_EVENTS, ShownTurn

CONTINUE = "Please continue exactly where you were stopped."


class Listener(Protocol):
    """The pane. All of it is called on the loop's thread; `touched` up to 20,000 times a second."""

    @property
    def plain(self) -> bool: ...
    def opened(self, shown: ShownTurn) -> None: ...
    def touched(self, turn: int) -> None: ...
    def moved(self) -> None: ...


class Talk:
    """Sending, queueing, resending. `held`: a stop holds the queue until the person lets it go."""

    def __init__(self, opening: Opening, listener: Listener) -> None:
        self.opening = opening
        self.listener = listener
        self.queue: list[str] = list(opening.queue)
        self.held = bool(self.queue)
        self.place: int | None = None  # of the queued prompt that is being edited in the box
        self.next_up: str | None = None  # stop and send: what goes out when the stop has settled
        self.shown: dict[int, ShownTurn] = {}
        self.log = EventLog(opening.conversation.number)
        make = partial(Player, opening.reel) if opening.reel else Session
        self.session = make(
            opening.backend,
            opening.journal,
            conversation=opening.conversation,
            remote_id=opening.remote_id,
            said_before=opening.said_before,
            clocks=opening.clocks,
            late=opening.late,
            on_disk=opening.on_disk,
            on_change=self._on_change,
            mono=opening.mono,
            wall=opening.wall,
        )

    @property
    def turn(self) -> Turn | None:
        return self.session.turn

    @property
    def title(self) -> SafeText:
        """What the conversation is called: as it was stored, else its first prompt; empty before that."""
        turns = self.session.conversation.turns
        first = turns[0].prompt.text if turns and not self.session.conversation.base else ""
        return safe_line(self.opening.title or first.strip(), 80)

    def as_text(self) -> str:
        """What was said here, as far as it is loaded, as Markdown."""
        turns = self.session.conversation.turns
        return "\n\n".join(f"## You\n\n{turn.prompt.text}\n\n## Agent\n\n{turn.kept()}" for turn in turns)

    @property
    def busy(self) -> bool:
        """Whether a prompt has to wait. A lost connection does not block: the person may go on."""
        if self.turn is None or self.opening.reel:
            return False
        return self.turn.phase not in (*FINAL, Phase.LOST, Phase.IDLE)

    @property
    def can_retry(self) -> bool:
        return self.turn is not None and self.session.may_retry(self.turn)

    @property
    def unproven(self) -> bool:
        """Whether the last run may still be going after a stop: a resend asks first."""
        return self.turn is not None and self.turn.outcome in (Outcome.UNCONFIRMED, Outcome.ACKNOWLEDGED)

    def old(self, number: int) -> ShownTurn:
        """A turn that was left on disk, read when it comes into view (some milliseconds)."""
        found = self.shown.get(number)
        if found is None:
            conversation = self.session.conversation
            past = replay(conversation.id, self.opening.old_turn(number), base=number - 1)
            turn = (
                past.turns[0]
                if past.turns
                else Turn(number, Prompted("(this turn cannot be read)"), 0.0, 0.0)
            )
            found = self.shown[number] = ShownTurn(
                turn, self.session.backend.capabilities, plain=self.listener.plain
            )
        return found

    def show_all(self) -> None:
        """Hand every turn that is already there to the listener."""
        for turn in self.session.conversation.turns:
            self._show(turn)

    def look_up_left_over(self) -> None:
        """After reopening: ask what became of a run that was lost, or whose stop stayed unproven (S42)."""
        turn = self.turn
        if turn and (turn.phase is Phase.LOST or self.unproven) and self.session.backend.capabilities.status:
            self.session.check_again(turn)

    def submit(self, text: str) -> str:
        """Enter with text: send, queue, or answer the agent. Returns a note for the person, "" if none."""
        turn = self.turn
        if turn and turn.phase is Phase.WAITING:
            return self._reply(turn, text)
        if self.busy or (self.queue and not self.held):
            self.enqueue(text)
            return f"queued {len(self.queue)}"
        self.place = None
        self.session.send(text)
        return ""

    def submit_empty(self) -> None:
        """Enter on an empty box lets a held queue go."""
        if self.queue and not self.busy:
            self.held = False
            self._send_queued()

    def enqueue(self, text: str, place: int | None = None) -> None:
        """Let a prompt wait: at a place, at that of the one that was edited, or behind the others."""
        place, self.place = self.place if place is None else place, None
        self.queue.insert(len(self.queue) if place is None else place, text)
        self._save_queue()
        self.listener.moved()

    def take_out(self, place: int) -> str:
        """One of the queue, by its place from 0."""
        text = self.queue.pop(place)
        self._save_queue()
        self.listener.moved()
        return text

    def shift(self, place: int, by: int) -> int:
        """Move one of the queue; where it stands then."""
        to = min(max(place + by, 0), len(self.queue) - 1)
        self.queue.insert(to, self.queue.pop(place))
        self._save_queue()
        self.listener.moved()
        return to

    def take_back(self) -> str | None:
        """Up in an empty box: the last queued prompt, or the last one sent."""
        if self.queue:
            text = self.queue.pop()
            self._save_queue()
            return text
        return self.turn.prompt.text if self.turn and not self.busy else None

    def stop(self, cause: str, reason: str = "") -> Pressed:
        pressed = self.session.stop(cause, reason)
        if pressed is Pressed.STOPPED:
            self.held = bool(self.queue) and self.opening.queue_on_stop != "send"
        return pressed

    def restored(self) -> str:
        """`queue_on_stop = restore`: what was queued, taken out to go back into the box."""
        if self.opening.queue_on_stop != "restore" or not self.queue:
            return ""
        text, self.queue, self.held = "\n\n".join(self.queue), [], False
        self._save_queue()
        self.listener.moved()
        return text

    def stop_and_send(self, text: str) -> str:
        """Stop, wait until it settles, then send `text`, or the first of the queue if there is no text."""
        if text and self.next_up is not None:
            self.enqueue(text)
        elif text or self.queue:
            self.next_up = text or self.queue.pop(0)
            self._save_queue()
        else:
            return "Type what to send after the stop."
        if self.session.running:
            self.stop("stop and send")
        elif not self.session.stopping:
            self._go_on()
        return ""

    def resend(self, *, quote: bool = False) -> str:
        """The last prompt again, as a new turn, quoting the stopped partial if asked to."""
        turn = self.turn
        if turn is None:
            return "Nothing has been sent yet."
        if self.busy:
            return "A run is active: stop it first, or press ^S to stop and send."
        text = quoted(turn.prompt.text, turn.kept()) if quote else turn.prompt.text
        self.session.send(text)
        return ""

    def go_on(self) -> str:
        """Continue: ask the agent to go on, quoting the partial where the backend forgets it."""
        turn = self.turn
        if turn is None or self.busy or turn.stop is None:
            return "There is no stopped reply to continue."
        remembers = self.session.backend.capabilities.remembers_partial
        self.session.send(CONTINUE if remembers else quoted(CONTINUE, turn.kept()))
        return ""

    async def leave(self, *, stop_first: bool = False, cause: str = "quit") -> None:
        """End the session, write what is left, close the connections."""
        await self.session.close(stop_first=stop_first, cause=cause)
        await self.opening.end()
        await self.session.backend.aclose()

    # --- what the session tells ---------------------------------------------------------------------------

    def _on_change(self, turn: Turn, record: Record) -> None:
        self.log.append(record)
        shown = self.shown.get(turn.number)
        if shown is None:
            shown = self._show(turn)
        self.listener.touched(turn.number)
        if type(record.event) in _QUIET and not record.late:
            return
        shown.revision += 1
        self.listener.moved()
        if turn.phase in FINAL and turn is self.turn and (self.queue or self.next_up is not None):
            asyncio.get_running_loop().call_soon(self._go_on)

    def _show(self, turn: Turn) -> ShownTurn:
        if before := self.shown.get(turn.number - 1):
            before.followed = True
            before.revision += 1
            self.listener.touched(before.turn)
        shown = self.shown[turn.number] = ShownTurn(
            turn, self.session.backend.capabilities, plain=self.listener.plain
        )
        self.listener.opened(shown)
        return shown

    def _go_on(self) -> None:
        """A turn has settled: send what was to follow it."""
        turn = self.turn
        if turn is None or self.busy:
            return
        if self.next_up is not None:
            text, self.next_up = self.next_up, None
            if self.unproven:
                self.queue.insert(0, text)
                self.held = True
            else:
                self.session.send(text)
            self._save_queue()
            self.listener.moved()
        elif self.queue and not self.held and self._may_follow(turn):
            self._send_queued()

    def _may_follow(self, turn: Turn) -> bool:
        """A queue goes on by itself after a finished turn; after a stop only if so chosen, and proven."""
        after_stop = turn.outcome is not None and self.opening.queue_on_stop == "send"
        return turn.phase is Phase.COMPLETED or (after_stop and not self.unproven)

    def _send_queued(self) -> None:
        self.session.send(self.queue.pop(0))
        self._save_queue()  # after the prompt, so that a crash between the two loses neither
        self.listener.moved()

    def _reply(self, turn: Turn, text: str) -> str:
        from tui.core.transcript import QuestionBlock

        asked = [b for b in turn.transcript.blocks if isinstance(b, QuestionBlock) and b.reply is None]
        if not asked:
            self.enqueue(text)
            return f"queued {len(self.queue)}"
        self.session.answer(asked[-1].key, text)
        return ""

    def _save_queue(self) -> None:
        """All that was typed to be sent later, in order."""
        first = [] if self.next_up is None else [self.next_up]
        self.opening.save_note("queue", [*first, *self.queue])


_QUIET = frozenset(QUIET_EVENTS)
