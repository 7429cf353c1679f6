"""The ContractSpec adapter against a host in memory: recorded replies, lies, errors, and lost answers."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.backends.contractspec_host import PROMPT, RUN, Host, a_run, answer, recorded
from tui.backends.base import (
    AbortAnswer,
    BackendError,
    PromptNotSent,
    PromptRejected,
    RunRef,
    RunStatus,
    StreamLost,
    Target,
)
from tui.backends.contractspec import ContractSpec, Pace
from tui.backends.contractspec_calls import MARK
from tui.core import events as ev
from tui.core.events import Answer, End, Event

EXECUTED = answer(200, {"runId": "run-1", "status": "QUEUED"})


async def played(host: Host, run: RunRef | None = None) -> list[Event]:
    backend = host.backend()
    stream = backend.resume(run) if run else backend.run(PROMPT)
    return [event async for event in stream]


def replies(host: Host, run: RunRef | None = None) -> list[Event]:
    return asyncio.run(played(host, run))


def aborted(reply: Any, *looks: Any, run: RunRef = RUN, lists: Any = None) -> tuple[AbortAnswer, Host]:
    script = {"cancel": [reply], "get": list(looks) or [a_run()]}
    host = Host(script | {"list": [lists or answer(200, {"items": []})]})
    return asyncio.run(host.backend().abort(run, "changed my mind")), host


# --- running ---


def test_a_recorded_run_is_told_from_the_queue_to_its_cancel() -> None:
    looks = ["02-get-queued", "03-get-tool", "04-get-streaming", "04-get-streaming", "06-get-after"]
    host = Host(
        {
            "execute": [recorded("stateful/01-execute")],
            "get": [recorded(f"stateful/{look}") for look in looks],
        }
    )
    events = replies(host)
    assert events[0] == ev.RunStarted("run-1", "c-1")
    assert events[-1] == ev.RunFinished(End.CANCELLED)
    text = "".join(e.text for e in events if isinstance(e, ev.TextDelta))
    assert text == "Our business hours are nine to five on weekdays and ten"
    assert host.asked[0][1] == {
        "agentId": "agent-1",
        "input": {"message": "Hello"},
        "sessionId": "c-1",
        "metadata": {MARK: "key-1"},
    }
    assert host.asked[1] == ("get", {"runId": "run-1", "includeSteps": True})


def test_the_path_holds_the_version_and_the_base_path_as_given() -> None:
    seen: list[str] = []

    class Spy(Host):
        def handle(self, request: httpx.Request) -> httpx.Response:
            seen.append(f"{request.method} {request.url.path}")
            return super().handle(request)

    host = Spy({"execute": [EXECUTED], "get": [a_run("COMPLETED")], "cancel": [answer(200, {})]})
    replies(host)
    asyncio.run(host.backend().abort(RUN))
    assert seen == [
        "POST /api/agent/run/execute/v1.0.0",
        "GET /api/agent/run/get/v1.0.0",
        "POST /api/agent/run/cancel/v1.0.0",
    ]


def test_an_enveloped_host_is_read_as_well() -> None:
    data = {"id": "run-6", "status": "COMPLETED", "output": "done"}
    look = answer(200, {"ok": True, "code": "OK", "status": 200, "data": data, "state": "completed"})
    host = Host({"execute": [recorded("envelope/03-execute")], "get": [look]})
    assert replies(host) == [
        ev.RunStarted("run-6", "c-1"),
        ev.TextDelta("output", "done"),
        ev.RunFinished(End.COMPLETED),
    ]


@pytest.mark.parametrize("name", ["typed/06-exec-unknown-agent", "asis/22-exec-unknown-agent"])
def test_an_unknown_agent_is_a_prompt_that_was_not_accepted(name: str) -> None:
    with pytest.raises(PromptRejected, match="--agent"):
        replies(Host({"execute": [recorded(name)]}))


def test_an_agent_that_is_not_active_is_a_prompt_that_was_not_accepted() -> None:
    with pytest.raises(PromptRejected, match="not active"):
        replies(Host({"execute": [recorded("typed/07-exec-not-active")]}))


@pytest.mark.parametrize(
    "reply",
    [
        recorded("asis/12-wrong-path"),
        httpx.Response(404, text="NOT_FOUND"),
        httpx.Response(404, html="<pre>Cannot POST /agent/run</pre>"),
        httpx.Response(405),
    ],
)
def test_a_wrong_base_path_is_named_as_such(reply: httpx.Response) -> None:
    with pytest.raises(PromptRejected, match="check its base path"):
        replies(Host({"execute": [reply]}))


@pytest.mark.parametrize("reply", [httpx.Response(200, html="<title>app</title>"), answer(200, {"x": 1})])
def test_a_server_of_another_kind_is_named_as_such(reply: httpx.Response) -> None:
    host = Host({"execute": [reply], "list": [httpx.Response(200, html="<title>app</title>")]})
    with pytest.raises(PromptRejected, match="not as ContractSpec does"):
        replies(host)


def test_a_run_that_was_started_by_an_execute_that_failed_is_found_by_its_mark_and_followed() -> None:
    mine = a_run("COMPLETED", "Hi", metadata={MARK: "key-1"})
    failed = recorded("emitguard/02-cancel-emits-agent.run.cancelled")
    host = Host({"execute": [failed], "list": [answer(200, {"items": [{"id": "run-1"}]})], "get": [mine]})
    assert [type(event) for event in replies(host)] == [
        ev.RunStarted,
        ev.TextDelta,
        ev.BlockEnded,
        ev.RunFinished,
    ]


def test_an_execute_that_failed_and_started_nothing_is_not_accepted() -> None:
    failed = recorded("emitguard/02-cancel-emits-agent.run.cancelled")
    other = a_run("COMPLETED", "Hi", metadata={MARK: "another"})
    host = Host({"execute": [failed], "list": [answer(200, {"items": [{"id": "run-1"}]})], "get": [other]})
    with pytest.raises(PromptRejected, match="failed"):
        replies(host)


def test_no_connection_means_that_the_prompt_was_not_sent() -> None:
    with pytest.raises(PromptNotSent):
        replies(Host({"execute": [httpx.ConnectError("refused")]}))


def test_an_answer_that_was_lost_is_a_stream_lost_and_the_run_is_found_again_by_its_mark() -> None:
    mine = a_run("COMPLETED", "Hi", metadata={MARK: "key-1"})
    unknown = recorded("typed/05-get-unknown")
    host = Host(
        {
            "execute": [httpx.RemoteProtocolError("gone")],
            "list": [answer(200, {"items": [{"id": "run-1"}]})],
            "get": [unknown, mine],
        }
    )

    async def scenario() -> list[Event]:
        backend = host.backend()
        with pytest.raises(StreamLost):
            _ = [event async for event in backend.run(PROMPT)]
        return [event async for event in backend.resume(RunRef("c-1", "client-id", "key-1"))]

    assert asyncio.run(scenario()) == [
        ev.RunStarted("run-1", "c-1"),
        ev.TextReplaced("s1", "Hi"),
        ev.BlockEnded("s1"),
        ev.RunFinished(End.COMPLETED),
    ]
    assert host.operations().count("execute") == 1


def test_a_stream_that_broke_goes_on_where_it_was() -> None:
    host = Host(
        {
            "execute": [EXECUTED],
            "get": [
                a_run(text="Hel"),
                httpx.ReadError("cut"),
                httpx.ReadError("cut"),
                a_run("COMPLETED", "Hello"),
            ],
        }
    )

    async def scenario() -> list[Event]:
        backend, events = host.backend(), []
        with pytest.raises(StreamLost):
            async for event in backend.run(PROMPT):
                events.append(event)
        async for event in backend.resume(RunRef("c-1", "client-id", "key-1")):
            events.append(event)
        return events

    assert asyncio.run(scenario())[1:] == [
        ev.TextDelta("s1", "Hel"),
        ev.TextDelta("s1", "lo"),
        ev.BlockEnded("s1"),
        ev.RunFinished(End.COMPLETED),
    ]


def test_one_look_that_fails_is_tried_again_without_a_word() -> None:
    looks = [a_run(text="a"), httpx.ReadError("old connection"), a_run("COMPLETED", "ab")]
    events = replies(Host({"execute": [EXECUTED], "get": looks}))
    assert events[-1] == ev.RunFinished(End.COMPLETED)


def test_a_busy_host_is_waited_for_as_long_as_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("tui.backends.contractspec.asyncio.sleep", sleep)
    busy = httpx.Response(429, headers={"retry-after": "3"})
    host = Host({"execute": [EXECUTED], "get": [busy, busy, busy, a_run("COMPLETED")]})
    assert replies(host)[-1] == ev.RunFinished(End.COMPLETED)
    assert slept == [3.0, 3.0, 3.0]


def test_a_run_that_the_host_no_longer_knows_is_lost_and_not_over() -> None:
    for unknown in ("typed/05-get-unknown", "asis/16-get-unknown"):
        host = Host({"execute": [EXECUTED], "get": [recorded(unknown)], "list": [answer(200, {"items": []})]})

        async def scenario(host: Host = host) -> None:
            backend = host.backend()
            with pytest.raises(StreamLost, match="knows no such run"):
                _ = [event async for event in backend.run(PROMPT)]
            with pytest.raises(PromptRejected):
                _ = [event async for event in backend.resume(RUN)]

        asyncio.run(scenario())


def test_looks_grow_rarer_while_nothing_changes_and_quick_again_when_it_does() -> None:
    looks = [a_run(), a_run(), a_run(), a_run(text="x"), a_run(text="x"), a_run("COMPLETED", "x")]
    waited: list[float] = []

    async def scenario() -> None:
        backend = Host({"execute": [EXECUTED], "get": list(looks)}).backend(Pace(1.0, 3.0, 2.0))
        async with asyncio.timeout(5):
            _ = [event async for event in backend.run(PROMPT)]

    async def hurried(hurry: asyncio.Event, seconds: float) -> bool:
        waited.append(seconds)
        return False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tui.backends.contractspec._hurried", hurried)
        asyncio.run(scenario())
    assert waited == [2.0, 3.0, 3.0, 1.0, 2.0]


def test_a_look_that_takes_long_is_not_repeated_at_once() -> None:
    pace = Pace(fast=0.1, slow=2.0, factor=1.5)
    assert pace.after(0.1, changed=True, took=0.01) == 0.1
    assert pace.after(0.1, changed=True, took=0.2) == 0.8
    assert pace.after(1.0, changed=False, took=9.0) == 2.0


def test_an_abort_makes_the_next_look_come_at_once() -> None:
    host = Host(
        {
            "execute": [EXECUTED],
            "get": [a_run(text="x"), a_run("CANCELLED", "xy")],
            "cancel": [recorded("stateful/05-cancel")],
        }
    )

    async def scenario() -> list[Event]:
        backend, events = host.backend(Pace(fast=3600, slow=3600)), []
        async with asyncio.timeout(5):
            async for event in backend.run(PROMPT):
                events.append(event)
                if isinstance(event, ev.TextDelta) and event.text == "x":
                    aborting = asyncio.create_task(backend.abort(RUN))
            await aborting
        return events

    assert asyncio.run(scenario())[-1] == ev.RunFinished(End.CANCELLED)


# --- stopping: the table of verdicts ---

YES = {"success": True, "status": "CANCELLED"}


@pytest.mark.parametrize(
    "name", ["stateful/05-cancel", "asis/02-cancel-in-progress", "envelope/01-cancel-in-progress"]
)
def test_a_yes_is_an_acknowledgement_and_not_a_proof(name: str) -> None:
    given, host = aborted(recorded(name))
    assert (given.answer, given.status, given.over) == (Answer.ACKNOWLEDGED, 200, False)
    assert host.asked == [("cancel", {"runId": "run-1", "reason": "changed my mind"})]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"success": True, "status": "cancelled"}, Answer.ACKNOWLEDGED),
        ({"success": True, "status": "IN_PROGRESS"}, Answer.ACKNOWLEDGED),
        ({"success": True}, Answer.ACKNOWLEDGED),
        ({"success": False, "status": "IN_PROGRESS"}, Answer.REFUSED),
        ({"success": "true", "status": "IN_PROGRESS"}, Answer.REFUSED),
        ({}, Answer.REFUSED),
    ],
)
def test_a_200_says_what_its_body_says(body: dict[str, Any], expected: Answer) -> None:
    assert aborted(answer(200, body))[0].answer is expected


@pytest.mark.parametrize("success", [True, False])
@pytest.mark.parametrize(
    ("look", "expected"), [("COMPLETED", Answer.ALREADY_OVER), ("QUEUED", Answer.REFUSED)]
)
def test_a_200_with_another_end_is_checked_at_the_run(success: bool, look: str, expected: Answer) -> None:
    given, _ = aborted(answer(200, {"success": success, "status": "COMPLETED"}), a_run(look))
    assert given.answer is expected


@pytest.mark.parametrize("reply", [httpx.Response(200, html="<title>Log in</title>"), httpx.Response(200)])
def test_a_200_of_another_kind_is_no_yes(reply: httpx.Response) -> None:
    given, _ = aborted(reply)
    assert given.answer is Answer.REFUSED
    assert "not as ContractSpec does" in given.detail


@pytest.mark.parametrize(
    "name", ["typed/02-cancel-completed", "asis/04-cancel-completed", "stateful/07-cancel-again"]
)
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("COMPLETED", Answer.ALREADY_OVER),
        ("cancelled", Answer.ALREADY_OVER),
        ("EXPIRED", Answer.ALREADY_OVER),
        ("IN_PROGRESS", Answer.REFUSED),
        ("PAUSED", Answer.REFUSED),
    ],
)
def test_not_cancellable_is_believed_only_when_the_run_itself_says_that_it_is_over(
    name: str, status: str, expected: Answer
) -> None:
    given, host = aborted(recorded(name), a_run(status))
    assert given.answer is expected
    assert host.operations() == ["cancel", "get"]


def test_not_cancellable_without_a_look_at_the_run_is_a_refusal() -> None:
    given, _ = aborted(recorded("typed/02-cancel-completed"), httpx.Response(503))
    assert given.answer is Answer.REFUSED


@pytest.mark.parametrize(
    "name", ["typed/04-cancel-unknown", "asis/05-cancel-unknown", "asis/23-exec-traceid"]
)
def test_an_unknown_run_is_nothing_running(name: str) -> None:
    assert aborted(recorded(name))[0].answer is Answer.NOTHING_RUNNING


@pytest.mark.parametrize(
    "reply",
    [recorded("asis/12-wrong-path"), httpx.Response(404, text="NOT_FOUND"), answer(405, {"error": "no"})],
)
def test_an_unknown_route_is_a_wrong_base_path_and_not_a_missing_run(reply: httpx.Response) -> None:
    given, _ = aborted(reply)
    assert given.answer is Answer.REFUSED
    assert "base path" in given.detail


@pytest.mark.parametrize("status", [301, 307, 401, 403, 409, 422, 429, 500, 503])
def test_any_other_status_is_a_refusal_in_one_sentence(status: int) -> None:
    given, _ = aborted(httpx.Response(status, headers={"location": "https://elsewhere.example/x?s3cret"}))
    assert (given.answer, given.status) == (Answer.REFUSED, status)
    assert ("redirected" if status < 400 else str(status)) in given.detail
    assert "s3cret" not in given.detail


def test_an_event_the_handler_may_not_emit_is_told_with_the_refusal() -> None:
    given, _ = aborted(recorded("emitguard/02-cancel-emits-agent.run.cancelled"))
    assert given.answer is Answer.REFUSED
    assert "UndeclaredEvent" in given.detail


def test_no_answer_to_an_abort_is_asked_for_once_more_and_then_said() -> None:
    given, host = aborted(httpx.ReadError("gone"))
    assert given.answer is Answer.UNANSWERED
    assert host.operations() == ["cancel", "cancel"]


def test_an_abort_without_a_run_id_finds_the_run_by_its_mark() -> None:
    looks = [a_run(id="run-9", metadata={MARK: "other"}), a_run(id="run-7", metadata={MARK: "key-1"})]
    lists = answer(200, {"items": [{"id": "run-9"}, {"id": "run-7"}]})
    run = RunRef("c-1", "client-id", "key-1")
    script = {
        "cancel": [recorded("typed/04-cancel-unknown"), answer(200, YES)],
        "get": looks,
        "list": [lists],
    }
    host = Host(script)
    given = asyncio.run(host.backend().abort(run))
    assert given.answer is Answer.ACKNOWLEDGED
    assert host.asked[-1] == ("cancel", {"runId": "run-7"})


def test_an_abort_of_whatever_runs_spares_other_conversations_and_runs_that_are_over() -> None:
    """A host may overlook the filter of its list: each run is asked whose it is."""
    looks = [
        a_run(id="run-3", sessionId="someone else's"),
        a_run("COMPLETED", id="run-2"),
        a_run(id="run-1"),
    ]
    lists = answer(200, {"items": [{"id": "run-3"}, {"id": "run-2"}, {"id": "run-1"}]})
    given, host = aborted(answer(200, YES), *looks, run=RunRef("c-1"), lists=lists)
    assert given.answer is Answer.ACKNOWLEDGED
    assert [body["runId"] for operation, body in host.asked if operation == "cancel"] == ["run-1"]


def test_what_was_swept_is_over_only_when_all_of_it_is() -> None:
    ids = {"items": [{"id": "run-1"}, {"id": "run-2"}]}
    alive = [a_run(id="run-1"), a_run(id="run-2")]
    after = [a_run("CANCELLED", id="run-1"), a_run(id="run-2"), a_run("CANCELLED"), a_run("COMPLETED")]
    host = Host({"cancel": [answer(200, YES)], "list": [answer(200, ids)], "get": [*alive, *after]})

    async def scenario() -> list[End | None]:
        backend, all_of_them = host.backend(), RunRef("c-1")
        assert (await backend.abort(all_of_them)).answer is Answer.ACKNOWLEDGED
        seen = [await backend.status(all_of_them) for _ in range(2)]
        return [one.end for one in seen if one]

    assert asyncio.run(scenario()) == [End.ALIVE, End.CANCELLED]


def test_an_abort_of_whatever_runs_where_nothing_does() -> None:
    assert aborted(answer(200, YES), run=RunRef("c-1"))[0].answer is Answer.NOTHING_RUNNING


# --- looking up ---


def status_of(*looks: Any, run: RunRef = RUN) -> RunStatus | None:
    host = Host({"get": list(looks), "list": [answer(200, {"items": []})]})
    return asyncio.run(host.backend().status(run))


def test_the_status_of_a_cancelled_run_comes_with_the_partial_as_kept() -> None:
    found = status_of(recorded("stateful/06-get-after"))
    assert found == RunStatus(
        End.CANCELLED,
        "The run's status is CANCELLED.",
        "Our business hours are nine to five on weekdays and ten",
    )


def test_a_run_that_a_lying_yes_left_alone_is_alive() -> None:
    found = status_of(a_run(text="going on"))
    assert found is not None and found.end is End.ALIVE


@pytest.mark.parametrize(
    "reply", [answer(202, {"success": True, "status": "IN_PROGRESS"}), answer(202, {"success": True})]
)
def test_a_run_whose_cancel_was_accepted_for_later_shows_no_end_instead_of_being_alive(reply: Any) -> None:
    looks = [a_run(text="x"), a_run(text="x"), a_run("CANCELLED", "x")]

    async def scenario() -> list[RunStatus | None]:
        backend = Host({"cancel": [reply], "get": looks}).backend()
        assert (await backend.abort(RUN)).answer is Answer.ACKNOWLEDGED
        return [await backend.status(RUN), await backend.status(RUN)]

    waiting, over = asyncio.run(scenario())
    assert waiting == RunStatus(None, "The run's status is IN_PROGRESS.", "x")
    assert over is not None and over.end is End.CANCELLED


def test_a_failed_run_tells_why() -> None:
    found = status_of(a_run("failed", errorMessage="no quota"))
    assert found == RunStatus(End.FAILED, "The run's status is FAILED. no quota", None)


@pytest.mark.parametrize(
    "look", [recorded("typed/05-get-unknown"), recorded("asis/16-get-unknown"), a_run("PAUSED")]
)
def test_an_unknown_run_or_status_is_no_word(look: httpx.Response) -> None:
    assert status_of(look) is None


def test_a_look_that_failed_is_an_error_and_no_word_on_the_run() -> None:
    with pytest.raises(BackendError):
        status_of(httpx.Response(500))


def test_a_run_that_is_too_long_to_read_is_an_error_with_that_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.backends.contractspec_calls._RUN_LIMIT", 64)
    with pytest.raises(BackendError, match="too large"):
        status_of(a_run(text="x" * 100))


def test_a_target_without_an_agent_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(BackendError, match="--agent"):
        ContractSpec(Target("contractspec", "http://127.0.0.1:1"))
