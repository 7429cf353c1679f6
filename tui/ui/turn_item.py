"""A turn as the transcript shows it: head lines, the mark after the text, and the card under the reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tui import receipt
from tui.backends.base import Capabilities
from tui.core import events as ev
from tui.core.conversation import Turn
from tui.core.safe_text import SafeText, safe, safe_line
from tui.core.transcript import Block, TextBlock
from tui.core.turn import FINAL, Outcome, Phase
from tui.core.view import Cell, look, seconds, short
from tui.session import abilities
from tui.ui.composing.chips import weight
from tui.ui.transcript.items import Card, Line, Word

QUIET_EVENTS = (
    ev.TextDelta, ev.ReasoningDelta, ev.ToolArguments, ev.TextReplaced, ev.BlockEnded, ev.Unknown,
)  # fmt: skip
"""Events that change nothing but blocks: the head and the card need no new look after them."""

_TONES = {"calm": "dim", "busy": "accent", "good": "good", "warn": "warning", "bad": "error"}


class ShownTurn:
    """One turn for the transcript (a `TurnItem`). `revision` is raised by whoever sees a change."""

    def __init__(
        self, turn: Turn, capabilities: Capabilities, *, late_shown: bool = False, plain: bool = False
    ) -> None:
        self.source = turn
        self.plain = plain
        self.capabilities = capabilities
        self.revision = 0
        self.details = False
        self.late_shown = late_shown
        self.followed = False  # another turn came after it

    @property
    def turn(self) -> int:
        return self.source.number

    @property
    def prompt(self) -> SafeText:
        return safe(self.source.prompt.text)

    @property
    def prompt_head(self) -> Line:
        clock = datetime.fromtimestamp(self.source.wall).strftime("%H:%M:%S")
        files = [Word(f"  + {_file(file)}", "accent") for file in self.source.prompt.files]
        return [Word("You", "strong"), *files, Word(" ", fill=True), Word(clock, "dim")]

    @property
    def head(self) -> Line:
        turn = self.source
        if turn.phase is Phase.SENDING and not turn.transcript.blocks:
            return []
        words = [Word("Agent", "strong"), Word(" ", fill=True)]
        if turn.first_at is not None:
            words.append(Word(f"ttft {seconds(turn.first_at - turn.sent_at)}   ", "dim"))
        return [*words, Word(short(turn), _TONES[look(turn).tone])]

    @property
    def blocks(self) -> Sequence[Block]:
        return self.source.transcript.blocks

    @property
    def mark(self) -> str:
        turn = self.source
        if turn.phase is Phase.STREAMING and turn.transcript.blocks:
            return "|" if self.plain else "▌"
        stopped_text = (
            turn.stop and turn.transcript.blocks and isinstance(turn.transcript.blocks[-1], TextBlock)
        )
        return ("[#]" if self.plain else "■") if stopped_text else ""

    @property
    def cards(self) -> Sequence[Card]:
        """What stands under the reply."""
        return [_in_letters(card) for card in self._cards()] if self.plain else self._cards()

    def _cards(self) -> list[Card]:
        turn = self.source
        if turn.stop:
            return [stopped_card(turn, self.capabilities, self.details, self.followed), *self._late_card()]
        if turn.phase is Phase.FAILED:
            return [_failed_card(turn)]
        if turn.phase is Phase.LOST:
            return [_lost_card(turn)]
        return []

    def _late_card(self) -> list[Card]:
        if not self.late_shown:
            return []
        text = self.source.late.reply() or safe("(no text; events only)")
        rule = [Word("┄┄ AFTER THE STOP, not part of the reply ", "dim"), Word("┄", "dim", fill=True)]
        return [Card("late", [rule, *([Word("  " + line, "dim")] for line in text.split("\n"))])]


_LETTERS = str.maketrans({"┄": "-", "■": "#", "◧": "%", "◨": "%", "✓": "v", "✗": "x", "⚠": "!", "⇄": "~"})


def _in_letters(card: Card) -> Card:
    """The same card with signs that every terminal has and every screen reader names."""
    lines = [[word._replace(text=word.text.translate(_LETTERS)) for word in line] for line in card.lines]
    return replace(card, lines=lines)


def _file(file: ev.Attached) -> SafeText:
    return safe_line(f"{file.name} {weight(file.size)}", 60)


def stopped_card(turn: Turn, can: Capabilities, details: bool, followed: bool = False) -> Card:
    """What was kept, what is known, and what one can do now."""
    assert turn.stop
    clock = datetime.fromtimestamp(turn.stop.wall).strftime("%H:%M:%S")
    settled = turn.phase in FINAL
    found = look(turn)
    who = "STOPPED BY YOU" if turn.stop.asked.cause != "signal" else "STOPPED BY A SIGNAL"
    lines: list[Line] = [
        [Word(f"┄┄ {who}  {clock} ", "dim"), Word("┄", "dim", fill=True)],
        [Word(f"  {found.sign} {found.word}", _TONES[found.tone]), Word(_how(turn), "dim")],
        [Word(f"  {receipt.meaning(turn)}")],
        [Word(f"  {receipt.kept(turn)}", "dim")],
        [Word(f"  {receipt.happened(turn)}", "dim")],
    ]
    if turn.stop.reason:
        lines.append([Word(f"  reason: {safe_line(turn.stop.reason, 400)}", "dim")])
    if details:
        lines += [[Word(f"    {what}  ", "dim"), Word(when)] for what, when in receipt.chain(turn)]
        lines += _said(turn)
    if settled:
        remembers = can.remembers_partial
        lines += [[Word(f"  {line}", "warning")] for line in receipt.cautions(turn, remembers)]
        if scope := abilities.after_a_stop(can):
            lines.append([Word(f"  {scope}", "dim")])
    lines.append(_actions(turn, settled, followed))
    return Card("stop", lines)


def _how(turn: Turn) -> str:
    return "  remote confirmed" if turn.outcome is Outcome.CONFIRMED else ""


def _said(turn: Turn) -> list[Line]:
    """The sentences behind the answer and the look-up."""
    assert turn.stop
    rows: list[Line] = []
    if turn.stop.answer and turn.stop.answer.detail:
        rows.append([Word(f"    answer: {safe_line(turn.stop.answer.detail)}", "dim")])
    if turn.stop.looked_up and turn.stop.looked_up.detail:
        rows.append([Word(f"    look-up: {safe_line(turn.stop.looked_up.detail)}", "dim")])
    return rows


def _actions(turn: Turn, settled: bool, followed: bool) -> Line:
    """What one can click, each word with the key that does the same where there is one."""
    some = turn.transcript.chars > 0
    offers = [("^R Resend", "resend", settled), ("↑ Edit", "edit", settled)]
    offers += [("^L Resend quoting", "quote", settled and some)]
    offers += [("Copy", "copy", some), ("Details", "details", True)]
    offers += [("Add reason", "reason", settled and not (turn.stop and turn.stop.reason))]
    offers += [("Late text", "late", bool(turn.stop and turn.stop.late_events))]
    offers += [("Compare", "compare", some and followed)]
    unproven = look(turn).cell is Cell.RETRY or turn.outcome is Outcome.LOCAL_ONLY
    offers += [("Check again", "check", unproven)]
    words = [Word(" ")]
    for label, action, shown in offers:
        if shown:
            words += [Word("  "), Word(label, "key", action)]
    return words


def _failed_card(turn: Turn) -> Card:
    return Card(
        "failed",
        [
            [Word("✗ FAILED  ", "error"), Word(turn.problem)],
            [Word("  "), Word("^R Resend", "key", "resend"), Word("   "), Word("↑ Edit", "key", "edit")],
        ],
    )


def _lost_card(turn: Turn) -> Card:
    actions = [
        Word("  "),
        Word("Check again", "key", "check"),
        Word("   "),
        Word("^R Resend", "key", "resend"),
    ]
    return Card("lost", [[Word("⇄ CONNECTION LOST  ", "warning"), Word(turn.problem)], actions])
