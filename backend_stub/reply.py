"""The reply as kept: the parts of one run, grown by its events. What a person saw is what is saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backend_stub import events as ev


@dataclass(slots=True)
class Reply:
    """Parts in order of their opening; text is collected in pieces so that growing stays cheap."""

    parts: list[dict[str, Any]] = field(default_factory=list)
    chars: int = 0
    _by_id: dict[str, dict[str, Any]] = field(default_factory=dict)

    def grow(self, event: ev.Event) -> None:
        """Apply one engine event; those that are no part of a reply do nothing."""
        match event:
            case ev.TextDelta(message, text) | ev.ReasoningDelta(message, text):
                self.chars += len(text)
                self._by_id[message]["pieces"].append(text)
            case ev.TextBegan(message):
                self._add(message, type="text", pieces=[], done=False)
            case ev.ReasoningBegan(message):
                self._add(message, type="reasoning", pieces=[], done=False)
            case ev.TextEnded(message) | ev.ReasoningEnded(message):
                self._by_id[message]["done"] = True
            case ev.CallBegan(call, tool):
                self._add(call, type="tool", tool=tool, pieces=[], arguments=None, result="", end="")
            case ev.CallArguments(call, text):
                self._by_id[call]["pieces"].append(text)
            case ev.CallReady(call, _, arguments):
                self._by_id[call]["arguments"] = arguments
            case ev.ToolEnded(call, _, result, end):
                self._by_id[call].update(result=result, end=end.value)
            case ev.Asked(request, text, kind, choices):
                self._add(request, type="question", text=text, kind=kind, choices=list(choices), reply=None)
            case ev.Answered(request, reply) if request in self._by_id:
                self._by_id[request]["reply"] = reply
            case ev.DataChanged(name, value):
                self._data(name, value)

    def text(self) -> str:
        """The reply's text, parts joined by an empty line."""
        return "\n\n".join("".join(p["pieces"]) for p in self.parts if p["type"] == "text" and p["pieces"])

    def open_calls(self) -> list[str]:
        return [p["id"] for p in self.parts if p["type"] == "tool" and not p["end"]]

    def saved(self) -> list[dict[str, Any]]:
        """The parts, ready for JSON: pieces joined to `text`."""
        return [_joined(part) for part in self.parts]

    def _add(self, key: str, **part: Any) -> None:
        self._by_id[key] = {"id": key, **part}
        self.parts.append(self._by_id[key])

    def _data(self, name: str, value: Any) -> None:
        if "data:" + name in self._by_id:
            self._by_id["data:" + name]["value"] = value
        else:
            self._add("data:" + name, type="data", name=name, value=value)


def _joined(part: dict[str, Any]) -> dict[str, Any]:
    if "pieces" not in part:
        return part
    joined = {key: value for key, value in part.items() if key != "pieces"}
    return {**joined, "text": "".join(part["pieces"])}
