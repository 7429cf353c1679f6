"""Statistics of stops as text: totals, a table by backend, a plot over time. For a terminal of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tui.core.conversation import Conversation
from tui.core.safe_text import SafeText, safe, safe_line
from tui.core.view import seconds, time_to_evidence
from tui.store.stats import StopLine, StopSummary, by_backend, summary

LEVELS = " ▁▂▃▄▅▆▇█"
ROWS = 5
"""Rows of the plot."""


def report(lines: Sequence[StopLine], what: str, width: int = 78, *, plain: bool = False) -> list[SafeText]:
    """Everything there is to say about these stops, in rows of at most `width` characters.

    `plain`: ASCII only. `what` names them: "all conversations".
    """
    if not lines:
        return [safe_line(f"No stops in {what} yet.", width)]
    total = summary(lines)
    rows = [*_totals(total, what, lines, width), "", *_table(lines, width), "", *_plot(lines, width, plain)]
    return [safe_line(row, width) if row else safe("") for row in rows]


def _totals(total: StopSummary, what: str, lines: Sequence[StopLine], width: int) -> list[str]:
    seen = sum(line.evidence_s is not None for line in lines)
    times = ["time to evidence:", f"median {_time(total.median_s)}", f"worst {_time(total.worst_s)}"]
    late = f"late events {total.late_events:,} ({total.late_chars:,} chars)"
    return [
        f"{total.stops:,} {'stop' if total.stops == 1 else 'stops'} in {what}",
        *_flow([*times, f"seen for {seen:,} of {total.stops:,}"], width),
        *_flow([f"unconfirmed {total.unconfirmed:,}", late], width),
        *_flow([f"{name} {count}" for name, count in sorted(total.by_outcome.items())], width),
    ]


def _flow(words: Sequence[str], width: int) -> list[str]:
    """The words three spaces apart, in as many rows as they need."""
    rows = [words[0]]
    for word in words[1:]:
        if len(rows[-1]) + 3 + len(word) <= width:
            rows[-1] += f"   {word}"
        else:
            rows.append(f"  {word}")
    return rows


def _table(lines: Sequence[StopLine], width: int) -> list[str]:
    """A row a backend; where there is little room without the late events."""
    columns = (14, 7, 9, 9, 7, 10) if width >= 58 else (8, 6, 7, 7, 5)
    cells = [["backend", "stops", "median", "worst", "unc.", "late ev."]]
    cells += [_table_cells(backend, each) for backend, each in by_backend(lines).items()]
    return [_table_row(row, columns) for row in cells]


def _table_cells(backend: str, of_it: StopSummary) -> list[str]:
    times = [_time(of_it.median_s), _time(of_it.worst_s)]
    return [backend, f"{of_it.stops:,}", *times, f"{of_it.unconfirmed:,}", f"{of_it.late_events:,}"]


def _table_row(cells: Sequence[str], columns: Sequence[int]) -> str:
    name, *numbers = zip(cells, columns, strict=False)
    first = f"{safe_line(name[0], name[1] - 1):<{name[1]}}"
    return first + "".join(f"{text:>{size}}" for text, size in numbers)


def _time(value: float | None) -> str:
    return "-" if value is None else seconds(value)


def _plot(lines: Sequence[StopLine], width: int, plain: bool) -> list[str]:
    """A column a stop, the newest on the right; a cross where nothing showed the end."""
    edge = 9
    shown = lines[-max(1, width - edge) :]
    most = max((line.evidence_s for line in shown if line.evidence_s is not None), default=0.0) or 1.0
    axis, cross, corner = ("|", "x", "+") if plain else ("┤", "×", "└")
    rows = []
    for row in range(ROWS, 0, -1):
        label = {ROWS: seconds(most), 1: "0s"}.get(row, "")
        cells = (_cell(line.evidence_s, most, row, plain, cross) for line in shown)
        rows.append(f"{label:>{edge - 2}} {axis}" + "".join(cells))
    rows.append(" " * (edge - 1) + corner + ("-" if plain else "─") * len(shown))
    first, last = _day(shown[0].wall), _day(shown[-1].wall)
    dates = first if len(shown) == 1 or first == last else f"{first}  to  {last}"
    sign = "x" if plain else "×"
    return ["time to evidence, a column a stop", *rows, f"{' ' * edge}{dates}   {sign} no evidence"]


def _cell(value: float | None, most: float, row: int, plain: bool, cross: str) -> str:
    if value is None:
        return cross if row == 1 else " "
    filled = max(1, round(value / most * ROWS * 8)) - (row - 1) * 8
    if plain:
        return "#" if filled > 0 else " "
    return LEVELS[max(0, min(8, filled))]


def _day(wall: float) -> str:
    return datetime.fromtimestamp(wall).strftime("%Y-%m-%d %H:%M")


def of_conversation(conversation: Conversation, backend: str) -> list[StopLine]:
    """The settled stops of a conversation that is not in a store."""
    return [
        StopLine(
            conversation.id, backend, turn.number, turn.stop.wall, str(turn.outcome), turn.stop.asked.cause,
            str(turn.stop.answer.answer) if turn.stop.answer else "",
            _after(turn.stop.answered_at, turn.stop.asked_at), time_to_evidence(turn),
            turn.stop.late_events, turn.stop.late_chars,
        )
        for turn in conversation.turns
        if turn.stop and turn.outcome
    ]  # fmt: skip


def _after(at: float | None, since: float) -> float | None:
    return None if at is None else max(0.0, at - since)
