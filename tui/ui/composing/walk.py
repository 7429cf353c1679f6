"""A walk through earlier prompts, from the draft back and forward again. Data only: it shows nothing."""

from __future__ import annotations

from collections.abc import Iterable

from tui.store.prompts import Past


class Walk:
    """Stands at 0, the draft, or at the n-th newest distinct prompt. The draft comes back as it was."""

    def __init__(self, draft: str) -> None:
        self.draft = draft
        self.at = 0
        self._found: list[Past] = []
        self._seen = {draft}

    def add(self, older: Iterable[Past]) -> None:
        """More prompts, in order; what is there already is left out."""
        for past in older:
            if past.text.strip() and past.text not in self._seen:
                self._seen.add(past.text)
                self._found.append(past)

    def back(self) -> Past | None:
        """One step into the past; None: what is known ends here."""
        if self.at == len(self._found):
            return None
        self.at += 1
        return self._found[self.at - 1]

    def forward(self) -> Past | None:
        """One step towards the draft; None: this is it."""
        self.at = max(0, self.at - 1)
        return self._found[self.at - 1] if self.at else None
