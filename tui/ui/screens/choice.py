"""A question with a few answers: quit while a run is active, send although the old run may go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.ui.screens.modal import BarredModal
from tui.ui.widgets.run_bar import Facts


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: `name` is what the screen dismisses with, `key` the letter that chooses it."""

    name: str
    key: str
    label: str
    hint: str = ""


class ChoiceScreen(BarredModal):
    """A sentence and its choices; Enter, the letter or a click chooses, Esc leaves things be."""

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = """
    ChoiceScreen OptionList, ChoiceScreen OptionList:focus {
        height: auto; border: none; background: $surface; padding: 0;
    }
    ChoiceScreen Static { margin: 1 1 1 1; }
    """

    def __init__(self, facts: Facts, title: str, sentence: str, choices: list[Choice]) -> None:
        super().__init__(facts)
        self.TITLE_TEXT = title
        self.sentence = sentence
        self.choices = choices

    def contents(self) -> list[Widget]:
        rows = [Option(Content(self._row(choice)), id=choice.name) for choice in self.choices]
        return [Static(self.sentence, markup=False), OptionList(*rows)]

    def _row(self, choice: Choice) -> str:
        return f"{choice.key}  {choice.label:<18} {choice.hint}"

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id or "")

    def on_key(self, event: events.Key) -> None:
        for choice in self.choices:
            if event.key == choice.key:
                event.stop()
                self.dismiss(choice.name)
