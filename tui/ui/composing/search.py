"""Finding a prompt by a few letters of it, in a hundred thousand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tui.store.prompts import Past

SHOWN = 100
"""Results that are worth a list."""


def find(prompts: Sequence[Past], query: str, outdated: Callable[[], bool], limit: int = SHOWN) -> list[Past]:
    """The newest prompts that hold every word of `query`; after them those that hold its letters in order.

    Ends early, with what it has, once it is `outdated`: a newer query is being typed.
    """
    words = query.casefold().split()
    found = _take(prompts, lambda text: all(word in text for word in words), limit, outdated)
    letters = "".join(words)
    if len(found) < limit and len(letters) > 1:
        known = {id(past) for past in found}
        loose = _take(prompts, lambda text: in_order(letters, text), limit, outdated)
        found += [past for past in loose if id(past) not in known]
    return found[:limit]


def _take(
    prompts: Sequence[Past], fits: Callable[[str], bool], limit: int, outdated: Callable[[], bool]
) -> list[Past]:
    found: list[Past] = []
    for number, past in enumerate(prompts):
        if fits(past.text.casefold()):
            found.append(past)
            if len(found) == limit:
                break
        if not number % 1000 and outdated():
            break
    return found


def in_order(letters: str, text: str) -> bool:
    """Whether the letters occur in the text one after another. One pass over it, whatever they are."""
    at = 0
    for letter in letters:
        at = text.find(letter, at) + 1
        if not at:
            return False
    return True


def distinct(prompts: Iterable[Past], seen: set[str]) -> list[Past]:
    """Each text once, and none that is `seen`; what is new is then seen."""
    fresh = []
    for past in prompts:
        if past.text not in seen and past.text.strip():
            seen.add(past.text)
            fresh.append(past)
    return fresh


def marks(text: str, query: str) -> list[tuple[int, int]]:
    """Where the words of `query` stand in `text`, to be shown; nothing for a match of letters."""
    low = text.casefold()
    if len(low) != len(text):
        return []
    places = [(low.find(word), len(word)) for word in query.casefold().split()]
    return [(at, at + length) for at, length in places if at >= 0]
