"""Markdown's block structure, line by line, once: what was read is never read again.

A `Scanner` is fed with source as it comes and gives out leaves as they close. Any cutting of the source gives
the same leaves. What is open at the end (`tail`) is bounded: a paragraph, a line or a table that grows beyond
some kilobytes is cut at a place that only depends on the source (a sentence's end where there is one).

CommonMark blocks with GFM tables and task items. HTML blocks are shown as they stand. So is a last line that
is not ended yet and consists of marks only ("-", "``", "1."): nobody can know yet what it will be.
"""

from __future__ import annotations

import re

from tui.ui.transcript import marks, tables
from tui.ui.transcript.inline import ref_key
from tui.ui.transcript.leaves import Fence, Found, Kind, Leaf, Nest, Run, State, Table

LONG_LINE = 2048  # a longer line is not waited for
LONG_PARAGRAPH = 3072  # a longer paragraph is cut
TABLE_HEAD = 20  # rows that settle the widths of a table's columns


class Scanner:
    """Reads source from `at` on, beginning in `state`. `refs` collects link definitions.

    `runs` is the open paragraph, or the rows of a table whose columns are not settled. `mid`: behind the
    first part of a long line. `carry`: in a paragraph whose first part was cut off. `whole`: its last run is
    a line of its own. `start` and `before`: offset of the current line, and the containers before it.
    """

    __slots__ = (
        "at", "before", "buffer", "carry", "found", "gap", "is_text", "mid", "nests", "open", "refs", "runs",
        "shown", "size", "start", "whole",
    )  # fmt: skip

    def __init__(self, at: int = 0, state: State | None = None, refs: dict[str, str] | None = None) -> None:
        self.nests, self.shown, self.gap, self.open, carry = state or State()
        self.mid = carry >= 2
        self.carry = carry in (1, 2)
        self.is_text = False
        self.at = self.start = at
        self.before = self.nests
        self.buffer = ""
        self.runs: list[Run] = []
        self.size = 0
        self.whole = False
        self.found: list[Found] = []
        self.refs = {} if refs is None else refs

    # --- in and out ---------------------------------------------------------------------------------------

    def feed(self, text: str) -> list[Found]:
        """Read on; returns the leaves that closed."""
        buffer, begin = self.buffer + text, 0
        size = len(buffer)
        while begin < size:
            end = buffer.find("\n", begin)
            stop = size if end < 0 else end
            if stop - begin > LONG_LINE or (end < 0 and self.mid and self.open is None):
                stop = min(stop, begin + LONG_LINE)
                self._long(self.at + begin, buffer[begin:stop])
                begin = stop
            elif end < 0:
                break
            else:
                self._whole(self.at + begin, buffer[begin:end], ended=True)
                begin = end + 1
        self.at, self.buffer = self.at + begin, buffer[begin:]
        return self._take()

    def tail(self) -> list[Leaf]:
        """What is open, as it would be if the source ended here. Changes nothing."""
        if not self.buffer and not self.runs and self.shown == len(self.nests):
            return []
        fork = Scanner(self.at, State(self.nests, self.shown, self.gap, self.open))
        fork.runs, fork.size, fork.whole = list(self.runs), self.size, self.whole
        fork.mid, fork.carry = self.mid, self.carry
        fork.buffer = self.buffer
        return [found.leaf for found in fork.close()]

    def close(self, cut: bool = False) -> list[Found]:
        """The source ends here. `cut`: in truth it goes on, and this line is a paragraph's (carry 2)."""
        if self.buffer:
            self.is_text = cut
            if self.open is None and not self.mid and not cut and marks.BARE_MARKS.match(self.buffer):
                self._literal(self.at, self.buffer)
            else:
                self._whole(self.at, self.buffer, ended=False)
            self.at, self.buffer = self.at + len(self.buffer), ""
        self.start, self.before = self.at, self.nests
        self._close_leaf()
        self._show_empty(0)
        return self._take()

    def _take(self) -> list[Found]:
        found, self.found = self.found, []
        return found

    def _literal(self, at: int, text: str) -> None:
        """Marks that may become anything: shown as a line of their own."""
        self.start, self.before = at, self.nests
        self._close_leaf()
        stripped = text.lstrip()
        if stripped:
            self._emit(Kind.PARAGRAPH, ((at + len(text) - len(stripped), stripped),), at + len(text))

    # --- one line -----------------------------------------------------------------------------------------

    def _whole(self, at: int, text: str, ended: bool) -> None:
        """A line, or the last part of a long one."""
        if self.mid:
            self.mid = False
            self._more(at, text, ended)
        else:
            self._line(at, text, ended)

    def _long(self, at: int, text: str) -> None:
        """The first part of a long line, or more of it."""
        if self.mid:
            self._more(at, text, ended=False)
        else:
            self.mid = True
            self._line(at, text, ended=False)

    def _more(self, at: int, text: str, ended: bool) -> None:
        self.start, self.before = at, self.nests
        if isinstance(self.open, Fence):
            self._emit(Kind.CODE_LINE, ((at, text),), at + len(text) + ended, self.open.language)
            return
        if isinstance(self.open, Table):
            self._close_leaf(carry=3)
            self.open = None
        self._add(at, text, ended, joined=True)

    def _line(self, at: int, text: str, ended: bool) -> None:
        """A line without its newline, or the first part of a long one."""
        self.start, self.before = at, self.nests
        if not self.nests and self.open is None and marks.PLAIN_START.match(text):
            self._add(at, text, ended)  # by far the most lines: nothing but text
            return
        end = at + len(text) + ended
        matched, rest, at = self._match(text, at)
        in_fence = isinstance(self.open, Fence) and matched == len(self.nests)
        if in_fence:
            self._fence_line(rest, at, end)
        elif not rest.strip(" \t"):
            self._blank(matched)
        else:
            self._end_fence()
            self._block(matched, rest, at, end, ended)

    def _match(self, text: str, at: int) -> tuple[int, str, int]:
        """How many of the open containers this line goes on with, and what is left of it."""
        for index, nest in enumerate(self.nests):
            if not nest.marker:
                quote = marks.QUOTE_MARK.match(text)
                if not quote:
                    return index, text, at
                text, at = text[quote.end() :], at + quote.end()
            else:
                if marks.columns(text) < nest.indent and text.strip(" \t"):
                    return index, text, at
                text, at = marks.eat(text, at, nest.indent)
        return len(self.nests), text, at

    def _blank(self, matched: int) -> None:
        self._close_leaf()
        self._end_fence()
        self.open = None
        fresh = range(self.shown, matched)  # an item that is still empty ends with the blank line
        self._cut(next((index for index in fresh if self.nests[index].marker), matched))
        self.gap = True

    def _block(self, matched: int, rest: str, at: int, end: int, ended: bool) -> None:
        """A line that is neither blank nor in a fence: open containers, then see what leaf it is."""
        lazy = matched < len(self.nests)
        while nest := self._container(rest, lazy):
            self._leave(matched)
            self.nests = (*self.nests, nest)
            matched, lazy = len(self.nests), False
            rest, at = marks.eat_item(rest, at, nest)
        if not rest.strip(" \t"):
            return
        if lazy and self._in_paragraph and not marks.begins_leaf(rest):
            self._add(at, rest, ended)
            return
        if lazy:
            self._leave(matched)
        self._leaf(rest, at, end, ended)

    def _leave(self, matched: int) -> None:
        self._close_leaf()
        self.open = None
        self._cut(matched)

    def _container(self, rest: str, lazy: bool) -> Nest | None:
        """The quote or list item that begins here, if one does."""
        nest, interrupts = marks.container(rest)
        return nest if interrupts or lazy or not self._in_paragraph else None

    @property
    def _in_paragraph(self) -> bool:
        return self.open is None and (bool(self.runs) or self.carry)

    def _leaf(self, rest: str, at: int, end: int, ended: bool) -> None:
        if self.is_text or (self.open is None and marks.PLAIN_START.match(rest)):
            self._add(at, rest, ended)
            return
        if isinstance(self.open, Table) and marks.columns(rest) >= 4:
            self._close_leaf()
            self.open = None
        fence = marks.FENCE.match(rest)
        if fence and not (fence.group(2)[0] == "`" and "`" in fence.group(3)):
            self._begin_fence(fence, at, end)
        elif self.open is None and self.runs and (line := marks.UNDERLINE.match(rest)):
            self._end_paragraph(Kind.HEADING, end, "1" if line.group(1)[0] == "=" else "2")
        elif marks.RULE.match(rest):
            self._single(Kind.RULE, at, rest, end)
        elif heading := marks.HEADING.match(rest):
            text = heading.group(2) or ""
            self._single(Kind.HEADING, at + max(heading.start(2), 0), text, end, str(len(heading.group(1))))
        elif isinstance(self.open, Table) or self._begins_table(rest):
            self._table_row(at, rest, end)
        elif not self._in_paragraph and marks.columns(rest) >= 4:
            code, code_at = marks.eat(rest, at, 4)
            self._emit(Kind.CODE_LINE, ((code_at, code),), end)
        elif not self._in_paragraph and (ref := marks.REFERENCE.match(rest)):
            self.refs.setdefault(ref_key(ref.group(1)), ref.group(2).strip("<>"))
            self._emit(Kind.REFERENCE, ((at, rest.strip()),), end)
        else:
            self._add(at, rest, ended)

    def _single(self, kind: Kind, at: int, text: str, end: int, info: str = "") -> None:
        """A leaf that is one line."""
        self._close_leaf()
        self.open = None
        self._emit(kind, ((at, text),), end, info)

    # --- paragraphs ---------------------------------------------------------------------------------------

    def _add(self, at: int, text: str, ended: bool, joined: bool = False) -> None:
        """A line of a paragraph, or more of a long one."""
        if not joined:
            stripped = text.lstrip(" \t")
            at, text = at + len(text) - len(stripped), stripped
        if ended:
            text += "\n"
        if joined and self.runs and self.runs[-1][0] + len(self.runs[-1][1]) == at:
            last_at, last = self.runs[-1]
            self.runs[-1] = (last_at, last + text)
        elif text:
            self.runs.append((at, text))
        self.size += len(text)
        self.whole = not joined and not self.is_text
        while self.size - (len(text) if self.whole else 0) > LONG_PARAGRAPH:
            self._cut_paragraph()

    def _cut_paragraph(self) -> None:
        """Give out the first part of a paragraph that has become too long.

        A whole last line is not counted before: it may turn out to be the heading row of a table.
        """
        text = "".join(text for _, text in self.runs)
        cut = marks.cut_at(text[:LONG_PARAGRAPH])
        count = len(self.runs)
        first, self.runs = marks.split_runs(self.runs, cut)
        self.whole = self.whole and len(first) < count
        self.size -= cut
        self.carry = True
        end = first[-1][0] + len(first[-1][1])
        self._emit(Kind.PARAGRAPH, tuple(first), end, carry=1 if text[cut - 1] == "\n" else 2)

    def _close_leaf(self, carry: int = 0) -> None:
        """End the paragraph or the head of a table that is open; the current line is not part of it."""
        self.carry = False
        if not self.runs:
            return
        if isinstance(self.open, Table):
            self._end_table_head(self.start, carry)
        else:
            self._end_paragraph(Kind.PARAGRAPH, self.start)

    def _end_paragraph(self, kind: Kind, end: int, info: str = "") -> None:
        while self.size > LONG_PARAGRAPH:
            self._cut_paragraph()
        runs, self.runs, self.size, self.carry = tuple(self.runs), [], 0, False
        self._emit(kind, runs, end, info)

    # --- fences -------------------------------------------------------------------------------------------

    def _begin_fence(self, match: re.Match[str], at: int, end: int) -> None:
        self._close_leaf()
        words = match.group(3).split()
        language = words[0].strip("{}.")[:40] if words else ""
        self.open = Fence(match.group(2)[0], len(match.group(2)), len(match.group(1)), language)
        self._emit(Kind.CODE_OPEN, ((at, match.group()),), end, language)

    def _fence_line(self, rest: str, at: int, end: int) -> None:
        fence = self.open
        assert isinstance(fence, Fence)
        stripped = rest.strip(" \t")
        if len(stripped) >= fence.size and not stripped.strip(fence.char) and marks.columns(rest) < 4:
            self.open = None
            self._emit(Kind.CODE_CLOSE, ((at, rest),), end)
            return
        if fence.indent:
            rest, at = marks.eat(rest, at, fence.indent)
        self._emit(Kind.CODE_LINE, ((at, rest),), end, fence.language)

    def _end_fence(self) -> None:
        """The container of the fence ended, and so did the fence."""
        if isinstance(self.open, Fence):
            self.open = None
            self._emit(Kind.CODE_CLOSE, (), self.start)

    # --- tables -------------------------------------------------------------------------------------------

    def _begins_table(self, rest: str) -> bool:
        """Whether this is the row of dashes under a heading row; then the table is open."""
        if not self.runs or not self.whole or not tables.delimiter(rest):
            return False
        heading, aligns = self.runs[-1][1], tables.aligns(rest)
        if "|" not in heading + rest or len(tables.split(heading)) != len(aligns):
            return False
        if len(self.runs) > 1:
            last = self.runs.pop()
            self.size -= len(last[1])
            self._end_paragraph(Kind.PARAGRAPH, last[0])
            self.runs, self.size = [last], len(last[1])
        self.open = Table(aligns)
        return True

    def _table_row(self, at: int, rest: str, end: int) -> None:
        table = self.open
        assert isinstance(table, Table)
        if table.widths:
            self._emit(Kind.TABLE_ROW, ((at, rest),), end)
            return
        self.runs.append((at, rest + "\n"))
        self.size += len(rest) + 1
        if len(self.runs) >= TABLE_HEAD + 2 or self.size > LONG_PARAGRAPH:
            self._end_table_head(end)

    def _end_table_head(self, end: int, carry: int = 0) -> None:
        table = self.open
        assert isinstance(table, Table)
        runs, self.runs, self.size = tuple(self.runs), [], 0
        texts = [text.rstrip("\n") for _, text in runs]
        widths = tables.natural_widths(texts, len(table.aligns))
        self.open = table._replace(widths=widths, heads=tables.heads(texts[0]))
        self._emit(Kind.TABLE, runs, end, carry=carry)

    # --- out ----------------------------------------------------------------------------------------------

    def _cut(self, depth: int) -> None:
        """Leave the containers from `depth` on."""
        if depth < len(self.nests):
            self._show_empty(depth)
            self.nests = self.nests[:depth]
            self.shown = min(self.shown, depth)

    def _show_empty(self, depth: int) -> None:
        """A list item that ends without content is shown all the same."""
        if any(nest.marker for nest in self.nests[max(depth, self.shown) :]):
            self.before = self.before[:depth]
            self._emit(Kind.EMPTY, (), self.start)

    def _emit(self, kind: Kind, runs: tuple[Run, ...], end: int, info: str = "", carry: int = 0) -> None:
        table = self.open if kind in (Kind.TABLE, Kind.TABLE_ROW) and isinstance(self.open, Table) else None
        leaf = Leaf(kind, runs, self.nests, self.shown, self.gap, info, table)
        self.found.append(Found(leaf, end, self._state_at(end, carry)))
        self.shown, self.gap = len(self.nests), False

    def _state_at(self, end: int, carry: int) -> State:
        """The state at `end`, behind a leaf. Up to the current line's start its containers do not count."""
        if end <= self.start:
            return State(self.before, len(self.before), False, self.open, carry)
        return State(self.nests, len(self.nests), False, self.open, carry or 3 * self.mid)
