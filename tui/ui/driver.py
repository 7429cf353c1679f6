"""The terminal driver: a lone Esc waits for exactly the escape delay, and a slow terminal skips frames.

Textual's Linux driver polls every 100 ms, so that an Esc is noticed up to 100 ms after the key whatever the
delay says. This one sleeps until the parser's own deadline.
"""

from __future__ import annotations

import os
import re
import selectors
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tui.ui.pastes import Pasted, Pastes, Piece
from tui.ui.titling import BRING_BACK_TITLE, KEEP_TITLE, NO_PROGRESS, shows_progress

LOCAL_DELAY, REMOTE_DELAY = 0.010, 0.050
"""Seconds to wait after an Esc byte for the rest of a sequence, on this machine and over ssh."""
POLL = 0.1
"""Seconds after which an idle input thread looks whether it is to end."""
FULL = 2
"""Writes that wait, from which on a new frame is left out: the terminal is slower than we are."""

_BAD_MOUSE = re.compile(r"\x1b\[<[^mM]{0,24}NaN[^mM]{0,24}[mM]")
"""Mouse reports that VS Code sends while a window is resized; they would be typed into the text box."""


def escape_delay(environ: Mapping[str, str], chosen_ms: int = 0) -> float:
    """Seconds to wait after an Esc byte: the setting, else ESCDELAY, else by where the terminal is."""
    if chosen_ms > 0:
        return chosen_ms / 1000
    given = environ.get("ESCDELAY", "")
    if given.isascii() and given.isdigit() and int(given) > 0:
        return int(given) / 1000
    return REMOTE_DELAY if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY") else LOCAL_DELAY


class Lasting:
    """The terminal as a file that may go away: what is written to it then goes nowhere.

    Textual's writing thread would end with the error, its queue fill up, and the next write wait for ever: a
    client whose terminal was closed would never end.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.fileno = file.fileno
        self.gone = False

    def write(self, text: str) -> None:
        self._unless_gone(lambda: self._file.write(text))

    def flush(self) -> None:
        self._unless_gone(self._file.flush)

    def _unless_gone(self, act: Callable[[], object]) -> None:
        if self.gone:
            return
        try:
            act()
        except (OSError, ValueError):
            self.gone = True


class PromptDriver(LinuxDriver):
    """Textual's driver with an input thread that wakes when the parser's wait is over."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._file: Any = Lasting(self._file)

    away = False  # another program has the terminal: nothing may be written to it

    def suspend_application_mode(self) -> None:
        """Give the terminal back as it was; whatever is drawn meanwhile goes nowhere."""
        super().suspend_application_mode()
        self.away = True

    def resume_application_mode(self) -> None:
        """Take the terminal again. Everything has to be drawn anew."""
        self.away = False
        super().resume_application_mode()

    def write(self, data: str) -> None:
        if not self.away:
            super().write(data)

    @property
    def keeps_up(self) -> bool:
        """Whether the terminal has taken what was drawn. While it has not, growing text is not drawn again:
        once 30 writes wait, Textual's queue blocks the event loop, and every key with it."""
        if self.away:
            return False
        return self._writer_thread is None or self._writer_thread._queue.qsize() < FULL

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self.write(KEEP_TITLE)
        if titling := getattr(self._app, "titling", None):
            titling.begin_anew()

    def stop_application_mode(self) -> None:
        """However the client ends, the terminal's title and taskbar are as they were."""
        self.write((NO_PROGRESS if shows_progress(os.environ) else "") + BRING_BACK_TITLE)
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """Read keys until told to end."""
        reader = Reader(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(reader.until()):
                    data = os.read(self.fileno, 4096)
                    if not data:
                        return  # the terminal is gone; SIGHUP ends the app, and it waits for this thread
                    self._take(reader.feed(_BAD_MOUSE.sub("", decode(data))))
                self._take(reader.tick())

    def _take(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)


class Reader:
    """Makes messages of what a terminal sends: pastes are taken out whole, the rest is for Textual's parser.

    (Which takes a paste apart letter by letter: a megabyte of it holds up every key behind it for seconds.)
    """

    def __init__(self, debug: bool = False) -> None:
        self._parser = XTermParser(debug)
        self._pastes = Pastes()

    def feed(self, text: str) -> Iterator[Message]:
        """The messages that this text completes."""
        return self._messages(self._pastes.feed(text, time.monotonic()))

    def tick(self) -> Iterator[Message]:
        """What is due now without any more text: a lone Esc, the end of a paste."""
        yield from self._messages(self._pastes.tick(time.monotonic()))
        yield from self._parser.tick()

    def until(self) -> float:
        """Seconds until `tick` is worth calling."""
        due = [each for each in (self._parser._timeout_time, self._pastes.deadline) if each is not None]
        return min(POLL, max(0.0, min(due) - time.monotonic())) if due else POLL

    def _messages(self, pieces: Iterable[Piece]) -> Iterator[Message]:
        for piece in pieces:
            if isinstance(piece, Pasted):
                yield events.Paste(piece.text)
            elif piece:
                yield from self._parser.feed(piece)


def use(chosen_ms: int = 0) -> type[PromptDriver]:
    """The driver class for the app, with the escape delay set for this process."""
    constants.ESCAPE_DELAY = escape_delay(os.environ, chosen_ms)  # type: ignore[misc]
    return PromptDriver
