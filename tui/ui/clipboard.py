"""Copying: by the terminal (OSC 52), and by the system's own tool where the person's clipboard is here.

tmux ignores what programs in it send to the clipboard unless `set-clipboard` is on; its own command works.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping
from typing import Any

from tui.core.safe_text import SafeText, safe

LIMIT = 74_000
"""Bytes that every terminal with OSC 52 takes: xterm stops at 100,000 characters of base64."""
PATIENCE = 2.0
"""Seconds a tool may take."""
_PIECE = 700
"""Bytes that GNU screen takes in one passed-through string."""

TOOLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--input", "--clipboard")),
    ("WSL_DISTRO_NAME", ("clip.exe",)),
)
"""What must be in the environment, and the command that reads the text from its standard input."""

Which = Callable[[str], str | None]


def tool(environ: Mapping[str, str], platform: str = sys.platform, which: Which = shutil.which) -> list[str]:
    """The command that reaches the person's clipboard; empty where only the terminal can."""
    if environ.get("TMUX") and which("tmux"):
        return ["tmux", "load-buffer", "-w", "-"]
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return []  # the clipboard of this machine is not the one before the person
    if platform == "darwin":
        return ["pbcopy"]
    return next((list(words) for name, words in TOOLS if environ.get(name) and which(words[0])), [])


def by_terminal(text: str, environ: Mapping[str, str]) -> str:
    """The sequence that asks the terminal to take `text`; GNU screen hands it on in pieces."""
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode()
    sequence = f"\x1b]52;c;{encoded}\x07"
    if not environ.get("STY"):
        return sequence
    pieces = (sequence[at : at + _PIECE] for at in range(0, len(sequence), _PIECE))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


async def by_tool(words: list[str], text: str) -> bool:
    """Whether the tool took it. A tool that hangs is left behind."""
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL)
    except OSError:
        return False
    try:
        async with asyncio.timeout(PATIENCE):
            await process.communicate(text.encode("utf-8", "replace"))
    except TimeoutError:
        process.kill()
    return process.returncode == 0


class Copying:
    """Mixed into the App: `copy` says which way a text went, and never claims more than is known."""

    def copy_to_clipboard(self: Any, text: str) -> None:
        """Textual's own name for it: whatever copies comes through here."""
        self._clipboard = text
        if self._driver is not None:
            self._driver.write(by_terminal(text, os.environ))
        if words := [] if self.is_web or self.is_headless else tool(os.environ):
            self.spawn(self._hand_to(words, text))

    def copy(self: Any, text: str, after: str = "") -> None:
        """Copy, cleaned: what is pasted elsewhere is not to act on a terminal there."""
        cleaned = safe(text).removesuffix("\n")
        self.copy_to_clipboard(cleaned)
        words = f"copied {len(cleaned):,} characters"
        if not tool(os.environ):
            words += " through the terminal (OSC 52)"
            if len(cleaned.encode("utf-8", "replace")) > LIMIT:
                words += "; some take less: /copy file PATH keeps all of it"
        self.note(f"{words}{after}")

    async def _hand_to(self: Any, words: list[str], text: str) -> None:
        if not await by_tool(words, text):
            self.note(
                f"{words[0]} did not take it; the terminal may have (OSC 52). /copy file PATH keeps it."
            )


def code_of(reply: str) -> str:
    """The last block of code in a reply; "" if there is none."""
    fence, last = "", ""
    block: list[str] = []
    for line in reply.split("\n"):
        mark = line.lstrip()[:3]
        if not fence and mark in ("```", "~~~"):
            fence, block = mark, []
        elif fence and mark == fence:
            fence, last = "", "\n".join(block)
        elif fence:
            block.append(line)
    return "\n".join(block) if fence else last


def keep_in_file(path: str, text: str) -> SafeText:
    """Write a new file that only its owner reads. What came of it, as a sentence. Blocks."""
    try:
        file = os.open(os.path.expanduser(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="utf-8", errors="replace") as out:
            out.write(text)
    except OSError as error:
        return safe(f"Not kept ({error.strerror}): name another file than {path}.")
    return safe(f"kept {len(text):,} characters in {path}")
