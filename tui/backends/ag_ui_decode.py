"""AG-UI 1.0's events (31 types, and what older servers say instead), as ours. Pure.

One `Decoder` a run: the CHUNK variants and the ends of tools need to know what came before. Whatever is
unknown, malformed or without meaning for us becomes `Unknown`; nothing here raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tui.backends import ag_ui_content as content
from tui.backends import ag_ui_run as run
from tui.backends.ag_ui_fields import Events, Frame, Meaningless
from tui.backends.ag_ui_memory import Memory, closed
from tui.backends.ag_ui_state import patched
from tui.core.events import End, RunFinished, RunStarted, Unknown


class Decoder:
    """The events of one run, and in `memory` what is known of it."""

    def __init__(self, run_id: str, conversation_id: str = "") -> None:
        self.memory = Memory(run_id, conversation_id)

    @property
    def over(self) -> bool:
        """Whether the run has ended, or has paused with a question."""
        return self.memory.over

    @property
    def announced(self) -> bool:
        """Whether the server has said that the run was cancelled, and not yet ended it."""
        return self.memory.cancelled is not None and not self.memory.over

    @property
    def interrupts(self) -> tuple[Frame, ...]:
        """The questions that the run paused with."""
        return self.memory.interrupts

    @property
    def state(self) -> Any:
        """What the agent shares, as far as it told; None if it told nothing."""
        if self.memory.state is None and not self.memory.changes:
            return None
        return patched({} if self.memory.state is None else self.memory.state, self.memory.changes)

    def decode(self, data: str) -> Events:
        """The events of one event-stream event; the first carries the data as `raw`."""
        try:
            frame = json.loads(data)
        except (ValueError, RecursionError):
            return (Unknown("not JSON", raw=data),)
        kind = frame.get("type") if isinstance(frame, dict) else None
        if not isinstance(kind, str):
            return (Unknown("no type", raw=data),)
        memory = self.memory
        before = closed(memory, kind, frame) if memory.chunked.kind else ()
        if memory.held:
            before = (*content.released(memory, kind), *before)
        memory.stamped = memory.stamped or "timestamp" in frame
        memory.raw = "" if before else data
        events = (*before, *self._meaning(kind, frame)) if before else self._meaning(kind, frame)
        return events if events[0].raw else (replace(events[0], raw=data), *events[1:])

    def finish(self) -> Events:
        """The stream has ended: what an announced cancellation without a final event means."""
        if not self.announced:
            return ()
        self.memory.over = True
        return (RunFinished(End.CANCELLED, self.memory.cancelled or ""),)

    def _meaning(self, kind: str, frame: Frame) -> Events:
        say, memory = _SAY.get(kind), self.memory
        if say is None or (memory.over and kind in _ENDS):
            return (Unknown(kind),)
        try:
            events = say(memory, frame)
        except (Meaningless, TypeError, ValueError, AttributeError, KeyError, RecursionError):
            return (Unknown(kind),)
        if memory.started or kind in _ENDS or isinstance(events[0], Unknown):
            return events
        memory.started = True  # content shows that the run exists, whether or not it was announced
        first = replace(events[0], raw="")
        return (RunStarted(memory.run_id, memory.conversation_id), first, *events[1:])


_ENDS = frozenset({"RUN_STARTED", "RUN_FINISHED", "RUN_ERROR", "RUN_CANCELLED"})

_SAY: dict[str, Callable[[Memory, Frame], Events]] = {
    "TEXT_MESSAGE_CONTENT": content.text_content,
    "RUN_STARTED": run.run_started,
    "RUN_FINISHED": run.run_finished,
    "RUN_ERROR": run.run_error,
    "RUN_CANCELLED": run.run_cancelled,
    "STEP_STARTED": run.step_started,
    "STEP_FINISHED": run.step_finished,
    "TEXT_MESSAGE_START": content.text_start,
    "TEXT_MESSAGE_END": content.text_end,
    "TEXT_MESSAGE_CHUNK": content.text_chunk,
    "TOOL_CALL_START": content.tool_start,
    "TOOL_CALL_ARGS": content.tool_args,
    "TOOL_CALL_END": content.tool_end,
    "TOOL_CALL_CHUNK": content.tool_chunk,
    "TOOL_CALL_RESULT": content.tool_result,
    "REASONING_START": content.reasoning_start,
    "REASONING_END": content.reasoning_end,
    "REASONING_MESSAGE_START": content.thought_start,
    "REASONING_MESSAGE_CONTENT": content.thought_content,
    "REASONING_MESSAGE_END": content.thought_end,
    "REASONING_MESSAGE_CHUNK": content.thought_chunk,
    "REASONING_ENCRYPTED_VALUE": content.encrypted,
    "THINKING_START": content.reasoning_start,
    "THINKING_END": content.reasoning_end,
    "THINKING_TEXT_MESSAGE_START": content.thought_start,
    "THINKING_TEXT_MESSAGE_CONTENT": content.thought_content,
    "THINKING_TEXT_MESSAGE_END": content.thought_end,
    "STATE_SNAPSHOT": content.state,
    "STATE_DELTA": content.state_delta,
    "MESSAGES_SNAPSHOT": content.messages,
    "ACTIVITY_SNAPSHOT": content.activity,
    "ACTIVITY_DELTA": content.activity_delta,
    "SUBAGENT_STARTED": run.subagent_started,
    "SUBAGENT_FINISHED": run.subagent_finished,
    "SUBAGENT_ERROR": run.subagent_error,
    "RAW": run.raw,
    "CUSTOM": run.custom,
}
