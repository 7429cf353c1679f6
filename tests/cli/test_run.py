"""`stopkey run`: what it prints, when it stops, and the exit code of every way to end."""

import asyncio
import json
import os
import re
import signal
import sqlite3

import pytest

from tests.cli.conftest import TARGET
from tests.core.test_safe_text import VECTORS
from tests.fakes import Gate, ScriptedBackend, words
from tui.backends.base import AbortAnswer, Capabilities, PromptNotSent, PromptRejected, RemoteStop, RunStatus
from tui.commands.stop_after import parse
from tui.core import events as ev
from tui.core.events import ALL_EVENTS, Answer, End
from tui.core.safe_text import DANGEROUS, safe

START = ev.RunStarted("r1")
DONE = ev.RunFinished()


class Ticks(Gate):
    """Lets a few loop turns pass."""

    async def wait(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


class Signals(Gate):
    """Sends this process signals, then lets the run hang."""

    def __init__(self, *numbers: int) -> None:
        super().__init__()
        self.numbers = numbers

    async def wait(self) -> None:
        for number in self.numbers:
            os.kill(os.getpid(), number)
            await asyncio.sleep(0.01)  # signals of one kind that come together are one
        await super().wait()


def lines(done):
    return [json.loads(line) for line in done.out.splitlines()]


def hanging(**more):
    """A run that says a little and hangs until it is aborted."""
    return ScriptedBackend([[START, *words("one ", "two "), Gate()]], **more)


ENDINGS = {
    "completed": (lambda: ScriptedBackend([[START, *words("hi"), DONE]]), (), 0, ""),
    "failed": (lambda: ScriptedBackend([[START, ev.RunFinished(End.FAILED, "boom")]]), (), 1, "boom"),
    "refused": (lambda: ScriptedBackend([[PromptRejected("No such agent.", status=404)]]), (), 1, "No such"),
    "not sent": (lambda: ScriptedBackend([[PromptNotSent("Nothing answers.")]]), (), 1, "Nothing answers."),
    "lost": (lambda: ScriptedBackend([[START, *words("hi")]]), (), 3, "Connection lost"),
    "waiting": (lambda: ScriptedBackend([[START, ev.QuestionAsked("q", "Deploy?")]]), (), 4, "Deploy?"),
    "confirmed": (hanging, ("--stop-after", "first"), 10, "STOPPED"),
    "finished first": (
        lambda: hanging(statuses=[RunStatus(End.COMPLETED)]), ("--stop-after", "first"), 11, "FINISHED",
    ),
    "acknowledged": (lambda: hanging(statuses=[None]), ("--stop-after", "first"), 12, "STOP ACCEPTED"),
    "unconfirmed": (
        lambda: hanging(statuses=[None], answers=[AbortAnswer(Answer.REFUSED, "No.", 403)]),
        ("--stop-after", "first"), 13, "NOT CONFIRMED",
    ),
    "local only": (
        lambda: hanging(capabilities=Capabilities(RemoteStop.NONE)), ("--stop-after", "first"), 14,
        "HERE ONLY",
    ),
    "never sent": (
        lambda: ScriptedBackend([[Ticks(), PromptNotSent("Nothing answers.")]]), ("--stop-after", "0s"), 15,
        "NEVER SENT",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDINGS)
def test_each_way_to_end_has_its_exit_code_and_its_words(play, name):
    backend, options, code, says = ENDINGS[name]
    done = play(backend(), "run", *options, "hello")
    assert done.code == code, done.err
    assert says in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", ENDINGS)
def test_json_ends_with_a_receipt_after_a_stop_and_with_the_phase_otherwise(play, name):
    backend, options, code, _ = ENDINGS[name]
    done = play(backend(), "run", "--json", *options, "hello")
    *events, last = lines(done)
    assert done.code == code
    assert {event["type"] for event in events} <= set(ALL_EVENTS)
    assert [event["t"] for event in events] == sorted(event["t"] for event in events)
    assert last["t"] >= events[-1]["t"]
    if code >= 10:
        assert (last["type"], last["outcome"]) == ("receipt", name)
    else:
        assert (last["type"], last["phase"]) == (
            "settled",
            {0: "completed", 1: "failed", 3: "lost", 4: "waiting"}[code],
        )
    assert done.out.isascii()


def test_the_reply_is_printed_and_nothing_else_is_on_standard_output(play):
    script = [START, ev.ReasoningDelta("t", "hm"), *words("one ", "two", block="a"), ev.BlockEnded("a")]
    script += [*words("three\r", block="b"), DONE]
    assert play(ScriptedBackend([script]), "run", "hello").out == "one two\n\nthree␍\n"


def test_text_the_backend_takes_back_is_shown_as_replaced(play):
    script = [START, *words("one two", block="a"), ev.TextReplaced("a", "other"), DONE]
    assert play(ScriptedBackend([script]), "run", "hello").out == "one two\n[replaced]\nother\n"


def test_a_stop_after_so_many_characters_keeps_what_was_printed(play):
    script = [START, *words(*["12345"] * 100), Gate()]
    backend = ScriptedBackend([script], statuses=[RunStatus(End.CANCELLED)])
    done = play(backend, "run", "--stop-after", "23ch", "hello")
    assert done.code == 10
    assert done.out == "12345" * 5 + "\n"
    assert backend.aborts


def test_a_stop_after_a_tool_waits_until_its_arguments_are_whole(play):
    script = [START, ev.ToolStarted("c", "look"), ev.ToolArguments("c", "{}"), ev.ToolRunning("c"), Gate()]
    done = play(ScriptedBackend([script]), "run", "--json", "--stop-after", "tool", "hello")
    kinds = [line["type"] for line in lines(done)]
    assert kinds.index("ToolRunning") + 1 == kinds.index("StopAsked")
    assert lines(done)[-1]["open_tools"] == ["look"]


def test_late_events_are_marked_and_do_not_reach_the_text(play):
    def backend():
        return ScriptedBackend([[START, *words("one "), *words("late"), ev.RunFinished(End.CANCELLED)]])

    assert play(backend(), "run", "--stop-after", "first", "hello").out == "one \n"
    done = play(backend(), "run", "--json", "--stop-after", "first", "hello")
    assert [line.get("late") for line in lines(done) if line["type"] == "TextDelta"] == [None, True]
    assert lines(done)[-1]["late_chars"] == 4


@pytest.mark.parametrize("given", ["", "5", "0ch", "-1s", "1.5ch", "xs", "tools", "200 ch", "9" * 10 + "ch"])
def test_a_moment_that_is_none_is_refused_with_examples(stopkey, given):
    done = stopkey("run", "--stop-after", given, "hello")
    assert done.code == 2
    assert "200ch, 3s, tool or first" in done.err
    assert done.err.count("\n") == 1


def test_moments_are_read():
    read = [parse(None, None, given) for given in ("200ch", "1.5s", "TOOL", "first")]
    assert [(m.chars, m.seconds, m.word) for m in read] == [
        (200, None, ""), (0, 1.5, ""), (0, None, "tool"), (0, None, "first"),
    ]  # fmt: skip
    assert parse(None, None, None) is None


def test_the_prompt_can_come_from_standard_input(play):
    backend = ScriptedBackend([[START, DONE]])
    assert play(backend, "run", "-", stdin="two\nlines\n").code == 0
    assert backend.prompts[0].text == "two\nlines\n"


@pytest.mark.parametrize("prompt", ["", "  \n", "-"])
def test_an_empty_prompt_is_refused(stopkey, prompt):
    done = stopkey("run", prompt)
    assert (done.code, done.out) == (2, "")
    assert "The prompt is empty" in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_run_and_waits_for_the_evidence(play, number):
    done = play(ScriptedBackend([[START, *words("one "), Signals(number)]]), "run", "--json", "hello")
    assert done.code == 10
    assert lines(done)[-1]["cause"] == ("ctrl+c" if number == signal.SIGINT else "signal")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_leaves_at_once_and_says_that_nothing_is_known(play):
    backend = ScriptedBackend(
        [[START, *words("one "), Signals(signal.SIGINT, signal.SIGINT)]], abort_gate=Gate()
    )
    done = play(backend, "run", "--json", "hello")
    assert done.code == 13
    assert lines(done)[-1]["outcome"] == "unconfirmed"


def test_every_hostile_payload_is_printed_harmless(play):
    payloads = [vector["payload"] for vector in VECTORS]
    script = [START]
    for number, payload in enumerate(payloads):
        script += [ev.TextDelta(f"b{number}", payload), ev.ToolStarted(f"c{number}", payload, payload)]
        script += [ev.ToolFinished(f"c{number}", payload)]
    script += [ev.RunFinished(End.FAILED, "".join(payloads))]
    done = play(ScriptedBackend([script]), "run", "hello")
    assert done.out.count("\n\n") >= len(payloads) - 1
    assert not DANGEROUS.search(done.out) and not DANGEROUS.search(done.err)
    as_json = play(ScriptedBackend([script]), "run", "--json", "hello")
    assert as_json.out.isascii() and not DANGEROUS.search(as_json.out.replace("\n", ""))


def test_json_carries_the_text_exactly_as_received(play):
    payload = "\x1b]0;x\x07\ud800\U000e0067"
    done = play(ScriptedBackend([[START, *words(payload), DONE]]), "run", "--json", "hello")
    assert [line["text"] for line in lines(done) if line["type"] == "TextDelta"] == [payload]


def test_a_conversation_named_again_goes_on_where_it_was(play):
    first, second = ScriptedBackend([[START, *words("hi"), DONE]]), ScriptedBackend([[START, DONE]])
    play(first, "run", "--conversation", "c-42", "hello")
    play(second, "run", "--conversation", "c-42", "again")
    assert first.prompts[0].conversation_id == second.prompts[0].conversation_id == "c-42"
    assert [said.text for said in second.prompts[0].earlier] == ["hello", "hi"]


def test_no_store_leaves_nothing_on_the_disk(play, home):
    done = play(ScriptedBackend([[START, *words("CANARY"), DONE]]), "run", "--no-store", "CANARY")
    assert done.code == 0
    assert not [path for path in home.rglob("*") if path.is_file() and path.name != "config.toml"]


def test_no_token_and_no_header_reaches_the_disk_or_the_output(play, home, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "CANARY-token")
    monkeypatch.setenv("MY_KEY", "CANARY-key")
    options = (
        "--token-env",
        "MY_TOKEN",
        "--header",
        "X-Api-Key: env:MY_KEY",
        "--header",
        "X-Two: CANARY-two",
    )
    done = play(ScriptedBackend([[START, *words("hi"), DONE]]), "run", *options, "hello")
    assert done.code == 0
    assert "CANARY" not in done.out + done.err
    for path in home.rglob("*"):
        if path.is_file():
            assert b"CANARY" not in path.read_bytes(), path
    row = (
        sqlite3.connect(home / "data/conversations.db")
        .execute("SELECT settings FROM conversation")
        .fetchone()
    )
    assert json.loads(row[0])["token_env"] == "MY_TOKEN"


def test_a_fault_of_our_own_is_one_sentence_and_a_report_in_a_file(play, home, monkeypatch):
    def broken(*_):
        raise RuntimeError("\x1bc no such thing")

    monkeypatch.setattr("tui.commands.run.how_it_ended", broken)
    done = play(ScriptedBackend([[START, DONE]]), "run", "hello")
    assert done.code == 1
    (report,) = (home / "data/crashes").iterdir()
    assert str(report) in done.err and "␛c no such thing" in done.err
    assert done.err.count("\n") == 1 and "in broken" in report.read_text()


def test_a_read_only_place_for_data_is_told_and_the_turn_still_runs(play, home):
    (home / "data").write_text("not a folder")
    done = play(ScriptedBackend([[START, *words("hi"), DONE]]), "run", "hello")
    assert (done.code, done.out) == (0, "hi\n")
    assert re.search(r"conversations\.db", done.err) and done.err.count("\n") == 1
    assert safe(done.err) == done.err


def test_the_target_is_not_needed_twice(play):
    assert TARGET  # `play` adds it; a second one is a usage error only where it contradicts
    done = play(ScriptedBackend([[START, DONE]]), "run", "--profile", "x", "hello")
    assert done.code == 2 and "either --profile or --backend" in done.err
