"""What is stored is for its owner only, whatever the umask; and secrets are not stored at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.store.made import Log, drain
from tests.store.test_list import bytes_of
from tui.store import Store
from tui.store.secrets import HIDDEN, clean_url, without_secrets


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {
        ("d" if path.is_dir() else "") + path.name.partition(".")[2]: stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_folder_0700_and_every_file_0600_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    folder = tmp_path / "deep" / "data"
    with umask(mask):
        store = Store.open(folder / "c.db")
        log = Log(store.create("stub"))
        log.prompt("hello")
        drain(store)
        found = modes(folder)
        store.close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert found.keys() >= {"db", "db-wal", "db-shm", "lock", "d"}
    assert {name: oct(mode) for name, mode in found.items()} == {
        name: "0o700" if name == "d" else "0o600" for name in found
    }


def test_a_file_that_was_left_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    (folder / "c.db").touch(mode=0o644)
    store = Store.open(folder / "c.db")
    assert store.opened() and store.problem is None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "c.db").stat().st_mode) == 0o600
    store.close()


def test_a_shared_folder_is_not_taken_from_the_others(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    store = Store.open(shared / "c.db")
    assert store.opened() and store.problem is None
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
    assert stat.S_IMODE((shared / "c.db").stat().st_mode) == 0o600
    store.close()


SECRETS = [
    "sk-proj-abcdefghijklmnopqrstuvwx",
    "sk-ant-api03-AbCdEfGhIjKlMnOpQrSt",
    "ghp_abcdefghijklmnopqrst1234567890",
    "github_pat_11ABCDEFG0abcdefghij",
    "glpat-abcdefghij1234567890",
    "xoxb-123456789012-abcdefghij",
    "AKIAIOSFODNN7EXAMPLE",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "hf_abcdefghijklmnopqrstuvwxyz",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_def-ghi",
    "Bearer abcdefghijklmnop",
    "password = hunter22",
    "my API key is 12345678",
    "api_key=12345678",
    "https://user:hunter22@example.org/",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "-----BEGIN RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_does_not_become_a_title(store: Store, secret: str) -> None:
    log = Log(store.create("stub"))
    log.prompt(f"use {secret} please")
    drain(store)
    (found,) = store.list()
    assert HIDDEN in found.title
    assert not any(part in found.title for part in ("hunter22", "12345678", secret[4:24]))


@pytest.mark.parametrize(
    "harmless",
    [
        "Where is order 42?",
        "Look up run fe096781-5601-53d2-b2f6-0d3403f7e9ca",
        "Explain tokenisation and passwords",
        "https://example.org/a/very-long-path-of-words-that-are-no-secret",
        "how does asyncio.create_task work in an_awfully_long_function_name_here",
        "the risk-based approach to task-oriented-programming-in-practice",
    ],
)
def test_ordinary_titles_stay_as_they_are(harmless: str) -> None:
    assert without_secrets(harmless) == harmless


def test_addresses_lose_user_password_fragment_and_secret_parameters() -> None:
    assert clean_url("http://u:p@host:8080/a?token=x&page=2&q=sk-abcdefghijklmnopqrst#frag") == (
        "http://host:8080/a?page=2"
    )
    assert clean_url("http://127.0.0.1:3583") == "http://127.0.0.1:3583"
    assert clean_url("{base}/stop?run={run_id}&key={conversation_id}") == (
        "{base}/stop?run={run_id}&key={conversation_id}"
    )
    assert clean_url("http://[bad") == "http://[bad"


def test_what_is_needed_to_reach_a_backend_again_stays_as_it_was(store: Store) -> None:
    settings = {
        "token_env": "MY_SERVICE_API_TOKEN",
        "abort_url": "{base}/agents/{agent}/runs/{run_id}/abort?mode=hard",
        "abort_body": '{"threadId": "{conversation_id}", "reason": "stop"}',
        "ca_file": "/home/someone1/certificates/internal-ca-bundle-2026.pem",
        "proxy": "http://proxy.example:3128",
        "options": {"dialect": "stopkey", "assistant_id": "fe096781-5601-53d2-b2f6-0d3403f7e9ca"},
    }
    log = Log(store.create("stub", settings=settings))
    log.prompt("hello")
    drain(store)
    assert log.journal and store.info(log.journal.conversation_id).settings == settings


def test_a_canary_in_what_is_given_to_reach_a_backend_never_reaches_the_disk(path: Path) -> None:
    canary = "CanaryCanary1234567890"
    store = Store.open(path)
    journal = store.create(
        "stub",
        f"http://{canary}:{canary}@127.0.0.1:9/x?api_key={canary}#{canary}",
        settings={"abort_url": f"http://u:{canary}@127.0.0.1:9/abort?token={canary}"},
        title=f"token={canary}",
    )
    log = Log(journal)
    log.prompt("hello")
    drain(store)
    assert canary.encode() not in bytes_of(path.parent)
    store.close()
    assert canary.encode() not in bytes_of(path.parent)
