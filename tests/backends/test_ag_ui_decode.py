"""AG-UI's events as ours: recorded streams under any chunking, and what needs a memory of the run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.ag_ui_frames import decode
from tui.backends.ag_ui_decode import Decoder
from tui.backends.ag_ui_questions import question_of
from tui.backends.sse import Decoder as SseDecoder
from tui.core.events import (
    BlockEnded,
    End,
    Event,
    QuestionAsked,
    ReasoningDelta,
    RunFinished,
    RunStarted,
    StepFinished,
    TextDelta,
    TextReplaced,
    ToolArguments,
    ToolFinished,
    ToolRunning,
    ToolStarted,
    ToolStatus,
    Unknown,
    UsageReported,
)

CAPTURES = {
    path.stem: path.read_bytes() for path in (Path(__file__).parents[1] / "captures/ag-ui").glob("*.sse")
}


def read(chunks: list[bytes]) -> list[Event]:
    """The events of a recorded stream."""
    stream, decoder = SseDecoder(), Decoder("ours", "thread-1")
    return [e for chunk in chunks for sent in stream.feed(chunk) for e in decoder.decode(sent.data)]


def words(first: int, last: int) -> str:
    return "".join(f"tok{n} " for n in range(first, last + 1))


def joined(events: list[Event]) -> list[Event]:
    """Deltas of one block as one, and random ids by number: what a capture says, in a few lines."""
    names: dict[str, str] = {}
    out: list[Event] = []
    for given_event in events:
        event = given_event
        if isinstance(event, TextDelta | BlockEnded):
            event = replace(event, block=names.setdefault(event.block, f"m{len(names) + 1}"))
        last = out[-1] if out else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta) and event.block == last.block:
            out[-1] = TextDelta(event.block, last.text + event.text)
        else:
            out.append(event)
    return out


def tool(name: str) -> list[Event]:
    return [
        TextDelta("m1", "Let me look. "),
        BlockEnded("m1"),
        ToolStarted("call_1", name),
        ToolArguments("call_1", '{"q":'),
        ToolArguments("call_1", '"hours"}'),
        ToolRunning("call_1"),
    ]


def cut_short(name: str) -> list[Event]:
    return [
        *tool(name),
        Unknown("TOOL_CALL_RESULT"),  # made up when the call was given up: the tool may run on
        Unknown("REASONING_ENCRYPTED_VALUE"),
        UsageReported(50, 10, "function::fake"),
        RunFinished(End.CANCELLED),
    ]


WHOLE = [TextDelta("m1", words(0, 29)), BlockEnded("m1"), UsageReported(50, 30, "function::fake")]
CUT = [TextDelta("m1", words(0, 10)), BlockEnded("m1"), UsageReported(50, 11, "function::fake")]
EXPECTED: dict[str, list[Event]] = {
    "01-full-no-version": [*WHOLE[:2], RunFinished(End.COMPLETED)],
    "02-full-v1.0": [*WHOLE, RunFinished(End.COMPLETED)],
    "03-tool-full-v1.0": [
        *tool("slow_async"), ToolFinished("call_1", "nine to five"), TextDelta("m2", words(0, 29)),
        BlockEnded("m2"), UsageReported(100, 40, "function::fake"), RunFinished(End.COMPLETED),
    ],
    "04-drop-text": [TextDelta("m1", words(0, 9))],
    "05-drop-async-tool": tool("slow_async"),
    "06-drop-sync-tool": tool("slow_sync"),
    "07-cancel-text-v1.0": [*CUT, RunFinished(End.CANCELLED)],
    "08-cancel-text-noversion": [*CUT, RunFinished(End.UNSPECIFIED)],
    "09-cancel-async-tool-v1.0": cut_short("slow_async"),
    "10-cancel-sync-tool-v1.0": cut_short("slow_sync"),
    "11-drop-while-cancel": tool("slow_async"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CAPTURES))
def test_a_recorded_stream_gives_its_events(name: str) -> None:
    events = read([CAPTURES[name]])
    assert joined(events)[1:] == EXPECTED[name]
    assert isinstance(events[0], RunStarted) and events[0].conversation_id == "thread-1"


@pytest.mark.parametrize("name", sorted(CAPTURES))
def test_every_piece_of_wire_data_is_kept_once_and_as_it_came(name: str) -> None:
    sent = [line[6:] for line in CAPTURES[name].decode().split("\n\n") if line]
    assert [event.raw for event in read([CAPTURES[name]]) if event.raw] == sent


@given(st.sampled_from(sorted(CAPTURES)), st.data())
def test_no_chunking_changes_what_a_recorded_stream_says(name: str, data: st.DataObject) -> None:
    whole = CAPTURES[name]
    points = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=12)))
    chunks = [whole[a:b] for a, b in zip([0, *points], [*points, len(whole)], strict=True)]
    assert read(chunks) == read([whole])


# --- what needs memory ------------------------------------------------------------------------------------


def test_the_run_is_known_at_run_started_under_the_servers_own_id() -> None:
    started = {"type": "RUN_STARTED", "threadId": "t", "runId": "theirs"}
    assert decode(started, started=False) == [RunStarted("theirs", "t")]


def test_content_without_a_start_shows_that_the_run_exists() -> None:
    text = {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a", "delta": "x"}
    events = decode(text, text, started=False)
    assert events == [RunStarted("run-1", "thread-1"), TextDelta("a", "x"), TextDelta("a", "x")]
    assert [bool(event.raw) for event in events] == [True, False, True]


def test_an_error_before_the_start_starts_nothing() -> None:
    assert decode({"type": "RUN_ERROR", "message": "m"}, started=False) == [RunFinished(End.FAILED, "m")]


def test_chunks_open_and_close_by_themselves() -> None:
    def chunk(kind: str, **fields: Any) -> dict[str, Any]:
        return {"type": kind, **fields}

    assert decode(
        chunk("TEXT_MESSAGE_CHUNK", messageId="a", role="assistant", delta="Let "),
        chunk("TEXT_MESSAGE_CHUNK", delta="me"),
        chunk("TOOL_CALL_CHUNK", toolCallId="c", toolCallName="look", delta="{"),
        chunk("TOOL_CALL_CHUNK", delta="}"),
        chunk("TOOL_CALL_CHUNK", toolCallId="d", toolCallName="see"),
        chunk("REASONING_MESSAGE_CHUNK", messageId="r", delta="hm"),
        chunk("TEXT_MESSAGE_CHUNK", messageId="b", delta="!"),
        chunk("RUN_FINISHED", runId="run-1", outcome={"type": "success"}),
    ) == [
        TextDelta("a", "Let "), TextDelta("a", "me"), BlockEnded("a"),
        ToolStarted("c", "look"), ToolArguments("c", "{"), ToolArguments("c", "}"), ToolRunning("c"),
        ToolStarted("d", "see"), ToolRunning("d"),
        ReasoningDelta("reasoning:r", "hm"), BlockEnded("reasoning:r"),
        TextDelta("b", "!"), BlockEnded("b"), RunFinished(End.COMPLETED),
    ]  # fmt: skip


def test_a_chunk_that_belongs_to_nothing_is_unknown() -> None:
    assert decode({"type": "TEXT_MESSAGE_CHUNK", "delta": "x"}) == [Unknown("TEXT_MESSAGE_CHUNK")]


def test_a_nested_run_neither_starts_nor_ends_ours() -> None:
    nested = {"threadId": "thread-1", "runId": "inner"}
    events = decode({"type": "RUN_STARTED", **nested}, {"type": "RUN_FINISHED", **nested})
    assert events == [Unknown("RUN_STARTED"), Unknown("RUN_FINISHED")]


def test_after_the_end_no_second_end_is_declared() -> None:
    finished = {"type": "RUN_FINISHED", "outcome": {"type": "cancelled"}}
    assert decode(finished, {"type": "RUN_ERROR", "message": "late"}) == [
        RunFinished(End.CANCELLED),
        Unknown("RUN_ERROR"),
    ]


def test_a_user_message_on_the_stream_is_not_the_agents_reply() -> None:
    assert decode(
        {"type": "TEXT_MESSAGE_START", "messageId": "a", "role": "user"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a", "delta": "x"},
    ) == [Unknown("TEXT_MESSAGE_START"), Unknown("TEXT_MESSAGE_CONTENT")]


def test_a_snapshot_repeats_only_the_messages_of_this_run() -> None:
    said = [
        {"id": "old", "role": "assistant", "content": "before"},
        {"id": "a", "role": "assistant", "content": "xy"},
    ]
    assert decode(
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a", "delta": "x"},
        {"type": "MESSAGES_SNAPSHOT", "messages": said},
    ) == [TextDelta("a", "x"), TextReplaced("a", "xy")]


def outcome(word: str) -> dict[str, Any]:
    """How pydantic-ai tells the end of a tool call, after its result."""
    hidden = json.dumps({"pydantic_ai": {"outcome": word}})
    return {"type": "REASONING_ENCRYPTED_VALUE", "entityId": "r", "encryptedValue": hidden}


STAMPED = {"type": "STEP_STARTED", "stepName": "s", "timestamp": 1}
RESULT = {"type": "TOOL_CALL_RESULT", "messageId": "r", "toolCallId": "c", "content": "x"}


def test_a_result_that_was_made_up_for_an_interrupted_call_is_not_its_end() -> None:
    """A tool in a thread goes on after it: seen on a real server, 3 of 20 random stops."""
    finished = {"type": "RUN_FINISHED", "outcome": {"type": "cancelled"}}
    assert decode(STAMPED, RESULT, outcome("interrupted"), finished)[1:] == [
        Unknown("TOOL_CALL_RESULT"), Unknown("REASONING_ENCRYPTED_VALUE"), RunFinished(End.CANCELLED),
    ]  # fmt: skip


def test_of_two_calls_each_is_told_of_in_its_own_way() -> None:
    other = {**RESULT, "messageId": "q", "toolCallId": "d"}
    more = {"type": "STEP_FINISHED", "stepName": "s"}
    assert decode(STAMPED, RESULT, other, outcome("interrupted"), more)[4:] == [
        ToolFinished("d", "x"), StepFinished("s"),
    ]  # fmt: skip


def test_a_result_without_a_time_is_an_end_once_the_next_event_does_not_deny_it() -> None:
    more = {"type": "STEP_FINISHED", "stepName": "s"}
    assert decode(STAMPED, RESULT, more)[1:] == [
        Unknown("TOOL_CALL_RESULT"), ToolFinished("c", "x"), StepFinished("s"),
    ]  # fmt: skip
    assert decode(STAMPED, RESULT, outcome("denied"))[2:] == [ToolFinished("c", "x", ToolStatus.ERROR)]
    assert decode(RESULT, outcome("failed")) == [
        ToolFinished("c", "x"), ToolFinished("c", "x", ToolStatus.ERROR),
    ]  # fmt: skip


def test_an_announced_cancellation_gives_the_end_its_reason() -> None:
    announced = {"type": "CUSTOM", "name": "run.cancelled", "value": {"runId": "run-1", "reason": "enough"}}
    assert decode(announced, {"type": "RUN_FINISHED", "outcome": {"type": "cancelled"}})[1:] == [
        RunFinished(End.CANCELLED, "enough")
    ]
    assert decode(announced, {"type": "RUN_ERROR", "message": "x"})[1:] == [
        RunFinished(End.CANCELLED, "enough")
    ]


def test_an_announced_cancellation_is_final_where_nothing_follows() -> None:
    decoder = Decoder("r")
    decoder.decode('{"type":"RUN_STARTED","runId":"r"}')
    assert decoder.finish() == ()
    decoder.decode('{"type":"CUSTOM","name":"run.cancelled","value":null}')
    assert decoder.finish() == (RunFinished(End.CANCELLED),)
    assert decoder.finish() == ()


def test_interrupts_are_questions_and_no_end() -> None:
    schema = {"type": "object", "properties": {"approved": {"type": "boolean"}, "reason": {"type": "string"}}}
    decoder = Decoder("r")
    outcome = {"type": "interrupt", "interrupts": [
        {"id": "i1", "reason": "tool_call", "message": "Go?", "toolCallId": "c1", "responseSchema": schema},
        {"id": "i2", "reason": "pick", "metadata": {"choices": ["a", "b"]}},
        {"id": "i3", "reason": "input", "message": "Name?", "responseSchema": {"type": "string"}},
        {"id": "i4", "reason": "x", "responseSchema": {"type": "string", "enum": ["p", "q"]}},
        {"reason": "no id"}, "nonsense",
    ]}  # fmt: skip
    events = list(decoder.decode(json.dumps({"type": "RUN_FINISHED", "outcome": outcome})))
    asked = [question_of(one) for one in decoder.interrupts]
    assert events == asked[:1], "one after the other"
    assert asked == [
        QuestionAsked("i1", "Go?", "approval", (), "c1"),
        QuestionAsked("i2", "pick", "choice", ("a", "b")),
        QuestionAsked("i3", "Name?", "input"),
        QuestionAsked("i4", "x", "choice", ("p", "q")),
    ]


def test_an_interrupt_without_a_question_is_an_end() -> None:
    (end,) = decode({"type": "RUN_FINISHED", "outcome": {"type": "interrupt", "interrupts": []}})
    assert isinstance(end, RunFinished) and end.end is End.UNSPECIFIED


def test_usage_is_summed_over_models_and_nonsense_in_it_ignored() -> None:
    usage = [
        {"model": "a", "inputTokens": 5, "outputTokens": 1},
        {"model": "b", "inputTokens": -3, "outputTokens": "x"},
        {"model": "a", "inputTokens": True, "outputTokens": 2},
        "?",
    ]
    events = decode({"type": "RUN_ERROR", "message": "m", "usage": usage})
    assert events == [UsageReported(5, 3, "a, b"), RunFinished(End.FAILED, "m")]
