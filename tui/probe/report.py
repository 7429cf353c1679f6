"""The drill's result for people and programs: words and a table, Markdown, JSON, JUnit XML; side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from tui.core.safe_text import SafeText, safe, safe_line
from tui.core.view import milliseconds
from tui.probe.trials import Kind, Trial
from tui.probe.verdict import Grade, Verdict, faults

_HEAD = ("trial", "outcome", "abort sent", "answered", "end seen", "after", "history", "calls", "next turn")
FORMAT = "stopkey probe 1"


@dataclass(frozen=True, slots=True)
class Report:
    """One target's drill. `problem` says why it could not be made, or not to its end."""

    label: str
    trials: Sequence[Trial]
    verdict: Verdict
    problem: str = ""
    seed: int = 0

    @property
    def passed(self) -> bool:
        return self.verdict.passed and not self.problem

    @property
    def headline(self) -> str:
        """The verdict in a sentence; a drill that was cut short only says so much."""
        if not self.problem:
            return self.verdict.headline
        return f"{self.problem} So far: {self.verdict.headline}" if self.trials else self.problem


def as_text(report: Report) -> str:
    """Verdict, table, what is wrong, what to know. Safe to print."""
    lines = [safe_line(f"{report.label}: {str(report.verdict.grade).upper()}", 240)]
    lines += [safe_line(report.headline, 400), safe("")]
    lines += [*_aligned([_HEAD, *map(_row, report.trials)]), safe("")] if report.trials else []
    lines += [safe_line(sentence, 400) for sentence in report.verdict.says if report.trials]
    for title, found in (("Wrong", report.verdict.faults), ("To know", report.verdict.cautions)):
        if found:
            lines += [safe(f"\n{title}:"), *(safe_line(f"- {sentence}", 400) for sentence in found)]
    return "\n".join(lines) + "\n"


def as_markdown(report: Report) -> str:
    """For a bug report."""
    lines = [f"# Stop drill: {_cell(report.label)}", "", f"**{_cell(report.headline)}**", ""]
    rows = [_HEAD, ("---",) * len(_HEAD), *map(_row, report.trials)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows] if report.trials else []
    for title, found in (
        ("What Stop does here", report.verdict.says if report.trials else ()),
        ("What is wrong", report.verdict.faults),
        ("To know", report.verdict.cautions),
    ):
        lines += ["", f"## {title}", "", *(f"- {_cell(sentence)}" for sentence in found)] if found else []
    return "\n".join([*lines, "", f"Made by `stopkey probe` with `--seed {report.seed}`.", ""])


def as_data(report: Report) -> dict[str, Any]:
    """JSON-ready. Times are milliseconds since the key, or UTC seconds since 1970."""
    verdict = report.verdict
    return {
        "format": FORMAT,
        "target": report.label,
        "passed": report.passed,
        "grade": verdict.grade,
        "headline": report.headline,
        "problem": report.problem,
        "says": list(verdict.says),
        "faults": list(verdict.faults),
        "cautions": list(verdict.cautions),
        "seed": report.seed,
        "trials": [trial.as_data() for trial in report.trials],
    }


def as_junit(reports: Sequence[Report]) -> bytes:
    """One suite a target, one case a trial, and one for the verdict."""
    root = ElementTree.Element("testsuites", name="stopkey probe")
    for report in reports:
        suite = ElementTree.SubElement(root, "testsuite", name=safe_line(report.label))
        cases = [_case(suite, trial) for trial in report.trials]
        verdict = ElementTree.SubElement(suite, "testcase", classname="stopkey.probe", name="verdict")
        if not report.passed:
            _said(verdict, "failure", report.headline)
        failed = sum(case.find("failure") is not None for case in (*cases, verdict))
        skipped = sum(case.find("skipped") is not None for case in cases)
        suite.attrib |= {"tests": str(len(cases) + 1), "failures": str(failed), "skipped": str(skipped)}
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(suite: ElementTree.Element, trial: Trial) -> ElementTree.Element:
    name = f"{trial.number:02} stop {trial.kind}"
    seconds = f"{(trial.end_ms or trial.answer_ms or 0.0) / 1000:.3f}"
    case = ElementTree.SubElement(suite, "testcase", classname="stopkey.probe", name=name, time=seconds)
    if trial.skipped:
        _said(case, "skipped", trial.skipped)
    elif found := faults(trial):
        _said(case, "failure", "; ".join(fault.sentence for fault in found))
    return case


def _said(case: ElementTree.Element, tag: str, sentence: str) -> None:
    ElementTree.SubElement(case, tag, message=safe_line(sentence, 400))


def side_by_side(reports: Sequence[Report]) -> str:
    """A column a target: the verdict, and what came of each kind of trial."""
    rows = [("", *(report.label for report in reports))]
    rows.append(("verdict", *(_grade(report) for report in reports)))
    for kind in Kind:
        cells = [_cell_of(report, kind) for report in reports]
        if any(cells):
            rows.append((f"stop {kind}", *cells))
    return "\n".join(_aligned(rows)) + "\n"


def _grade(report: Report) -> str:
    return str(report.verdict.grade) if report.trials else "unreachable"


def _cell_of(report: Report, kind: Kind) -> str:
    mine = [trial for trial in report.trials if trial.kind is kind]
    words = list(dict.fromkeys(_came_of(trial) for trial in mine))
    wrong = sum(1 for trial in mine if faults(trial))
    return ", ".join(words) + (f" ({wrong} of {len(mine)} wrong)" if wrong else "")


def _came_of(trial: Trial) -> str:
    if trial.skipped:
        return "not tried"
    if trial.kind is Kind.DISCONNECT:
        return {True: "runs on", False: "ends the run", None: "not known"}[trial.runs_on]
    if trial.kind is Kind.IDLE:
        return str(trial.again or "nothing to stop")
    return str(trial.outcome or f"{trial.phase} before it")


def _row(trial: Trial) -> tuple[str, ...]:
    if trial.skipped:
        return (str(trial.kind), "not tried", *("",) * 7)
    times = ("",) * 3
    if trial.outcome:
        times = (_ms(trial.sent_ms), f"{_ms(trial.answer_ms)} {_answer(trial)}".strip(), _end(trial))
    after = f"{trial.late_events} events" if trial.outcome else ""
    calls = "" if trial.calls is None else f"{trial.calls}, {len(trial.calls_after)} after"
    next_turn = trial.next_turn if trial.next_turn in ("", "works") else "fails"
    return (str(trial.kind), _came_of(trial), *times, after, trial.history, calls, next_turn)


def _ms(value: float | None) -> str:
    return "" if value is None else milliseconds(value / 1000)


def _answer(trial: Trial) -> str:
    status = f" {trial.answer_status}" if trial.answer_status else ""
    return f"{trial.answer}{status}" if trial.answer else ""


def _end(trial: Trial) -> str:
    return f"{_ms(trial.end_ms)} by {trial.evidence}" if trial.end_ms is not None else "no"


def _aligned(rows: Sequence[Sequence[str]]) -> list[SafeText]:
    clean = [[safe_line(cell, 60) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    return [
        safe("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for row in clean
    ]


def _cell(text: str) -> str:
    """Text from a server in Markdown: one line, no markup, no table."""
    line = safe_line(text, 400)
    for sign in "\\|`<>[]*":
        line = line.replace(sign, "\\" + sign)  # type: ignore[assignment]
    return line


__all__ = ["Grade", "Report", "as_data", "as_junit", "as_markdown", "as_text", "side_by_side"]
