"""What decoding one AG-UI run has to remember, and the messages that CHUNK events open without saying so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tui.backends.ag_ui_fields import Events, Frame, Meaningless, text
from tui.core.events import BlockEnded, ToolFinished, ToolRunning

CHUNKS = {"text": "TEXT_MESSAGE_CHUNK", "tool": "TOOL_CALL_CHUNK", "reasoning": "REASONING_MESSAGE_CHUNK"}


@dataclass(slots=True)
class Chunked:
    """What a CHUNK event opened and nothing has closed yet."""

    kind: str = ""
    id: str = ""


@dataclass(slots=True)
class Memory:
    """One run so far. `run_id` and `conversation_id` are what we asked for; the server may differ.

    `over`: a final event or an interrupt has come. `cancelled` is the reason (maybe "") once the server has
    announced that the run was cancelled: our own backend does so in a CUSTOM event before RUN_FINISHED.
    """

    run_id: str
    conversation_id: str = ""
    started: bool = False
    over: bool = False
    cancelled: str | None = None
    interrupts: tuple[Frame, ...] = ()
    nested: set[str] = field(default_factory=set)  # runs within the run
    chunked: Chunked = field(default_factory=Chunked)
    foreign: set[str] = field(default_factory=set)  # text messages that are not the agent's
    texts: set[str] = field(default_factory=set)
    results: dict[str, ToolFinished] = field(default_factory=dict)  # by the id of their message
    held: dict[str, ToolFinished] = field(default_factory=dict)  # of these, some that may be no ends
    stamped: bool = False  # this server puts times on its events
    subagents: dict[str, str] = field(default_factory=dict)
    state: Any = None  # what the agent shared as a whole; None: nothing so far
    changes: list[Any] = field(default_factory=list)  # and what it changed since
    raw: str = ""  # the present wire data, for events that come by the thousand: spares them a copy


def chunk(run: Memory, kind: str, frame: Frame, key: str) -> str:
    """The id that a CHUNK event belongs to: its own, or that of the one before."""
    named = text(frame, key) or (run.chunked.id if run.chunked.kind == kind else "")
    if not named:
        raise Meaningless
    run.chunked = Chunked(kind, named)
    return named


def closed(run: Memory, kind: str, frame: Frame) -> Events:
    """What this event ends, if a chunked message or call was open: anything but more of the same."""
    was = run.chunked
    if not was.kind:
        return ()
    key = "toolCallId" if was.kind == "tool" else "messageId"
    if kind == CHUNKS[was.kind] and frame.get(key) in (None, "", was.id):
        return ()
    run.chunked = Chunked()
    if was.kind == "tool":
        return (ToolRunning(was.id),)
    return (BlockEnded(was.id if was.kind == "text" else "reasoning:" + was.id),)
