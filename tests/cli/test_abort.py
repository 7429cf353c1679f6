"""`stopkey abort`: a run that someone else started is ended by the same driver, with the same exit codes."""

import pytest

from tests.cli.conftest import TARGET
from tests.fakes import ScriptedBackend
from tui.backends.base import AbortAnswer, BackendError, Capabilities, RemoteStop, RunStatus, Scope
from tui.core import events as ev
from tui.core.events import Answer, End
from tui.core.safe_text import DANGEROUS

START = ev.RunStarted("run-7")
BY_CONVERSATION = Capabilities(RemoteStop.ABORT, scope=Scope.CONVERSATION, status=True)


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (AbortAnswer(Answer.ACKNOWLEDGED), RunStatus(End.CANCELLED), 10),
        (AbortAnswer(Answer.ACKNOWLEDGED, over=True), None, 10),
        (AbortAnswer(Answer.ALREADY_OVER), None, 11),
        (AbortAnswer(Answer.NOTHING_RUNNING), RunStatus(End.COMPLETED), 11),
        (AbortAnswer(Answer.ACKNOWLEDGED), None, 12),
        (AbortAnswer(Answer.ACKNOWLEDGED), RunStatus(End.ALIVE), 13),
        (AbortAnswer(Answer.REFUSED, "No.", 403), None, 13),
        (BackendError("Nothing answers."), None, 13),
    ],
)
def test_what_is_known_afterwards_decides_the_exit_code(play, answer, status, code):
    backend = ScriptedBackend([], answers=[answer], statuses=[status])
    done = play(backend, "abort", "--run", "run-7", "--reason", "too dear")
    assert done.code == code, done.out + done.err
    assert backend.aborts == [("run-7", "too dear")]
    assert done.out.strip() and not done.err


def test_a_whole_conversation_is_aborted_where_the_backend_does_it_so(play):
    backend = ScriptedBackend([], capabilities=BY_CONVERSATION)
    assert play(backend, "abort", "--conversation", "c-42").code == 10
    assert backend.aborts == [("", "")]


def test_the_run_is_looked_up_in_our_own_store_where_the_backend_needs_its_id(play):
    play(ScriptedBackend([[START]]), "run", "--conversation", "c-42", "hello")
    backend = ScriptedBackend([])
    assert play(backend, "abort", "--conversation", "c-42").code == 10
    assert backend.aborts == [("run-7", "")]


def test_without_an_id_where_one_is_needed_nothing_is_sent(play):
    backend = ScriptedBackend([])
    done = play(backend, "abort", "--conversation", "c-42")
    assert (done.code, backend.aborts) == (2, [])
    assert "--run ID" in done.err


def test_a_backend_that_stops_by_closing_cannot_be_stopped_from_outside(play):
    backend = ScriptedBackend([], capabilities=Capabilities(RemoteStop.CLOSE, status=True))
    done = play(backend, "abort", "--run", "run-7")
    assert (done.code, backend.aborts) == (14, [])
    assert "from outside" in done.err


def test_a_backend_without_an_abort_says_so(play):
    done = play(ScriptedBackend([], capabilities=Capabilities(RemoteStop.NONE)), "abort", "--run", "run-7")
    assert done.code == 14


@pytest.mark.parametrize("arguments", [(), ("--run", "x"), TARGET])
def test_it_must_be_said_what_to_abort_and_where(stopkey, arguments):
    done = stopkey("abort", *arguments)
    assert done.code == 2 and done.err.startswith("stopkey: Say ")


def test_what_the_server_says_is_printed_harmless(play):
    answer = AbortAnswer(Answer.REFUSED, "\x1b]0;owned\x07", 403)
    done = play(ScriptedBackend([], answers=[answer], statuses=[None]), "abort", "--run", "run-7")
    assert "␛]0;owned␇" in done.out and not DANGEROUS.search(done.out.replace("\n", ""))
