"""The chain of the newest stop under the events: what happened when, in milliseconds since the key."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import set_cell_size

from tui import receipt
from tui.core.conversation import Turn
from tui.core.safe_text import SafeText, safe_line
from tui.ui.widgets.lines import Piece
from tui.ui.widgets.roll import Roll

TIME = 11  # columns of the milliseconds


class ReceiptRows(Roll, can_focus=False):
    """One row a link of the chain; not there as long as nothing was stopped."""

    DEFAULT_CSS = """
    ReceiptRows { height: auto; max-height: 45%; background: $panel; display: none; }
    """

    def __init__(self) -> None:
        super().__init__(id="receipt")
        self.following = False
        self.rows: list[tuple[SafeText, str]] = []

    def show(self, turn: Turn | None) -> None:
        """The receipt of this turn; None: there is none."""
        rows: list[tuple[SafeText, str]] = []
        if turn:
            run = turn.run_id or turn.prompt.run_id
            rows = [(safe_line(f"STOP RECEIPT  turn {turn.number}  {run}", 80), "")]
            rows += [*receipt.chain(turn), (receipt.kept(turn), "")]
        if len(rows) != len(self.rows):
            self.styles.height = len(rows)
            self.display = bool(rows)
        self.rows = rows
        self.refresh()

    def total(self) -> int:
        return len(self.rows)

    def pieces(self, index: int, width: int) -> Sequence[Piece]:
        what, when = self.rows[index]
        if not when:
            return [(f" {what}", "strong" if index == 0 else "dim")]
        return [(" " + set_cell_size(what, max(0, width - TIME - 1)), ""), (f"{when:>{TIME - 1}}", "key")]
