"""A desk written by hand: new conversations from a list of scripted backends, and a shelf of stored ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.fakes import ScriptedBackend
from tests.ui.stage import opening
from tui.config import Profile
from tui.core.conversation import Conversation
from tui.session import Opening
from tui.store.prompts import Past
from tui.store.search import Hit


@dataclass
class Kept:
    """A conversation as a list shows it."""

    conversation_id: str
    title: str = ""
    agent: str = "support"
    backend: str = "scripted"
    phase: str = "completed"
    outcome: str = ""
    chars: int = 0
    touched: float = 1_790_000_000.0


@dataclass
class Shelf:
    """Lists what it is given; remembers what was asked of it."""

    kept: list[Kept] = field(default_factory=list)
    hits: dict[str, list[Hit]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    problem: str | None = None
    on_problem: Callable[[str | None], None] | None = None

    def opened(self, timeout_s: float = 15.0) -> bool:
        return True

    def list(self, limit: int = 200, query: str = "") -> Sequence[Kept]:
        found = [row for row in self.kept if row.conversation_id not in self.gone]
        return [row for row in found if query.lower() in row.title.lower()][:limit]

    def search(self, text: str, limit: int = 50) -> Sequence[Hit]:
        return self.hits.get(text, [])[:limit]

    def delete(self, conversation_id: str) -> None:
        self.gone.append(conversation_id)

    def undelete(self, conversation_id: str) -> None:
        self.gone.remove(conversation_id)

    def rename(self, conversation_id: str, title: str) -> None:
        next(row for row in self.kept if row.conversation_id == conversation_id).title = title

    def prompts(self, before: Past | None = None, limit: int = 100, most: int = 20_000) -> Sequence[Past]:
        return []

    def whole_prompt(self, past: Past) -> str:
        return past.text


class HandDesk:
    """`fresh` takes the backends in order; `reopen` makes a conversation of the id it is asked for."""

    def __init__(self, backends: Sequence[ScriptedBackend], shelf: Shelf | None = None) -> None:
        self.backends = list(backends)
        self.store = shelf or Shelf()
        self.made = 0
        self.tried: list[Profile] = []
        self.answer: tuple[bool, list[str]] = (True, ["Stop sends this backend an abort for this run."])

    def fresh(self) -> Opening:
        self.made += 1
        return self._opening(f"{self.made:012x}")

    def reopen(self, conversation_id: str) -> Opening:
        return self._opening(conversation_id)

    def fresh_with(self, profile: Profile) -> Opening:
        return self.fresh()

    async def attempt(self, profile: Profile) -> tuple[bool, list[str]]:
        self.tried.append(profile)
        return self.answer

    def branch(self, conversation_id: str, before: int) -> Opening:
        return self.fresh()

    def _opening(self, conversation_id: str) -> Opening:
        made = opening(self.backends.pop(0))
        made.conversation = Conversation(conversation_id)
        made.come_back = f"stopkey open {conversation_id}"
        return made
