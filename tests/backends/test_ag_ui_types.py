"""Every type of AG-UI event, and everything that is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.ag_ui_frames import decode
from tui.backends.ag_ui_decode import Decoder
from tui.core.events import (
    BlockEnded,
    DataReceived,
    End,
    Event,
    ReasoningDelta,
    RunFinished,
    StepFinished,
    StepStarted,
    TextDelta,
    TextReplaced,
    ToolArguments,
    ToolFinished,
    ToolRunning,
    ToolStarted,
    ToolStatus,
    Unknown,
)


def case(kind: str, *events: Event, **fields: Any) -> tuple[dict[str, Any], list[Event]]:
    """A frame and what it becomes."""
    return {"type": kind, **fields}, list(events)


SNAPSHOT = [
    {"id": "o", "role": "assistant", "content": "old"},
    {"id": "u", "role": "user", "content": "?"},
    {"id": "n", "role": "assistant", "content": "new"},
]
PARTS = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
PATCH = [{"op": "replace", "path": "/n", "value": 2}]
NOT_KNOWN = 'The server\'s outcome is "aborted", which is not known.'
SUCCESS = {"type": "success"}
TYPES = [
    case("RUN_FINISHED", RunFinished(End.COMPLETED), runId="run-1", outcome=SUCCESS),
    case("RUN_FINISHED", DataReceived("result", 7), RunFinished(End.COMPLETED), result=7, outcome=SUCCESS),
    case("RUN_FINISHED", RunFinished(End.CANCELLED), runId="run-1", outcome={"type": "cancelled"}),
    case("RUN_FINISHED", RunFinished(End.UNSPECIFIED), runId="run-1"),
    case("RUN_FINISHED", RunFinished(End.UNSPECIFIED, NOT_KNOWN), outcome={"type": "aborted"}),
    case("RUN_ERROR", RunFinished(End.FAILED, "no", "x"), message="no", code="x"),
    case("RUN_ERROR", RunFinished(End.CANCELLED, "m", "abort"), message="m", code="abort"),
    case("RUN_ERROR", RunFinished(End.CANCELLED, "m", "STOPPED"), message="m", code="STOPPED"),
    case("RUN_CANCELLED", RunFinished(End.CANCELLED, "by you"), message="by you"),
    case("STEP_STARTED", StepStarted("plan"), stepName="plan"),
    case("STEP_FINISHED", StepFinished("plan"), stepName="plan"),
    case("TEXT_MESSAGE_START", TextDelta("a", ""), messageId="a", role="assistant"),
    case("TEXT_MESSAGE_CONTENT", TextDelta("a", "x"), messageId="a", delta="x"),
    case("TEXT_MESSAGE_END", BlockEnded("a"), messageId="a"),
    case("TEXT_MESSAGE_CHUNK", TextDelta("a", "x"), messageId="a", delta="x"),
    case("TOOL_CALL_START", ToolStarted("c", "look"), toolCallId="c", toolCallName="look"),
    case("TOOL_CALL_ARGS", ToolArguments("c", "{"), toolCallId="c", delta="{"),
    case("TOOL_CALL_END", ToolRunning("c"), toolCallId="c"),
    case(
        "TOOL_CALL_CHUNK", ToolStarted("c", "look"), ToolArguments("c", "{"),
        toolCallId="c", toolCallName="look", delta="{",
    ),
    case("TOOL_CALL_RESULT", ToolFinished("c", "42"), messageId="r", toolCallId="c", content="42"),
    case("TOOL_CALL_RESULT", ToolFinished("c", "a\nb"), toolCallId="c", content=PARTS),
    case("TOOL_CALL_RESULT", ToolFinished("c", '[{"n":1}]'), toolCallId="c", content=[{"n": 1}]),
    case(
        "TOOL_CALL_RESULT", ToolFinished("c", "", ToolStatus.ERROR),
        toolCallId="c", content="", metadata={"outcome": "error"},
    ),
    case("REASONING_START", StepStarted("reasoning"), messageId="a"),
    case("REASONING_END", StepFinished("reasoning"), messageId="a"),
    case("REASONING_MESSAGE_START", ReasoningDelta("reasoning:a", ""), messageId="a"),
    case("REASONING_MESSAGE_CONTENT", ReasoningDelta("reasoning:a", "h"), messageId="a", delta="h"),
    case("REASONING_MESSAGE_END", BlockEnded("reasoning:a"), messageId="a"),
    case("REASONING_MESSAGE_CHUNK", ReasoningDelta("reasoning:a", "h"), messageId="a", delta="h"),
    case("REASONING_ENCRYPTED_VALUE", Unknown("REASONING_ENCRYPTED_VALUE"), entityId="a", encryptedValue="x"),
    case("STATE_SNAPSHOT", DataReceived("state", {"n": 1}), snapshot={"n": 1}),
    case("STATE_DELTA", DataReceived("state change", PATCH), delta=PATCH),
    case("MESSAGES_SNAPSHOT", Unknown("MESSAGES_SNAPSHOT"), messages=[]),
    case("MESSAGES_SNAPSHOT", TextReplaced("n", "new"), messages=SNAPSHOT),
    case("ACTIVITY_SNAPSHOT", DataReceived("PLAN", {}), messageId="a", activityType="PLAN", content={}),
    case("ACTIVITY_DELTA", DataReceived("PLAN change", PATCH), activityType="PLAN", patch=PATCH),
    case("SUBAGENT_STARTED", StepStarted("scout"), subagentRunId="s", name="scout"),
    case("SUBAGENT_FINISHED", StepFinished("subagent"), subagentRunId="s"),
    case(
        "SUBAGENT_ERROR", StepFinished("subagent"), DataReceived("subagent failed", "lost"),
        subagentRunId="s", message="lost",
    ),
    case("RAW", Unknown("RAW"), event={"x": 1}),
    case("CUSTOM", DataReceived("n", 1), name="n", value=1),
    case("THINKING_START", StepStarted("reasoning")),
    case("THINKING_END", StepFinished("reasoning")),
    case("THINKING_TEXT_MESSAGE_START", ReasoningDelta("reasoning:", "")),
    case("THINKING_TEXT_MESSAGE_CONTENT", ReasoningDelta("reasoning:", "h"), delta="h"),
    case("THINKING_TEXT_MESSAGE_END", BlockEnded("reasoning:")),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "events"), TYPES, ids=[frame["type"] for frame, _ in TYPES])
def test_every_type_has_its_meaning(frame: dict[str, Any], events: list[Event]) -> None:
    got = decode(frame)
    assert got == events
    assert json.loads(got[0].raw) == frame and not any(event.raw for event in got[1:])


def test_all_types_of_the_protocol_are_covered() -> None:
    families = {
        "RUN": "STARTED FINISHED ERROR",
        "STEP": "STARTED FINISHED",
        "TEXT_MESSAGE": "START CONTENT END CHUNK",
        "TOOL_CALL": "START ARGS END CHUNK RESULT",
        "REASONING": "START END ENCRYPTED_VALUE",
        "REASONING_MESSAGE": "START CONTENT END CHUNK",
        "STATE": "SNAPSHOT DELTA",
        "MESSAGES": "SNAPSHOT",
        "ACTIVITY": "SNAPSHOT DELTA",
        "SUBAGENT": "STARTED FINISHED ERROR",
    }
    named = {f"{family}_{word}" for family, words in families.items() for word in words.split()}
    named |= {"RAW", "CUSTOM"}
    seen = {frame["type"] for frame, _ in TYPES} | {"RUN_STARTED"}
    assert len(named) == 31 and named <= seen


@pytest.mark.parametrize(
    "data",
    [
        "", "[DONE]", "{", "null", "[]", '"x"', "{}", '{"type":5}', '{"type":"NEW","a":1}', "[" * 100_000,
        '{"type":"TEXT_MESSAGE_CONTENT"}', '{"type":"TEXT_MESSAGE_CONTENT","messageId":1,"delta":"x"}',
        '{"type":"TEXT_MESSAGE_CONTENT","messageId":"a","delta":null}', '{"type":"RUN_STARTED","runId":"x"}',
        '{"type":"TOOL_CALL_START","toolCallId":[]}', '{"type":"MESSAGES_SNAPSHOT","messages":5}',
        '{"type":"MESSAGES_SNAPSHOT","messages":[5,{"role":7}]}', '{"type":"STATE_SNAPSHOT"}',
        '{"type":"CUSTOM"}', '{"type":"CUSTOM","name":"run.question","value":3}',
        '{"type":"REASONING_ENCRYPTED_VALUE","entityId":"r","encryptedValue":"{}"}',
        '{"type":"REASONING_ENCRYPTED_VALUE","entityId":"r","encryptedValue":"{\\"pydantic_ai\\":[]}"}',
    ],
)  # fmt: skip
def test_what_means_nothing_is_kept_as_unknown(data: str) -> None:
    result = {"type": "TOOL_CALL_RESULT", "messageId": "r", "toolCallId": "c", "content": "x"}
    (event,) = decode(result, data)[1:]
    assert isinstance(event, Unknown) and event.raw == data


KINDS = st.sampled_from([frame["type"] for frame, _ in TYPES])
NAMES = (
    "type messageId delta role toolCallId toolCallName content outcome interrupts id usage inputTokens value "
    "name messages metadata runId threadId result code message entityId encryptedValue responseSchema enum "
    "properties snapshot patch activityType subagentRunId stepName"
)
FIELDS = st.sampled_from(NAMES.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.tuples(KINDS, st.dictionaries(FIELDS, JSON)), max_size=8))
def test_no_frame_raises_and_each_keeps_its_data_once(frames: list[tuple[str, dict[str, Any]]]) -> None:
    decoder = Decoder("r")
    for kind, fields in frames:
        data = json.dumps({**fields, "type": kind})
        events = decoder.decode(data)
        assert events and events[0].raw == data and not any(event.raw for event in events[1:])
