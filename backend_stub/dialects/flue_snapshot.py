"""A Flue conversation as its history shows it: the fold of its chunks, and nothing beside them."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]


class Snapshot:
    """Messages and settlements. Text grows in pieces, so that a delta costs the same in any conversation."""

    def __init__(self) -> None:
        self.messages: list[JSON] = []
        self.settlements: list[JSON] = []
        self._by_id: dict[str, JSON] = {}
        self._calls: dict[str, JSON] = {}

    def apply(self, chunk: JSON) -> None:
        """Grow by one chunk of the stream."""
        match chunk["type"]:
            case "message-appended":
                self._add(dict(chunk["message"]))
            case "message-started":
                self._started(chunk)
            case "message-delta":
                self._delta(self._by_id[chunk["messageId"]]["parts"], chunk["kind"], chunk["delta"])
            case "tool-input":
                self._tool(chunk)
            case "tool-output" | "tool-output-error":
                self._tool_over(chunk)
            case "data-part":
                _data(self._by_id[chunk["messageId"]]["parts"], "data-" + chunk["name"], chunk["data"])
            case "message-completed":
                _close(self._by_id[chunk["messageId"]]["parts"])
            case "submission-settled":
                told = ("submissionId", "outcome", "error", "answeredBySubmissionId")
                self.settlements.append({name: chunk[name] for name in told if name in chunk})

    def told(self) -> JSON:
        """Ready for JSON."""
        messages = [{**m, "parts": [_joined(part) for part in m["parts"]]} for m in self.messages]
        return {"messages": messages, "settlements": list(self.settlements)}

    def _add(self, message: JSON) -> None:
        self._by_id[message["id"]] = message
        self.messages.append(message)

    def _started(self, chunk: JSON) -> None:
        if chunk["messageId"] not in self._by_id:  # the same id again goes on with that message
            names = {"submissionId": chunk["submissionId"], "turnId": chunk["turnId"]}
            shown = {"role": "assistant", "purpose": "assistant", "display": "visible"}
            self._add({"id": chunk["messageId"], **shown, **names, "parts": []})

    def _delta(self, parts: list[JSON], kind: str, text: str) -> None:
        if not parts or parts[-1]["type"] != kind or parts[-1]["state"] != "streaming":
            _close(parts)
            parts.append({"type": kind, "pieces": [], "state": "streaming"})
        parts[-1]["pieces"].append(text)

    def _tool(self, chunk: JSON) -> None:
        parts = self._by_id[chunk["messageId"]]["parts"]
        _close(parts)
        part = {"type": "dynamic-tool", "toolName": chunk["toolName"], "toolCallId": chunk["toolCallId"]}
        part |= {"state": "input-available", "input": chunk["input"]}
        self._calls[chunk["toolCallId"]] = part
        parts.append(part)

    def _tool_over(self, chunk: JSON) -> None:
        part, failed = self._calls[chunk["toolCallId"]], chunk["type"] == "tool-output-error"
        part["state"] = "output-error" if failed else "output-available"
        part |= {name: chunk[name] for name in ("output", "errorText", "durationMs") if name in chunk}


def _close(parts: list[JSON]) -> None:
    if parts and parts[-1].get("state") == "streaming":
        parts[-1]["state"] = "done"


def _data(parts: list[JSON], kind: str, data: Any) -> None:
    """The last of a name counts."""
    for part in parts:
        if part["type"] == kind:
            part["data"] = data
            return
    parts.append({"type": kind, "data": data})


def _joined(part: JSON) -> JSON:
    if "pieces" not in part:
        return part
    return {"type": part["type"], "text": "".join(part["pieces"]), "state": part["state"]}
