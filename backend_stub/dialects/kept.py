"""A run of an earlier process as engine events again, made from what was saved of it. Times and turns of its
own it no longer has: a turn is what was said up to the end of the tool calls that follow it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backend_stub import events as ev
from backend_stub.events import Phase, ToolEnd

JSON = dict[str, Any]


def kept_events(row: JSON) -> Iterator[ev.Event]:
    """The events of a row of the store, from the prompt to the end (none for a run that is still played)."""
    yield ev.RunBegan(row["prompt"])
    phase, turns = Phase(row["phase"]), _turns(row["parts"])
    cut = phase not in (Phase.COMPLETED, Phase.PAUSED)
    for number, parts in enumerate(turns, 1):
        yield from _turn(number, parts, cut=cut and number == len(turns))
    if phase.over:
        open_question = next(
            (p["id"] for p in row["parts"] if p["type"] == "question" and not p["reply"]), ""
        )
        yield ev.RunOver(phase, row["message"], row["code"], request=open_question)


def _turns(parts: list[JSON]) -> list[list[JSON]]:
    turns: list[list[JSON]] = []
    for part in parts:
        if not turns or (turns[-1][-1]["type"] == "tool" and part["type"] != "tool"):
            turns.append([])
        turns[-1].append(part)
    return turns


def _turn(number: int, parts: list[JSON], *, cut: bool) -> Iterator[ev.Event]:
    """What the model said and called, then what the tools gave. A turn with calls was whole."""
    calls: list[ev.CallReady] = []
    said: dict[str, list[str]] = {"text": [], "reasoning": []}
    yield ev.ModelBegan("", number)
    for part in parts:
        match part["type"]:
            case "text" | "reasoning":
                said[part["type"]].append(part["text"])
                yield from _message(part)
            case "tool":
                calls.append(ev.CallReady(part["id"], part["tool"], part["arguments"] or {}))
                yield calls[-1]
            case "data":
                yield ev.DataChanged(part["name"], part["value"])
            case "question":
                yield ev.Asked(part["id"], part["text"], part["kind"], tuple(part["choices"]))
    text, reasoning = "".join(said["text"]), "".join(said["reasoning"])
    yield ev.ModelEnded("", text, reasoning, tuple(calls), 0, 0, cut=cut and not calls)
    yield from _results([part for part in parts if part["type"] == "tool"])


def _message(part: JSON) -> Iterator[ev.Event]:
    if part["type"] == "text":
        yield ev.TextBegan(part["id"])
        yield ev.TextDelta(part["id"], part["text"])
        yield ev.TextEnded(part["id"])
    else:
        yield ev.ReasoningBegan(part["id"])
        yield ev.ReasoningDelta(part["id"], part["text"])
        yield ev.ReasoningEnded(part["id"])


def _results(parts: list[JSON]) -> Iterator[ev.Event]:
    for part in parts:
        yield ev.ToolBegan(part["id"], part["tool"])
    for part in parts:
        if part["end"]:
            yield ev.ToolEnded(part["id"], part["tool"], part["result"], ToolEnd(part["end"]))
