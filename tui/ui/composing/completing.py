"""Completion in one text box: watches the word at the cursor, keeps the list, takes its keys first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.ui.composing.listing import Listing
from tui.ui.composing.offers import Offer, Word, command_of, of_commands, word_at
from tui.ui.slash import ARGUMENTS, COMMANDS

if TYPE_CHECKING:
    from tui.ui.composing.composer import Composer
    from tui.ui.widgets.popup import Popup


class Completing:
    """While no word asks for it there is no list, and no key is looked at."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self.popup: Popup | None = None  # made at the first word that wants it
        self.word: Word | None = None
        self._closed: tuple[str, int, int] | None = None  # the word that Esc closed the list for
        self._listing = Listing()
        self._wanted: Word | None = None  # the file that is looked for
        self._finding = False
        self._theirs: Sequence[tuple[str, str]] | None = None  # the backend's own commands

    @property
    def theirs(self) -> frozenset[str]:
        """The backend's own commands, once they are known: from the first / that was typed on."""
        return frozenset(name for name, _ in self._theirs or ())

    @property
    def open(self) -> bool:
        """Whether Esc closes a list before it does anything else."""
        return self.popup is not None and self.popup.chosen is not None

    # --- what is typed ------------------------------------------------------------------------------------

    def look(self) -> None:
        """The text or the cursor has changed. Costs a look at the line before the cursor, no more."""
        row, line = self._line()
        word = word_at(line, row) if "@" in line or line[:1] == "/" else None
        where = (word.kind, row, word.begin) if word else None
        if where is None or where != self._closed:
            self._closed = None
        if word is None or self._closed:
            self._hint(line if row == 0 else "")
        elif word.kind == "command":
            self._show(of_commands(word.typed, self._commands()), word)
        else:
            self._want(word)

    def _want(self, word: Word) -> None:
        """Files are found in a thread; until they are, what is there stays."""
        if word.typed.startswith(("/", "~", "..")):
            self._show((), None)  # named in full: nothing outside is looked through
            return
        self._wanted = word
        if self.word is None or (self.word.kind, self.word.begin) != (word.kind, word.begin):
            self._show((), None)
        else:
            self.word = word
        if not self._finding:
            self._finding = True
            self.composer.pane.app.spawn(self._find())  # type: ignore[attr-defined]

    async def _find(self) -> None:
        try:
            asked = None
            while self._wanted is not None and self._wanted != asked:
                asked = self._wanted
                offers = await asyncio.to_thread(self._listing.offers, asked.typed)
                if self._wanted == asked and word_at(self._line()[1], self._line()[0]) == asked:
                    self._show(offers, asked)
        finally:
            self._finding = False

    def _line(self) -> tuple[int, str]:
        """Row, and its text up to the cursor; nothing of what is selected or was brought back by Up."""
        box = self.composer.box
        row, column = box.cursor_location
        if not box.selection.is_empty or box.recalled:
            return row, ""
        return row, box.document.get_line(row)[:column]

    def _hint(self, line: str) -> None:
        """What the command takes whose arguments are being typed."""
        name = command_of(line)
        if name in ARGUMENTS:
            _, help = COMMANDS[name]
            self._show([Offer("", f"/{name} {ARGUMENTS[name]}", help)], None)
        else:
            self._show((), None)

    def _commands(self) -> list[tuple[str, str, str]]:
        ours = [(name, ARGUMENTS.get(name, ""), help) for name, (_, help) in COMMANDS.items()]
        if self._theirs is None:
            self._theirs = ()
            self.composer.pane.app.spawn(self._ask_the_backend())  # type: ignore[attr-defined]
        return ours + [(name, "[TEXT]", help) for name, help in self._theirs if name not in COMMANDS]

    async def _ask_the_backend(self) -> None:
        self._theirs = await asyncio.to_thread(self.composer.talk.opening.commands)
        self.look()

    # --- the list -----------------------------------------------------------------------------------------

    def _show(self, offers: Sequence[Offer], word: Word | None) -> None:
        was = self.open
        self.word = word
        if self.popup is None:
            if not offers:
                return
            self.popup = self._made()
        if offers or self.popup.offers:
            self.popup.show(offers, choose=word is not None)
        if was is not self.open:
            self.composer.pane.app.situation_changed()  # type: ignore[attr-defined]

    def _made(self) -> Popup:
        from tui.ui.widgets.popup import Popup  # the start does not wait for it

        popup = Popup()
        self.composer.pane.mount(popup, before=self.composer.box)
        return popup

    def dismiss(self) -> None:
        """Esc: close the list, keep the draft; the same word does not open it again."""
        if self.word:
            self._closed = (self.word.kind, self.composer.box.cursor_location[0], self.word.begin)
        self._show((), None)

    def key(self, key: str) -> bool:
        """Whether the list has taken this key. Asked for Enter, Tab, Up and Down, before anything else."""
        self.look()
        if self.popup is None or not self.open:
            return False
        if key == "enter" and self._is_complete():
            self.dismiss()
            return False
        if key in ("up", "down"):
            self.popup.move(-1 if key == "up" else 1)
        else:
            self.choose(run=key == "enter")
        return True

    def _is_complete(self) -> bool:
        """Whether the file that would be chosen stands there already."""
        if not (self.word and self.word.kind == "file" and self.popup and self.popup.chosen):
            return False
        return self._line()[1][self.word.begin :] == self.popup.chosen.text

    def choose(self, *, run: bool) -> None:
        """Put the chosen offer in the word's place; a whole command is carried out if `run`."""
        assert self.popup and self.popup.chosen and self.word
        offer, word, box = self.popup.chosen, self.word, self.composer.box
        row, column = box.cursor_location
        run = run and offer.final and word.kind == "command" and word.typed != ""
        text = offer.text if run or offer.text.endswith(" ") else f"{offer.text} "
        box.replace(text, (row, word.begin), (row, column), maintain_selection_offset=False)
        box.move_cursor((row, word.begin + len(text)))
        self._show((), None)
        if run:
            box.sends(box.text, box.text)
