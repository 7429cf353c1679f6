"""Engine events as ADK events: deltas that are only streamed, whole turns and results that are stored too."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from backend_stub import events as ev
from backend_stub.events import Phase, ToolEnd
from backend_stub.log import Entry

JSON = dict[str, Any]

ABORTED = "INVOCATION_ABORTED"
BY_CLIENT = "Invocation was aborted by client."
CONFIRMATION, INPUT = "adk_request_confirmation", "adk_request_input"
_CONFIRMED = "confirmed_action"  # ADK's confirmation holds up a call; the engine's question names none
_HINT = "This tool call requires confirmation, please approve or reject."


@dataclass(frozen=True, slots=True)
class Told:
    """One frame: an event, or the second frame of an exception. `stored`: the session keeps it.

    `last`: it ends the run.
    """

    frame: JSON
    stored: bool = False
    last: bool = False


@dataclass(slots=True)
class Asking:
    """An open question: the engine's name for it, the call that asks, and the call it holds up, if any."""

    request: str
    call: str
    name: str
    held: str = ""


@dataclass(slots=True)
class Words:
    """Spells one run as ADK does: `invocation` is its id there, `agent` who speaks, `metadata` what every
    event of it carries. `say` each entry once, in order; whoever does so gets the same events with the same
    ids. `asking` is the question the run ended with."""

    run: str
    invocation: str
    agent: str
    metadata: JSON | None = None
    sealed: bool = True
    asking: Asking | None = None
    _ids: int = 0
    _turn: str = ""
    _calls: dict[str, ev.CallReady] = field(default_factory=dict)
    _results: dict[str, JSON] = field(default_factory=dict)

    def say(self, entry: Entry) -> Iterator[Told]:
        speak = _WORDS.get(type(entry.event))
        if speak:
            yield from speak(self, entry.event, entry.at)

    def _new_id(self) -> str:
        self._ids += 1
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.run}/{self._ids}"))

    def user(self, parts: list[JSON], at: float) -> JSON:
        """The message that began the run, as the session stores it."""
        return self._event(at, author="user", path="", content={"parts": parts, "role": "user"})

    def _event(
        self, at: float, *, author: str = "", path: str | None = None, id: str = "", **more: Any
    ) -> JSON:
        actions: JSON = {"stateDelta": {}, "artifactDelta": {}, "requestedAuthConfigs": {}}
        event = {
            **{name: value for name, value in more.items() if name != "actions"},
            "invocationId": self.invocation,
            "author": author or self.agent,
            "actions": {**actions, "requestedToolConfirmations": {}, **more.get("actions", {})},
            "nodeInfo": {"path": f"{self.agent}@1" if path is None else path},
            "id": id or self._new_id(),
            "timestamp": at,
        }
        return event | ({"customMetadata": self.metadata} if self.metadata else {})

    # --- the model ----------------------------------------------------------------------------------------

    def _model_began(self, event: ev.ModelBegan, at: float) -> Iterator[Told]:
        self._turn, self._calls, self._results = self._new_id(), {}, {}
        yield from ()

    def _delta(self, event: ev.TextDelta | ev.ReasoningDelta, at: float) -> Iterator[Told]:
        thought = {"thought": True} if isinstance(event, ev.ReasoningDelta) else {}
        content = {"parts": [{"text": event.text, **thought}], "role": "model"}
        yield Told(self._event(at, id=self._turn, content=content, partial=True))

    def _model_ended(self, event: ev.ModelEnded, at: float) -> Iterator[Told]:
        """The whole turn again. Of a turn that was cut nothing is kept."""
        if event.cut:
            return
        self._calls = {call.call: call for call in event.calls}
        parts: list[JSON] = [{"text": event.reasoning, "thought": True}] if event.reasoning else []
        parts += [{"text": event.text}] if event.text else []
        parts += [{"functionCall": _call(call)} for call in event.calls]
        given, made = event.input_tokens, event.output_tokens
        usage = {"candidatesTokenCount": made, "promptTokenCount": given, "totalTokenCount": given + made}
        more: JSON = {"longRunningToolIds": []} if event.calls else {}
        whole: JSON = {"modelVersion": "scripted-001", "content": {"parts": parts, "role": "model"}}
        whole |= {"partial": False, "finishReason": "STOP", "usageMetadata": usage}
        yield Told(self._event(at, id=self._turn, **whole, **more), stored=True)

    # --- tools --------------------------------------------------------------------------------------------

    def _tool_ended(self, event: ev.ToolEnded, at: float) -> Iterator[Told]:
        """Results of parallel calls come as one event, when the slowest is done."""
        if event.end is ToolEnd.INTERRUPTED:
            return
        self._results[event.call] = {"error": event.result} if event.end is ToolEnd.ERROR else _value(event)
        if len(self._results) == len(self._calls):
            yield Told(self._event(at, content=self._responses(self._results)), stored=True)
            self._calls = {}

    def _responses(self, results: dict[str, JSON]) -> JSON:
        told = [{**_name(call), "response": results[call.call]} for call in self._calls.values()]
        return {"parts": [{"functionResponse": each} for each in told], "role": "user"}

    def _data(self, event: ev.DataChanged, at: float) -> Iterator[Told]:
        whole = event.name == "state" and isinstance(event.value, dict)
        delta = event.value if whole else {event.name: event.value}
        yield Told(self._event(at, actions={"stateDelta": delta}), stored=True)

    # --- questions ----------------------------------------------------------------------------------------

    def _asked(self, event: ev.Asked, at: float) -> Iterator[Told]:
        """A long-running call; the stream ends with it. A confirmation also answers the call it holds up."""
        call = f"adk-{self._new_id()}"
        if event.kind == "approval":
            yield from self._confirmation(event, call, at)
            return
        text = event.text + "".join(f"\n- {choice}" for choice in event.choices)
        args = {"message": text, "responseSchema": {"type": "string"}}
        self.asking = Asking(event.request, call, INPUT)
        yield self._long_call(call, INPUT, args, at)

    def _confirmation(self, event: ev.Asked, call: str, at: float) -> Iterator[Told]:
        held: JSON = {"id": f"adk-{self._new_id()}", "args": {}, "name": _CONFIRMED}
        self.asking = Asking(event.request, call, CONFIRMATION, held["id"])
        content = {"parts": [{"functionCall": held}], "role": "model"}
        yield Told(self._event(at, content=content, partial=False, longRunningToolIds=[]), stored=True)
        wish = {"hint": event.text, "confirmed": False}
        args = {"originalFunctionCall": held, "toolConfirmation": wish}
        yield self._long_call(call, CONFIRMATION, args, at)
        response = {"id": held["id"], "name": _CONFIRMED, "response": {"error": _HINT}}
        actions = {"skipSummarization": True, "requestedToolConfirmations": {held["id"]: wish}}
        content = {"parts": [{"functionResponse": response}], "role": "user"}
        yield Told(self._event(at, content=content, actions=actions), stored=True)

    def _long_call(self, call: str, name: str, args: JSON, at: float) -> Told:
        content = {"parts": [{"functionCall": {"id": call, "args": args, "name": name}}], "role": "model"}
        return Told(self._event(at, content=content, longRunningToolIds=[call]), stored=True)

    def answered(self, asking: Asking, reply: str, at: float) -> Iterator[Told]:
        """What a run that goes on begins with: the result of the call that had been held up."""
        if asking.held:
            response = {"id": asking.held, "name": _CONFIRMED, "response": {"confirmed": reply == "yes"}}
            content = {"parts": [{"functionResponse": response}], "role": "user"}
            yield Told(self._event(at, content=content), stored=True)

    # --- ends ---------------------------------------------------------------------------------------------

    def _over(self, event: ev.RunOver, at: float) -> Iterator[Told]:
        if event.phase is Phase.CANCELLED and self.sealed:
            yield Told(self._seal(at), stored=True, last=True)
        elif event.phase in (Phase.FAILED, Phase.LOST):
            code = event.code or "RuntimeError"
            failed = self._event(at, errorCode=code, errorMessage=event.message)
            yield Told(failed, stored=True)
            yield Told(exception(code, event.message, at), last=True)

    def _seal(self, at: float) -> JSON:
        """Content-less, or with an error for each call of the step: none of them has told its result."""
        aborted = {"errorCode": ABORTED, "errorMessage": BY_CLIENT}
        if self._calls:
            content = self._responses({call: {"error": BY_CLIENT} for call in self._calls})
            return self._event(at, path="", content=content, **aborted)
        return self._event(at, path="", **aborted)


def exception(kind: str, message: str, at: float) -> JSON:
    """The second frame of an exception. It is no event: it has no author and no id."""
    details = {"error_type": kind, "error_message": message, "timestamp": at}
    return {"error": f"{kind}: {message}", "error_details": details}


def _name(call: ev.CallReady) -> JSON:
    return {"id": f"adk-{call.call}", "name": call.tool}


def _call(call: ev.CallReady) -> JSON:
    return {**_name(call), "args": call.arguments}


def _value(event: ev.ToolEnded) -> JSON:
    """A tool's result is an object in ADK; anything else is put under `result`."""
    try:
        value = json.loads(event.result)
    except ValueError:
        value = event.result
    return value if isinstance(value, dict) else {"result": value}


_WORDS: dict[type[ev.Event], Callable[[Words, Any, float], Iterator[Told]]] = {
    ev.ModelBegan: Words._model_began,
    ev.TextDelta: Words._delta,
    ev.ReasoningDelta: Words._delta,
    ev.ModelEnded: Words._model_ended,
    ev.ToolEnded: Words._tool_ended,
    ev.DataChanged: Words._data,
    ev.Asked: Words._asked,
    ev.RunOver: Words._over,
}
