"""ADK's streams, byte for byte as recorded from google-adk 2.13.0, and the events that they become."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.backends import sse
from tui.backends.adk_decode import Decoder
from tui.backends.adk_questions import question_of
from tui.core import events as ev
from tui.core.events import End, Event, ToolStatus
from tui.core.transcript import Transcript

CAPTURES = Path(__file__).parent.parent / "captures" / "adk"
COMPLETED = ev.RunFinished(End.COMPLETED)
STREAMS = sorted(path.name for path in CAPTURES.glob("*.body") if path.read_bytes().startswith(b"data: "))


def decoded(chunks: Iterable[bytes], decoder: Decoder | None = None) -> list[Event]:
    """What a stream that ended cleanly gives."""
    reader, decoder = sse.Decoder(), decoder or Decoder()
    frames = [frame for chunk in chunks for frame in reader.feed(chunk)]
    return [event for frame in frames for event in decoder.feed(frame.data)] + decoder.end()


def capture(name: str) -> bytes:
    return (CAPTURES / f"{name}.body").read_bytes()


def events_of(name: str) -> list[Event]:
    return decoded([capture(name)])


def frames_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(frame.data) for frame in sse.Decoder().feed(capture(name))]


def ids(name: str) -> list[str]:
    """The ids of a capture's events, each once, in order of appearance."""
    return list(dict.fromkeys(frame["id"] for frame in frames_of(name) if "id" in frame))


def run_of(name: str) -> str:
    return str(frames_of(name)[0]["invocationId"])


def shown(events: list[Event]) -> Transcript:
    transcript = Transcript()
    for event in events:
        transcript.apply(event, 0.0)
    return transcript


def data(**event: Any) -> str:
    return json.dumps({"author": "a", "invocationId": "e-1", "nodeInfo": {"path": "a@1"}, **event})


def said(*texts: str, role: str = "model") -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text} for text in texts]}


@pytest.mark.parametrize("name", STREAMS)
@given(cuts=st.lists(st.integers(1, 900), max_size=60))
@settings(max_examples=12, deadline=None)
def test_a_recorded_stream_gives_the_same_events_under_any_chunking(name: str, cuts: list[int]) -> None:
    body, chunks, at = (CAPTURES / name).read_bytes(), [], 0
    for cut in cuts:
        chunks.append(body[at : at + cut])
        at += cut
    assert decoded([*chunks, body[at:]]) == decoded([body])


@pytest.mark.parametrize("name", STREAMS)
def test_every_frame_is_kept_raw_once_and_the_run_is_started_once_and_first(name: str) -> None:
    events = decoded([(CAPTURES / name).read_bytes()])
    frames = [frame.data for frame in sse.Decoder().feed((CAPTURES / name).read_bytes())]
    assert [event.raw for event in events if event.raw] == frames
    assert [isinstance(event, ev.RunStarted) for event in events] == [True] + [False] * (len(events) - 1)
    assert sum(isinstance(event, ev.RunFinished) for event in events) <= 1


def test_deltas_are_appended_and_the_whole_text_replaces_them() -> None:
    (block,) = ids("10-say")
    assert events_of("10-say") == [
        ev.RunStarted(run_of("10-say")),
        *(ev.TextDelta(block, f"w{n} ") for n in range(5)),
        ev.TextReplaced(block, "w0 w1 w2 w3 w4 "),
        ev.BlockEnded(block),
        ev.UsageReported(11, 5, "fake-words-001"),
        COMPLETED,
    ]
    assert shown(events_of("10-say")).reply() == "w0 w1 w2 w3 w4 "


def test_a_text_that_came_without_deltas_is_shown_whole() -> None:
    (block,) = ids("11-say-nostream")
    assert ev.TextDelta(block, "w0 w1 w2 w3 w4 ") in events_of("11-say-nostream")
    assert shown(events_of("11-say-nostream")).reply() == "w0 w1 w2 w3 w4 "


def test_thoughts_are_reasoning_and_their_repetition_adds_nothing() -> None:
    events = events_of("12-think")
    thoughts = [event.text for event in events if isinstance(event, ev.ReasoningDelta)]
    assert thoughts == ["thought0 ", "thought1 ", "thought2 "]
    assert shown(events).reply() == "ans0 ans1 ans2 "
    assert ev.BlockEnded(f"{ids('12-think')[0]}/thought") in events


def test_thoughts_that_came_only_whole_are_shown() -> None:
    decoder = Decoder()
    whole = {"parts": [{"text": "hm", "thought": True}, {"text": "yes"}]}
    events = decoder.feed(data(id="x", content=whole))
    assert ev.ReasoningDelta("x/thought", "hm") in events
    assert ev.TextDelta("x", "yes") in events


def test_a_tool_call_starts_runs_and_ends_between_two_texts() -> None:
    first, result, second = ids("13-tool")
    call = "adk-6c8e212c-79de-446d-a00c-01fa7d973bc9"
    assert result not in (first, second)
    assert events_of("13-tool") == [
        ev.RunStarted(run_of("13-tool")),
        *(ev.TextDelta(first, word) for word in ("Let ", "me ", "check. ")),
        ev.TextReplaced(first, "Let me check. "),
        ev.BlockEnded(first),
        ev.ToolStarted(call, "slow_tool", '{"seconds":0.5}'),
        ev.ToolRunning(call),
        ev.UsageReported(11, 3, ""),
        ev.ToolFinished(call, '{"slept":0.5}', ToolStatus.OK),
        *(ev.TextDelta(second, f"after-tool{n} ") for n in range(4)),
        ev.TextReplaced(second, "after-tool0 after-tool1 after-tool2 after-tool3 "),
        ev.BlockEnded(second),
        ev.UsageReported(22, 7, "fake-words-001"),
        COMPLETED,
    ]


def test_parallel_calls_start_once_in_spite_of_their_previews_and_end_in_one_event() -> None:
    events = events_of("14-par")
    quick, slow = "adk-09ca42f6-77ef-4c71-bf30-6387e6b72ab6", "adk-63242f3f-d7da-4cf1-8b59-3231887da8a0"
    assert [event for event in events if isinstance(event, ev.ToolStarted | ev.ToolRunning)] == [
        ev.ToolStarted(quick, "quick_tool", '{"x":"a"}'),
        ev.ToolRunning(quick),
        ev.ToolStarted(slow, "slow_tool", '{"seconds":0.5}'),
        ev.ToolRunning(slow),
    ]
    assert [event for event in events if isinstance(event, ev.ToolFinished)] == [
        ev.ToolFinished(quick, '{"got":"a"}'),
        ev.ToolFinished(slow, '{"slept":0.5}'),
    ]


def test_a_preview_of_a_call_never_counts_as_a_tool_that_may_be_running() -> None:
    decoder = Decoder()
    preview = {"parts": [{"functionCall": {"id": "c", "name": "rm", "args": {"path": "/"}}}]}
    events = decoder.feed(data(id="x", partial=True, content=preview))
    assert events == [ev.RunStarted("e-1"), ev.Unknown("preview of a tool call")]
    assert shown(events).open_tools() == []


def test_a_model_error_fails_the_run_once_and_keeps_the_text() -> None:
    events = events_of("15-err")
    assert events[-1] == ev.RunFinished(End.FAILED, "blocked by fake policy", "SAFETY")
    assert shown(events).reply() == "w0 w1 w2 "


@pytest.mark.parametrize(
    ("name", "message", "code"),
    [
        ("16-raise", "fake upstream 503", "RuntimeError"),
        ("18-failtool", "tool broke", "ValueError"),
        ("33-sse-nomsg", "list index out of range", "IndexError"),
    ],
)
def test_the_two_frames_of_one_exception_are_one_failure(name: str, message: str, code: str) -> None:
    events = events_of(name)
    assert [e for e in events if isinstance(e, ev.RunFinished)] == [ev.RunFinished(End.FAILED, message, code)]
    assert events[-1] == ev.RunFinished(End.FAILED, message, code)


def test_an_exception_frame_alone_is_a_failure_too() -> None:
    frame = (
        '{"error": "ValueError: no", "error_details": {"error_type": "ValueError", "error_message": "no"}}'
    )
    assert decoded([f"data: {frame}\n\n".encode()]) == [
        ev.RunStarted(""),
        ev.RunFinished(End.FAILED, "no", "ValueError"),
    ]


def test_an_error_that_the_agent_got_over_does_not_fail_the_run() -> None:
    decoder = Decoder()
    decoder.feed(data(id="1", errorCode="MALFORMED_FUNCTION_CALL", errorMessage="try again"))
    decoder.feed(data(id="2", content=said("done")))
    assert decoder.end() == [COMPLETED]


def test_a_stream_without_the_whole_text_has_no_end() -> None:
    """`noagg`: deltas, and a clean end. The server stores nothing of it: that is no completion."""
    events = events_of("17-noagg")
    assert not any(isinstance(event, ev.RunFinished) for event in events)
    assert shown(events).reply() == "w0 w1 w2 w3 "


@pytest.mark.parametrize("kept", [1, 2, 3, 4, 5, 8])
def test_a_stream_cut_neatly_before_its_last_event_has_no_end(kept: int) -> None:
    frames = capture("13-tool").split(b"\n\n")[:kept]
    assert not any(isinstance(e, ev.RunFinished) for e in decoded([b"\n\n".join([*frames, b""])]))


def test_an_answer_that_names_an_error_ends_its_tool_with_an_error() -> None:
    (finished,) = (e for e in events_of("19-unknowntool") if isinstance(e, ev.ToolFinished))
    assert finished.status is ToolStatus.ERROR
    assert "no tool with that name" in finished.result


def test_state_and_artifacts_that_come_twice_with_one_id_are_told_once_and_wipe_no_text() -> None:
    events = events_of("20-state")
    assert [event for event in events if isinstance(event, ev.DataReceived)] == [
        ev.DataReceived("state", {"k": 1}),
        ev.DataReceived("artifacts", {"note.txt": 0}),
    ]
    assert shown(events).reply() == "Let me check. \n\nafter-tool0 after-tool1 "


def test_state_adds_up() -> None:
    decoder = Decoder()
    decoder.feed(data(id="1", content=said("a"), actions={"stateDelta": {"k": 1, "old": True}}))
    events = decoder.feed(data(id="2", content=said("b"), actions={"stateDelta": {"k": 2}}))
    assert ev.DataReceived("state", {"k": 2, "old": True}) in events


def test_a_confirmation_is_a_question_that_ends_the_stream_and_its_tool_has_not_run() -> None:
    events = events_of("21-confirm")
    call = "adk-e1527244-b139-4b3f-bbb4-4e97782ee564"
    assert events[-1] == ev.QuestionAsked(
        "adk-523929c2-be82-4c89-9a51-1362401f77d4",
        'Allow confirm_tool({"seconds":1.0})?',
        "approval",
        (),
        call,
    )
    assert not any(isinstance(event, ev.ToolFinished | ev.RunFinished) for event in events)
    assert shown(events).open_tools() == []
    assert [
        tool.key for tool in shown([*events, ev.QuestionAnswered(events[-1].request, "yes")]).open_tools()
    ] == [call]
    assert shown([*events, *events_of("21-confirm-answer")]).open_tools() == []


def test_an_answer_to_a_confirmation_is_spelt_as_it_was_recorded() -> None:
    call = {
        "id": "adk-1",
        "name": "adk_request_confirmation",
        "args": {"originalFunctionCall": {"name": "t"}},
    }
    question = question_of(call)
    recorded = {"id": "adk-1", "name": "adk_request_confirmation", "response": {"confirmed": True}}
    for yes in ("yes", " Y ", "approve", "True"):
        assert question.answer(yes) == {"functionResponse": recorded}
    for no in ("no", "", "perhaps", "deny"):
        assert question.answer(no) == {"functionResponse": recorded | {"response": {"confirmed": False}}}


def test_a_question_for_input_takes_text_or_an_object() -> None:
    question = question_of({"id": "i", "name": "adk_request_input", "args": {"message": "Your name?"}})
    assert question.asked() == ev.QuestionAsked("i", "Your name?", "input")
    assert question.answer("Ada")["functionResponse"]["response"] == {"result": "Ada"}
    assert question.answer('{"first": "Ada"}')["functionResponse"]["response"] == {"first": "Ada"}


def test_a_hint_that_a_person_wrote_is_part_of_the_question() -> None:
    args = {"originalFunctionCall": {"name": "pay"}, "toolConfirmation": {"hint": "This costs 5 EUR."}}
    assert question_of({"id": "i", "name": "adk_request_confirmation", "args": args}).text == (
        "Allow pay({})?\nThis costs 5 EUR."
    )


def test_a_long_running_call_that_got_a_first_answer_does_not_hold_the_run_up() -> None:
    events = events_of("22-long")
    assert events[-1] == COMPLETED
    (finished,) = (event for event in events if isinstance(event, ev.ToolFinished))
    assert finished.result == '{"status":"pending","ticket":"t1"}'


def test_a_long_running_call_without_any_answer_is_a_question() -> None:
    decoder = Decoder()
    call = {"parts": [{"functionCall": {"id": "l", "name": "ask_boss", "args": {"n": 1}}}]}
    decoder.feed(data(id="1", content=call, longRunningToolIds=["l"]))
    assert decoder.end() == [
        ev.QuestionAsked("l", 'ask_boss({"n":1}) waits for its result.', "input", (), "l")
    ]


def test_an_agent_that_took_over_is_a_step_until_its_last_word() -> None:
    events = events_of("23-xfer")
    assert [e for e in events if isinstance(e, ev.StepStarted | ev.StepFinished | ev.RunFinished)] == [
        ev.StepStarted("child"),
        ev.StepFinished("child"),
        COMPLETED,
    ]
    assert events.index(ev.StepStarted("child")) < next(
        n for n, event in enumerate(events) if isinstance(event, ev.TextDelta)
    )


def test_line_separators_and_escapes_inside_the_json_survive() -> None:
    texts = [event.text for event in events_of("24-uni") if isinstance(event, ev.TextDelta)]
    assert texts == [
        "héllo ", "😀 ", "a\u2028b ", "c\x85d ", "l1\nl2 ", "\x1b[31mred\x1b[0m ", "e\x0cf ",
        "data: x\n\ndata: y ",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["90-plugin-say", "90-plugin-tool", "90-plugin-par", "90-plugin-block"])
def test_an_abort_on_the_stream_is_the_end_of_the_run_as_cancelled(name: str) -> None:
    assert events_of(name)[-1] == ev.RunFinished(End.CANCELLED, "Invocation was aborted by client.")


def test_the_made_up_answers_of_an_abort_are_not_taken_for_the_ends_of_tools() -> None:
    """ADK writes "aborted" for every open call, also for one that had finished its work."""
    assert [block.name for block in shown(events_of("90-plugin-par")).open_tools()] == [
        "quick_tool",
        "slow_tool",
    ]
    assert shown(events_of("90-plugin-block")).open_tools() == []  # this one was seen to end


def test_nothing_follows_the_end() -> None:
    decoder = Decoder()
    decoder.feed(data(errorCode="INVOCATION_ABORTED"))
    assert decoder.feed(data(id="1", content=said("late"))) == []
    assert decoder.end() == []


def test_deltas_after_a_whole_text_of_the_same_id_open_a_new_block() -> None:
    decoder = Decoder()
    events = decoder.feed(data(id="x", partial=True, content=said("one")))
    events += decoder.feed(data(id="x", content=said("one.")))
    events += decoder.feed(data(id="x", partial=True, content=said("two")))
    events += decoder.feed(data(id="x", content=said("two.")))
    assert shown(events).reply() == "one.\n\ntwo."


def test_an_agent_that_only_changes_state_completes() -> None:
    decoder = Decoder()
    decoder.feed(data(id="1", actions={"stateDelta": {"done": True}}))
    assert decoder.end() == [COMPLETED]


def test_an_empty_stream_has_no_end() -> None:
    assert decoded([b""]) == []


def test_frames_that_are_no_events_are_kept_for_the_inspector() -> None:
    decoder = Decoder()
    for frame in ("", "nonsense", "[1]", "null", "3"):
        (event,) = decoder.feed(frame)
        assert event == ev.Unknown("not a JSON object")
        assert event.raw == frame


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "content", "parts", "text", "thought", "functionCall", "functionResponse", "id", "name", "args",
    "response", "partial", "author", "actions", "stateDelta", "artifactDelta", "errorCode",
    "requestedToolConfirmations",
    "errorMessage", "error", "error_details", "usageMetadata", "promptTokenCount", "longRunningToolIds",
    "invocationId", "nodeInfo", "path", "inlineData", "data", "customMetadata", "originalFunctionCall",
]  # fmt: skip
FRAMES = st.recursive(
    JSON_VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=25,
)


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), FRAMES, max_size=8), max_size=4))
@settings(max_examples=40, deadline=None)
def test_no_json_whatever_its_shape_raises(frames: list[dict[str, Any]]) -> None:
    decoder = Decoder()
    events = [event for frame in frames for event in decoder.feed(json.dumps(frame))] + decoder.end()
    shown(events)
    assert sum(isinstance(event, ev.RunFinished) for event in events) <= 1
