"""The drill: finds out what a backend's Stop really does, by stopping it again and again and watching."""

from tui.probe.drill import Drill, Limits
from tui.probe.trials import Kind, Prompts, Trial, planned
from tui.probe.verdict import Grade, Verdict, judge
from tui.probe.witness import Call, WitnessError, read_log

__all__ = [
    "Call",
    "Drill",
    "Grade",
    "Kind",
    "Limits",
    "Prompts",
    "Trial",
    "Verdict",
    "WitnessError",
    "judge",
    "planned",
    "read_log",
]
