"""Hostile text that is stored, configured, met by the drill or in a crash, from commands that print lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.hostile.recording import PAYLOADS, records
from tests.hostile.sequences import as_it_came, dangerous_in, taken_apart
from tests.hostile.server import Agent, agent, everywhere
from tests.hostile.test_places import OWN
from tests.store.made import drain
from tui.store import Store

ERASED = "\r\x1b[K"
"""How the drill takes its progress bar away: the only sequence that a printing command writes."""


class Crashing(Terminal):
    """The client with a planted fault: see `crashing`."""

    module = "tests.hostile.crashing"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a hostile conversation, and a hostile title for each payload."""
    home = tmp_path_factory.mktemp("hostile")
    store = Store.open(home / "data/stopkey/conversations.db")
    whole = store.create("ag-ui", PAYLOADS[0], PAYLOADS[0], PAYLOADS[0], remote_id=PAYLOADS[0])
    made = list(records())
    for record in made:
        whole.append(record)
    for payload in PAYLOADS:
        store.create(payload, payload, payload, payload, remote_id=payload).append(made[0])
    drain(store)
    store.close()
    (home / "id").write_text(whole.conversation_id)
    return home


def _profile(payload: str) -> str:
    """A profile of this name, with a wrong backend, address and key. TOML has no lone surrogates."""
    scalars = payload.encode("utf-8", "replace").decode()
    quoted = '"' + "".join(f"\\U{ord(char):08X}" for char in scalars) + '"'
    return f"[profiles.{quoted}]\nbackend = {quoted}\nurl = {quoted}\n{quoted} = {quoted}\n"


def printed(home: Path, *args: str, codes: tuple[int, ...] = (0,), kind: type[Terminal] = Terminal) -> str:
    """What this command wrote to a terminal: never an escape sequence, never a dangerous character."""
    with kind(*args, home=home, rows=50, columns=200) as terminal:
        code = terminal.wait_exit(30)
    raw = bytes(terminal.raw)
    text = raw.decode("utf-8", "surrogateescape")
    assert code in codes, text[-2000:]
    assert "\x1b" not in text.replace(ERASED, "") and dangerous_in(text.replace(ERASED, "")) == set()
    assert as_it_came(raw, PAYLOADS) == []
    return text


@pytest.mark.parametrize(
    "command", ["list", "show ID", "export ID", "export ID --format jsonl", "stats", "stats ID"]
)
def test_what_is_stored_is_printed_as_text_and_no_more(home: Path, command: str) -> None:
    text = printed(home, *command.replace("ID", (home / "id").read_text()).split())
    assert ("\\u001b" if "jsonl" in command else "␛") in text or command == "stats"


def test_a_hostile_id_file_or_option_is_one_clean_sentence(home: Path) -> None:
    asked = "".join(payload for payload in PAYLOADS if payload.isascii() and "\0" not in payload)
    for command in ("show", "replay", "verify", "open", asked):
        assert len(printed(home, command, asked, codes=(1, 2)).splitlines()) < 20


def test_settings_full_of_payloads_are_told_in_clean_sentences(tmp_path: Path) -> None:
    file = tmp_path / "config/stopkey/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("\n".join(map(_profile, PAYLOADS)), encoding="utf-8")
    assert "␛" in printed(tmp_path, "doctor", "--offline", codes=(1,))
    assert "config.toml" in printed(tmp_path, "run", "hello", codes=(2,))
    file.write_text("".join(PAYLOADS), encoding="utf-8", errors="replace")
    assert "config.toml" in printed(tmp_path, "doctor", "--offline", codes=(1,))


@pytest.mark.parametrize("form", ["", "--json"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_drill_against_a_hostile_agent_prints_clean_lines(tmp_path: Path, form: str, fails: bool) -> None:
    with agent() as server:
        server.last = "".join(PAYLOADS)
        for number, payload in enumerate(PAYLOADS):
            _one_run(server, number, payload, fails)
        target = ["--backend", "ag-ui", "--url", server.url, "--abort-url", server.url + "/abort"]
        options = ["--trials", "3", "--timeout", "1", "--seed", "1", *form.split()]
        printed(tmp_path, "probe", *target, *options, codes=(1, 3))


def _one_run(server: Agent, number: int, payload: str, fails: bool) -> None:
    error = {"type": "RUN_ERROR", "message": payload + "".join(PAYLOADS), "code": payload}
    server.items.put([*everywhere(str(number), payload), error if fails else {"type": "RUN_FINISHED"}])
    server.items.put(None)


@pytest.mark.parametrize("debug", ["", "1"])
@pytest.mark.parametrize("where", ["command", "thread"])
def test_a_crash_of_a_command_prints_clean_lines(tmp_path: Path, where: str, debug: str) -> None:
    class Debugging(Crashing):
        def __init__(self, *args: str, home: Path, rows: int, columns: int) -> None:
            super().__init__(*args, home=home, rows=rows, columns=columns, env={"STOPKEY_DEBUG": debug})

    text = printed(tmp_path, where, "doctor", "--offline", codes=(0, 1), kind=Debugging)
    assert "RuntimeError" in text and "␛" in text


@pytest.mark.parametrize("where", ["screen", "key"])
def test_a_crash_of_the_screen_leaves_a_clean_terminal(tmp_path: Path, where: str) -> None:
    with Crashing(where, "chat", home=tmp_path) as terminal:
        if where == "key":
            terminal.wait_for("IDLE")
            terminal.press("f1")
        assert terminal.wait_exit() == 1
    sequences, text = taken_apart(bytes(terminal.raw))
    assert not [each for each in sequences if not OWN.fullmatch(each)]
    assert dangerous_in(text) == set() and as_it_came(bytes(terminal.raw), PAYLOADS) == []
    assert "a fault of its own ended it" in text
