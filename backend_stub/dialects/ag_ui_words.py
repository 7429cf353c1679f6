"""Engine events in AG-UI's words: one object per run and reader, as AG-UI names steps of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from backend_stub import events as ev
from backend_stub.events import Phase
from backend_stub.log import Entry
from backend_stub.run import Run

Frame = dict[str, Any]
_NO_OUTCOME = ("no-outcome",)


class Words:
    """Spells one run, always in the same way: whoever attaches gets the same frames with the same numbers."""

    _question: ev.Asked

    def __init__(self, run: Run) -> None:
        self._run = run
        self._names = {"threadId": run.conversation_id, "runId": run.id}
        self._reply = ""  # the newest reply message, to which tool calls belong

    def say(self, entry: Entry) -> Iterator[str]:
        """The JSON of the AG-UI events that an engine event becomes."""
        speak = _WORDS.get(type(entry.event))
        for frame in speak(self, entry.event) if speak else ():
            kind = frame.pop("type")
            stamped = {"type": kind, "timestamp": int(entry.at * 1000), **frame}
            yield json.dumps(stamped, ensure_ascii=False, separators=(",", ":"))

    def _run_began(self, event: ev.RunBegan) -> Iterator[Frame]:
        yield {"type": "RUN_STARTED", **self._names, "protocolVersion": "1.0"}

    def _step_began(self, event: ev.StepBegan) -> Iterator[Frame]:
        yield {"type": "STEP_STARTED", "stepName": event.name}

    def _step_ended(self, event: ev.StepEnded) -> Iterator[Frame]:
        yield {"type": "STEP_FINISHED", "stepName": event.name}

    def _reasoning_began(self, event: ev.ReasoningBegan) -> Iterator[Frame]:
        yield {"type": "REASONING_START", "messageId": event.message}
        yield {"type": "REASONING_MESSAGE_START", "messageId": event.message, "role": "reasoning"}

    def _reasoning_delta(self, event: ev.ReasoningDelta) -> Iterator[Frame]:
        yield {"type": "REASONING_MESSAGE_CONTENT", "messageId": event.message, "delta": event.text}

    def _reasoning_ended(self, event: ev.ReasoningEnded) -> Iterator[Frame]:
        yield {"type": "REASONING_MESSAGE_END", "messageId": event.message}
        yield {"type": "REASONING_END", "messageId": event.message}

    def _text_began(self, event: ev.TextBegan) -> Iterator[Frame]:
        self._reply = event.message
        yield {"type": "TEXT_MESSAGE_START", "messageId": event.message, "role": "assistant"}

    def _text_delta(self, event: ev.TextDelta) -> Iterator[Frame]:
        yield {"type": "TEXT_MESSAGE_CONTENT", "messageId": event.message, "delta": event.text}

    def _text_ended(self, event: ev.TextEnded) -> Iterator[Frame]:
        yield {"type": "TEXT_MESSAGE_END", "messageId": event.message}

    def _call_began(self, event: ev.CallBegan) -> Iterator[Frame]:
        frame = {"type": "TOOL_CALL_START", "toolCallId": event.call, "toolCallName": event.tool}
        yield {**frame, "parentMessageId": self._reply} if self._reply else frame

    def _call_arguments(self, event: ev.CallArguments) -> Iterator[Frame]:
        yield {"type": "TOOL_CALL_ARGS", "toolCallId": event.call, "delta": event.text}

    def _call_ready(self, event: ev.CallReady) -> Iterator[Frame]:
        yield {"type": "TOOL_CALL_END", "toolCallId": event.call}

    def _tool_ended(self, event: ev.ToolEnded) -> Iterator[Frame]:
        yield {
            "type": "TOOL_CALL_RESULT", "messageId": f"result-{event.call}", "toolCallId": event.call,
            "content": event.result, "role": "tool", "metadata": {"outcome": event.end.value},
        }  # fmt: skip

    def _data(self, event: ev.DataChanged) -> Iterator[Frame]:
        if event.name == "state":
            yield {"type": "STATE_SNAPSHOT", "snapshot": event.value}
        else:
            yield {"type": "CUSTOM", "name": event.name, "value": event.value}

    def _asked(self, event: ev.Asked) -> Iterator[Frame]:
        self._question = event
        if not event.pauses:
            value: Frame = {"request": event.request, "text": event.text, "kind": event.kind}
            value["choices"] = list(event.choices)
            yield {"type": "CUSTOM", "name": "run.question", "value": value}

    def _answered(self, event: ev.Answered) -> Iterator[Frame]:
        value = {"request": event.request, "reply": event.reply}
        yield {"type": "CUSTOM", "name": "run.answered", "value": value}

    def _cancelled(self, event: ev.Cancelled) -> Iterator[Frame]:
        value = {"runId": self._run.id, "reason": event.reason, "by": event.by}
        yield {"type": "CUSTOM", "name": "run.cancelled", "value": value}

    def _over(self, event: ev.RunOver) -> Iterator[Frame]:
        usage = _usage(event)
        if self._run.switches.end == "silent-end":
            return
        if event.phase is Phase.FAILED:
            yield {"type": "RUN_ERROR", "message": event.message, "code": event.code, "usage": usage}
            return
        frame: Frame = {"type": "RUN_FINISHED", **self._names}
        if self._run.switches.end not in _NO_OUTCOME:
            frame["outcome"] = self._outcome(event)
        yield {**frame, "usage": usage}

    def _outcome(self, event: ev.RunOver) -> Frame:
        match event.phase:
            case Phase.CANCELLED:
                return {"type": "cancelled"}
            case Phase.PAUSED:
                return {"type": "interrupt", "interrupts": [_interrupt(self._question)]}
        return {"type": "success"}


def _interrupt(question: ev.Asked) -> Frame:
    return {
        "id": question.request, "reason": question.kind, "message": question.text,
        "responseSchema": _schema(question), "metadata": {"choices": list(question.choices)},
    }  # fmt: skip


def _schema(question: ev.Asked) -> Frame:
    """What an answer has to look like."""
    if question.kind == "approval":
        return {"type": "object", "properties": {"approved": {"type": "boolean"}}, "required": ["approved"]}
    return {"type": "string", "enum": list(question.choices)} if question.choices else {"type": "string"}


def _usage(event: ev.RunOver) -> list[Frame]:
    return [{
        "provider": "backend_stub", "model": "scripted", "inputTokens": event.input_tokens,
        "outputTokens": event.output_tokens, "totalTokens": event.input_tokens + event.output_tokens,
    }]  # fmt: skip


def message_of(turn: dict[str, Any]) -> list[Frame]:
    """A stored turn as AG-UI messages: the prompt, then the reply; `partial` where it was stopped or lost."""
    reply = {"id": f"{turn['run_id']}-reply", "role": "assistant", "content": turn["text"]}
    calls = [_tool_call(part) for part in turn["parts"] if part["type"] == "tool"]
    if calls:
        reply["toolCalls"] = calls
    if turn["phase"] != Phase.COMPLETED.value:
        reply["partial"] = True
    results = [
        {"id": f"result-{p['id']}", "role": "tool", "toolCallId": p["id"], "content": p["result"]}
        for p in turn["parts"]
        if p["type"] == "tool" and p["end"]
    ]
    return [{"id": f"{turn['run_id']}-prompt", "role": "user", "content": turn["prompt"]}, reply, *results]


def _tool_call(part: dict[str, Any]) -> Frame:
    function = {"name": part["tool"], "arguments": part["text"]}
    return {"id": part["id"], "type": "function", "function": function}


_WORDS: dict[type[ev.Event], Callable[[Words, Any], Iterator[Frame]]] = {
    ev.RunBegan: Words._run_began,
    ev.StepBegan: Words._step_began,
    ev.StepEnded: Words._step_ended,
    ev.ReasoningBegan: Words._reasoning_began,
    ev.ReasoningDelta: Words._reasoning_delta,
    ev.ReasoningEnded: Words._reasoning_ended,
    ev.TextBegan: Words._text_began,
    ev.TextDelta: Words._text_delta,
    ev.TextEnded: Words._text_ended,
    ev.CallBegan: Words._call_began,
    ev.CallArguments: Words._call_arguments,
    ev.CallReady: Words._call_ready,
    ev.ToolEnded: Words._tool_ended,
    ev.DataChanged: Words._data,
    ev.Asked: Words._asked,
    ev.Answered: Words._answered,
    ev.Cancelled: Words._cancelled,
    ev.RunOver: Words._over,
}
