"""A backend by name: what it takes to reach it, a try, and what its Stop can do, before it is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.core.safe_text import safe_line
from tui.ui.screens.modal import BarredModal
from tui.ui.widgets.run_bar import Facts

FIELDS: tuple[tuple[str, str], ...] = (
    ("name", "a name of your own, such as work"),
    ("backend", "its protocol: ag-ui, flue, adk, contractspec"),
    ("url", "its address: http://127.0.0.1:8000/agents/support"),
    ("agent", "the agent there (ADK: the app); may be empty"),
    ("token_env", "the variable that holds the token; never the token"),
    ("abort_url", "AG-UI: where an abort goes; may be empty"),
)
TRY = "Enter tries the connection  Tab next field  Esc close"
KEEP = "Enter again keeps it and opens a conversation"

Values = dict[str, str]


class ConnectScreen(BarredModal):
    """Dismisses with "" or "kept". `attempt`: does it answer, and words for it; `keep`: a problem or ""."""

    TITLE_TEXT = "Connect to a backend"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", show=False, priority=True),
        Binding("down,tab", "app.focus_next", show=False, priority=True),
        Binding("up,shift+tab", "app.focus_previous", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    ConnectScreen > .sheet { width: 90; }
    ConnectScreen Horizontal { height: 1; }
    ConnectScreen .label { width: 11; color: $foreground-muted; }
    ConnectScreen Input { width: 1fr; padding: 0; }
    ConnectScreen .found { height: auto; margin: 1 0 0 0; }
    ConnectScreen .foot { color: $foreground-muted; height: auto; margin: 1 0 0 0; }
    """

    def __init__(
        self,
        facts: Facts,
        attempt: Callable[[Values], Awaitable[tuple[bool, list[str]]]],
        keep: Callable[[Values], Awaitable[str]],
    ) -> None:
        super().__init__(facts)
        self.attempt, self.keep = attempt, keep
        self.inputs = {name: Input(placeholder=hint, compact=True, id=name) for name, hint in FIELDS}
        self.found = Static("", classes="found", markup=False)
        self.foot = Static(TRY, classes="foot", markup=False)
        self._tried: Values | None = None
        self._busy = False

    def contents(self) -> list[Widget]:
        rows = [
            Horizontal(Static(name.replace("_", " "), classes="label", markup=False), field)
            for name, field in self.inputs.items()
        ]
        return [*rows, self.found, self.foot]

    def on_mount(self) -> None:
        super().on_mount()
        self.inputs["name"].focus()

    def on_resize(self, event: events.Resize) -> None:
        self.foot.display = event.size.height >= 16

    @property
    def values(self) -> Values:
        """What stands in the fields."""
        return {name: field.value.strip() for name, field in self.inputs.items()}

    @on(Input.Changed)
    def _edited(self) -> None:
        if self._tried is not None and self.values != self._tried:
            self._tried = None
            self.foot.update(TRY)

    def action_go(self) -> None:
        """Try what stands there; what was tried is kept. One at a time."""
        if not self._busy:
            self.run_worker(self._keep() if self._tried == self.values else self._try())

    async def _try(self) -> None:
        values = self.values
        if missing := [name for name in ("name", "backend", "url") if not values[name]]:
            self.found.update(f"It needs a {' and a '.join(missing)}.")
            self.inputs[missing[0]].focus()
            return
        self._busy = True
        self.found.update("trying …")
        try:
            well, lines = await self.attempt(values)
        finally:
            self._busy = False
        self._tried = values
        self.found.update("\n".join([*(safe_line(line, 300) for line in lines)]))
        self.foot.update(KEEP if well else f"{KEEP} all the same")

    async def _keep(self) -> None:
        problem = await self.keep(self.values)
        if problem:
            self.found.update(safe_line(problem, 300))
        else:
            self.dismiss("kept")
