"""A seat: one client process and the page that shows it. The page may go and come back."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Mapping, Sequence

from aiohttp.web import WebSocketResponse
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from tui.core.safe_text import safe

READY = b"__GANGLION__\n"
"""What Textual's driver for the web says first."""
MOST_COMPLAINTS = 64 * 1024
"""Bytes kept of what a client writes on stderr."""
KILL_AFTER = 6.0
"""Seconds a client that was hung up may take for its last stop and for saving."""
TAKEN_OVER = 4001
"""The code with which a page is told that another one shows this client now."""


class Seat(AppService):
    """Starts `command` (never through a shell) and carries bytes between it and the page at this moment."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        super().__init__(
            " ".join(command),
            write_bytes=_nowhere,
            write_str=_nowhere,
            close=self._close_the_page,
            download_manager=DownloadManager(),
        )
        self._words = list(command)
        self._own_environment = environment
        self._page: WebSocketResponse | None = None
        self._hang_up: asyncio.TimerHandle | None = None
        self.over = asyncio.Event()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """A group of its own: Ctrl+C in the server's terminal is not for the clients."""
        environment = {**self._own_environment, "COLUMNS": str(width), "ROWS": str(height)}
        self._process = process = await asyncio.create_subprocess_exec(
            *self._words, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, start_new_session=True
        )
        self._stdin = process.stdin
        return process

    # --- the page -----------------------------------------------------------------------------------------

    async def attach(self, page: WebSocketResponse, size: tuple[int, int]) -> None:
        """Show the client on this page and no other. The first starts it, a later one has it drawn anew."""
        if self._hang_up:
            self._hang_up.cancel()
            self._hang_up = None
        before, self._page = self._page, page
        self.remote_write_bytes, self.remote_write_str = page.send_bytes, page.send_str
        if before:
            await before.close(code=TAKEN_OVER)
        if self._task is None:
            await self.start(*size)
        else:
            await self.send_meta({"type": "shown", "width": size[0], "height": size[1]})

    def detach(self, page: WebSocketResponse, wait_s: float) -> None:
        """The page is gone: after `wait_s` the client is hung up, unless a page comes back for it."""
        if self._page is not page:
            return  # another page shows it
        self._page = None
        self.remote_write_bytes = self.remote_write_str = _nowhere
        self._hang_up = asyncio.get_running_loop().call_later(wait_s, self.hang_up)

    # --- the process --------------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """As when a terminal is closed: the client stops its run, keeps everything, and ends."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)
            asyncio.get_running_loop().call_later(KILL_AFTER, self._kill)

    def _kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()

    async def _close_the_page(self) -> None:
        if self._page:
            await self._page.close()

    async def on_meta(self, data: bytes) -> None:
        """`exit` is said by the driver; the client is over when its process is: it has yet to save."""
        if json.loads(data).get("type") != "exit":
            await super().on_meta(data)

    async def run(self) -> None:
        """Carry what the client draws to the page, until the client ends."""
        assert self._process and self._process.stdout and self._process.stderr
        complaints = asyncio.create_task(_read_some(self._process.stderr))
        try:
            await self._carry(self._process.stdout)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            _say(await complaints)
            await self._process.wait()
            self.over.set()
            await self._close_the_page()

    async def _carry(self, output: asyncio.StreamReader) -> None:
        while (line := await output.readline()) != READY:
            if not line:
                return
        handlers = {b"D": self.on_data, b"M": self.on_meta}
        while True:
            kind = await output.readexactly(1)
            payload = await output.readexactly(int.from_bytes(await output.readexactly(4), "big"))
            if handler := handlers.get(kind):
                await _to_a_page_that_may_be_gone(handler(payload))


async def _to_a_page_that_may_be_gone(sending: Awaitable[None]) -> None:
    try:
        await sending
    except (ConnectionError, RuntimeError):
        pass  # its web socket will tell; what is drawn is drawn anew on the next page


async def _read_some(stream: asyncio.StreamReader) -> bytes:
    """All that comes, so that the writer never blocks; of it the last part."""
    kept = b""
    while piece := await stream.read(4096):
        kept = (kept + piece)[-MOST_COMPLAINTS:]
    return kept


def _say(complaints: bytes) -> None:
    if text := complaints.decode("utf-8", "replace").strip():
        print(safe(text), file=sys.stderr, flush=True)


async def _nowhere(payload: object) -> None:
    """Where a client draws while no page shows it."""


def for_a_page(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a client that draws for a page, whatever terminal the server stands in."""
    own = {name: value for name, value in given.items() if name not in _OF_THE_TERMINAL}
    return {**own, "STOPKEY_WEB": "1", "TERM": "xterm-256color", "COLORTERM": "truecolor"}


_OF_THE_TERMINAL = {
    *("TMUX", "STY", "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"),
    *("NO_COLOR", "TERM_PROGRAM", "TERM_PROGRAM_VERSION"),
}
