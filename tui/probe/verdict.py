"""What the trials amount to: the rules by which a backend's Stop is judged, and the words for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from tui.core.events import Answer, End
from tui.core.turn import Outcome, Phase
from tui.probe.trials import WHILE_IT_RUNS, Kind, Trial


class Grade(StrEnum):
    """How a Stop is judged, best first. Only the first passes."""

    TRUTHFUL = "truthful"
    INCONCLUSIVE = "inconclusive"  # no stop could be tried
    UNPROVEN = "unproven"  # accepted, and nothing shows the end
    BREAKS = "breaks"  # after it the conversation is unusable
    NO_STOP = "does not stop"
    LIES = "lies"


HEADLINES = {
    Grade.TRUTHFUL: "Stop works here, and what it says is true.",
    Grade.INCONCLUSIVE: "Nothing could be shown: no stop came while a reply was running.",
    Grade.UNPROVEN: "Stop is accepted here, but nothing shows that the run ended.",
    Grade.BREAKS: "Stop ends the run here, but the conversation cannot go on after it.",
    Grade.NO_STOP: "Stop does not stop here: the run goes on, or nothing shows that it does not.",
    Grade.LIES: "Stop lies here: the backend says that it stopped, and it goes on.",
}
MODEL_RAN_ON_S = 1.0
"""A model call that ends later than this after its run was declared over was not ended by the stop."""
UNWATCHED = (
    "Nobody watched the model and the tools: calls that went on unseen would not have been noticed. "
    "A log of them (--witness) would show it."
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one trial, and how bad that is."""

    grade: Grade
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`says` are sentences about what Stop does here; `faults` what is wrong; `cautions` what to know."""

    grade: Grade
    says: tuple[str, ...]
    faults: tuple[str, ...]
    cautions: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return self.grade is Grade.TRUTHFUL

    @property
    def headline(self) -> str:
        return HEADLINES[self.grade]


def judge(trials: Sequence[Trial]) -> Verdict:
    """The verdict on these trials."""
    found = [(trial, fault) for trial in trials for fault in faults(trial)]
    running = [trial for trial in trials if trial.kind in WHILE_IT_RUNS and trial.outcome]
    grades = [fault.grade for _, fault in found]
    grades += _never_cut(running)
    if not running:
        grades.append(Grade.INCONCLUSIVE)
    worst = max(grades, key=list(Grade).index, default=Grade.TRUTHFUL)
    told = Counter(f"{_where(trial, fault.sentence)}" for trial, fault in found)
    lines = tuple(f"{line}{f' ({count} times)' if count > 1 else ''}" for line, count in told.items())
    return Verdict(worst, tuple(_says(trials)), lines, tuple(_cautions(trials)))


def _where(trial: Trial, sentence: str) -> str:
    return f"{str(trial.kind).capitalize()}: {sentence}"


def _never_cut(running: Sequence[Trial]) -> list[Grade]:
    """A single reply may well end before its stop; where all do, they are short, or it waits."""
    if not running or any(trial.outcome is not Outcome.FINISHED_FIRST for trial in running):
        return []
    return [Grade.NO_STOP if any(trial.late_chars for trial in running) else Grade.INCONCLUSIVE]


def faults(trial: Trial) -> list[Fault]:
    """Everything that is wrong in this trial."""
    if trial.skipped:
        return []
    found = [fault for rule in _RULES if (fault := rule(trial))]
    if not found and trial.next_turn not in ("", "works"):
        found = [Fault(Grade.BREAKS, f"the next prompt failed ({trial.next_turn})")]
    return found


def _called_after(trial: Trial) -> Fault | None:
    if not trial.calls_after:
        return None
    word = "it was declared over" if trial.end_seen else "the abort was accepted"
    if trial.outcome is Outcome.NEVER_SENT:
        word = "the stop, which the prompt had not reached the backend before"
    calls = "; ".join(f"{name}, {after:.2f} s after" for name, after in trial.calls_after[:3])
    return Fault(Grade.LIES, f"{_count(len(trial.calls_after), 'call')} began after {word} ({calls})")


def _model_ran_on(trial: Trial) -> Fault | None:
    longest = max((after for name, after in trial.ran_on if name.startswith("model")), default=0.0)
    if longest < MODEL_RAN_ON_S or trial.outcome is not Outcome.CONFIRMED:
        return None
    return Fault(Grade.LIES, f"the model went on for {longest:.1f} s after the run was declared over")


def _denied(trial: Trial) -> Fault | None:
    return (
        Fault(Grade.LIES, trial.contradiction[:1].lower() + trial.contradiction[1:-1])
        if (trial.contradiction)
        else None
    )


def _talked_on(trial: Trial) -> Fault | None:
    if not trial.went_on:
        return None
    if trial.answer is Answer.ACKNOWLEDGED:
        return Fault(Grade.LIES, f"it said yes to the abort and talked on (+{trial.late_chars:,} characters)")
    if trial.outcome is Outcome.CONFIRMED:
        return None  # closing the connection ended it after all: a caution
    return Fault(Grade.NO_STOP, f"the run went on; the abort was {_answer(trial)}")


def _yes_without_effect(trial: Trial) -> Fault | None:
    early = trial.kind in WHILE_IT_RUNS and not trial.went_on
    if early and trial.answer is Answer.ACKNOWLEDGED and trial.outcome is Outcome.FINISHED_FIRST:
        how = "let the run complete" if trial.end is End.COMPLETED else "something else ended the run"
        return Fault(Grade.LIES, f"it said yes to the abort and {how} (+{trial.late_chars:,} characters)")
    return None


def _not_ended(trial: Trial) -> Fault | None:
    if trial.went_on:
        return None
    if trial.outcome is Outcome.ACKNOWLEDGED:
        return Fault(Grade.UNPROVEN, f"the abort was {_answer(trial)}, and no end was seen")
    if trial.outcome is Outcome.LOCAL_ONLY:
        return Fault(Grade.NO_STOP, "there is no abort: only the connection was closed")
    if trial.outcome is Outcome.UNCONFIRMED and trial.answer is Answer.CLOSED and trial.end is None:
        return Fault(Grade.UNPROVEN, "closing the connection is the stop here, and nothing showed an end")
    if trial.outcome is Outcome.UNCONFIRMED:
        alive = ", and the run is still alive" if trial.end is End.ALIVE else ""
        yes = trial.answer is Answer.ACKNOWLEDGED and trial.end is End.ALIVE
        return Fault(Grade.LIES if yes else Grade.NO_STOP, f"the abort was {_answer(trial)}{alive}")
    return None


def _not_settled(trial: Trial) -> Fault | None:
    if trial.outcome is None and trial.phase in (Phase.FAILED, Phase.LOST):
        return Fault(Grade.BREAKS, f"the run {trial.phase} before it could be stopped")
    return None


_RULES: tuple[Callable[[Trial], Fault | None], ...] = (
    _called_after, _model_ran_on, _denied, _talked_on, _yes_without_effect, _not_ended, _not_settled,
)  # fmt: skip


def _answer(trial: Trial) -> str:
    status = f" with {trial.answer_status}" if trial.answer_status else ""
    words = {Answer.ACKNOWLEDGED: "accepted", Answer.NOTHING_RUNNING: "answered with 'nothing running'"}
    return f"{words.get(trial.answer, str(trial.answer)) if trial.answer else 'not sent'}{status}"


# --- what Stop does here, in plain words ------------------------------------------------------------------


def _says(trials: Sequence[Trial]) -> list[str]:
    stops = [trial for trial in trials if trial.outcome]
    lines = [_counted(stops)] if stops else []
    ends = [t.end_ms for t in stops if t.end_ms is not None and t.outcome is Outcome.CONFIRMED]
    if ends:
        lines.append(f"From the key to its end: {median(ends):.0f} ms (median), {max(ends):.0f} ms at most.")
    lines += [line for line in (_idle(trials), _disconnect(trials), _history(stops), _next(trials)) if line]
    return [*lines, _witness(trials)]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _counted(stops: Sequence[Trial]) -> str:
    by = Counter(str(trial.outcome) for trial in stops)
    how = Counter(trial.evidence for trial in stops if trial.outcome is Outcome.CONFIRMED and trial.evidence)
    shown = f", shown by {' and '.join(how)}" if how else ""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in by.most_common())
    return f"{_count(len(stops), 'stop')}: {counts}{shown}."


def _idle(trials: Sequence[Trial]) -> str:
    answers = {str(t.again) for t in trials if t.kind is Kind.IDLE and t.again}
    return f"To an abort when nothing runs it answers: {', '.join(sorted(answers))}." if answers else ""


def _disconnect(trials: Sequence[Trial]) -> str:
    for trial in trials:
        if trial.kind is Kind.DISCONNECT and not trial.skipped:
            words = {True: "does not end the run", False: "ends the run", None: "may or may not end the run"}
            return f"Closing the connection alone {words[trial.runs_on]}."
    return ""


def _history(stops: Sequence[Trial]) -> str:
    cut = [trial for trial in stops if trial.outcome is not Outcome.FINISHED_FIRST]
    kept = Counter(trial.history for trial in cut if trial.history)
    if not kept:
        return "Whether its history keeps a stopped reply is not known."
    words = {
        "kept": "keeps",
        "cut": "keeps part of",
        "nothing": "keeps nothing of",
    }
    return f"Its history {' or '.join(words[how] for how in kept)} the stopped reply."


def _next(trials: Sequence[Trial]) -> str:
    tried = [trial for trial in trials if trial.next_turn]
    works = sum(1 for trial in tried if trial.next_turn == "works")
    return f"The next prompt worked {works} of {len(tried)} times." if tried else ""


def _witness(trials: Sequence[Trial]) -> str:
    seen = [trial.calls for trial in trials if trial.calls is not None]
    if not seen:
        return UNWATCHED
    after = sum(len(trial.calls_after) for trial in trials)
    return (
        f"The witness saw {sum(seen)} model and tool calls; {after or 'none'} began after the run was over."
    )


def _cautions(trials: Sequence[Trial]) -> list[str]:
    lines: dict[str, None] = {}
    for trial in trials:
        lines |= dict.fromkeys(_of_one(trial))
    return list(lines)


def _late(trial: Trial) -> str:
    return " once the connection was closed" if trial.went_on else ""


def _of_one(trial: Trial) -> list[str]:
    if trial.skipped:
        return [_where(trial, f"not tried. {trial.skipped}")]
    lines = []
    confirmed = trial.outcome is Outcome.CONFIRMED
    if confirmed and trial.answer in (Answer.UNANSWERED, Answer.REFUSED, Answer.NOTHING_RUNNING):
        lines.append(_where(trial, f"the run ended{_late(trial)}, but the abort was {_answer(trial)}."))
    if trial.again is Answer.ACKNOWLEDGED:
        lines.append("It says yes to an abort of a run that is over: its yes alone proves nothing.")
    if confirmed and trial.open_tools:
        lines.append(_where(trial, f"may still be finishing: {', '.join(sorted(trial.open_tools))}."))
    lines += [
        _where(trial, f"{name} ended {after:.1f} s after the end of its run.") for name, after in trial.ran_on
    ]
    if trial.outcome is Outcome.FINISHED_FIRST and trial.kind in WHILE_IT_RUNS:
        lines.append(
            _where(trial, f"a run ended by itself before the stop (+{trial.late_chars:,} characters).")
        )
    return lines
