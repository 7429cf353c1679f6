"""The table of figures: what was to be reached, what was measured, beside what, and whether it is."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure. `limit` is the most it may be (the least, if `at_least`); None: told, not judged.

    `baseline` was measured in the same run, by what `beside` names.
    """

    what: str
    figure: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    baseline: float | None = None
    beside: str = ""

    @property
    def ratio(self) -> float | None:
        return self.figure / self.baseline if self.baseline else None

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        return (
            "reached"
            if (self.figure >= self.limit) == self.at_least or self.figure == self.limit
            else "MISSED"
        )

    @property
    def goal(self) -> str:
        if self.limit is None:
            return ""
        return f"{'at least' if self.at_least else 'at most'} {_short(self.limit)}"


def table(rows: Sequence[Row]) -> str:
    """The rows as text in columns."""
    head = ("what", "figure", "", "goal", "baseline", "ratio", "verdict")
    cells = [head] + [
        (row.what, _short(row.figure), row.unit, row.goal,
         f"{_short(row.baseline)} {row.beside}" if row.baseline is not None else "",
         f"{row.ratio:.2f}" if row.ratio else "", row.verdict)
        for row in rows
    ]  # fmt: skip
    widths = [max(len(line[n]) for line in cells) for n in range(len(head))]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def write(rows: Sequence[Row], curve: dict[str, list[float]], to: Path) -> None:
    """Everything as JSON, with what it was measured on."""
    machine = {"python": platform.python_version(), "system": platform.platform()}
    told = [{**asdict(row), "ratio": row.ratio, "verdict": row.verdict} for row in rows]
    to.write_text(json.dumps({"machine": machine, "rows": told, "cost_by_size_ms": curve}, indent=1) + "\n")


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
