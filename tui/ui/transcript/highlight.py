"""Highlighting of code line by line: the state behind a line is all that the next one needs.

Pygments' rules are run on one line at a time, with its stack of states carried on. What pygments finds with
one expression over several lines (block comments) is carried on by `until`, the text that ends it. Languages
are loaded beside the loop; until one is there, its code is shown in one ink. So is code that rushes by: a
frame highlights so much and no more, and what stays is highlighted in a later one.
"""

from __future__ import annotations

import asyncio
import math
import re
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from tui.ui.transcript import inks

LONGEST = 400
"""Characters of a line that are looked at."""


MOST = 300
"""Names of languages that are looked up: a stream may name any number of them."""


class LexState(NamedTuple):
    """Where the highlighting of a fence stands behind a line."""

    language: str = ""
    stack: tuple[str, ...] = ("root",)
    until: str = ""  # a comment of several lines is open and ends with this
    ink: int = inks.COMMENT


START = LexState()
Piece = tuple[str, int]
"""Text and its ink."""

_BLOCKS = (
    ("/*", "*/"),
    ("<!--", "-->"),
    ("{-", "-}"),
    ("(*", "*)"),
    ("--[[", "]]"),
    ("#|", "|#"),
    ("`", "`"),
)


class Budget:
    """Characters that may still be highlighted in this frame.

    `short`: it was not enough since this was cleared. `out`: it was not enough at some time in this frame.
    """

    left: float = math.inf
    short = False
    out = False

    def renew(self, characters: float) -> None:
        self.left, self.short, self.out = characters, False, False

    def take(self, characters: int) -> bool:
        """Whether so much may be highlighted."""
        if characters > self.left or self.short:
            self.short = self.out = True
            return False
        self.left -= characters
        return True


budget = Budget()


def line_pieces(text: str, state: LexState) -> tuple[list[Piece], LexState]:
    """A line in pieces of one ink each, and the state behind it."""
    engine = engines.get(state.language)
    if engine is None or not budget.take(min(len(text), LONGEST)):
        return [(text, inks.FENCE)], state
    return engine.line(text[:LONGEST], text[LONGEST:], state)


class Engine:
    """Runs one language's rules line by line."""

    def __init__(self, lexer: Any) -> None:
        self.lexer = lexer
        self.rules, self.extended = _rules(lexer)
        self.openers: dict[str, tuple[str, int]] = {}
        self.opener = re.compile(r"(?!)")
        self._probe()

    def _probe(self) -> None:
        """Find which comments and strings over several lines need help: the rules alone lose them."""
        if self.rules is None:
            return
        for opening, closing in _BLOCKS:
            whole = [t for t in self.lexer.get_tokens_unprocessed(f"{opening} a\nb {closing}\n") if t[2]]
            ink = ink_of(whole[0][1]) if whole else inks.FENCE
            if ink not in (inks.COMMENT, inks.STRING) or "\n" not in whole[0][2]:
                continue
            _, behind = self.line(f"{opening} a", "", START)
            if self.line(f"b {closing}", "", behind)[0][0][1] != ink:
                self.openers[opening] = (closing, ink)
        if self.openers:
            self.opener = re.compile("|".join(re.escape(opening) for opening in self.openers))

    def line(self, text: str, rest: str, state: LexState) -> tuple[list[Piece], LexState]:
        """Pieces of `text` (and of `rest`, not looked at), and the state behind the line."""
        pieces: list[Piece] = []
        if state.until:
            end = text.find(state.until)
            if end < 0:
                return [(text + rest, state.ink)], state
            end += len(state.until)
            pieces.append((text[:end], state.ink))
            state = state._replace(until="")
            text = text[end:]
        try:
            found, state = self._tokens(text + "\n", state)
        except Exception:  # a rule of a lexer may raise anything; code is then shown as it is
            found = [(text, inks.FENCE)]
        pieces += found
        return [*_joined(pieces), (rest, inks.FENCE)] if rest else _joined(pieces), state

    def _tokens(self, text: str, state: LexState) -> tuple[list[Piece], LexState]:
        if self.rules is None:
            found = [(value, ink_of(kind)) for _, kind, value in self.lexer.get_tokens_unprocessed(text)]
            return found, state
        if self.extended:
            return self._extended(text, state)
        pieces: list[Piece] = []
        stack, at = list(state.stack), 0
        while at < len(text):
            opened = self.opener.match(text, at)
            if opened and _is_code(stack[-1]):
                closing, ink = self.openers[opened.group()]
                end = text.find(closing, opened.end())
                if end < 0:
                    return [*pieces, (text[at:], ink)], state._replace(
                        stack=tuple(stack), until=closing, ink=ink
                    )
                pieces.append((text[at : end + len(closing)], ink))
                at = end + len(closing)
                continue
            at = self._step(text, at, stack, pieces)
        return pieces, state._replace(stack=tuple(stack[-32:]))

    def _step(self, text: str, at: int, stack: list[str], pieces: list[Piece]) -> int:
        """The first rule of the current state that matches at `at`."""
        for match_at, action, change in self.rules[stack[-1]]:
            match = match_at(text, at)
            if not match:
                continue
            if action is not None:
                pieces.extend(self._action(action, match))
            moved = match.end() > at
            if change is not None:
                _change(stack, change)
                moved = True
            if moved:
                return int(match.end())
        if text[at] == "\n":
            stack[:] = ["root"]
        pieces.append((text[at], inks.FENCE))
        return at + 1

    def _action(self, action: Any, match: re.Match[str]) -> Iterator[Piece]:
        if isinstance(action, tuple):  # token types are tuples
            yield match.group(), ink_of(action)
        else:
            for _, kind, value in action(self.lexer, match, None):
                yield value, ink_of(kind)

    def _extended(self, text: str, state: LexState) -> tuple[list[Piece], LexState]:
        from pygments.lexer import LexerContext  # type: ignore[import-untyped]

        context = LexerContext(text, 0, list(state.stack))
        found = [(v, ink_of(kind)) for _, kind, v in self.lexer.get_tokens_unprocessed(None, context)]
        return found, state._replace(stack=tuple(context.stack[-32:]))


def _change(stack: list[str], change: Any) -> None:
    """Enter or leave states the way a rule says."""
    if isinstance(change, int):
        del stack[max(1, len(stack) + change) :]
        return
    for name in change if isinstance(change, tuple) else (change,):
        if name == "#pop":
            if len(stack) > 1:
                stack.pop()
        else:
            stack.append(stack[-1] if name == "#push" else name)


def _is_code(state: str) -> bool:
    return not any(word in state for word in ("string", "quote", "comment", "tqs", "dqs", "sqs"))


def _rules(lexer: Any) -> tuple[Any, bool]:
    """The rules of a lexer, None if it does not work by rules alone; and whether they expect a context."""
    from pygments.lexer import ExtendedRegexLexer

    rules = getattr(lexer, "_tokens", None)
    if not isinstance(lexer, ExtendedRegexLexer):
        return rules, False
    own = type(lexer).get_tokens_unprocessed is not ExtendedRegexLexer.get_tokens_unprocessed
    return (None, False) if own else (rules, True)


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbours of one ink joined, the newline at the end left out."""
    found: list[Piece] = []
    for text, ink in pieces:
        if found and found[-1][1] == ink:
            found[-1] = (found[-1][0] + text, ink)
        elif text:
            found.append((text, ink))
    if found and found[-1][0].endswith("\n"):
        text, ink = found.pop()
        if text != "\n":
            found.append((text[:-1], ink))
    return found


@lru_cache(maxsize=512)
def ink_of(kind: Any) -> int:
    """The ink for a pygments token type."""
    names = str(kind).split(".")[1:]
    for name in reversed(names):
        if name in _INKS:
            return _INKS[name]
    return inks.FENCE


_INKS = {
    "Comment": inks.COMMENT, "Keyword": inks.KEYWORD, "Word": inks.KEYWORD, "String": inks.STRING,
    "Number": inks.NUMBER, "Function": inks.NAME, "Class": inks.NAME, "Decorator": inks.NAME,
    "Builtin": inks.NAME, "Tag": inks.KEYWORD, "Attribute": inks.NAME, "Namespace": inks.NAME,
    "Exception": inks.NAME,
    "Deleted": inks.DELETED, "Inserted": inks.INSERTED, "Heading": inks.KEYWORD, "Subheading": inks.KEYWORD,
    "Operator": inks.OPERATOR,
}  # fmt: skip


class Engines:
    """The languages that are loaded. `count` changes whenever one has come in."""

    def __init__(self) -> None:
        self.count = 0
        self._found: dict[str, Engine | None] = {"": None}
        self._asked: dict[str, weakref.ref[asyncio.AbstractEventLoop]] = {}
        self._waiting: list[Callable[[], None]] = []

    def get(self, language: str) -> Engine | None:
        """The language's engine; None if there is none (yet). Without a running loop it is loaded now."""
        if language in self._found:
            return self._found[language]
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._found.setdefault(language, load(language))
        asked = self._asked.get(language)
        if (asked is None or asked() is not loop) and len(self._asked) < MOST:
            self._asked[language] = weakref.ref(loop)
            loop.run_in_executor(None, self._load, loop, language)
        return None

    def _load(self, loop: asyncio.AbstractEventLoop, language: str) -> None:
        try:
            engine = load(language)
        except Exception:  # a lexer that cannot be made costs the colours and no more
            engine = None
        with suppress(RuntimeError):  # the app is gone, and its loop with it
            loop.call_soon_threadsafe(self._came, language, engine)

    def _came(self, language: str, engine: Engine | None) -> None:
        self._found[language] = engine
        if engine is None:
            return
        self.count += 1
        waiting, self._waiting = self._waiting, []
        for tell in waiting:
            tell()

    def when_more(self, tell: Callable[[], None]) -> None:
        """Call `tell` once when another language has come in."""
        if tell not in self._waiting:
            self._waiting.append(tell)


def load(language: str) -> Engine | None:
    """Find a language among those that come with pygments; plug-ins are never run for a name off the wire."""
    from pygments.lexers import find_lexer_class, get_all_lexers  # type: ignore[import-untyped]

    wanted = language.lower()
    for name, aliases, _, _ in get_all_lexers(plugins=False):
        if wanted in aliases:
            lexer = find_lexer_class(name)
            return Engine(lexer(stripnl=False, ensurenl=False)) if lexer else None
    return None


engines = Engines()
