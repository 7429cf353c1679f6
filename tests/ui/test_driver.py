"""The driver: a terminal that was closed holds nobody up."""

from __future__ import annotations

import errno
import io
import threading

from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from tui.ui.driver import Lasting


class Closed(io.StringIO):
    """A terminal that has gone away."""

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")

    def fileno(self) -> int:
        return 2


def test_what_is_written_to_a_closed_terminal_goes_nowhere_and_never_blocks() -> None:
    """Textual's thread ended at the first error; 30 writes later the client hung, and its backend with it."""
    writer = WriterThread(Lasting(Closed()))  # type: ignore[arg-type]
    writer.start()

    def write_on() -> None:
        for _ in range(3 * MAX_QUEUED_WRITES):
            writer.write("x")
        writer.stop()

    client = threading.Thread(target=write_on, daemon=True)
    client.start()
    client.join(5)
    assert not client.is_alive() and not writer.is_alive()


def test_an_open_terminal_gets_everything() -> None:
    class Open(Closed):
        def write(self, text: str) -> int:
            return io.StringIO.write(self, text)

    file = Open()
    lasting = Lasting(file)
    lasting.write("one")
    lasting.flush()
    lasting.write("two")
    assert file.getvalue() == "onetwo" and not lasting.gone
