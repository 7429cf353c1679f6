"""The marks of markdown's block structure, and how much of a line they take."""

from __future__ import annotations

import re

from tui.ui.transcript.leaves import QUOTE, Nest, Run

QUOTE_MARK = re.compile(r" {0,3}> ?")
ITEM = re.compile(r"( {0,3})([-+*]|[0-9]{1,9}[.)])(?:( +|\t+)|$)")
RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})[ \t]*([^\n]*)$")
HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
REFERENCE = re.compile(r" {0,3}\[(?!\^)([^\[\]]{1,200})\]:[ \t]*(<[^<>]*>|\S+)(?:[ \t]+[\"'(].*)?[ \t]*$")
BARE_MARKS = re.compile(r"[ \t]*(?:[-=*_+#>~|: \t]{1,20}|`{1,20}|[0-9]{1,9}[.)]?)$")
PLAIN_START = re.compile(r"[^ \t>\-+*0-9#`~=_|\[:]")  # no other character begins anything but a paragraph
_INDENT = re.compile(r"[ \t]*")
_SENTENCE = re.compile(r"[.!?…。！？][\"')\]]*(?:\s|(?<=[。！？]))")
_SPACE = re.compile(r"\s")


def begins_leaf(rest: str) -> bool:
    """Whether this line ends a paragraph even without the marks of the paragraph's containers."""
    return bool(RULE.match(rest) or HEADING.match(rest) or FENCE.match(rest))


def container(rest: str) -> tuple[Nest | None, bool]:
    """The quote or list item that begins here, and whether it may do so inside of a paragraph.

    There only "1." and a bullet begin a list, and only with content.
    """
    if PLAIN_START.match(rest):
        return None, False
    if QUOTE_MARK.match(rest):
        return QUOTE, True
    item = ITEM.match(rest)
    if not item or RULE.match(rest):
        return None, False
    marker, spaces = item.group(2), item.group(3) or ""
    empty = item.end() == len(rest)
    size = len(spaces.expandtabs(4))
    indent = len(item.group(1)) + len(marker) + (1 if empty or size > 4 else size)
    return Nest(marker, indent), not empty and marker[:-1] in ("", "1")


def columns(text: str) -> int:
    """Columns of white space at the start."""
    match = _INDENT.match(text)
    lead = match.group() if match else ""
    return len(lead.expandtabs(4)) if "\t" in lead else len(lead)


def eat(text: str, at: int, width: int) -> tuple[str, int]:
    """`text` and its offset without the first `width` columns of white space."""
    taken = used = 0
    while used < width and taken < len(text) and text[taken] in " \t":
        used += 4 - used % 4 if text[taken] == "\t" else 1
        taken += 1
    return text[taken:], at + taken


def eat_item(text: str, at: int, nest: Nest) -> tuple[str, int]:
    """Without the mark of a quote, or the marker of a list item and the white space that belongs to it."""
    if not nest.marker:
        mark = QUOTE_MARK.match(text)
        size = mark.end() if mark else 0
        return text[size:], at + size
    size = len(text) - len(text.lstrip(" ")) + len(nest.marker)
    return eat(text[size:], at + size, nest.indent - size)


def cut_at(text: str) -> int:
    """Where to cut a long paragraph: behind a sentence in its second half, else a word, else at the end."""
    half = len(text) // 2
    place = _SENTENCE.search(text, half) or _SPACE.search(text, half)
    return place.end() if place else len(text)


def split_runs(runs: list[Run], cut: int) -> tuple[list[Run], list[Run]]:
    """The first `cut` characters of the runs, and the rest."""
    first: list[Run] = []
    for index, (at, text) in enumerate(runs):
        if len(text) >= cut:
            first.append((at, text[:cut]))
            rest = [(at + cut, text[cut:])] if text[cut:] else []
            return first, rest + runs[index + 1 :]
        first.append((at, text))
        cut -= len(text)
    return first, []
