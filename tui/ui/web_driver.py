"""The driver of a client in a browser: as quick at Esc, and as patient with a slow page, as the other one."""

from __future__ import annotations

import os
import selectors
import signal
import sys
import threading
from codecs import getincrementaldecoder
from typing import Any, cast

from textual import events
from textual.drivers._byte_stream import ByteStream
from textual.drivers._writer_thread import WriterThread
from textual.drivers.web_driver import WebDriver
from textual.geometry import Size

from tui.ui.driver import FULL, Reader

MODES = "\x1b[?1049h\x1b[?1000h\x1b[?1003h\x1b[?1006h\x1b[?2004h\x1b[?25l"
"""What a page that comes later must be told: other screen, mouse, bracketed paste, no cursor."""


class _Frames:
    """Writes each text as a packet of textual-serve. A page that is gone is no fault of ours."""

    def __init__(self, file: int) -> None:
        self._file = file

    def write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        packet = memoryview(b"D%s%s" % (len(data).to_bytes(4, "big"), data))
        try:
            while packet:
                packet = packet[os.write(self._file, packet) :]
        except OSError:
            pass

    def flush(self) -> None:
        """Nothing is held back."""

    def fileno(self) -> int:
        return self._file


class PageDriver(WebDriver):
    """Textual's driver for the web, with a thread that writes and one that reads without waiting for a poll.

    Textual's own writes in the event loop, and a browser that reads slowly would hold up every key.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._writer_thread = WriterThread(cast(Any, _Frames(self.fileno)))
        self._writer_thread.start()
        self._key_thread = threading.Thread(target=self.run_input_thread, name="textual-input", daemon=True)

    @property
    def keeps_up(self) -> bool:
        """Whether the page has taken what was drawn."""
        return self._writer_thread._queue.qsize() < FULL

    def write(self, data: str) -> None:
        self._writer_thread.write(data)

    def stop_application_mode(self) -> None:
        self._writer_thread.stop()  # what was drawn last comes before the word that it is over
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """Read packets until told to end; without a server at the other end the client is hung up."""
        reader, packets = Reader(self._debug), ByteStream()
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        file = sys.__stdin__.fileno() if sys.__stdin__ else 0
        with selectors.DefaultSelector() as selector:
            selector.register(file, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(reader.until()):
                    data = os.read(file, 65536)
                    if not data:
                        os.kill(os.getpid(), signal.SIGHUP)
                        return
                    for kind, payload in packets.feed(data):
                        self._take(reader, kind, payload, decode)
                for event in reader.tick():
                    self.process_message(event)

    def _take(self, reader: Reader, kind: str, payload: bytes, decode: Any) -> None:
        if kind != "D":
            self._on_meta(kind, payload)
            return
        for event in reader.feed(decode(payload)):
            self.process_message(event)

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """Beside Textual's own words `shown`: another page shows this client now, and it is blank."""
        if packet_type == "shown":
            self.write(MODES)
            size = Size(cast(int, payload["width"]), cast(int, payload["height"]))
            self._app.call_later(self._draw_anew, size)
            packet_type = "resize"
        super().on_meta(packet_type, payload)

    def _draw_anew(self, size: Size) -> None:
        self._app.post_message(events.Resize(size, size))
        self._app.refresh(layout=True)
