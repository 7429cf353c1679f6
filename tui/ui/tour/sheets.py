"""The two sheets of the tour: what the six outcomes mean, and how to go on with one's own agent."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui.core.turn import Outcome
from tui.core.view import MEANING, OUTCOMES
from tui.ui.screens.modal import BarredModal
from tui.ui.tour.caption import Caption
from tui.ui.tour.guide import Guide
from tui.ui.widgets.run_bar import Facts

YOURS = (
    ("AG-UI", "stopkey chat --backend ag-ui --url URL"),
    ("Flue", "stopkey chat --backend flue --url URL"),
    ("Google ADK", "stopkey chat --backend adk --url URL --agent APP"),
    ("ContractSpec", "stopkey chat --backend contractspec --url URL"),
    ("none yet", "stopkey"),
    ("is its Stop true?", "stopkey probe --backend NAME --url URL"),
)


class Sheet(BarredModal):
    """A sheet with the tour's caption below it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "dismiss('')", "Close", show=False)]
    DEFAULT_CSS = """
    Sheet { align: center top; }
    Sheet > .sheet { max-height: 100%; margin-top: 1; overflow-y: auto; }
    Sheet .about { padding-left: 2; }
    Sheet > Caption { dock: bottom; margin-bottom: 1; }
    """

    def __init__(self, facts: Facts, guide: Guide) -> None:
        super().__init__(facts)
        self.guide = guide
        self.caption = Caption(guide, plain=facts.plain)

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self.caption


class OutcomesSheet(Sheet):
    """The six outcomes, those that were seen in this tour marked."""

    TITLE_TEXT = "How a stop can end"

    def contents(self) -> list[Widget]:
        return [line for outcome in Outcome for line in _pair(self._called(outcome), MEANING[outcome])]

    def _called(self, outcome: Outcome) -> Content:
        look = OUTCOMES[outcome]
        sign = look.plain if self.facts.plain else look.sign
        name = Content.styled(f"{sign} {outcome}", "bold")
        seen = Content.styled(" · seen just now" if outcome in self.guide.seen else "", "$text-accent")
        return Content.assemble(name, seen)


class YoursSheet(Sheet):
    """The command lines that connect to the person's own agent."""

    TITLE_TEXT = "Now your own agent"

    def contents(self) -> list[Widget]:
        return [
            line
            for what, command in YOURS
            for line in _pair(Content.styled(what, "bold"), Content.styled(command, "$text-accent"))
        ]


def _pair(name: Content, about: Content | str) -> tuple[Widget, Widget]:
    """A name, and below it, set in, what there is to say about it."""
    return Static(name, markup=False), Static(about, classes="about", markup=False)
