"""The history that AG-UI wants with every prompt: what was said before, as messages with the server's ids.

Servers that keep messages themselves tell them apart by id, and a run that goes on from a question needs the
tool calls it asked about. So replies are remembered as they came; what was said before this process started
comes as plain text with an id of our own. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tui.backends.base import Prompt, Said
from tui.backends.files import AG_UI_RESENT, ag_ui_content
from tui.core.events import (
    Event,
    TextDelta,
    TextReplaced,
    ToolArguments,
    ToolFinished,
    ToolStarted,
)

Message = dict[str, Any]
_BETWEEN = "\n\n"  # what the transcript puts between the texts of one reply


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Part:
    """An assistant message: its text, and the tool calls that came after it."""

    id: str
    text: list[str] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)


class Reply:
    """One run's reply, as its events told it."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._by_id: dict[str, _Part] = {}
        self._calls: dict[str, _Call] = {}
        self._results: dict[str, str] = {}

    def take(self, event: Event) -> None:
        """Grow by one event, whatever it is."""
        if isinstance(event, TextDelta):
            self._part(event.block).text.append(event.text)
        elif isinstance(event, TextReplaced):
            self._part(event.block).text[:] = [event.text]
        elif isinstance(event, ToolStarted):
            self._call(event)
        elif isinstance(event, ToolArguments) and event.call in self._calls:
            self._calls[event.call].arguments.append(event.text)
        elif isinstance(event, ToolFinished):
            self._results[event.call] = event.result

    def compact(self) -> None:
        """Keep one string where there were thousands."""
        for pieces in (*(part.text for part in self._parts), *(c.arguments for c in self._calls.values())):
            pieces[:] = ["".join(pieces)] if pieces else []

    def text(self) -> str:
        """The whole text, as the transcript joins it."""
        return _BETWEEN.join(text for part in self._parts if (text := "".join(part.text)))

    def messages(self, *, open_calls: bool = False) -> list[Message]:
        """The reply as messages. Calls without a result are left out, as most models refuse them, unless
        the next run is to go on from them (`open_calls`)."""
        found: list[Message] = []
        for part in self._parts:
            calls = [call for call in part.calls if open_calls or call.id in self._results]
            text = "".join(part.text)
            if text or calls:
                found.append(_assistant(part.id, text, calls))
            found += [_result(call.id, self._results[call.id]) for call in calls if call.id in self._results]
        return found

    def id_at(self, length: int) -> str:
        """The id of the message in which the first `length` characters of the text end; "" beyond it."""
        end = 0
        for part in self._parts:
            if size := len("".join(part.text)):
                end += size
                if length <= end:
                    return part.id
                end += len(_BETWEEN)
        return ""

    def _part(self, block: str) -> _Part:
        part = self._by_id.get(block)
        if part is None:
            part = self._by_id[block] = _Part(block)
            self._parts.append(part)
        return part

    def _call(self, event: ToolStarted) -> None:
        if event.call in self._calls:
            return
        call = self._calls[event.call] = _Call(event.call, event.name, [event.arguments])
        part = self._parts[-1] if self._parts else self._part(f"calls-{event.call}")
        part.calls.append(call)


def messages_of(prompt: Prompt, replies: Iterable[Reply], *, keeps_files: bool = False) -> list[Message]:
    """All messages for a prompt: what was said before, then the prompt itself.

    `replies` are those of this conversation that are remembered, oldest first. `keeps_files`: the server
    does, so that those of earlier prompts need not go again.
    """
    known = {reply.text(): reply for reply in replies}
    found: list[Message] = []
    for number, said in enumerate(_with_what_fits(prompt.earlier, 0 if keeps_files else AG_UI_RESENT)):
        found += _earlier(said, number, known)
    content = ag_ui_content(prompt.text, prompt.files)
    return [*found, {"id": prompt.key or prompt.run_id, "role": "user", "content": content}]


def _with_what_fits(earlier: tuple[Said, ...], left: int) -> list[Said]:
    """The newest files of what was said before go again with every prompt; the oldest are left out."""
    kept: list[Said] = []
    for said in reversed(earlier):
        left -= sum(len(file.data) for file in said.files)
        kept.append(said if left >= 0 or not said.files else replace(said, files=()))
    return kept[::-1]


def _earlier(said: Said, number: int, known: dict[str, Reply]) -> list[Message]:
    if said.role == "user":
        return [
            {
                "id": said.id or _own_id(said, number),
                "role": "user",
                "content": ag_ui_content(said.text, said.files),
            }
        ]
    reply = known.get(said.text)
    if reply and not said.partial:
        return reply.messages()
    # of a stopped reply the server has sent more than the person has seen: the text is ours, the id is its
    begun = reply or _begun_by(said.text, known)
    named = begun.id_at(len(said.text)) if begun else ""
    return [_assistant(named or _own_id(said, number), said.text, [])]


def _begun_by(text: str, known: dict[str, Reply]) -> Reply | None:
    return next((reply for whole, reply in reversed(known.items()) if whole.startswith(text)), None)


def _own_id(said: Said, number: int) -> str:
    """The same for the same message in the same place, however often it is sent."""
    told = f"{number}\0{said.role}\0{said.text}".encode("utf-8", "replace")
    return f"said-{hashlib.sha256(told).hexdigest()[:24]}"


def _assistant(id: str, text: str, calls: list[_Call]) -> Message:
    message: Message = {"id": id, "role": "assistant", "content": text}
    if calls:
        message["toolCalls"] = [_tool_call(call) for call in calls]
    return message


def _tool_call(call: _Call) -> Message:
    function = {"name": call.name, "arguments": "".join(call.arguments) or "{}"}
    return {"id": call.id, "type": "function", "function": function}


def _result(call: str, text: str) -> Message:
    return {"id": f"result-{call}", "role": "tool", "toolCallId": call, "content": text}
