"""What can complete the word at the cursor: data, and the rule which word it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui.ui.composing.search import in_order

LOOKED_AT = 400
"""Characters before the cursor that are looked at: what one completes is near."""
MOST = 50
"""Offers in a list: who wants the others types another letter."""

_COMMAND = re.compile(r"/([\w-]*)")
_FILE = re.compile(r'(?:^|(?<=[\s(\[{<]))@("[^"\n]*|[^\s"@]*)$')


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of the list. `text` takes the word's place; `final`: nothing has to be typed after it."""

    text: str
    label: str
    help: str = ""
    final: bool = True


@dataclass(frozen=True, slots=True)
class Word:
    """The word that is being typed: "command" or "file", where it begins in its line, what is typed of it."""

    kind: str
    begin: int
    typed: str


def word_at(before: str, row: int) -> Word | None:
    """The word to complete, by its line up to the cursor. `row` is the line's number."""
    if row == 0 and (found := _COMMAND.fullmatch(before)):
        return Word("command", 0, found[1])
    begin = max(0, len(before) - LOOKED_AT)
    if "@" in before[begin:] and (found := _FILE.search(before[begin:])):
        return Word("file", begin + found.start(), found[1].strip('"'))
    return None


def command_of(line: str) -> str:
    """The command whose arguments are being typed; "" if none is."""
    found = _COMMAND.match(line)
    return found[1] if found and line[found.end() :][:1] == " " else ""


def ranked(typed: str, names: Iterable[str]) -> list[str]:
    """The names that fit: those that begin so, those that hold it, those that have its letters in order."""
    low = typed.casefold()
    tiers: tuple[list[str], list[str], list[str]] = ([], [], [])
    for name in names:
        folded = name.casefold()
        if folded.startswith(low):
            tiers[0].append(name)
        elif low in folded:
            tiers[1].append(name)
        elif in_order(low, folded):
            tiers[2].append(name)
    return [name for tier in tiers for name in tier][:MOST]


def of_commands(typed: str, known: Sequence[tuple[str, str, str]]) -> list[Offer]:
    """Commands as offers. `known`: name, arguments ("[REASON]" may be left out, "TEXT" may not), help."""
    by_name = {name: (arguments, help) for name, arguments, help in known}
    return [_command(name, *by_name[name]) for name in ranked(typed, by_name)]


def _command(name: str, arguments: str, help: str) -> Offer:
    final = not arguments or arguments.startswith("[")
    return Offer(f"/{name}" if final else f"/{name} ", f"/{name} {arguments}".rstrip(), help, final)
