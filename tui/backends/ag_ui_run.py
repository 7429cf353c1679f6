"""AG-UI events about the run itself: its start, its end in all spellings, its steps and subagents. Pure."""

from __future__ import annotations

from typing import Any

from tui.backends.ag_ui_fields import Events, Frame, Meaningless, asked, need, result, text, usage
from tui.backends.ag_ui_memory import Memory
from tui.backends.ag_ui_questions import question_of
from tui.core.codec import dumps
from tui.core.events import DataReceived, End, RunFinished, RunStarted, StepFinished, StepStarted

CANCELLED_CODES = frozenset({"abort", "STOPPED"})
"""RUN_ERROR codes that stand for a stop: the AG-UI client's own, and CopilotKit's."""


def run_started(run: Memory, frame: Frame) -> Events:
    run_id = text(frame, "runId")
    if run.started:
        run.nested.add(run_id)
        raise Meaningless
    run.started = True
    run.run_id = run_id or run.run_id
    return (RunStarted(run.run_id, text(frame, "threadId") or run.conversation_id),)


def run_finished(run: Memory, frame: Frame) -> Events:
    run_id = frame.get("runId")
    if run_id in run.nested and run_id != run.run_id:
        raise Meaningless
    outcome = frame.get("outcome")
    kind = outcome.get("type") if isinstance(outcome, dict) else outcome
    run.over = True
    before = (*usage(frame), *result(frame))
    if kind == "interrupt" and isinstance(outcome, dict):
        return (*before, *_interrupted(run, outcome))
    return (*before, _finished(run, kind))


def _finished(run: Memory, kind: Any) -> RunFinished:
    if run.cancelled is not None or kind in ("cancelled", "canceled"):
        return RunFinished(End.CANCELLED, run.cancelled or "")
    if kind == "success":
        return RunFinished(End.COMPLETED)
    named = f"The server's outcome is {dumps(kind)}, which is not known." if kind else ""
    return RunFinished(End.UNSPECIFIED, named)


def _interrupted(run: Memory, outcome: Frame) -> Events:
    given = outcome.get("interrupts")
    asked = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    run.interrupts = tuple(one for one in asked if isinstance(one.get("id"), str))
    if not run.interrupts:
        return (RunFinished(End.UNSPECIFIED, "The server paused the run without a question."),)
    return (question_of(run.interrupts[0]),)  # the others are asked one by one, see `AgUi.answering`


def run_error(run: Memory, frame: Frame) -> Events:
    run.over = True
    code, message = text(frame, "code"), text(frame, "message")
    stopped = code in CANCELLED_CODES or run.cancelled is not None
    end = End.CANCELLED if stopped else End.FAILED
    return (*usage(frame), RunFinished(end, run.cancelled or message, code))


def run_cancelled(run: Memory, frame: Frame) -> Events:
    """RUN_CANCELLED is in no version of the protocol, and yet some servers say it."""
    run.over = True
    return (RunFinished(End.CANCELLED, text(frame, "message") or text(frame, "reason")),)


def step_started(run: Memory, frame: Frame) -> Events:
    return (StepStarted(need(frame, "stepName")),)


def step_finished(run: Memory, frame: Frame) -> Events:
    return (StepFinished(need(frame, "stepName")),)


def subagent_started(run: Memory, frame: Frame) -> Events:
    name = text(frame, "name") or "subagent"
    run.subagents[text(frame, "subagentRunId")] = name
    return (StepStarted(name),)


def subagent_finished(run: Memory, frame: Frame) -> Events:
    return (StepFinished(run.subagents.get(text(frame, "subagentRunId"), "subagent")),)


def subagent_error(run: Memory, frame: Frame) -> Events:
    name = run.subagents.get(text(frame, "subagentRunId"), "subagent")
    return (StepFinished(name), DataReceived(f"{name} failed", text(frame, "message")))


def custom(run: Memory, frame: Frame) -> Events:
    name, value = need(frame, "name"), frame.get("value")
    if name == "run.cancelled":
        reason = value.get("reason") if isinstance(value, dict) else value
        run.cancelled = reason if isinstance(reason, str) else ""
    elif name == "run.question":
        return (asked(value),)
    return (DataReceived(name, value),)


def raw(run: Memory, frame: Frame) -> Events:
    raise Meaningless  # a provider's own event, passed through: for the inspector only
