"""What it takes to begin, or to go on with, one conversation: on the screen, or without one."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.backends.base import Backend, Said
from tui.core.conversation import Conversation
from tui.core.events import Record
from tui.session.parts import Clocks, JournalLike

if TYPE_CHECKING:
    from tui.session.reel import Reel


async def _nothing() -> None:
    """Nothing is left to do."""


@dataclass(slots=True)
class Opening:
    """A conversation with everything it needs. Made by `tui.desk`, which knows the parts."""

    backend: Backend
    conversation: Conversation
    journal: JournalLike
    label: str  # agent @ host
    title: str = ""  # as stored; "" for a new one
    embedded: bool = False
    come_back: str = ""  # the command that reopens it
    remote_id: str = ""  # what the backend calls the conversation, if not by our id
    said_before: Sequence[Said] = ()  # in turns that stay on disk
    draft: str = ""
    pasted: dict[str, str] = field(default_factory=dict)  # what the chips in the draft stand for
    queue: list[str] = field(default_factory=list)
    note: str = ""  # one sentence to show at the start (read-only, restored, could not load …)
    clocks: Clocks = field(default_factory=Clocks)
    late: str = "keep"
    on_disk: Callable[[], bool] = lambda: True  # a store that could not be opened is in memory
    queue_on_stop: str = "hold"
    commands: Callable[[], Sequence[tuple[str, str]]] = lambda: ()  # /name and help, the backend's; blocks
    keep_file: Callable[[str, bytes], None] = lambda sha256, data: None  # what goes with a prompt
    kept_file: Callable[[str], bytes | None] = lambda sha256: None  # what went with one; blocks
    save_note: Callable[[str, object], None] = lambda kind, value: None
    old_turn: Callable[[int], Sequence[Record]] = lambda number: ()  # a turn's stored records; blocks
    older: Callable[[int, int], Sequence[Record]] = lambda first, last: ()  # stored records; blocks
    mono: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    end: Callable[[], Awaitable[object]] = _nothing
    reel: Reel | None = None  # a recording to play in the place of a conversation
