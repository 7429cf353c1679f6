"""What a stored session is taken to say about one run: never more than it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tui.backends.adk_look_up import Sighting, sight
from tui.core.events import End

CAPTURES = Path(__file__).parent.parent / "captures" / "adk"
JSON = dict[str, Any]


def session(name: str) -> JSON:
    loaded: JSON = json.loads((CAPTURES / f"{name}.session.body").read_bytes())
    return loaded


def run_of(stored: JSON, number: int = 0) -> str:
    return str(stored["events"][number]["invocationId"])


def seen(name: str) -> Sighting:
    return sight(session(name), "", run_of(session(name)))


def event(run: str = "e-1", *, key: str = "", author: str = "a", path: str = "a@1", **more: Any) -> JSON:
    marks: JSON = {"customMetadata": {"stopkey": key}} if key else {}
    place = {} if author == "user" else {"nodeInfo": {"path": path}}
    return {"invocationId": run, "author": author, "partial": False, **place, **marks, **more}


def said(text: str) -> JSON:
    return {"parts": [{"text": text}]}


def asked(run: str = "e-1", key: str = "k") -> JSON:
    return event(run, key=key, author="user", content=said("hello"))


def sealed(run: str = "e-1", key: str = "k") -> JSON:
    return event(run, key=key, path="", errorCode="INVOCATION_ABORTED")


def stored(*events: JSON) -> JSON:
    return {"id": "s", "events": list(events)}


@pytest.mark.parametrize(
    "name",
    ["50-disc-before-first", "50-disc-say-fin", "50-disc-tool-fin", "50-disc-par-fin", "90-plugin-block"],
)
def test_a_recorded_seal_is_the_end_as_cancelled(name: str) -> None:
    assert seen(name).end is End.CANCELLED


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("10-say", "w0 w1 w2 w3 w4 "),
        ("13-tool", "Let me check. \n\nafter-tool0 after-tool1 after-tool2 after-tool3 "),
        ("75proxy-disc-say-fin", "".join(f"w{n} " for n in range(40))),
    ],
)
def test_a_recorded_final_reply_is_the_end_as_completed_and_is_handed_over(name: str, text: str) -> None:
    assert (seen(name).end, seen(name).text) == (End.COMPLETED, text)


@pytest.mark.parametrize(("name", "code"), [("15-err", "SAFETY"), ("16-raise", "RuntimeError")])
def test_a_recorded_error_is_the_end_as_failed(name: str, code: str) -> None:
    assert seen(name).end is End.FAILED
    assert code in seen(name).detail


@pytest.mark.parametrize("name", ["17-noagg", "75proxy-disc-hang-fin"])
def test_a_session_with_nothing_but_the_prompt_shows_no_end(name: str) -> None:
    assert seen(name) == Sighting(run_of(session(name)), None, "", None, posted=1, size=0)


@pytest.mark.parametrize("kept", [2, 3])
def test_a_run_between_its_call_and_its_last_text_shows_no_end(kept: int) -> None:
    whole = session("75proxy-disc-tool-fin")
    assert sight(stored(*whole["events"][:kept]), "", run_of(whole)).end is None


def test_two_runs_in_one_session_are_kept_apart() -> None:
    both = session("62-dual")
    texts = [sight(both, "", run_of(both, number)).text for number in (0, 1)]
    assert texts == ["".join(f"{tag}{n} " for n in range(10)) for tag in "AB"]


def test_a_run_is_found_by_our_mark_where_its_id_was_never_received() -> None:
    look = stored(asked("e-old", "old"), sealed("e-old", "old"), asked("e-new", "k"), sealed("e-new", "k"))
    assert sight(look, "k", "an id that the server never heard").run_id == "e-new"
    assert sight(look, "k").end is End.CANCELLED


def test_the_seal_of_another_run_says_nothing_of_ours() -> None:
    """A resend overtakes the abort of the run before it."""
    look = stored(asked("e-old", "old"), asked("e-new", "k"), sealed("e-old", "old"))
    assert sight(look, "k").end is None
    assert sight(look, "old").end is End.CANCELLED


def test_a_seal_without_its_prompt_counts() -> None:
    """SQLite may hold only the abort of a run that was closed at once."""
    assert sight(stored(sealed()), "k") == Sighting(
        "e-1", End.CANCELLED, "The session holds this run's INVOCATION_ABORTED event.", "", posted=0, size=1
    )


def test_an_empty_session_says_nothing() -> None:
    for nothing in (stored(), {}, {"events": None}, {"events": ["x", 3]}):
        assert sight(nothing, "k", "e-1") == Sighting()


def test_the_last_word_of_a_workflows_member_is_not_the_end_of_the_run() -> None:
    member = event(key="k", author="writer", path="team@1/writer@1", content=said("draft"))
    assert sight(stored(asked(), member), "k").end is None


def test_the_last_word_of_the_agent_that_took_over_is_the_end() -> None:
    hands_over = event(
        key="k",
        content={"parts": [{"functionResponse": {"id": "t", "name": "transfer_to_agent", "response": {}}}]},
        actions={"transferToAgent": "child"},
    )
    last = event(key="k", author="child", path="a@1/child@1", content=said("hi"))
    assert sight(stored(asked(), hands_over, last), "k").end is End.COMPLETED


def test_an_agent_that_took_over_in_an_earlier_run_still_has_the_last_word() -> None:
    hands_over = event("e-0", key="before", content=said(""), actions={"transferToAgent": "child"})
    last = event(key="k", author="child", path="a@1/child@1", content=said("hi"))
    assert sight(stored(hands_over, asked(), last), "k").end is End.COMPLETED


def test_without_paths_the_last_word_is_not_known() -> None:
    """ADK before 2.0 does not say whose word it was."""
    last = {"invocationId": "e-1", "author": "a", "content": said("hi")}
    assert sight(stored(asked(), last), "", "e-1").end is None


def test_a_run_that_waits_for_an_answer_is_over_without_saying_how() -> None:
    confirm = {"id": "q", "name": "adk_request_confirmation", "args": {"originalFunctionCall": {"id": "c"}}}
    held = {"functionResponse": {"id": "c", "name": "pay", "response": {"error": "requires confirmation"}}}
    events = [
        asked(),
        event(key="k", content={"parts": [{"functionCall": {"id": "c", "name": "pay"}}]}),
        event(key="k", content={"parts": [{"functionCall": confirm}]}, longRunningToolIds=["q"]),
        event(
            key="k",
            content={"parts": [held]},
            actions={"skipSummarization": True, "requestedToolConfirmations": {"c": {}}},
        ),
    ]
    assert sight(stored(*events), "k").end is End.UNSPECIFIED
    answer = event(key="k", author="user", content={"parts": [{"functionResponse": {"id": "q"}}]})
    assert sight(stored(*events, answer), "k") == Sighting("e-1", None, "", None, posted=2, size=0)
