"""The client's own faults: one sentence, a private file with the details, no raw byte, no secret."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tui import crash
from tui.core.safe_text import safe

ROOT = Path(__file__).parents[2]
PAYLOADS = [
    json.loads(line)["payload"] for line in (ROOT / "tests/vectors/terminal.jsonl").read_text().splitlines()
]


def raised(text):
    try:
        raise RuntimeError(text)
    except RuntimeError as fault:
        return fault


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_exception_text_comes_out_clean(payload, tmp_path):
    fault = raised(payload)
    sentence = crash.tell(fault, tmp_path)
    assert safe(sentence) == sentence
    assert "\n" not in sentence
    (written,) = tmp_path.iterdir()
    assert safe(written.read_text()) == written.read_text()


def test_the_sentence_names_the_fault_and_the_file_which_only_the_owner_reads(tmp_path):
    folder = tmp_path / "state"
    sentence = crash.tell(raised("no such block"), folder)
    (written,) = folder.iterdir()
    assert "RuntimeError: no such block" in sentence and str(written) in sentence
    assert "in raised" in written.read_text()
    assert (folder.stat().st_mode & 0o777, written.stat().st_mode & 0o777) == (0o700, 0o600)


def test_without_a_place_to_write_the_sentence_is_still_told(tmp_path):
    (tmp_path / "file").write_text("")
    assert "STOPKEY_DEBUG" in crash.tell(raised("x"), tmp_path / "file" / "below")
    assert "STOPKEY_DEBUG" in crash.tell(raised("x"))


@pytest.mark.parametrize(
    "text",
    [
        "got CANARY-7f3a from the wire",
        "GET http://user:CANARY-7f3a@host/path",
        "GET https://host/path?key=CANARY-7f3a&x=1 failed",
        "{'authorization': 'Bearer CANARY-7f3a'}",
        "Authorization: Basic CANARY-7f3a",
        "x-api-key=CANARY-7f3a",
        "Cookie: a=b; sid=CANARY-7f3a",
        '{"access_token": "CANARY-7f3a"}',
        "refused: bearer CANARY-7f3a is not known",
    ],
)
def test_no_secret_is_told_or_written(text, tmp_path, monkeypatch):
    monkeypatch.setattr(crash, "_secrets", set())
    if text.startswith("got"):
        crash.hide("CANARY-7f3a")
    sentence = crash.tell(raised(text), tmp_path)
    (written,) = tmp_path.iterdir()
    assert "CANARY" not in sentence
    # the traceback quotes source lines, and the one that raised holds the name `text` only
    assert "CANARY" not in written.read_text()


HOOKED = """
import asyncio, threading, sys
sys.path.insert(0, {root!r})
from tui import crash
crash.install()
bad = "boom \\x1bc\\x1b]0;owned\\x07 http://h/?key=CANARY"

class Finalised:
    def __del__(self):
        raise ValueError(bad)

def in_thread():
    raise ValueError(bad)

async def forgotten_task():
    async def fails():
        raise ValueError(bad)
    asyncio.ensure_future(fails())
    await asyncio.sleep(0)

Finalised()
thread = threading.Thread(target=in_thread); thread.start(); thread.join()
asyncio.run(forgotten_task())
raise ValueError(bad)
"""


@pytest.mark.parametrize("debug", ["", "1"])
def test_no_way_python_has_of_printing_an_exception_lets_a_raw_byte_out(debug):
    done = subprocess.run(
        [sys.executable, "-c", HOOKED.format(root=str(ROOT))],
        capture_output=True, check=False, timeout=30, env={"STOPKEY_DEBUG": debug, "PYTHONUTF8": "1"},
    )  # fmt: skip
    shown = done.stderr.decode()
    assert done.returncode == 1
    assert shown.count("␛c") >= (4 if debug else 2), shown
    assert safe(shown) == shown
    assert "CANARY" not in shown
    assert ("Traceback" in shown) == bool(debug)
