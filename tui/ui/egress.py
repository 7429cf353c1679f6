"""The second layer: whatever a widget was given, nothing that acts on a terminal leaves the screen.

All wire text has gone through `core.safe_text` before; this filter looks at every line once more on its way
out, because one forgotten call must not be enough. It also covers what Textual prints when the app dies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

from rich.cells import cell_len
from rich.segment import Segment, Segments
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

from tui.core.links import look_at
from tui.core.safe_text import DANGEROUS, safe

_BAD = re.compile(f"{DANGEROUS.pattern}|[\t\n]")
"""Within one line of the screen a tab or a newline is out of place too."""


class EgressFilter(LineFilter):
    """Replaces dangerous characters cell for cell and takes away links that may not be opened."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments if they are clean, as nearly all are; called once for each drawn line."""
        if all(map(_is_clean, segments)):
            return segments
        return [_cleaned(each) for each in segments if not each.control]


R = TypeVar("R")


class Guarded(App[R]):
    """An app whose every line goes through the filter, and that dies without showing a raw byte.

    `fault` is the exception that ended the app, if one did: whoever ran it tells the person in words.
    (Textual's own traceback would print the exception's text as it is, and local variables with it.)
    """

    fault: Exception | None = None

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own filters, then ours: nothing comes after it."""
        return (*super().get_line_filters(), _FILTER)

    def _handle_exception(self, error: Exception) -> None:
        self.fault = self.fault or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """What `exit(message=...)` and `panic` left to print after the screen is gone."""
        left, self._exit_renderables = self._exit_renderables, []
        for renderable in left if self.fault is None else ():
            self.error_console.print(Segments(clean_output(self.error_console.render(renderable))), end="")


def clean_output(segments: Iterable[Segment]) -> list[Segment]:
    """Segments for a terminal outside of the app: text made safe, no control codes, no links."""
    return [Segment(safe(text), _unlinked(style)) for text, style, control in segments if not control]


def _is_clean(segment: Segment) -> bool:
    text, style, control = segment
    if control or (style is not None and style.link and not _link_stays(style.link)):
        return False
    return (text.isprintable() and text.isascii()) or not _BAD.search(text)


def _cleaned(segment: Segment) -> Segment:
    text, style, _ = segment
    if style is not None and style.link and not _link_stays(style.link):
        style = _unlinked(style)
    return Segment(_BAD.sub(_same_width, text), style)


def _same_width(found: re.Match[str]) -> str:
    """Where Textual reckoned with no cell there must come none, or the row would shift."""
    return "\N{REPLACEMENT CHARACTER}" * cell_len(found[0])


@lru_cache(maxsize=1024)
def _link_stays(target: str) -> bool:
    """A terminal opens such a link itself and may not show where it leads: so only plain ones stay."""
    link = look_at(target)
    return link.url == target and not link.caution


def _unlinked(style: Style | None) -> Style | None:
    return style.update_link(None) if style is not None and style.link else style


_FILTER = EgressFilter()
