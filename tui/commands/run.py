"""`stopkey run`: one turn without a screen, with the same session, stop and receipt as on the screen."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import click

from tui.backends.base import Backend, BackendError
from tui.commands.common import Exit, Trouble, exit_code, note, settings
from tui.commands.desks import close, need_writable, open_new
from tui.commands.printing import JsonLines, PlainText, Printer, how_it_ended
from tui.commands.stop_after import StopAfter, parse
from tui.commands.target import Wanted, target_options
from tui.core.conversation import Turn
from tui.core.events import ClientLeft, Record
from tui.core.safe_text import safe_line
from tui.core.turn import FINAL
from tui.desk import Desk
from tui.session import Opening, Session

ANSWER_S = 0.3
"""How long the answer to an abort is waited for when the stream had shown the end before it came."""


@click.command("run")
@target_options
@click.argument("prompt")
@click.option("--json", "as_json", is_flag=True, help="Print every event as one JSON object a line.")
@click.option(
    "--stop-after",
    callback=parse,
    metavar="200ch|3s|tool|first",
    help="Stop by itself: after so many characters or seconds, at a tool, at the first event.",
)
@click.option("--reason", default="", help="Why, if it is stopped: kept, and sent where the abort takes one.")
def run_command(wanted: Wanted, prompt: str, as_json: bool, stop_after: StopAfter | None, reason: str) -> int:
    """Send PROMPT, print the reply, exit with how it ended. PROMPT may be - for standard input.

    Ctrl+C stops the run, a second one leaves at once.
    """
    text = _prompt(prompt)
    known = settings()
    return asyncio.run(_run(*open_new(wanted, known), text, as_json, stop_after, reason=reason))


def _prompt(given: str) -> str:
    text = sys.stdin.buffer.read().decode("utf-8", "replace") if given == "-" else given
    if not text.strip():
        raise Trouble("The prompt is empty; give one, or - to read it from standard input")
    return text


async def _run(
    desk: Desk, opening: Opening, text: str, as_json: bool, stop_after: StopAfter | None, *, reason: str
) -> Exit:
    output = Output()
    printer: Printer = PlainText(output.write)
    if as_json:
        printer = JsonLines(opening.conversation.id, output.write)
    try:
        need_writable(opening)
        await _connect(opening.backend)
        come_back = "" if desk.store.in_memory else opening.come_back
        play = OneTurn(_session(opening), printer, output, stop_after, reason)
        async with play.played(text) as turn:
            code, remembers = exit_code(turn), opening.backend.capabilities.remembers_partial
            lines = how_it_ended(turn, remembers, come_back)
        for line in lines:
            note(line)
        return code
    finally:
        await close(desk, opening)
        if desk.store.problem:
            note(safe_line(desk.store.problem, 400))


def _session(opening: Opening) -> Session:
    return Session(
        opening.backend,
        opening.journal,
        conversation=opening.conversation,
        remote_id=opening.remote_id,
        said_before=opening.said_before,
        clocks=opening.clocks,
        late=opening.late,
        on_disk=opening.on_disk,
    )


async def _connect(backend: Backend) -> None:
    """Let the adapter find out what it can. A failure shows again when the prompt is sent."""
    try:
        await backend.connect()
    except BackendError:
        pass


class OneTurn:
    """Plays one prompt to its end, or to the end of its stop."""

    def __init__(
        self,
        session: Session,
        printer: Printer,
        output: Output,
        stop_after: StopAfter | None = None,
        reason: str = "",
    ) -> None:
        self._session = session
        self._printer, self._output = printer, output
        self._stop_after, self._reason = stop_after, reason
        self._leave = asyncio.Event()
        self._answered = asyncio.Event()
        self._presses = 0
        self._next = session.conversation.number + 1
        self._early: dict[int, tuple[Turn, Record]] = {}
        session.on_change = self._on_change

    @asynccontextmanager
    async def played(self, text: str) -> AsyncIterator[Turn]:
        """The turn as it ended, or as it stands where it is lost, waits, or was left by a second Ctrl+C.

        Leaving, which is a record of its own, comes after the block.
        """
        loop = asyncio.get_running_loop()
        with _signals(loop, self._signalled):
            turn = self._session.send(text)
            clock = self._wind(loop)
            await self._over(turn)
            if clock:
                clock.cancel()
            if self._leave.is_set() and turn.phase not in FINAL:
                self._session.record(turn.number, ClientLeft("forced"))  # closing would wait for evidence
            if turn.phase in FINAL:
                await self._session.close()
            self._session.on_change = None
            self._printer.end(turn)
            yield turn
            await self._session.close()

    def _wind(self, loop: asyncio.AbstractEventLoop) -> asyncio.TimerHandle | None:
        after = self._stop_after
        if after is None or after.seconds is None:
            return None
        return loop.call_later(after.seconds, self._stop, after.cause)

    async def _over(self, turn: Turn) -> None:
        settled = asyncio.ensure_future(self._session.settled(turn))
        leaving = asyncio.ensure_future(self._leave.wait())
        await asyncio.wait({settled, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in (settled, leaving):
            task.cancel()
        stop = turn.stop
        if stop and stop.abort_at is not None and stop.answer is None and not self._leave.is_set():
            await asyncio.wait({asyncio.ensure_future(self._answered.wait())}, timeout=ANSWER_S)

    def _on_change(self, turn: Turn, record: Record) -> None:
        self._print(turn, record)
        if turn.stop and turn.stop.answer:
            self._answered.set()
        if self._stop_after and self._stop_after.met(turn, record.event):
            self._stop(self._stop_after.cause)

    def _print(self, turn: Turn, record: Record) -> None:
        """In the order of the numbers: what follows from a record is told before the record itself."""
        self._early[record.number] = (turn, record)
        while self._next in self._early:
            self._printer.change(*self._early.pop(self._next))
            self._next += 1
        if self._output.gone:  # and so is the wish for more
            self._stop("output closed")

    def _stop(self, cause: str) -> None:
        if self._session.running:
            self._session.stop(cause, self._reason)

    def _signalled(self, cause: str) -> None:
        """The first one stops, the second one leaves at once."""
        self._presses += 1
        if self._presses == 1 and self._session.running:
            self._session.stop(cause, self._reason)
            note("stopping … (again: leave at once)")
        else:
            self._leave.set()


_CAUSES = {"SIGINT": "ctrl+c", "SIGTERM": "signal", "SIGHUP": "signal"}


@contextmanager
def _signals(loop: asyncio.AbstractEventLoop, told: Callable[[str], None]) -> Iterator[None]:
    numbers = {getattr(signal, name): cause for name, cause in _CAUSES.items() if hasattr(signal, name)}
    for number, cause in numbers.items():
        loop.add_signal_handler(number, told, cause)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


class Output:
    """Standard output, flushed at once. When its reader is gone, that is told by `gone`, not raised."""

    def __init__(self) -> None:
        self.gone = False

    def write(self, text: str) -> None:
        if self.gone:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            self.gone = True
