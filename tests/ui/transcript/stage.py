"""A stage for the transcript widget: an app with nothing else on it, and a turn to grow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from tui.core import events as ev
from tui.core.safe_text import safe
from tui.core.transcript import Transcript
from tui.ui.transcript import Card, PlainTurn, TranscriptView, Word

HEAD = [Word("Agent", "strong"), Word(" ", fill=True), Word("ttft 0.6s   running")]
STOPPED = Card(
    "stop",
    [
        [Word("┄┄ STOPPED BY YOU  14:02:24 ", "dim"), Word("┄", "dim", fill=True)],
        [Word("  "), Word("^R Resend", "key", "resend"), Word("   "), Word("Copy", "key", "copy")],
    ],
)


class Stage(App[None]):
    """Records every message that bubbles out of the view."""

    AUTO_FOCUS = None

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.view = TranscriptView(clock=lambda: self.now)
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.view

    def said(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.heard if isinstance(message, kind)]


for _name in ("acted", "copy_asked", "cursor_moved", "follow_changed", "found"):

    def _hear(self: Stage, event: Message) -> None:
        self.heard.append(event)

    setattr(Stage, f"on_{_name}", _hear)


class Talk:
    """One turn that grows by events, and the view that shows it."""

    def __init__(self, view: TranscriptView, number: int = 1, prompt: str = "Where is order 42?") -> None:
        self.view, self.transcript = view, Transcript()
        head = [Word("You", "strong"), Word(" ", fill=True), Word("14:02:11", "dim")]
        self.item = PlainTurn(number, safe(prompt), head, HEAD, self.transcript.blocks)
        view.show(self.item)

    def take(self, *events: ev.Event, at: float = 100.0) -> None:
        for event in events:
            self.transcript.apply(event, at)
        self.view.touch(self.item.turn)
        self.view.draw_now()

    def say(self, text: str, block: str = "a") -> None:
        self.take(ev.TextDelta(block, text))

    def change(self, **attributes: object) -> None:
        for name, value in attributes.items():
            setattr(self.item, name, value)
        self.item.revision += 1
        self.take()


def rows(view: TranscriptView) -> list[str]:
    """What is on the screen, without the scroll bar."""
    return [view.render_line(y).text[:-1].rstrip() for y in range(view.size.height)]


def text(view: TranscriptView) -> str:
    return "\n".join(rows(view)).rstrip("\n")


def play(scene: Callable[[Stage, Pilot[None]], Awaitable[None]], size: tuple[int, int] = (80, 24)) -> None:
    """Run a scene on a stage of this size."""

    async def run() -> None:
        stage = Stage()
        async with stage.run_test(size=size) as pilot:
            await scene(stage, pilot)

    asyncio.run(run())
