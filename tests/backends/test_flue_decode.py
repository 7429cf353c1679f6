"""Flue's stream and history, as recorded from real servers, become the right events."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.flue_captures import captured, decode, shown, submission
from tui.backends.flue_decode import CHUNK_TYPES, RunReader
from tui.backends.flue_history import look_up, of_conversation
from tui.core import events as ev
from tui.core.events import End, ToolStatus

SCENES = {
    # folder: (the 202, the stream, the history, how it ended)
    "01-text-stream": ("04-send", "05-sse", "06-history", End.COMPLETED),
    "02-reasoning-stream": ("01-send", "02-sse", "03-history", End.COMPLETED),
    "03-tool-complete": ("01-send", "02-sse", "03-history", End.COMPLETED),
    "03b-rich-metadata-dataparts": ("01-send", "02-sse", "03-history", End.COMPLETED),
    "03c-tool-error": ("01-send", "02-sse", "03-history", End.COMPLETED),
    "04-abort-mid-text": ("01-send", "02-sse", "04-history-immediately", End.CANCELLED),
    "05-abort-mid-tool": ("01-send", "02-sse", "04-history-after", End.CANCELLED),
    "05b-abort-mid-tool-deaf": ("01-send", "02-sse", "04-history-after", End.CANCELLED),
    "10-queued-and-abort-all": ("01-send-1", "02-sse", "06-history", End.CANCELLED),
    "11-message-joins-live-response": ("01-send-1", "02-sse", "04-history", End.COMPLETED),
    "13a-provider-400": ("01-send", "02-sse", "03-history", End.FAILED),
    "13b-stream-cut": ("01-send", "02-sse", "03-history", End.FAILED),
    "17-abort-right-after-202": ("01-send", "03-sse", "04-history", End.CANCELLED),
    "20-abort-partial-tool-batch": ("01-send", "02-sse", "04-history", End.CANCELLED),
    "27-abort-mid-subagent-task": ("01-send", "02-sse", "04-history", End.CANCELLED),
    "34-send-during-plain-text-turn": ("01-send-1", "02-sse", "04-history", End.COMPLETED),
    "210-tools": ("01-send", "02-sse", "04-history", End.COMPLETED),
    "210-abort-mid-text": ("01-send", "02-sse", "04-history", End.CANCELLED),
    "210-abort-mid-tool-deaf": ("01-send", "02-sse", "04-history", End.CANCELLED),
}
every_scene = pytest.mark.parametrize("scene", SCENES)


def reader_of(scene: str, offset: str = "-1") -> RunReader:
    return RunReader(submission(f"{scene}/{SCENES[scene][0]}"), offset)


def stream_of(scene: str) -> bytes:
    return captured(f"{scene}/{SCENES[scene][1]}").body


def history_of(scene: str) -> Any:
    return captured(f"{scene}/{SCENES[scene][2]}").json


def kinds(events: list[ev.Event], *wanted: type[ev.Event]) -> list[ev.Event]:
    return [event for event in events if isinstance(event, wanted)]


@every_scene
def test_a_recorded_run_shows_the_text_that_the_server_saved_and_its_one_end(scene: str) -> None:
    events = list(decode(reader_of(scene), stream_of(scene)))
    saved = look_up(history_of(scene), reader_of(scene).submission)
    assert saved is not None
    assert (saved.text or "") == shown(events).reply_as_received()
    assert [e.end for e in events if isinstance(e, ev.RunFinished)] == [SCENES[scene][3]] == [saved.end]
    assert isinstance(events[-1], ev.RunFinished)


@every_scene
def test_a_recorded_run_has_the_tool_calls_that_the_server_saved(scene: str) -> None:
    run = reader_of(scene).submission
    parts = [p for m in history_of(scene)["messages"] if m.get("submissionId") == run for p in m["parts"]]
    saved = [p for p in parts if p["type"] == "dynamic-tool"]
    events = list(decode(reader_of(scene), stream_of(scene)))
    started = [e for e in events if isinstance(e, ev.ToolStarted)]
    assert [(e.call, e.name, json.loads(e.arguments)) for e in started] == [
        (p["toolCallId"], p["toolName"], p["input"]) for p in saved
    ]
    over = {e.call: e for e in events if isinstance(e, ev.ToolFinished)}
    for part in saved:
        if "may still be running" in part.get("errorText", ""):
            assert part["toolCallId"] not in over, "a tool that runs on has not finished"
        elif part["state"] == "output-available":
            assert json.loads(over[part["toolCallId"]].result) == part["output"]
        else:
            assert over[part["toolCallId"]].result == part["errorText"]


@every_scene
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_recorded_stream_gives_the_same_events_under_any_chunking(scene: str, data: st.DataObject) -> None:
    body = stream_of(scene)
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=40))
    whole, cut = list(decode(reader_of(scene), body)), list(decode(reader_of(scene), body, cuts))
    assert cut == whole
    assert [e.raw for e in cut] == [e.raw for e in whole]


@every_scene
def test_the_history_alone_gives_the_same_blocks_and_end_as_the_stream(scene: str) -> None:
    live, again = reader_of(scene), reader_of(scene)
    streamed = shown(decode(live, stream_of(scene)))
    restated = shown(again.snapshot(history_of(scene)))
    assert [(type(b), b.key) for b in restated.blocks] == [(type(b), b.key) for b in streamed.blocks]
    assert restated.reply_as_received() == streamed.reply_as_received()
    assert again.finished == live.finished
    assert again.offset == history_of(scene)["offset"]


@every_scene
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_history_read_in_the_middle_of_a_stream_adds_only_what_is_missing(
    scene: str, data: st.DataObject
) -> None:
    body = stream_of(scene)
    reader = reader_of(scene)
    seen = list(decode(reader, body[: data.draw(st.integers(0, len(body)))]))
    seen += reader.snapshot(history_of(scene))
    assert not list(decode(reader, body)), "everything came before: nothing may be told twice"
    whole = list(decode(reader_of(scene), body))
    assert shown(seen).reply_as_received() == shown(whole).reply_as_received()
    for kind in (ev.ToolStarted, ev.ToolFinished, ev.RunFinished):
        assert kinds(seen, kind) == kinds(whole, kind)
    reasoned = [e.text for e in seen if isinstance(e, ev.ReasoningDelta)]
    assert "".join(reasoned) == "".join(e.text for e in whole if isinstance(e, ev.ReasoningDelta))


@every_scene
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_what_comes_again_after_a_reconnect_is_told_once(scene: str, data: st.DataObject) -> None:
    body = stream_of(scene)
    reader = reader_of(scene)
    broken = data.draw(st.integers(0, len(body)))
    events = list(decode(reader, body[:broken])) + list(decode(reader, body))
    told = [e for e in events if e != ev.Unknown("stream-checkpoint")]
    whole = [e for e in decode(reader_of(scene), body) if e != ev.Unknown("stream-checkpoint")]
    assert told == whole


def test_a_connection_that_broke_goes_on_at_the_offset_of_the_last_control_frame() -> None:
    scene = "08-disconnect-without-abort"
    reader = RunReader(submission(f"{scene}/01-send"))
    first = list(decode(reader, captured(f"{scene}/02-sse-1").body))
    assert reader.offset == "0000000000000000_0000000000000006"
    rest = list(decode(reader, captured(f"{scene}/04-sse-resume").body))
    saved = look_up(captured(f"{scene}/05-history").json, reader.submission)
    assert saved and shown(first + rest).reply_as_received() == saved.text
    assert shown(first).chars == 109
    assert reader.finished == ev.RunFinished(End.COMPLETED)


def test_the_stream_from_the_very_beginning_opens_with_an_empty_reset_and_tells_the_same() -> None:
    for scene in ("210-tools", "210-abort-mid-text"):
        body = captured(f"{scene}/05-sse-from-the-beginning").body
        assert b'"conversation-reset"' in body
        late, live = reader_of(scene), reader_of(scene)
        assert shown(decode(late, body)).reply() == shown(decode(live, stream_of(scene))).reply()
        assert late.finished == live.finished


def test_a_tool_that_does_not_listen_to_the_abort_stays_open() -> None:
    transcript = shown(decode(reader_of("05b-abort-mid-tool-deaf"), stream_of("05b-abort-mid-tool-deaf")))
    assert [tool.name for tool in transcript.open_tools()] == ["deaf_tool"]
    seen = look_up(history_of("05b-abort-mid-tool-deaf"), reader_of("05b-abort-mid-tool-deaf").submission)
    assert seen and seen.detail == "The server says that deaf_tool may still be running."


def test_parallel_tools_of_a_batch_that_was_aborted_end_each_in_its_own_way() -> None:
    events = decode(reader_of("20-abort-partial-tool-batch"), stream_of("20-abort-partial-tool-batch"))
    assert [(e.call, e.status) for e in events if isinstance(e, ev.ToolFinished)] == [
        ("call_1_0", ToolStatus.ERROR),
        ("call_1_1", ToolStatus.OK),
        ("call_1_2", ToolStatus.INTERRUPTED),
    ]


def test_data_parts_are_told_as_they_come() -> None:
    events = decode(reader_of("03b-rich-metadata-dataparts"), stream_of("03b-rich-metadata-dataparts"))
    given_ = [(e.name, e.value["pct"]) for e in events if isinstance(e, ev.DataReceived)]
    assert given_ == [("progress", pct) for pct in (17, 33, 50, 67, 83, 100)]


def test_the_reason_of_a_failure_is_the_providers_own() -> None:
    reader = reader_of("13b-stream-cut")
    list(decode(reader, stream_of("13b-stream-cut")))
    assert reader.finished == ev.RunFinished(
        End.FAILED, "Stream ended without finish_reason", "operation_failed"
    )


def test_a_prompt_that_joined_another_run_shows_only_what_answers_it() -> None:
    scene = "34-send-during-plain-text-turn"
    reader = RunReader(submission(f"{scene}/03-send-2"))
    transcript = shown(decode(reader, stream_of(scene)))
    assert transcript.reply() == "".join(f"word{n} " for n in range(30))
    assert reader.finished and reader.finished.end is End.COMPLETED
    saved = look_up(history_of(scene), reader.submission)
    assert saved and saved.end is End.COMPLETED
    assert saved.text is None, "the history cannot tell which words answer which prompt"


def test_runs_of_one_conversation_do_not_see_each_other() -> None:
    scene = "28-resend-without-waiting-text"
    body = captured(f"{scene}/02-sse").body
    history = captured(f"{scene}/08-history").json
    for name, end in (
        ("01-send", End.CANCELLED),
        ("04-resend-same-instant", End.COMPLETED),
        ("05-send2", End.CANCELLED),
        ("07-resend-after-abort-200", End.COMPLETED),
    ):
        reader = RunReader(submission(f"{scene}/{name}"))
        text = shown(decode(reader, body)).reply_as_received()
        saved = look_up(history, reader.submission)
        assert saved and (saved.end, saved.text) == (end, text)


def test_a_queued_prompt_that_was_aborted_is_over_and_has_no_reply() -> None:
    scene = "10-queued-and-abort-all"
    reader = RunReader(submission(f"{scene}/03-send-2"))
    events = list(decode(reader, stream_of(scene)))
    assert not shown(events).blocks
    assert reader.finished and reader.finished.end is End.CANCELLED


def test_another_incarnation_of_the_store_makes_the_reader_stale_and_tells_nothing() -> None:
    scene = "01-text-stream"
    reader = reader_of(scene)
    reader.incarnation = "inc_before_the_restart"
    assert kinds(list(decode(reader, stream_of(scene))), ev.TextDelta, ev.RunFinished) == []
    assert reader.stale and reader.finished is None
    reader.snapshot(history_of(scene))
    assert not reader.stale and reader.incarnation == history_of(scene)["incarnation"]


def test_a_run_that_streams_is_alive_in_the_history_with_what_was_saved_so_far() -> None:
    scene = "08-disconnect-without-abort"
    run = submission(f"{scene}/01-send")
    seen = look_up(captured(f"{scene}/03-history-while-away").json, run)
    assert seen and seen.end is End.ALIVE
    assert seen.text and seen.text.startswith("word0 word1 ")
    assert look_up(captured(f"{scene}/03-history-while-away").json, "sub_of_someone_else") is None


def test_what_ran_last_in_a_conversation_is_what_has_no_end_yet_or_ended_last() -> None:
    away = of_conversation(captured("08-disconnect-without-abort/03-history-while-away").json)
    assert away and away.end is End.ALIVE
    queue = of_conversation(captured("10-queued-and-abort-all/06-history").json)
    assert queue and queue.end is End.CANCELLED
    resent = of_conversation(captured("28-resend-without-waiting-text/08-history").json)
    assert resent and resent.end is End.COMPLETED
    assert of_conversation({"messages": [], "settlements": []}) is None


# --- what no server should send ---------------------------------------------------------------------------

MINE = "sub_1"


def chunk(sort: str, batch: int, **more: object) -> dict[str, object]:
    return {"type": sort, "conversationId": "c", "position": {"batch": batch, "index": 0}, **more}


def opened() -> RunReader:
    reader = RunReader(MINE)
    feed(reader, chunk("message-started", 1, messageId="m", submissionId=MINE))
    return reader


def feed(reader: RunReader, *chunks: object) -> list[ev.Event]:
    return reader.frame("data", json.dumps(chunks))


def delta(batch: int, text: str, kind: str = "text") -> dict[str, object]:
    return chunk("message-delta", batch, messageId="m", kind=kind, delta=text)


def test_a_chunk_nobody_knows_is_unknown_and_what_follows_is_read() -> None:
    events = feed(opened(), chunk("hologram", 2), delta(3, "hello"))
    assert events == [ev.Unknown("hologram"), ev.TextDelta("m/1", "hello")]
    assert "hologram" in events[0].raw and events[1].raw == ""


def test_another_kind_of_delta_closes_the_open_block() -> None:
    events = feed(opened(), delta(2, "hm", "reasoning"), delta(3, "so"), delta(4, "hm", "reasoning"))
    assert events == [
        ev.ReasoningDelta("m/1", "hm"),
        ev.BlockEnded("m/1"),
        ev.TextDelta("m/2", "so"),
        ev.BlockEnded("m/2"),
        ev.ReasoningDelta("m/3", "hm"),
    ]


def test_a_tool_call_id_that_a_model_uses_twice_is_two_calls() -> None:
    def call(batch: int) -> dict[str, object]:
        return chunk("tool-input", batch, messageId="m", toolCallId="call_0", toolName="t", input={})

    def result(batch: int, output: str) -> dict[str, object]:
        return chunk("tool-output", batch, toolCallId="call_0", output=output)

    events = feed(opened(), call(2), result(3, "one"), call(4), result(5, "two"))
    assert [(e.call, e.result) for e in events if isinstance(e, ev.ToolFinished)] == [
        ("call_0", "one"),
        ("call_0#2", "two"),
    ]


def test_an_outcome_nobody_knows_is_still_an_end() -> None:
    events = feed(opened(), chunk("submission-settled", 2, submissionId=MINE, outcome="evaporated"))
    assert events == [ev.RunFinished(End.UNSPECIFIED)]


def test_a_snapshot_in_the_middle_replaces_the_text_and_deltas_go_on_behind_it() -> None:
    part = {"type": "text", "text": "one two ", "state": "streaming"}
    message = {"id": "m", "role": "assistant", "submissionId": MINE, "parts": [part]}
    reset = chunk(
        "conversation-reset", 3, snapshot={"messages": [message], "settlements": [], "offset": "0_3"}
    )
    reader = opened()
    events = feed(reader, delta(2, "one "), reset, delta(4, "three"))
    assert events[1:] == [ev.TextReplaced("m/1", "one two "), ev.TextDelta("m/1", "three")]
    assert shown(events).reply() == "one two three"


DAMAGE: list[Callable[[dict[str, Any]], Any]] = [
    lambda c: {**c, "position": "yesterday"},
    lambda c: {**c, "position": {"batch": None, "index": []}},
    lambda c: {**c, "messageId": ["m"]},
    lambda c: {**c, "toolCallId": {"a": 1}},
    lambda c: {**c, "message": 7, "snapshot": [], "delta": 3, "kind": None, "submissionId": {}},
    lambda c: {**c, "snapshot": {"messages": {"a": 1}, "settlements": "none", "offset": 3}},
    lambda c: {**c, "snapshot": {"messages": [1, {"submissionId": MINE, "role": "assistant", "parts": 0}]}},
    lambda c: [c],
    lambda c: None,
]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("scene", ["03-tool-complete", "04-abort-mid-text", "210-tools"])
def test_damaged_chunks_never_raise(scene: str, damage: Callable[[dict[str, Any]], Any]) -> None:
    reader = reader_of(scene)
    body = stream_of(scene).decode()
    for line in body.splitlines():
        if line.startswith("data:["):
            reader.frame("data", json.dumps([damage(c) for c in json.loads(line[5:])]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=12,
)
FIELDS = {
    "type": st.sampled_from(sorted(CHUNK_TYPES)),
    "messageId": st.sampled_from(["m", "n", 3]),
    "submissionId": st.sampled_from([MINE, "sub_2", None]),
    "toolCallId": st.sampled_from(["t", "u", []]),
}
OPTIONAL = {
    "position": st.fixed_dictionaries({"batch": st.integers(0, 9), "index": st.integers(0, 3)}) | JSON,
    "kind": st.sampled_from(["text", "reasoning", "smell"]),
    "delta": st.text() | JSON,
    "snapshot": JSON,
    "message": JSON,
    "errorText": st.text() | JSON,
    "output": JSON,
    "outcome": st.text() | JSON,
    "error": JSON,
}


@settings(max_examples=80, deadline=None)
@given(st.lists(st.fixed_dictionaries(FIELDS, optional=OPTIONAL) | JSON, max_size=12))
def test_no_chunk_of_any_shape_raises_and_the_end_is_told_once(chunks: list[Any]) -> None:
    reader = opened()
    events = [event for each in chunks for event in feed(reader, each)]
    shown(events)
    assert len(kinds(events, ev.RunFinished)) <= 1


@given(st.text(max_size=8), st.text())
def test_no_frame_of_any_text_raises(name: str, data: str) -> None:
    RunReader(MINE).frame(name, data)


def test_json_nested_without_end_is_unknown() -> None:
    data = "[" * 100_000
    assert RunReader(MINE).frame("data", data) == [ev.Unknown("data")]
    deep = '{"type":"tool-input","messageId":"m","toolCallId":"t","input":' + "[" * 400 + "]" * 400 + "}"
    assert opened().frame("data", f"[{deep}]")[0] == ev.ToolStarted("t", "tool", "[" * 400 + "]" * 400)
