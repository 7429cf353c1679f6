"""Hostile text from the commands that print lines, on a terminal: no escape sequence at all may come out."""

import json

import pytest

from tests.e2e.terminal import Terminal
from tests.hostile.sequences import dangerous_in
from tests.hostile.server import agent
from tests.hostile.test_screen import PAYLOADS


@pytest.mark.parametrize("command", ["run", "run --json", "events"])
def test_what_is_printed_on_a_terminal_has_no_escape_sequence(tmp_path, command):
    with agent() as server:
        for number, payload in enumerate(PAYLOADS):
            server.say(number, payload)
        server.send({"type": "RUN_ERROR", "message": "".join(PAYLOADS), "code": PAYLOADS[0]})
        server.end()
        with Terminal(*_arguments(command, server.url), home=tmp_path, rows=50, columns=200) as terminal:
            code = terminal.wait_exit()
    text = bytes(terminal.raw).decode("utf-8", "surrogateescape")
    assert code == (0 if command == "events" else 1)
    assert "\x1b" not in text
    assert dangerous_in(text) == set()
    assert f"m{len(PAYLOADS) - 1}m" in text


def _arguments(command: str, url: str) -> list[str]:
    if command == "events":
        return ["events", url, "--body", json.dumps({"threadId": "t", "runId": "r"})]
    return [*command.split(), "--backend", "ag-ui", "--url", url, "hello"]


def test_an_error_of_the_server_is_one_clean_sentence(tmp_path):
    with agent() as server:
        server.last = "".join(PAYLOADS)
        with Terminal(
            "run", "--backend", "ag-ui", "--url", server.url + "/abort", "hi", home=tmp_path
        ) as terminal:
            assert terminal.wait_exit() == 1
    text = bytes(terminal.raw).decode()
    assert "(403)" in text and "\x1b" not in text and dangerous_in(text) == set()
