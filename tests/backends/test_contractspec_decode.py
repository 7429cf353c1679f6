"""ContractSpec's answers, byte for byte as recorded from its real runtime, and what they mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.backends import contractspec_decode as cs
from tui.core import events as ev
from tui.core.events import End, ToolStatus
from tui.core.transcript import Transcript

CAPTURES = Path(__file__).parent.parent / "captures" / "contractspec"


def recorded(name: str) -> tuple[int, bytes]:
    head, _, body = (CAPTURES / f"{name}.res").read_bytes().partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


def run_of(name: str) -> cs.JSON:
    run = cs.read_object(recorded(name)[1])
    assert run is not None
    return run


def a_run(*steps: cs.JSON, **fields: object) -> cs.JSON:
    return {"id": "run-1", "status": "IN_PROGRESS", "steps": list(steps), **fields}


def message(text: str, status: str = "IN_PROGRESS", number: int = 1) -> cs.JSON:
    return {
        "id": f"m{number}",
        "stepNumber": number,
        "type": "MESSAGE_CREATION",
        "output": {"content": text},
        "status": status,
    }


def step(kind: str, number: int, status: str = "COMPLETED", **fields: object) -> cs.JSON:
    return {
        "id": f"s{number}",
        "stepNumber": number,
        "type": kind,
        "toolName": "look",
        "status": status,
        **fields,
    }


def test_a_recorded_run_watched_from_queue_to_cancel_gives_every_event_once() -> None:
    watch = cs.Watch()
    looks = ["02-get-queued", "03-get-tool", "04-get-streaming", "06-get-after", "08-get-later"]
    seen = [watch.see(run_of(f"stateful/{look}")) for look in looks]
    model = "gpt-4o-mini"
    assert seen == [
        [ev.ToolStarted("run-1-s1", "slow_lookup", '{"q":"hours"}'), ev.ToolRunning("run-1-s1")],
        [
            ev.ToolFinished("run-1-s1", '{"ok":true}', ToolStatus.OK),
            ev.TextDelta("run-1-s2", "Our"),
            ev.UsageReported(0, 1, model),
        ],
        [
            ev.TextDelta("run-1-s2", " business hours are nine to five on weekdays and"),
            ev.UsageReported(0, 10, model),
        ],
        [
            ev.TextDelta("run-1-s2", " ten"),
            ev.BlockEnded("run-1-s2"),
            ev.UsageReported(0, 11, model),
            ev.RunFinished(End.CANCELLED),
        ],
        [],
    ]
    assert watch.over


def test_the_saved_reply_of_a_cancelled_run_is_its_partial_text() -> None:
    assert (
        cs.saved_text(run_of("stateful/06-get-after"))
        == "Our business hours are nine to five on weekdays and ten"
    )


def test_the_saved_replies_of_several_steps_are_parted_like_blocks_on_the_screen() -> None:
    run = a_run(message("one", number=1), step("TOOL_CALL", 2), message("two", number=3))
    assert cs.saved_text(run) == "one\n\ntwo"


def test_a_run_without_steps_says_what_its_output_says() -> None:
    assert cs.saved_text({"output": {"message": "hello"}}) == "hello"
    assert cs.saved_text(run_of("asis/13-get")) is None


@pytest.mark.parametrize(
    ("name", "code", "run_status"),
    [
        ("typed/02-cancel-completed", "RUN_NOT_CANCELLABLE", ""),
        ("asis/04-cancel-completed", "RUN_NOT_CANCELLABLE", ""),
        ("envelope/02-cancel-completed", "RUN_NOT_CANCELLABLE", ""),
        ("stateful/07-cancel-again", "RUN_NOT_CANCELLABLE", "CANCELLED"),
        ("typed/04-cancel-unknown", "RUN_NOT_FOUND", ""),
        ("asis/05-cancel-unknown", "RUN_NOT_FOUND", ""),
        ("asis/16-get-unknown", "RUN_NOT_FOUND", ""),
        ("typed/06-exec-unknown-agent", "AGENT_NOT_FOUND", ""),
        ("asis/22-exec-unknown-agent", "AGENT_NOT_FOUND", ""),
        ("typed/07-exec-not-active", "AGENT_NOT_ACTIVE", ""),
        ("asis/12-wrong-path", cs.NO_ROUTE, ""),
        ("asis/11-cancel-get", cs.NO_ROUTE, ""),
        ("asis/14-get-steps-strbool", "VALIDATION_FAILED", ""),
        ("asis/09-cancel-text", "BAD_REQUEST", ""),
        ("emitguard/02-cancel-emits-agent.run.cancelled", "INTERNAL_ERROR", ""),
    ],
)
def test_a_recorded_problem_is_known_by_its_code_or_by_the_detail_of_a_500(
    name: str, code: str, run_status: str
) -> None:
    problem = cs.read_problem(*recorded(name))
    assert (problem.code, problem.run_status) == (code, run_status)


@pytest.mark.parametrize(
    "body", [b"NOT_FOUND", b"<!DOCTYPE html><pre>Cannot POST /x</pre>", b"", b"[1]", b"\xff"]
)
def test_a_404_that_is_a_web_servers_own_page_is_a_wrong_path_and_not_a_missing_run(body: bytes) -> None:
    assert cs.read_problem(404, body).code == cs.NO_ROUTE


@pytest.mark.parametrize("name", ["asis/02-cancel-in-progress", "envelope/01-cancel-in-progress"])
def test_a_result_is_read_with_and_without_its_envelope(name: str) -> None:
    assert cs.read_object(recorded(name)[1]) == {"success": True, "status": "CANCELLED"}


def test_a_run_whose_own_fields_are_named_like_an_envelope_is_not_unwrapped() -> None:
    assert cs.read_object(b'{"id":"r","data":{"x":1}}') == {"id": "r", "data": {"x": 1}}


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ("cancelled", End.CANCELLED),
        ("Canceled", End.CANCELLED),
        ("CANCELLED", End.CANCELLED),
        ("pending", End.ALIVE),
        ("queued", End.ALIVE),
        ("in_progress", End.ALIVE),
        ("completed", End.COMPLETED),
        ("failed", End.FAILED),
        ("EXPIRED", End.FAILED),
        ("PAUSED", None),
        (None, None),
        (3, None),
    ],
)
def test_statuses_are_read_in_either_case(status: object, end: End | None) -> None:
    assert cs.end_of(status) is end


def test_an_expired_run_says_so() -> None:
    assert cs.Watch().see({"status": "EXPIRED"})[-1] == ev.RunFinished(
        End.FAILED, "The run expired on the backend."
    )


def test_an_unknown_run_status_is_told_once_and_ends_nothing() -> None:
    watch = cs.Watch()
    assert watch.see(a_run(status="PAUSED")) == [ev.Unknown("run status PAUSED")]
    assert watch.see(a_run(status="paused")) == []
    assert not watch.over


def test_a_text_that_was_rewritten_replaces_what_was_told() -> None:
    watch = cs.Watch()
    watch.see(a_run(message("Helo wor")))
    assert watch.see(a_run(message("Hello world"))) == [ev.TextReplaced("m1", "Hello world")]


def test_text_that_grows_after_its_step_had_ended_is_still_told() -> None:
    watch = cs.Watch()
    assert watch.see(a_run(message("a", "COMPLETED"))) == [ev.TextDelta("m1", "a"), ev.BlockEnded("m1")]
    assert watch.see(a_run(message("ab", "COMPLETED"))) == [ev.TextDelta("m1", "b")]


def test_half_a_character_at_the_end_waits_for_its_other_half() -> None:
    watch = cs.Watch()
    half = cs.read_object(json.dumps(a_run(message("x\ud83d"))))
    whole = cs.read_object(json.dumps(a_run(message("x\ud83d\ude00"))))
    assert half and watch.see(half) == [ev.TextDelta("m1", "x")]
    assert whole and watch.see(whole) == [ev.TextDelta("m1", "\U0001f600")]


def test_a_watch_begun_anew_grows_a_transcript_by_the_new_rest_only() -> None:
    transcript, first = Transcript(), cs.Watch()
    for event in first.see(run_of("stateful/03-get-tool")):
        transcript.apply(event, 0.0)
    for event in cs.Watch(anew=True).see(run_of("stateful/06-get-after")):
        transcript.apply(event, 1.0)
    assert transcript.reply() == "Our business hours are nine to five on weekdays and ten"
    assert len(transcript.blocks) == 2 and not transcript.open_tools()
    assert transcript.blocks[1].content.epoch == 0  # type: ignore[union-attr]


def test_a_tool_that_was_cut_off_is_interrupted_and_one_that_failed_is_an_error() -> None:
    cut = step("TOOL_CALL", 1, "CANCELLED")
    failed = step("TOOL_CALL", 2, "FAILED", errorMessage="no such file")
    events = cs.Watch().see(a_run(cut, failed))
    assert [e for e in events if isinstance(e, ev.ToolFinished)] == [
        ev.ToolFinished("s1", "", ToolStatus.INTERRUPTED),
        ev.ToolFinished("s2", "no such file", ToolStatus.ERROR),
    ]


def test_a_tool_still_in_progress_when_the_run_ends_is_left_without_an_end() -> None:
    events = cs.Watch().see(a_run(step("TOOL_CALL", 1, "IN_PROGRESS"), status="CANCELLED"))
    assert not any(isinstance(e, ev.ToolFinished) for e in events)


def test_a_call_without_output_waits_for_its_result_step() -> None:
    watch, call = cs.Watch(), step("TOOL_CALL", 1)
    assert watch.see(a_run(call)) == [ev.ToolStarted("s1", "look"), ev.ToolRunning("s1")]
    assert watch.see(a_run(call, step("TOOL_RESULT", 2, "IN_PROGRESS"))) == []
    done = step("TOOL_RESULT", 2, output={"rows": 3})
    assert watch.see(a_run(call, done)) == [ev.ToolFinished("s1", '{"rows":3}')]


def test_results_of_parallel_calls_go_to_their_calls_in_order() -> None:
    calls = step("TOOL_CALL", 1), step("TOOL_CALL", 2)
    results = step("TOOL_RESULT", 3, output="a"), step("TOOL_RESULT", 4, output="b")
    events = cs.Watch().see(a_run(*calls, *results))
    assert [e for e in events if isinstance(e, ev.ToolFinished)] == [
        ev.ToolFinished("s1", "a"),
        ev.ToolFinished("s2", "b"),
    ]


def test_a_result_without_a_call_opens_its_own_tool() -> None:
    assert cs.Watch().see(a_run(step("TOOL_RESULT", 1, output="x"))) == [
        ev.ToolStarted("s1", "look"),
        ev.ToolFinished("s1", "x"),
    ]


def test_a_call_without_output_or_result_has_ended_once_the_run_moved_on() -> None:
    events = cs.Watch().see(a_run(step("TOOL_CALL", 1), message("so", number=2)))
    assert ev.ToolFinished("s1") in events


def test_steps_out_of_order_are_told_in_order() -> None:
    events = cs.Watch().see(a_run(message("two", number=2), message("one", number=1)))
    assert events == [ev.TextDelta("m1", "one"), ev.TextDelta("m2", "two")]


def test_a_run_that_kept_no_steps_still_tells_its_reply_at_the_end() -> None:
    assert cs.Watch().see({"status": "completed", "output": {"content": "Hi."}}) == [
        ev.TextDelta("output", "Hi."),
        ev.RunFinished(End.COMPLETED),
    ]


def test_a_failed_run_gives_its_reason_and_an_error_step_is_shown() -> None:
    run = a_run(step("ERROR", 1, errorMessage="quota"), status="FAILED", errorCode="E1")
    assert cs.Watch().see(run) == [
        ev.DataReceived("error", "quota"),
        ev.RunFinished(End.FAILED, "quota", "E1"),
    ]


def test_a_step_of_an_unknown_type_is_kept_for_the_inspector_once() -> None:
    watch = cs.Watch()
    assert watch.see(a_run(step("REFLECTION", 1))) == [ev.Unknown("step REFLECTION")]
    assert watch.see(a_run(step("REFLECTION", 1))) == []


def test_the_body_is_kept_as_evidence_but_not_again_for_every_piece_of_text() -> None:
    watch = cs.Watch()
    first = watch.see(a_run(step("TOOL_CALL", 1, "IN_PROGRESS")), raw="A")
    grown = watch.see(a_run(message("a", number=2)), raw="B")
    last = watch.see(a_run(message("ab", number=2), status="COMPLETED"), raw="C")
    assert [e.raw for e in (*first, *grown, *last)] == ["A", "", "", "C", ""]


HOSTILE = [
    {"steps": "no"},
    {"steps": [None, 1, {}, {"type": 7, "id": [], "stepNumber": "x"}], "status": {}},
    {"steps": [{"type": "MESSAGE_CREATION", "output": [[["deep"]]]}], "promptTokens": -1},
    {"steps": [{"type": "TOOL_CALL", "input": float("nan"), "status": ["x"]}], "completionTokens": 1e400},
    {"status": "COMPLETED", "output": 4, "agent": "x", "errorMessage": {"a": 1}},
]


@pytest.mark.parametrize("run", HOSTILE)
def test_a_run_of_any_shape_is_read_without_an_exception(run: cs.JSON) -> None:
    assert all(isinstance(event, ev.Event) for event in cs.Watch().see(run))


@pytest.mark.parametrize("depth", [50, 400, 900])
def test_outputs_nested_deep_are_read_without_an_exception(depth: int) -> None:
    deep = "[" * depth + "1" + "]" * depth
    for kind in ("MESSAGE_CREATION", "TOOL_CALL"):
        text = f'{{"steps":[{{"type":"{kind}","status":"COMPLETED","output":{deep}}}],"status":"COMPLETED"}}'
        run = cs.read_object(text)
        assert run and cs.Watch().see(run)[-1] == ev.RunFinished(End.COMPLETED)


def test_a_body_nested_without_end_is_not_an_object() -> None:
    assert cs.read_object("[" * 100_000) is None


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=8), st.integers(0, 8))
def test_whatever_a_text_becomes_from_look_to_look_the_transcript_ends_with_its_last_form(
    texts: list[str], restart: int
) -> None:
    """Also where the client was restarted between two looks, and told everything anew."""
    transcript, watch = Transcript(), cs.Watch()
    for number, text in enumerate(texts):
        if number == restart:
            watch = cs.Watch(anew=True)
        for event in watch.see(a_run(message(text))):
            transcript.apply(event, 0.0)
    assert transcript.reply_as_received() == texts[-1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("id", "stepNumber", "type", "output", "input", "status", "errorMessage", "toolName")
KINDS = st.sampled_from(["MESSAGE_CREATION", "TOOL_CALL", "TOOL_RESULT", "ERROR"])
STATUSES = st.sampled_from(["QUEUED", "IN_PROGRESS", "COMPLETED", "FAILED", "CANCELLED"])
STEPS = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON)) | st.fixed_dictionaries(
    {"type": KINDS, "status": STATUSES},
    optional={name: JSON for name in FIELDS if name not in ("type", "status")},
)


@given(st.lists(st.lists(STEPS | JSON, max_size=5), max_size=4), STATUSES | JSON, JSON)
def test_looks_of_any_shape_are_read_shown_and_end_at_most_once(
    looks: list[list[object]], status: object, output: object
) -> None:
    transcript, watch, ends = Transcript(), cs.Watch(), 0
    for steps in [*looks, [*looks[-1]] if looks else []]:
        run: cs.JSON = {"steps": steps, "status": status, "output": output, "promptTokens": output}
        cs.saved_text(run)
        for event in watch.see(run, raw="x"):
            transcript.apply(event, 0.0)
            ends += isinstance(event, ev.RunFinished)
    assert ends <= 1


@given(st.integers(200, 599), st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
def test_answers_of_any_shape_are_read(status: int, body: bytes) -> None:
    assert isinstance(cs.read_problem(status, body).code, str)
    assert isinstance(cs.read_object(body), dict | None)
