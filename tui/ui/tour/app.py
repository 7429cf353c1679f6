"""The client with a guide at its keys. Every key goes the way of a real one; those of the person go first."""

from __future__ import annotations

import time
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.keys import _character_to_key

from tui.session import Opening
from tui.ui.app import StopkeyApp
from tui.ui.tour.caption import NARROW, Caption
from tui.ui.tour.guide import Guide, Mode
from tui.ui.tour.steps import STEPS
from tui.ui.widgets.lines import Row

_CHARACTERS = {"enter": "\r", "escape": "\x1b", "tab": "\t"}
_REMOTE = {
    "space": lambda guide: guide.turn_to(Mode.PAUSED if guide.mode is Mode.PLAYING else Mode.PLAYING),
    "right": lambda guide: guide.go(1),
    "left": lambda guide: guide.go(-1),
    "h": lambda guide: guide.turn_to(Mode.HANDS),
}
"""The person's keys that move the tour, while the guide has the others."""


class TourApp(StopkeyApp):
    """`StopkeyApp` with a caption row and a guide. `guide_options` go to `Guide`."""

    def __init__(
        self, opening: Opening, *, guide_options: dict[str, Any] | None = None, **options: Any
    ) -> None:
        super().__init__(opening, **options)
        self.guide = Guide(self, STEPS, **(guide_options or {}))
        self.caption = Caption(self.guide, plain=self.plain)
        self._pressed: list[events.Key] = []  # by the guide, and still under way
        self._not_before = 0.0

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if isinstance(widget, Row) and widget.id == "hints":
                yield self.caption
            yield widget

    def on_mount(self) -> None:
        """Beside the client's own, which Textual calls, too."""
        self.call_after_refresh(self.guide.start)

    def on_resize(self, event: events.Resize) -> None:
        self.caption.set_class(event.size.width < NARROW, "-narrow")

    def press(self, key: str) -> None:
        """A key of the guide's, by its Textual name or a letter, on the way of a key from the terminal."""
        letter = key if len(key) == 1 else _CHARACTERS.get(key)
        event = events.Key(_character_to_key(key) if len(key) == 1 else key, letter)
        event.set_sender(self)
        self._pressed.append(event)
        assert self._driver
        self._driver.send_message(event)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            ours = any(one is event for one in self._pressed)
            self._pressed = [one for one in self._pressed if one is not event]
            if self._came_too_late(event) if ours else self._of_the_person(event):
                return
        await super().on_event(event)

    def _came_too_late(self, event: events.Key) -> bool:
        return event.time < self._not_before

    def forget_keys(self) -> None:
        """Keys of the guide's that are still under way belong to a step that was left: they do nothing."""
        self._not_before = time.monotonic()

    def _of_the_person(self, event: events.Key) -> bool:
        """Whether this key was meant for the tour. Any other takes the keys from the guide."""
        guide = self.guide
        if guide.mode in (Mode.PLAYING, Mode.PAUSED) and event.key in _REMOTE:
            _REMOTE[event.key](guide)
            return True
        if guide.mode in (Mode.HANDS, Mode.OVER):
            return self._given_back(event.key)
        guide.turn_to(Mode.HANDS)
        return False

    def _given_back(self, key: str) -> bool:
        """→ and ← where they have nothing else to do."""
        box, guide = self.pane.box, self.guide
        if self.focused is not box and not (guide.modal and guide.mode is Mode.OVER):
            return False
        if key == "right" and guide.mode is Mode.HANDS and box.cursor_location == box.document.end:
            guide.turn_to(Mode.PLAYING)
        elif key == "left" and not box.text:
            guide.go(-1)
        else:
            return False
        return True

    @property
    def inspecting(self) -> bool:
        """Whether the events are shown."""
        return self.pane.has_class("-inspecting")

    def caption_changed(self) -> None:
        """The caption says or shows something else, here and on the sheets over it."""
        for screen in self.screen_stack:
            for caption in screen.query(Caption):
                caption.set_class(screen.size.width < NARROW, "-narrow")
                caption.refresh()

    def situation_changed(self) -> None:
        super().situation_changed()
        self.guide.tell()
