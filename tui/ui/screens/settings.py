"""The settings on the screen: the rows of the file's own table, judged alike, written as they are changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.config import Row, Settings, load, rows
from tui.config.writing import CannotWrite, change
from tui.core.safe_text import safe_line
from tui.ui.screens.modal import BarredModal
from tui.ui.widgets.run_bar import Facts

KEYS = "Enter changes  ← → choose  Del default  Esc close"
AT_ONCE = frozenset({"theme", "stop_confirm", "queue_on_stop", "late", "notifications"})
"""Settings that hold from the moment they are changed."""


class SettingsScreen(BarredModal):
    """Dismisses with "". `apply` is told of every change that was written."""

    TITLE_TEXT = "Settings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False, priority=True),
        Binding("enter", "change", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("left", "turn(-1)", show=False),
        Binding("right", "turn(1)", show=False),
        Binding("delete", "default", show=False),
    ]
    DEFAULT_CSS = """
    SettingsScreen > .sheet { width: 90; }
    SettingsScreen OptionList, SettingsScreen OptionList:focus {
        height: auto; max-height: 18; border: none; background: $surface; padding: 0;
    }
    SettingsScreen Input { display: none; margin: 1 0 0 0; padding: 0 1; }
    SettingsScreen .foot { color: $foreground-muted; margin: 1 1 0 1; height: auto; }
    """

    def __init__(
        self, facts: Facts, file: Path, themes: list[str], apply: Callable[[Settings, str], None]
    ) -> None:
        super().__init__(facts)
        self.file, self.themes, self.apply = file, themes, apply
        self.rows = [row for row in rows().values() if row.kind is not dict]
        self.options = OptionList()
        self.input = Input(compact=True)
        self.foot = Static("", classes="foot", markup=False)
        self.loaded = load(file)
        self._given: frozenset[str] = frozenset()

    def contents(self) -> list[Widget]:
        return [self.options, self.input, self.foot]

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._read(), group="read")

    def on_resize(self, event: events.Resize) -> None:
        self.options.styles.max_height = max(3, event.size.height - 13)  # what is said stays in sight
        self.call_after_refresh(self._draw)

    async def _read(self) -> None:
        self.loaded, self._given = await asyncio.to_thread(_look, self.file)
        self._draw()
        self._tell(self.loaded.problems[0] if self.loaded.problems else "")

    # --- rows ---------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        at = self.options.highlighted or 0
        self.options.clear_options()
        self.options.add_options([Option(Content(self._line(row)), id=row.name) for row in self.rows])
        self.options.highlighted = at

    def _line(self, row: Row) -> str:
        value = _shown(self.value(row))
        where = "file" if row.name in self._given else "default"
        return f"{row.name:<14} {value[:20]:<20} {where}"[: (self.options.size.width or 60) - 1]

    @property
    def row(self) -> Row:
        return self.rows[self.options.highlighted or 0]

    def value(self, row: Row) -> Any:
        """What holds now."""
        return getattr(self.loaded.settings, row.name)

    @on(OptionList.OptionHighlighted)
    def _explain(self) -> None:
        self._tell("")

    def _tell(self, sentence: str) -> None:
        row = self.row
        limits = f" ({row.least:g} to {row.most:g})" if row.most else ""
        choices = f" ({', '.join(row.choices)})" if row.choices else ""
        later = "" if row.name in AT_ONCE else " From the next start."
        doc = f"{row.doc}{choices}{limits}.{later}"
        self.foot.update(f"{sentence or doc}\n{KEYS}" if self.size.height >= 16 else sentence or doc)

    # --- changing -----------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        if not self.input.display:
            (self.options.action_cursor_down if by > 0 else self.options.action_cursor_up)()

    def action_leave(self) -> None:
        if self.input.display:
            self._close_input()
        else:
            self.dismiss("")

    def action_change(self) -> None:
        """Enter: the next choice, or a text to be typed, or what was typed."""
        if self.input.display:
            self._typed(self.input.value)
        elif self._choices():
            self.action_turn(1)
        else:
            self.input.value = _shown(self.value(self.row))
            self.input.cursor_position = len(self.input.value)
            self.input.display = True
            self.input.focus()

    def action_turn(self, by: int) -> None:
        choices = self._choices()
        if not choices or self.input.display:
            return
        value = self.value(self.row)
        at = choices.index(value) if value in choices else -1
        self._save(choices[(at + by) % len(choices)])

    def _choices(self) -> list[Any]:
        if self.row.kind is bool:
            return [False, True]
        return list(self.themes) if self.row.name == "theme" else list(self.row.choices)

    def action_default(self) -> None:
        if not self.input.display:
            self._save(None)

    def _typed(self, text: str) -> None:
        try:
            value = self.row.kind(text.strip()) if self.row.kind in (int, float) else text.strip()
        except ValueError:
            self._tell(f"{self.row.name} must be a number, not {safe_line(text, 40)}.")
            return
        self._save(value)

    def _save(self, value: Any) -> None:
        self.run_worker(self._written(self.row.name, value), group="save", exclusive=True)

    async def _written(self, name: str, value: Any) -> None:
        try:
            await asyncio.to_thread(change, self.file, (name,), value)
        except CannotWrite as problem:
            self._tell(safe_line(str(problem), 300))
            return
        self._close_input()
        await self._read()
        self.apply(self.loaded.settings, name)
        self._tell(f"written to {self.file}")

    def _close_input(self) -> None:
        self.input.display = False
        self.options.focus()


def _look(file: Path) -> tuple[Any, frozenset[str]]:
    """The settings, and which of them the file itself gives."""
    import tomllib

    try:
        given = frozenset(tomllib.loads(file.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError):
        given = frozenset()
    return load(file), given


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else safe_line(str(value), 60)
