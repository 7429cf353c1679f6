"""What an empty conversation shows: what one can do here, and where one was last time."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from tui.core.safe_text import safe_line

HOW = (
    "Type a message, Enter sends it. Esc or F8 stops the reply, whenever you like: "
    "the text freezes at once, the backend is asked to end the run, and you see what is known."
)


class Welcome(Static):
    """Gone with the first turn."""

    DEFAULT_CSS = """
    Welcome { height: auto; margin: 1 2; color: $foreground-muted; }
    """

    def __init__(self, embedded: bool, stops: str) -> None:
        super().__init__(markup=False)
        self.embedded = embedded
        self.stops = stops
        self.last = ""

    def on_mount(self) -> None:
        self.say("")

    def say(self, last: str) -> None:
        """Show the welcome; `last` is the title of the conversation one can go on with."""
        self.last = last
        lines = [HOW, self.stops]
        if self.embedded:
            lines.append("This is the built-in demo agent: ask it anything, it has a long answer ready.")
        if last:
            lines.append(f"Last time: “{safe_line(last, 50)}”. ")
        told = Content("\n\n".join(lines))
        self.update(told + _ways_on() if last else told)


def _ways_on() -> Content:
    go = Content.styled("Go on with it: /last", Style.from_meta({"@click": "app.last_conversation"}))
    return go + Content("   All: ^T")
