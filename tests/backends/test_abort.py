"""The answer to an abort, read for no more than it says: the races S14 to S22, over a real socket."""

from __future__ import annotations

import asyncio
import gzip
import time
from email.utils import formatdate
from typing import Any

import pytest

from tests.backends.servers import Arrived, Handler, client, go, hang_up, never, origin, reply
from tui.backends.abort import send_abort
from tui.backends.base import AbortAnswer
from tui.core.events import Answer


async def asked(*answers: bytes | Handler, **more: Any) -> tuple[AbortAnswer, int]:
    """The answer, and how often the server was asked."""
    async with origin(*answers) as server, client(server.url) as http:
        answer = await send_abort(http, http.url("runs", "r1", "abort"), **more)
        return answer, len(server.arrived)


def check(expected: Answer, words: str, *answers: bytes | Handler, times: int = 1, **more: Any) -> None:
    async def scenario() -> None:
        answer, asked_times = await asked(*answers, **more)
        assert answer.answer is expected
        assert words in answer.detail
        assert asked_times == times
        assert answer.over is False, "no generic answer is proof"

    go(scenario())


def test_s14_a_server_that_is_not_reached_is_tried_once_more_inside_the_deadline() -> None:
    async def scenario() -> None:
        async with client("http://127.0.0.1:1") as http:
            began = time.monotonic()
            answer = await send_abort(http, http.url("stop"))
            assert answer.answer is Answer.UNANSWERED
            assert answer.detail.startswith("The stop did not reach the server. Nothing answers at")
            assert 0.2 <= time.monotonic() - began < 4

    go(scenario())


def test_s14_the_second_try_can_succeed() -> None:
    check(Answer.ACKNOWLEDGED, "", hang_up, reply(202, {"status": "cancelling"}), times=2)


def test_s14_there_is_no_third_try() -> None:
    check(Answer.UNANSWERED, "did not answer the stop", hang_up, times=2)


def test_s15_no_answer_is_unanswered_at_the_deadline() -> None:
    async def scenario() -> None:
        began = time.monotonic()
        answer, times = await asked(never, deadline_s=0.3)
        assert (answer.answer, times) == (Answer.UNANSWERED, 1)
        assert time.monotonic() - began < 2

    go(scenario())


def test_s16_not_being_allowed_is_said_and_not_tried_again() -> None:
    for status in (401, 403):
        check(Answer.REFUSED, "not allowed to stop this run", reply(status, {"detail": "secret-token"}))


def test_s17_an_unknown_run_is_nothing_running_and_no_success() -> None:
    check(Answer.NOTHING_RUNNING, "does not know this run", reply(404, {"error": "not found"}))


OVER_BODIES: list[Any] = [
    {"status": "completed"},
    {"state": "TASK_STATE_FAILED"},
    {"error": {"code": "run_finished", "message": "This run had ended by itself."}, "status": "completed"},
    {"detail": "The run has already finished"},
    {"message": "Task cannot be canceled - current state: completed"},
    {"error": {"message": "run was cancelled"}},
]
NOT_OVER_BODIES: list[Any] = [
    {},
    {"detail": "conflict"},
    {"status": "running"},
    {"message": "run is not finished, it is still starting"},
    {"error": {"code": "RUN_NOT_CANCELLABLE"}},
    "<html>already finished</html>",
    ["finished"],
]


@pytest.mark.parametrize("status", [409, 410])
@pytest.mark.parametrize("body", OVER_BODIES)
def test_s18_a_conflict_means_an_end_where_the_body_says_so(status: int, body: Any) -> None:
    check(Answer.ALREADY_OVER, "ended before", reply(status, body))


@pytest.mark.parametrize("status", [409, 410])
@pytest.mark.parametrize("body", NOT_OVER_BODIES)
def test_s18_a_conflict_without_an_end_is_a_refusal(status: int, body: Any) -> None:
    check(Answer.REFUSED, f"({status})", reply(status, body))


@pytest.mark.parametrize("status", [405, 501])
def test_s19_no_way_to_stop_is_unsupported(status: int) -> None:
    check(Answer.UNSUPPORTED, f"({status})", reply(status))


def test_s20_a_short_wait_is_waited_once() -> None:
    check(Answer.ACKNOWLEDGED, "", reply(503, b"", "retry-after: 1"), reply(202), times=2)


IN_A_QUARTER = pytest.param(formatdate(time.time() + 900, usegmt=True), id="a date in 15 minutes")


@pytest.mark.parametrize("wait", ["3600", "-1", "1_000", "+5", "soon", "", "0x10", "٣", IN_A_QUARTER])
def test_s20_a_wait_that_does_not_fit_or_is_no_time_is_not_waited(wait: str) -> None:
    busy = reply(503, b"").replace(b"\r\n\r\n", b"\r\nretry-after: " + wait.encode() + b"\r\n\r\n", 1)
    check(Answer.REFUSED, "(503)", busy)


def test_s20_the_wait_is_not_followed_by_an_abort_that_nobody_needs() -> None:
    check(Answer.REFUSED, "(429)", reply(429, b"", "retry-after: 1"), still_needed=lambda: False)


def test_s21_a_redirect_is_not_followed_and_names_its_origin_only() -> None:
    async def scenario() -> None:
        async with origin(reply()) as other:
            to = f"location: {other.url}/x?token=secret"
            for status in (301, 302, 303, 307, 308):
                answer, _ = await asked(reply(status, b"", to), json={"reason": "x"})
                assert answer.answer is Answer.REFUSED
                assert other.url in answer.detail and "secret" not in answer.detail
            assert other.arrived == []

    go(scenario())


async def ten_megabytes(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
    writer.write(reply(200, b'{"status": "completed", "x": "' + b"x" * 10_000_000))
    await writer.drain()


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, "<html>Log in</html>", type="text/html"),
        reply(200, '{"status": "cancel'),
        reply(204),
        reply(200, "\x1b[2J\x1b]0;owned\x07"),
        reply(200, gzip.compress(b"0" * 10_000_000, mtime=0), "content-encoding: gzip"),
        ten_megabytes,
        reply(200, {"status": "cancelled"}),
        reply(202, {"status": "cancelling"}),
    ],
)
def test_s22_a_yes_is_an_acknowledgement_at_best_whatever_its_body(answer: bytes | Handler) -> None:
    check(Answer.ACKNOWLEDGED, "", answer)


@pytest.mark.parametrize("body", [{"stopped": False}, {"aborted": False}, {"cancelled": False, "ok": True}])
def test_a_yes_that_found_nothing_is_nothing_running(body: Any) -> None:
    check(Answer.NOTHING_RUNNING, "nothing to stop", reply(200, body))


@pytest.mark.parametrize("body", [{"success": False}, {"ok": False}, {"status": "error"}])
def test_a_yes_that_says_no_is_a_refusal(body: Any) -> None:
    check(Answer.REFUSED, "did not stop the run", reply(200, body))


def test_a_yes_for_a_run_that_had_completed_is_not_our_stop() -> None:
    check(Answer.ALREADY_OVER, "completed", reply(200, {"run": {"status": "COMPLETED"}}))


@pytest.mark.parametrize("status", [408, 502, 504])
def test_a_gateway_that_gave_up_is_no_answer(status: int) -> None:
    check(Answer.UNANSWERED, f"({status})", reply(status), times=2 if status == 408 else 1)


def test_a_request_that_the_server_gave_up_waiting_for_is_sent_once_more() -> None:
    """A 408 can cross our request on a connection that was held for it (RFC 9110, 15.5.9)."""
    check(Answer.ACKNOWLEDGED, "", reply(408), reply(202), times=2)


@pytest.mark.parametrize("status", [400, 418, 422, 500])
def test_anything_else_is_a_refusal_with_its_reason(status: int) -> None:
    check(Answer.REFUSED, str(status), reply(status, {"detail": "no"}))


def test_the_body_is_sent_on_the_lane_of_aborts() -> None:
    async def scenario() -> None:
        async with origin(reply()) as server, client(server.url) as http:
            await send_abort(http, http.url("stop"), json={"reason": "enough"})
            await send_abort(http, http.url("stop"))
            assert server.arrived[0].json == {"reason": "enough"}
            assert server.arrived[1].header("content-length") == ["0"]

    go(scenario())
