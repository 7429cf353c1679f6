"""What the transcript is fed with: turns as data, and what it asks back as messages.

The view never asks the session anything. The app hands it one `TurnItem` a turn, calls `touch` when something
in it changed, and acts on the messages at the end of this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from textual.message import Message

from tui.core.safe_text import SafeText
from tui.core.transcript import Block

Tone = str
"""How a word looks: one of TONES. A tone never carries meaning that the words do not say as well."""

TONES = ("", "dim", "strong", "accent", "good", "warning", "error", "key")


class Word(NamedTuple):
    """A piece of a line that the app made. Text from the wire in it must be SafeText.

    `action`: the word is clickable, and a click posts `Acted` with it. `fill`: `text` is repeated over the
    space that is left in the line (`Word("┄", "dim", fill=True)`; a space pushes what follows to the right).
    """

    text: str
    tone: Tone = ""
    action: str = ""
    fill: bool = False


Line = Sequence[Word]


@dataclass(frozen=True, slots=True)
class Card:
    """Lines under a reply: a stopped card, a receipt, a note. `key` is unique within its turn."""

    key: str
    lines: Sequence[Line]


class TurnItem(Protocol):
    """One turn as the transcript shows it. All attributes are read while a frame is drawn, never kept.

    `revision` changes whenever anything but the blocks changed (labels, facts, mark, cards, prompt); growth
    of blocks is found by itself. `mark` stands after the last character of the reply ("▌" while it streams,
    "⏹" where it was stopped). `head` is empty as long as there is nothing to say about a reply.
    """

    @property
    def turn(self) -> int: ...
    @property
    def revision(self) -> int: ...
    @property
    def prompt(self) -> SafeText: ...
    @property
    def prompt_head(self) -> Line: ...
    @property
    def head(self) -> Line: ...
    @property
    def blocks(self) -> Sequence[Block]: ...
    @property
    def mark(self) -> str: ...
    @property
    def cards(self) -> Sequence[Card]: ...


@dataclass(slots=True)
class PlainTurn:
    """The simplest `TurnItem`: plain attributes. Whoever changes one of them also raises `revision`."""

    turn: int
    prompt: SafeText
    prompt_head: Line = ()
    head: Line = ()
    blocks: Sequence[Block] = ()
    mark: str = ""
    cards: Sequence[Card] = field(default_factory=tuple)
    revision: int = 0


class Acted(Message):
    """A clickable word was pressed, or a key on the section under the cursor.

    `section` names it: "prompt", "head", "block:<index>" or "card:<key>". `action` is the word's own, a key
    ("edit", "copy", "resend", "details") or "link" with the target in `value` ("links": one a
    line). Nothing is opened by the view.
    """

    def __init__(self, turn: int, section: str, action: str, value: str = "") -> None:
        super().__init__()
        self.turn, self.section, self.action, self.value = turn, section, action, value


class CopyAsked(Message):
    """Source text the person asked to copy. The app knows which clipboards there are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class FollowChanged(Message):
    """The view let go of the end, came back to it, or `below` (rows under the screen) changed."""

    def __init__(self, following: bool, below: int) -> None:
        super().__init__()
        self.following, self.below = following, below


class CursorMoved(Message):
    """The cursor stands on another section (the inspector highlights its events)."""

    def __init__(self, turn: int, section: str) -> None:
        super().__init__()
        self.turn, self.section = turn, section


class Found(Message):
    """What finding found so far: match `number` of `total` (0: none yet); `done`: all was looked through."""

    def __init__(self, query: str, number: int, total: int, done: bool) -> None:
        super().__init__()
        self.query, self.number, self.total, self.done = query, number, total, done
