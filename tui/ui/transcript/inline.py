"""Inline markdown of one paragraph: text in, spans out, each knowing where in the text it stands.

CommonMark's emphasis, code spans, links, autolinks, escapes, entities and hard breaks, with GFM's
strikethrough and bare addresses. Targets of links are always shown, since nothing here is opened by itself.
Time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import punctuation
from typing import NamedTuple

from tui.core.safe_text import safe
from tui.ui.transcript import inks
from tui.ui.transcript.emphasis import Node, Run, pair, run_of
from tui.ui.transcript.rows import Span

_SPECIAL = re.compile(r"\\|`+|\*+|_+|~~?|!?\[|\]|<|&|\n|https?://|www\.", re.ASCII)
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[^\s<>@]{1,64}@[^\s<>@]{1,255})>")
_BARE = re.compile(r"(?:https?://|www\.)[^\s<>\[\]`]{1,2000}")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TARGET = re.compile(
    r"\(\s*(<[^<>\n]*>|[^\s<>()\\]*(?:(?:\\.|\([^\s()]*\))[^\s<>()\\]*)*)"
    r"(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)"
)
_LABEL = re.compile(r"\[([^\[\]]{0,200})\]")


class _Bracket(NamedTuple):
    """An opening bracket: its node, the first run behind it, whether an image, the offset behind it."""

    node: int
    run: int
    image: bool
    inside: int


def parse(text: str, base: int = inks.TEXT, refs: Mapping[str, str] | None = None) -> list[Span]:
    """Spans of `text`; `at` counts from its start. A newline that stands is a span of its own ("\\n")."""
    if not _SPECIAL.search(text):
        return [Span(_without_tabs(text), base, 0, len(text))] if text else []
    return _Parser(text, base, refs or {}).run()


def _without_tabs(text: str) -> str:
    """Between words a tab is a space; as it is it would move the terminal's cursor to places of its own."""
    return text.replace("\t", " ") if "\t" in text else text


def parse_open(text: str, base: int, refs: Mapping[str, str]) -> tuple[list[Span], int]:
    """Like `parse`, for text that goes on: also how much of it will be read the same whatever follows."""
    parser = _Parser(text, base, refs)
    spans = parser.run()
    last_word = max(text.rfind(" "), text.rfind("\n"), 0)
    return spans, min(parser.pending, last_word)


class _Parser:
    """`pending`: from here on marks wait for a partner that may still come."""

    def __init__(self, text: str, base: int, refs: Mapping[str, str]) -> None:
        self.text, self.base, self.refs = text, base, refs
        self.nodes: list[Node] = []
        self.runs: list[Run] = []
        self.brackets: list[_Bracket] = []
        self.missing_ticks: set[int] = set()  # lengths of backtick runs that have no partner further on
        self.pending = len(text)

    def run(self) -> list[Span]:
        text, at = self.text, 0
        for_match = _SPECIAL.search
        while match := for_match(text, at):
            if match.start() > at:
                self.add(text[at : match.start()], at)
            at = self.special(match)
        if at < len(text):
            self.add(text[at:], at)
        waiting = [self.nodes[bracket.node].at for bracket in self.brackets]
        waiting += [self.nodes[opener.node].at for opener in self.pair(0)]
        self.pending = min([self.pending, *waiting])
        return self.spans()

    def add(self, text: str, at: int, size: int | None = None, ink: int = 0, action: str = "") -> None:
        self.nodes.append(Node(_without_tabs(text), at, len(text) if size is None else size, ink, action))

    def special(self, match: re.Match[str]) -> int:
        """Handle what stands at a special character; returns where to go on."""
        mark, at = match.group(), match.start()
        first = mark[0]
        if first in "*_~":
            return self.emphasis(mark, at)
        if first == "`":
            return self.ticks(mark, at)
        if first == "\\":
            return self.escape(at)
        if first == "\n":
            return self.newline(at)
        if mark in ("[", "!["):
            self.add(mark, at)
            self.brackets.append(_Bracket(len(self.nodes) - 1, len(self.runs), mark == "![", match.end()))
            return match.end()
        if first == "]":
            return self.bracket(at)
        if first == "<":
            return self.angle(at)
        if first == "&":
            return self.entity(at)
        return self.bare(at)

    def escape(self, at: int) -> int:
        after = self.text[at + 1 : at + 2]
        if after == "\n":
            self.add("\n", at, 2)
            return at + 2
        if after and after in punctuation:
            self.add(after, at, 2)
            return at + 2
        self.add("\\", at)
        return at + 1

    def newline(self, at: int) -> int:
        """Two spaces before it make it stand, else it is a space."""
        last = self.nodes[-1] if self.nodes else None
        end = at + 1
        while self.text[end : end + 1] == " ":
            end += 1
        if last and last.text.endswith("  ") and last.size == len(last.text):
            kept = last.text.rstrip(" ")
            last.size, last.text = len(kept), kept
            self.add("\n", at, end - at)
        else:
            if last and last.text.endswith(" ") and last.size == len(last.text):
                last.text, last.size = last.text[:-1], last.size - 1
            self.add(" ", at, end - at)
        return end

    def entity(self, at: int) -> int:
        match = _ENTITY.match(self.text, at)
        shown = _decoded(match.group()) if match else ""
        if match and shown:
            self.add(shown, at, len(match.group()))
            return match.end()
        self.add("&", at)
        return at + 1

    def ticks(self, mark: str, at: int) -> int:
        size, text = len(mark), self.text
        end = at + size
        close = -1 if size in self.missing_ticks else _find_ticks(text, size, end)
        if close < 0:
            self.missing_ticks.add(size)
            self.pending = min(self.pending, at)
            self.add(mark, at)
            return end
        start, stop = end, close
        inner = text[start:stop]
        if len(inner) > 2 and inner[0] in " \n" and inner[-1] in " \n" and inner.strip():
            start, stop = start + 1, stop - 1
        for line_at, line in _lines(text[start:stop], start):
            self.add(line, line_at, len(line), inks.CODE)
        return close + size

    def angle(self, at: int) -> int:
        match = _AUTOLINK.match(self.text, at)
        if not match:
            self.add("<", at)
            return at + 1
        target = match.group(1)
        self.add(target, at + 1, len(target), inks.LINK, "link:" + target)
        return match.end()

    def bare(self, at: int) -> int:
        match = _BARE.match(self.text, at)
        before = self.text[at - 1] if at else " "
        if not match or before.isalnum():
            self.add(self.text[at], at)
            return at + 1
        target = _trim_address(match.group())
        self.add(target, at, len(target), inks.LINK, "link:" + target)
        return at + len(target)

    # --- links --------------------------------------------------------------------------------------------

    def bracket(self, at: int) -> int:
        if not self.brackets:
            self.add("]", at)
            return at + 1
        bracket = self.brackets.pop()
        found = self.target(at, bracket.inside)
        if found is None:
            if self.text[at + 1 : at + 2] in ("(", "["):  # what follows may still end
                self.pending = min(self.pending, self.nodes[bracket.node].at)
            self.add("]", at)
            return at + 1
        target, end = found
        self.pair(bracket.run)
        self.link(bracket, at, end, target)
        if not bracket.image:  # links do not nest
            self.brackets = [b for b in self.brackets if b.image]
        return end

    def target(self, at: int, inside: int) -> tuple[str, int] | None:
        """The target that belongs to a "]" at `at`, and where it ends."""
        text = self.text
        if text[at + 1 : at + 2] == "(" and (match := _TARGET.match(text, at + 1)):
            target = match.group(1)
            return _unescape(target[1:-1] if target[:1] == "<" else target), match.end()
        label = _LABEL.match(text, at + 1)
        if label and label.group(1).strip():
            ref = self.refs.get(ref_key(label.group(1)))
            return (ref, label.end()) if ref is not None else None
        ref = self.refs.get(ref_key(text[inside:at]))
        return (ref, label.end() if label else at + 1) if ref is not None else None

    def link(self, bracket: _Bracket, at: int, end: int, target: str) -> None:
        """Make what stands behind the bracket a link, and show its target from `at` to `end`."""
        action = "" if bracket.image else "link:" + target
        opening, *inside = self.nodes[bracket.node :]
        shown = "".join(node.text for node in inside)
        opening.text, opening.size = ("image: " if bracket.image else ""), bracket.inside - opening.at
        if bracket.image:
            opening.ink = inks.DIM
        for inner in inside:
            inner.ink = inner.ink or inks.LINK
            inner.action = action  # also over an address: the text of a link says nothing about its target
        if shown.strip() != target and target:
            gap = " " if shown else ""
            self.add(f"{gap}({_shorten(target)})", at, end - at, inks.TARGET, action)
        else:
            self.add("", at, end - at)

    # --- emphasis -----------------------------------------------------------------------------------------

    def emphasis(self, mark: str, at: int) -> int:
        end = at + len(mark)
        run = run_of(mark, len(self.nodes), self.text[at - 1 : at], self.text[end : end + 1])
        self.add(mark, at)
        if run:
            self.runs.append(run)
        return end

    def pair(self, bottom: int) -> list[Run]:
        """Settle the emphasis among the runs from `bottom` on; returns openers that found no closer."""
        left = pair(self.runs[bottom:], self.nodes)
        del self.runs[bottom:]
        return left

    # --- out ----------------------------------------------------------------------------------------------

    def spans(self) -> list[Span]:
        """Nodes with their flags, empty ones left out. Marks that were used up widen nothing."""
        found: list[Span] = []
        depth: dict[int, int] = {}
        flags = 0
        for node in self.nodes:
            for flag in node.close:
                depth[flag] -= 1
                if not depth[flag]:
                    flags &= ~flag
            if node.text:
                found.append(
                    Span(node.text, (node.ink or self.base) | flags, node.at, node.size, node.action)
                )
            for flag in node.open:
                depth[flag] = depth.get(flag, 0) + 1
                flags |= flag
        return found


def _decoded(entity: str) -> str:
    """The one character an entity stands for; empty if none, or one that would not come through the door."""
    import html  # a large table, seldom needed
    from unicodedata import category

    shown = html.unescape(entity)
    plain = len(shown) == 1 and shown.isprintable() and not category(shown).startswith("M")
    return shown if plain and safe(shown) == shown else ""


def _find_ticks(text: str, size: int, at: int) -> int:
    """Where a run of exactly `size` backticks begins, from `at` on; -1 if there is none."""
    mark = "`" * size
    while (found := text.find(mark, at)) >= 0:
        end = found + size
        while text[end : end + 1] == "`":
            end += 1
        if end - found == size:
            return found
        at = end
    return -1


def _lines(text: str, at: int) -> list[tuple[int, str]]:
    """Lines of a code span, the newlines between them as spaces."""
    found: list[tuple[int, str]] = []
    for line in text.split("\n"):
        if found:
            found.append((at - 1, " "))
        if line:
            found.append((at, line))
        at += len(line) + 1
    return found


def _trim_address(text: str) -> str:
    """A bare address without the punctuation of the sentence around it."""
    while text and (text[-1] in "?!.,:*_~'\";" or (text[-1] == ")" and text.count(")") > text.count("("))):
        text = text[:-1]
    return text


def _shorten(target: str) -> str:
    return target if len(target) <= 200 else f"{target[:150]}…{target[-40:]}"


def _unescape(text: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


def ref_key(label: str) -> str:
    """The form in which labels of link definitions are compared."""
    return " ".join(label.split()).casefold()
