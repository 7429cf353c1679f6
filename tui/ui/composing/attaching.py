"""Files that go with prompts: shown before sending, read when sent, kept for what names them again."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING

from textual.timer import Timer
from textual.widgets import Static

from tui.backends.base import File, Takes
from tui.core.conversation import Turn
from tui.core.events import Attached
from tui.core.safe_text import SafeText, safe_line
from tui.core.turn import Phase
from tui.ui.composing.chips import weight
from tui.ui.composing.mentions import is_file, looks_meant, mentions, place
from tui.ui.composing.reading import CannotSend, Looked, fenced, look, read
from tui.ui.slash import is_command

if TYPE_CHECKING:
    from tui.ui.composing.composer import Composer

QUIET_S = 0.15
"""Seconds after the last key before the disk is looked at."""
MOST_TOLD = 4
"""Lines that say what would go out."""
NOT_NOW = "! An answer to the agent carries no files: the name stays text."
HELD = 64_000_000
"""Bytes of files that are held for prompts in the queue and for resending; the oldest go first."""
Outgoing = tuple[list[str], dict[str, File]]
"""Texts to put into a prompt, and the files that go beside it, by the path that names them."""


class Attaching:
    """What was read stands for its mention until it is read anew: a queued prompt sends what was shown."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self.held: dict[str, File] = {}  # by path, as it is written in the text
        self.reading = False
        self._row: Static | None = None  # what the text in the box names
        self._timer: Timer | None = None

    @property
    def takes(self) -> Takes | None:
        return self.composer.talk.session.backend.capabilities.takes_files

    @property
    def asked(self) -> bool:
        """Whether the agent waits for an answer, which is text."""
        turn = self.composer.talk.turn
        return turn is not None and turn.phase is Phase.WAITING

    def of(self, text: str) -> tuple[File, ...]:
        """The files that go with a text. Called as it is sent: what the store is to keep goes there, too."""
        files = self._named(text)
        for file in files:
            self.composer.talk.opening.keep_file(file.sha256, file.data)
        return files

    def _named(self, text: str) -> tuple[File, ...]:
        if not self.held or self.takes is None:
            return ()
        return tuple(self.held[m.path] for m in mentions(text) if m.path in self.held)

    async def prepare(self, typed: str, whole: str) -> str:
        """Read what was typed as @path, as late as can be. Returns the text to send. Raises CannotSend.

        `whole` is the text with every paste in full: what stands in a folded one names no file.
        """
        self.reading = True
        try:
            inline, files = await asyncio.to_thread(outgoing, typed, self.takes)
        finally:
            self.reading = False
        self._hold(files)
        fresh = [text for text in inline if text.partition("\n```")[0] + "\n```" not in whole]
        return "\n\n".join([whole, *fresh])  # a prompt that Up brought back has its texts already

    def _hold(self, files: dict[str, File]) -> None:
        for path, file in files.items():
            self.held.pop(path, None)
            self.held[path] = file
        while sum(len(file.data) for file in self.held.values()) > HELD and len(self.held) > len(files):
            del self.held[next(iter(self.held))]

    # --- sending again ------------------------------------------------------------------------------------

    def at_hand(self, turn: Turn | None) -> bool:
        """Whether the files of a turn can go again as they were."""
        if turn is None or not turn.prompt.files:
            return True
        there = {file.sha256 for file in self._named(turn.prompt.text)}
        return there == {file.sha256 for file in turn.prompt.files}

    async def bring_back(self, turn: Turn) -> None:
        """The files of a turn, as they went then: from the store, else from where they were.

        Raises CannotSend for one that is gone, or is another by now.
        """
        for mention in mentions(turn.prompt.text):
            held = self.held.get(mention.path)
            for was in turn.prompt.files:
                if place(mention.path).name == was.name and (held is None or held.sha256 != was.sha256):
                    self._hold({mention.path: await asyncio.to_thread(self._again, mention.path, was)})

    def _again(self, path: str, was: Attached) -> File:
        kept = self.composer.talk.opening.kept_file(was.sha256)
        if kept is not None:
            return File(was.name, was.kind, kept, was.sha256, b64encode(kept).decode("ascii"))
        file = read(Looked(path, was.name, was.kind, was.size, False), place(path))
        if file.sha256 != was.sha256:
            raise CannotSend(f"{path} has changed since it was sent: send the prompt anew if you want it.")
        return file

    # --- what is shown before sending ---------------------------------------------------------------------

    def text_changed(self) -> None:
        """Soon after the last key, say what would go out. Without an @ there is nothing to do."""
        if self._timer:
            self._timer.stop()
            self._timer = None
        text = self.composer.box.text
        if mentions(text) and not is_command(text):
            self._timer = self.composer.pane.set_timer(QUIET_S, self._look)
        elif self._row:
            self._row.display = False

    async def _look(self) -> None:
        text = self.composer.box.text
        paths = [mention.path for mention in mentions(text)][:MOST_TOLD]
        if self.asked:
            self._show([safe_line(NOT_NOW)])
            return
        lines = await asyncio.to_thread(lambda: [tell(path, self.takes) for path in paths])
        if self.composer.box.text == text:
            self._show([line for line in lines if line])

    def _show(self, lines: list[SafeText]) -> None:
        if self._row is None:
            if not lines:
                return
            self._row = Static("", classes="files", markup=False)
            self.composer.pane.mount(self._row, after=self.composer.pane.queued)
        self._row.display = bool(lines)
        self._row.update("\n".join(f"  {line}" for line in lines), layout=True)


def outgoing(text: str, takes: Takes | None) -> Outgoing:
    """Read every file that a text names. What the backend does not take is to be put into the text."""
    files: dict[str, File] = {}
    inline: list[str] = []
    for mention in mentions(text):
        if is_file(mention.path):
            looked = look(mention.path, place(mention.path), takes)
            file = read(looked, place(mention.path))
            if looked.inline:
                inline.append(fenced(file, mention.path))
            else:
                files[mention.path] = file
    total = sum(len(file.data) for file in files.values())
    if takes and total > takes.total:
        most = weight(takes.total)
        raise CannotSend(f"The files are {weight(total)}; this backend takes {most} with a prompt.")
    return inline, files


def tell(path: str, takes: Takes | None) -> SafeText | None:
    """How one file would be sent, or why it cannot be. None: the name is no file and looks like none."""
    if not is_file(path):
        return safe_line(f"  {path} is no file: it stays text", 160) if looks_meant(path) else None
    try:
        found = look(path, place(path), takes)
    except CannotSend as problem:
        return safe_line(f"! {problem}", 160)
    how = "its text goes into the prompt" if found.inline else "attached"
    return safe_line(f"+ {found.path}  {found.kind}  {weight(found.size)}  {how}", 160)
