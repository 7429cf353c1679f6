"""F1: the keys as they are bound now, what Stop does where, and what the outcomes mean."""

from __future__ import annotations

from collections.abc import Mapping

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui.core.turn import Outcome
from tui.core.view import MEANING, OUTCOMES
from tui.ui.keys import BOX_KEYS, KEYS, caret
from tui.ui.screens.modal import BarredModal
from tui.ui.widgets.run_bar import Facts


class HelpScreen(BarredModal):
    """Everything is made from the tables that the client itself obeys."""

    TITLE_TEXT = "Help"
    DEFAULT_CSS = """
    HelpScreen VerticalScroll { height: auto; max-height: 100%; }
    """

    def __init__(self, facts: Facts, keymap: Mapping[str, str], about: str) -> None:
        super().__init__(facts)
        self.keymap = keymap
        self.about = about

    def contents(self) -> list[Widget]:
        return [VerticalScroll(Static(Content(self._text()), markup=False))]

    def _text(self) -> str:
        groups: dict[str, list[str]] = {}
        for key in KEYS:
            bound = self.keymap.get(key.id, key.keys)
            groups.setdefault(key.group, []).append(f"  {caret(bound):<9} {key.help}")
        groups["Text box"] = [f"  {name:<9} {what}" for name, what in BOX_KEYS]
        parts = [f"{group}\n" + "\n".join(rows) for group, rows in groups.items()]
        parts.append("How a stop can end\n" + "\n".join(self._outcome(outcome) for outcome in Outcome))
        parts.append(self.about)
        return "\n\n".join(parts)

    def _outcome(self, outcome: Outcome) -> str:
        return f"  {OUTCOMES[outcome].sign} {OUTCOMES[outcome].word}\n      {MEANING[outcome]}"
