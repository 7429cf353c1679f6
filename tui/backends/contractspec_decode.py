"""What ContractSpec's `agent.run.*` answers mean: replies, problems, statuses, and runs that grow. Pure.

There is no stream: a run is looked at again and again, and `Watch` turns what is new into events. The
contract contradicts itself in places (statuses in either case, envelopes, errors as problem or as the detail
of a 500), so everything here reads what it is given instead of what was promised.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tui.core import events as ev
from tui.core.codec import dumps
from tui.core.events import End, ToolStatus

JSON = dict[str, Any]

_ENDS = {
    "QUEUED": End.ALIVE,
    "PENDING": End.ALIVE,  # spelt so in the contract's own examples
    "IN_PROGRESS": End.ALIVE,
    "RUNNING": End.ALIVE,
    "COMPLETED": End.COMPLETED,
    "FAILED": End.FAILED,
    "CANCELLED": End.CANCELLED,
    "CANCELED": End.CANCELLED,
    "EXPIRED": End.FAILED,
}
_TOOL_ENDS = {
    End.COMPLETED: ToolStatus.OK,
    End.FAILED: ToolStatus.ERROR,
    End.CANCELLED: ToolStatus.INTERRUPTED,
}
DECLARED = ("RUN_NOT_FOUND", "RUN_NOT_CANCELLABLE", "AGENT_NOT_FOUND", "AGENT_NOT_ACTIVE")
"""Errors of the contract. A handler that throws them without a code answers 500 with the name as detail."""

NO_ROUTE = "NO_ROUTE"
"""Our name for a 404 or 405 about the path: the wire says NOT_FOUND, or sends a web server's own page."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure as the backend explains it: an error code of the contract where there is one, and prose."""

    code: str = ""
    detail: str = ""
    run_status: str = ""
    """The run's status where the error names it (RUN_NOT_CANCELLABLE of a stateful host)."""


def read_object(body: bytes | str) -> JSON | None:
    """The JSON object in a body, out of its result envelope if it has one. None: it is something else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    inner = value.get("data")
    return inner if isinstance(value.get("ok"), bool) and isinstance(inner, dict) else value


def read_problem(status: int, body: bytes | str) -> Problem:
    """What a reply with an error status says. Never fails: an unreadable body is a problem without a code."""
    given = read_object(body)
    if given is None:
        return Problem(NO_ROUTE if status in (404, 405) else "")
    code, detail = text_of(given.get("code")), text_of(given.get("detail")) or text_of(given.get("title"))
    if code not in DECLARED and detail in DECLARED:
        code = detail
    if status in (404, 405) and code not in DECLARED:
        code = NO_ROUTE
    args = given.get("args")
    return Problem(code, detail, text_of(args.get("status")) if isinstance(args, dict) else "")


def end_of(status: object) -> End | None:
    """How a run with this status ended, or that it is alive. None: a status this client does not know."""
    return _ENDS.get(_plain(status))


def text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def content_of(output: object, depth: int = 3) -> str | None:
    """The text in a step's or run's output: the string itself, or the usual places of it. None: no text."""
    if isinstance(output, str):
        return output
    if depth and isinstance(output, list):
        pieces = [text for piece in output if (text := content_of(piece, depth - 1)) is not None]
        return "".join(pieces) if pieces else None
    if depth and isinstance(output, dict):
        found = (content_of(output.get(key), depth - 1) for key in ("content", "text", "message"))
        return next((text for text in found if text is not None), None)
    return None


def saved_text(run: JSON) -> str | None:
    """The reply as the run keeps it, steps parted by an empty line. None: the run does not say."""
    texts = [
        content_of(step.get("output"))
        for step in _steps(run)
        if _plain(step.get("type")) == "MESSAGE_CREATION"
    ]
    said = [text for text in texts if text]
    return "\n\n".join(said) if said else content_of(run.get("output"))


def last_word(run: JSON) -> tuple[End | None, str]:
    """How a run ended, and one sentence of why if the backend gave one."""
    status = _plain(run.get("status"))
    why = text_of(run.get("errorMessage")) or (
        "The run expired on the backend." if status == "EXPIRED" else ""
    )
    return end_of(status), why


@dataclass(slots=True)
class _Seen:
    """What was already told of one step."""

    text: str = ""
    opened: bool = False
    ended: bool = False


@dataclass(slots=True)
class Watch:
    """Turns successive looks at one run into events; `see` them in order. `over` once the run has ended.

    With `anew` the first look may repeat what an earlier watch told: texts come as `TextReplaced`, which
    a transcript that has them already grows by the new rest only.
    """

    anew: bool = False
    over: bool = False
    _steps: dict[str, _Seen] = field(default_factory=dict)
    _usage: tuple[int, int] = (0, 0)
    _strange: set[str] = field(default_factory=set)

    def see(self, run: JSON, raw: str = "") -> list[ev.Event]:
        """What is new in `run` (a body of `agent.run.get` with steps); the run's end comes last."""
        if self.over:
            return []
        events = [*self._look_at_steps(run), *self._look_at_usage(run), *self._look_at_end(run)]
        self.anew = False
        return _with_raw(events, raw)

    def _look_at_steps(self, run: JSON) -> Iterator[ev.Event]:
        steps, over = _steps(run), end_of(run.get("status")) not in (End.ALIVE, None)
        for index, step in enumerate(steps):
            kind = _plain(step.get("type"))
            seen = self._steps.setdefault(_name(step), _Seen())
            if kind == "MESSAGE_CREATION":
                yield from self._look_at_message(step, seen)
            elif kind == "TOOL_CALL":
                yield from _look_at_call(step, seen, steps[index + 1 :], over)
            elif kind == "TOOL_RESULT":
                yield from _look_at_result(step, seen, steps[:index])
            elif not seen.opened:
                seen.opened = True
                yield _other_step(kind, step)

    def _look_at_message(self, step: JSON, seen: _Seen) -> Iterator[ev.Event]:
        yield from self._grow(_name(step), seen, content_of(step.get("output")) or "")
        if not seen.ended and seen.text and end_of(step.get("status")) not in (End.ALIVE, None):
            seen.ended = True
            yield ev.BlockEnded(_name(step))

    def _grow(self, block: str, seen: _Seen, text: str) -> Iterator[ev.Event]:
        if "\ud800" <= text[-1:] <= "\udbff":
            text = text[:-1]  # half of a character: the other half comes with the next look
        had, seen.text = seen.text, text
        if text == had:
            return
        if self.anew or not text.startswith(had):
            yield ev.TextReplaced(block, text)
        else:
            yield ev.TextDelta(block, text[len(had) :])

    def _look_at_usage(self, run: JSON) -> Iterator[ev.Event]:
        counts = _count(run.get("promptTokens")), _count(run.get("completionTokens"))
        if counts == self._usage:
            return
        self._usage = counts
        agent = run.get("agent")
        yield ev.UsageReported(*counts, text_of(agent.get("modelName")) if isinstance(agent, dict) else "")

    def _look_at_end(self, run: JSON) -> Iterator[ev.Event]:
        end, why = last_word(run)
        status = _plain(run.get("status"))
        if end is None and status not in self._strange:
            self._strange.add(status)
            yield ev.Unknown(f"run status {status or 'missing'}")
        if end in (End.ALIVE, None):
            return
        self.over = True
        if not any(seen.text for seen in self._steps.values()):  # a host that keeps no steps
            yield from self._grow("output", _Seen(), content_of(run.get("output")) or "")
        yield ev.RunFinished(end, why or _step_error(run), text_of(run.get("errorCode")))


def _look_at_call(step: JSON, seen: _Seen, later: list[JSON], over: bool) -> Iterator[ev.Event]:
    call = _name(step)
    if not seen.opened:
        seen.opened = True
        yield ev.ToolStarted(call, _tool(step), _json(step.get("input")))
        yield ev.ToolRunning(call)
    end = end_of(step.get("status"))
    if seen.ended or end in (End.ALIVE, None):
        return
    if end is End.COMPLETED and "output" not in step and not over and not _moved_on(later):
        return  # the call is made; its TOOL_RESULT may be still to come
    seen.ended = True
    yield _tool_finished(call, step)


def _look_at_result(step: JSON, seen: _Seen, earlier: list[JSON]) -> Iterator[ev.Event]:
    call = _call_of(step, earlier)
    if not seen.opened:
        seen.opened = True
        if call == _name(step):  # a result without a call
            yield ev.ToolStarted(call, _tool(step), _json(step.get("input")))
    if not seen.ended and end_of(step.get("status")) not in (End.ALIVE, None):
        seen.ended = True
        yield _tool_finished(call, step)


def _call_of(result: JSON, earlier: list[JSON]) -> str:
    """The call a result step belongs to: of this tool's calls, the one with as many results before it."""
    tool = _tool(result)
    calls = [s for s in earlier if _plain(s.get("type")) == "TOOL_CALL" and _tool(s) == tool]
    answered = sum(_plain(s.get("type")) == "TOOL_RESULT" and _tool(s) == tool for s in earlier)
    return _name(calls[answered]) if answered < len(calls) else _name(result)


def _moved_on(later: list[JSON]) -> bool:
    return any(_plain(step.get("type")) in ("MESSAGE_CREATION", "ERROR") for step in later)


def _tool_finished(call: str, step: JSON) -> ev.ToolFinished:
    error = text_of(step.get("errorMessage"))
    status = _TOOL_ENDS.get(end_of(step.get("status")) or End.FAILED, ToolStatus.ERROR)
    if error and status is ToolStatus.OK:
        status = ToolStatus.ERROR
    return ev.ToolFinished(call, error or _json(step.get("output")), status)


def _other_step(kind: str, step: JSON) -> ev.Event:
    if kind == "ERROR":
        return ev.DataReceived("error", content_of(step.get("output")) or text_of(step.get("errorMessage")))
    return ev.Unknown(f"step {kind or 'without a type'}")


def _step_error(run: JSON) -> str:
    errors = [s for s in _steps(run) if _plain(s.get("type")) == "ERROR"]
    return text_of(errors[-1].get("errorMessage")) if errors else ""


def _with_raw(events: list[ev.Event], raw: str) -> list[ev.Event]:
    """Give the body to the first event, but not where text only grew: a delta is then all that was new, and
    keeping the whole body for each would make the record grow with the square of the reply."""
    grew = all(isinstance(event, ev.TextDelta | ev.UsageReported) for event in events)
    if not events or not raw or grew:
        return events
    return [replace(events[0], raw=raw), *events[1:]]


def _steps(run: JSON) -> list[JSON]:
    given = run.get("steps")
    steps = [step for step in given if isinstance(step, dict)] if isinstance(given, list) else []
    return sorted(steps, key=lambda step: _count(step.get("stepNumber")))


def _name(step: JSON) -> str:
    return text_of(step.get("id")) or f"step-{_count(step.get('stepNumber'))}"


def _tool(step: JSON) -> str:
    return text_of(step.get("toolName")) or text_of(step.get("toolId")) or "tool"


def _plain(value: object) -> str:
    return text_of(value).strip().upper().replace("-", "_").replace(" ", "_")


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < 2**53 else 0


def _json(value: object) -> str:
    if value is None:
        return ""
    try:
        return value if isinstance(value, str) else dumps(value)
    except RecursionError:
        return "(nested too deep to show)"


def ids_of(runs: Iterable[object]) -> list[str]:
    """The run ids in a list of run summaries."""
    return [rid for run in runs if isinstance(run, dict) and (rid := text_of(run.get("id")))]
