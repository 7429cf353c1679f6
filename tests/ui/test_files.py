"""@file: what is offered, what is shown before sending, what goes out, and what is kept of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, say, screen_of, until
from tui.backends.base import Capabilities, RemoteStop, Takes
from tui.core import events as ev
from tui.core.codec import from_json, to_json
from tui.core.turn import Phase
from tui.store import Store
from tui.ui.composing.attaching import outgoing, tell
from tui.ui.composing.listing import Listing
from tui.ui.composing.mentions import mentioned, mentions
from tui.ui.composing.reading import TEXT_MOST, CannotSend, fenced, kind_of, look, read

WHOLE = [ev.RunStarted("r"), *words("ok"), ev.RunFinished()]
ANY = Takes(("*/*",), 1000, 1500)
TAKES_ANY = Capabilities(RemoteStop.ABORT, client_run_id=True, status=True, takes_files=ANY)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with some files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "plan.md").write_text("# Plan\nfirst\n")
    (tmp_path / "my notes.txt").write_text("noted")
    (tmp_path / "dot.png").write_bytes(PNG)
    (tmp_path / "big.txt").write_text("x" * (TEXT_MOST + 1))
    return tmp_path


# --- names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("see @docs/plan.md, please", ["docs/plan.md"]),
        ('and @"my notes.txt".', ["my notes.txt"]),
        ("(@a) [@b] {@c}\n@d", ["a", "b", "c", "d"]),
        ("@a @a", ["a"]),
        ("me@example.org @ @@x", []),
        ("no", []),
    ],
)
def test_what_a_text_names(text: str, paths: list[str]) -> None:
    assert [mention.path for mention in mentions(text)] == paths


@pytest.mark.parametrize("path", ["a.txt", "my notes.txt", "a(1).txt", "ends.", "ü/ß.md", "a,b"])
def test_a_path_comes_back_from_its_mention(path: str) -> None:
    (found,) = mentions(f"see {mentioned(path)} now")
    assert found.path == path


# --- what is offered --------------------------------------------------------------------------------------


def offered(typed: str = "") -> list[str]:
    return [offer.label for offer in Listing().offers(typed)]


def test_without_git_a_walk_finds_what_is_not_hidden(here: Path) -> None:
    for name in (".secret", "node_modules/x.js", "a/b/c.py"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text("")
    (here / "loop").symlink_to(here)
    assert sorted(offered()) == ["a/b/c.py", "big.txt", "docs/plan.md", "dot.png", "my notes.txt"]


def test_with_git_what_it_ignores_is_left_out_and_what_is_new_is_there(here: Path) -> None:
    (here / ".gitignore").write_text("*.png\n")
    subprocess.run(["git", "init", "-q"], check=True)
    assert sorted(offered()) == [".gitignore", "big.txt", "docs/plan.md", "my notes.txt"]


def test_a_repository_starts_no_program_of_its_own(here: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    script = here / "run"
    script.write_text(f"#!/bin/sh\ntouch '{here / 'was-run'}'\n")
    script.chmod(0o700)
    subprocess.run(["git", "config", "core.fsmonitor", str(script)], check=True)
    assert "dot.png" in offered() and not (here / "was-run").exists()


def test_names_come_before_folders_and_letters_in_order_last(here: Path) -> None:
    for name in ("plan.md", "explain.md", "plans/x.md", "p-l-a-n.md"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text("")
    assert offered("plan") == ["plan.md", "plans/x.md", "docs/plan.md", "explain.md", "p-l-a-n.md"]


def test_a_name_that_acts_on_a_terminal_is_not_offered(here: Path) -> None:
    (here / "evil\x1b[31m.txt").write_text("")
    assert not any("evil" in name for name in offered())


# --- what a file is ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.md", b"# hi", "text/markdown"),
        ("a.py", b"pass", "text/x-python"),
        ("Makefile", b"all:\n", "text/plain"),
        ("a.png", b"plain words", "text/plain"),
        ("a.txt", PNG, "image/png"),
        ("a.bin", b"\0\1\2", "application/octet-stream"),
        ("a.txt", b"a\0b", "application/octet-stream"),
        ("a.pdf", b"%PDF-1.7 \xff", "application/pdf"),
        ("a.json", b"{}", "text/plain"),
        ("a", "ü".encode() * 4096 + b"", "text/plain"),
        ("a", (b"x" + "ü".encode() * 4096)[:8192], "text/plain"),
        ("a", b"\xff\xfe", "application/octet-stream"),
    ],
)
def test_the_kind_of_a_file(name: str, head: bytes, kind: str) -> None:
    assert kind_of(name, head) == kind


def test_one_sentence_for_each_file_that_cannot_go(here: Path) -> None:
    (here / "data.bin").write_bytes(b"\0" * 2000)
    said = {}
    for name, takes in (
        ("big.txt", None),
        ("data.bin", None),
        ("data.bin", ANY),
        ("gone", None),
        ("docs", None),
    ):
        with pytest.raises(CannotSend) as told:
            look(name, Path(name), takes)
        said[name, takes is None] = str(told.value)
    assert said == {
        ("big.txt", True): "big.txt is 256 kB; at most 256 kB can be put into the prompt.",
        (
            "data.bin",
            True,
        ): "data.bin is application/octet-stream, not text, and this backend takes no files.",
        ("data.bin", False): "data.bin is 2.0 kB; at most 1.0 kB can be sent to this backend.",
        ("gone", True): "gone cannot be read: No such file or directory.",
        ("docs", True): "docs is no file.",
    }


def test_text_goes_into_the_prompt_as_it_is_between_fences_it_does_not_hold(here: Path) -> None:
    (here / "f.md").write_bytes(b"```\n\x1b[31mred\r\n```")
    file = read(look("f.md", Path("f.md"), None), Path("f.md"))
    assert fenced(file, "f.md") == "f.md\n````\n```\n\x1b[31mred\r\n```\n````"


def test_all_files_of_a_prompt_together_are_bounded(here: Path) -> None:
    for name in ("a", "b"):
        (here / name).write_bytes(b"\0" * 900)
    with pytest.raises(
        CannotSend, match=r"The files are 1\.8 kB; this backend takes 1\.5 kB with a prompt\."
    ):
        outgoing("@a @b", ANY)


def test_a_person_and_a_decorator_stay_text(here: Path) -> None:
    assert outgoing("@alice: @app.route('/x') in @docs", None) == ([], {})
    assert tell("alice", None) is None and tell("app.route", None) is None
    assert tell("src/gone.py", None) == "  src/gone.py is no file: it stays text"


# --- on the screen ----------------------------------------------------------------------------------------


def test_at_and_letters_complete_a_path_and_enter_does_not_send() -> None:
    async def run() -> None:
        backend = ScriptedBackend([WHOLE])
        async with on_stage(backend) as (app, pilot):
            app.pane.box.put("see ")
            await pilot.press("@", "n", "o", "t")
            await until(pilot, lambda: "my notes.txt" in screen_of(app) and app.pane.composer.completing.open)
            await pilot.press("enter")
            assert app.pane.box.text == 'see @"my notes.txt" ' and not backend.prompts
            await until(pilot, lambda: "its text goes into the prompt" in screen_of(app))

    asyncio.run(run())


def test_enter_behind_a_whole_path_sends() -> None:
    async def run() -> None:
        backend = ScriptedBackend([WHOLE])
        async with on_stage(backend) as (app, pilot):
            app.pane.box.put("@docs/plan.m")
            await pilot.press("d")
            await until(pilot, lambda: app.pane.composer.completing.open)
            await pilot.press("enter")
            await until(pilot, lambda: len(backend.prompts) == 1)

    asyncio.run(run())


def test_a_backend_without_files_gets_the_text_and_the_person_sees_so_before() -> None:
    async def run() -> None:
        backend = ScriptedBackend([WHOLE])
        async with on_stage(backend) as (app, pilot):
            app.pane.box.put("sum up @docs/plan.md and tell @alice")
            await until(pilot, lambda: "+ docs/plan.md  text/markdown  13 B  its text goes" in screen_of(app))
            await pilot.press("enter")
            await until(pilot, lambda: len(backend.prompts) == 1)
            sent = backend.prompts[0]
            assert sent.text == (
                "sum up @docs/plan.md and tell @alice\n\ndocs/plan.md\n```\n# Plan\nfirst\n```"
            )
            assert sent.files == () and app.pane.box.text == ""

    asyncio.run(run())


def test_a_prompt_brought_back_with_its_texts_gets_them_no_second_time() -> None:
    async def run() -> None:
        backend = ScriptedBackend([WHOLE] * 2)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "sum up @docs/plan.md")
            await until(pilot, lambda: app.pane.talk.turn and app.pane.talk.turn.phase is Phase.COMPLETED)
            await pilot.press("up", "enter")
            await until(pilot, lambda: len(backend.prompts) == 2)
            assert backend.prompts[1].text == backend.prompts[0].text

    asyncio.run(run())


def test_a_backend_with_files_gets_the_file_and_the_record_has_its_sum() -> None:
    async def run() -> None:
        backend = ScriptedBackend([WHOLE, WHOLE], capabilities=TAKES_ANY)
        async with on_stage(backend) as (app, pilot):
            kept: dict[str, bytes] = {}
            app.pane.talk.opening.keep_file = kept.__setitem__
            await say(pilot, "/attach dot.png")
            assert app.pane.box.text == "@dot.png "
            await until(pilot, lambda: "+ dot.png  image/png  48 B  attached" in screen_of(app))
            await pilot.press("enter")
            await until(pilot, lambda: len(backend.prompts) == 1)
            (file,) = backend.prompts[0].files
            assert (file.name, file.kind, file.data) == ("dot.png", "image/png", PNG)
            total = hashlib.sha256(PNG).hexdigest()
            assert app.pane.talk.turn.prompt.files == (ev.Attached("dot.png", "image/png", 48, total),)
            assert kept == {total: PNG}
            await until(pilot, lambda: "+ dot.png 48 B" in screen_of(app))
            await until(pilot, lambda: app.pane.talk.turn.phase is Phase.COMPLETED)
            os.remove("dot.png")
            await pilot.press("ctrl+r")
            await until(pilot, lambda: len(backend.prompts) == 2)
            assert backend.prompts[1].files == (file,) and backend.prompts[1].earlier[0].files == (file,)

    asyncio.run(run())


def test_an_answer_to_the_agent_carries_no_file_and_the_person_sees_so() -> None:
    async def run() -> None:
        gate = Gate()
        able = replace(TAKES_ANY, answers_questions=True)
        steps = [ev.RunStarted("r"), ev.QuestionAsked("q1", "Which one?", "input"), gate]
        backend = ScriptedBackend([steps], capabilities=able)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            app.pane.box.put("as in @docs/plan.md")
            await until(pilot, lambda: "An answer to the agent carries no files" in screen_of(app))
            await pilot.press("enter")
            await until(pilot, lambda: backend.replies == [("q1", "as in @docs/plan.md")])

    asyncio.run(run())


def test_a_command_shows_no_files() -> None:
    async def run() -> None:
        async with on_stage(ScriptedBackend([])) as (app, pilot):
            app.pane.box.put("/reason see @docs/plan.md")
            await pilot.pause(0.3)
            assert "docs/plan.md  text" not in screen_of(app)
            app.pane.box.put("see @docs/plan.md")
            await until(pilot, lambda: "docs/plan.md  text" in screen_of(app))

    asyncio.run(run())


@pytest.mark.parametrize("name", ["big.txt", "dot.png"])
def test_what_cannot_go_is_said_and_nothing_is_sent_or_lost(name: str) -> None:
    async def run() -> None:
        backend = ScriptedBackend([WHOLE])
        async with on_stage(backend) as (app, pilot):
            await say(pilot, f"look at @{name}")
            await until(pilot, lambda: f"Not sent: {name} is " in screen_of(app))
            assert not backend.prompts and app.pane.box.text == f"look at @{name}"

    asyncio.run(run())


def test_a_name_in_a_folded_paste_reads_nothing() -> None:
    async def run() -> None:
        from textual import events

        backend = ScriptedBackend([WHOLE])
        async with on_stage(backend) as (app, pilot):
            app.post_message(events.Paste("@docs/plan.md\n" * 100))
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda: len(backend.prompts) == 1)
            assert "# Plan" not in backend.prompts[0].text

    asyncio.run(run())


def test_a_queued_prompt_sends_the_file_as_it_was_when_enter_was_pressed(here: Path) -> None:
    async def run() -> None:
        gate = Gate()
        first = [ev.RunStarted("r1"), *words("a"), gate, ev.RunFinished()]
        backend = ScriptedBackend([first, WHOLE], capabilities=TAKES_ANY)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            await say(pilot, "then @docs/plan.md")
            await until(pilot, lambda: len(app.pane.talk.queue) == 1)
            (here / "docs" / "plan.md").write_text("changed")
            gate.open()
            await until(pilot, lambda: len(backend.prompts) == 2)
            assert backend.prompts[1].files[0].data == b"# Plan\nfirst\n"

    asyncio.run(run())


def test_stop_and_send_stops_before_it_reads() -> None:
    async def run() -> None:
        gate = Gate()
        backend = ScriptedBackend([[ev.RunStarted("r1"), *words("a"), gate], WHOLE], capabilities=TAKES_ANY)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "go")
            await until(pilot, gate.reached.is_set)
            app.pane.box.put("@docs/plan.md")
            app.action_stop_and_send()
            assert app.pane.talk.turn.stop
            await until(pilot, lambda: len(backend.prompts) == 2)
            assert backend.prompts[1].files[0].name == "plan.md"

    asyncio.run(run())


def test_after_a_restart_a_resend_takes_what_was_kept_or_says_that_it_changed(here: Path) -> None:
    async def run() -> None:
        backend = ScriptedBackend([WHOLE] * 3, capabilities=TAKES_ANY)
        async with on_stage(backend) as (app, pilot):
            await say(pilot, "@docs/plan.md")
            await until(pilot, lambda: app.pane.talk.turn and app.pane.talk.turn.phase is Phase.COMPLETED)
            attaching = app.pane.composer.attaching
            attaching.held.clear()  # as in a client that has just been started
            was = (here / "docs" / "plan.md").read_bytes()
            (here / "docs" / "plan.md").write_text("# Plan\nother\n")
            await pilot.press("ctrl+r")
            await until(pilot, lambda: "Not sent: docs/plan.md has changed since" in screen_of(app))
            assert len(backend.prompts) == 1
            app.pane.talk.opening.kept_file = lambda sha256: was
            await pilot.press("ctrl+r")
            await until(pilot, lambda: len(backend.prompts) == 2)
            assert backend.prompts[1].files[0].data == was

    asyncio.run(run())


# --- what is kept -----------------------------------------------------------------------------------------


def test_the_record_survives_the_journal_and_a_broken_one_is_unknown() -> None:
    event = ev.Prompted("t", "k", "r", (ev.Attached("a.png", "image/png", 3, "ab"),))
    assert from_json("Prompted", to_json(event)) == event
    assert '"files":[{"name":"a.png","kind":"image/png","size":3,"sha256":"ab"}]' in to_json(event)
    assert from_json("Prompted", '{"text":"old"}') == ev.Prompted("old")
    for bad in ('[{"name":1,"kind":"","size":0,"sha256":""}]', '[{"name":""}]', "[3]", '"x"'):
        assert isinstance(from_json("Prompted", f'{{"text":"t","files":{bad}}}'), ev.Unknown)


def test_the_store_keeps_what_was_sent_up_to_a_limit_and_forgets_it_with_the_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.store.made import Log, drain
    from tui.store import saving

    monkeypatch.setattr(saving, "_KEEP", saving._KEEP.replace(str(saving.KEPT), "10"))
    path = tmp_path / "store" / "c.db"
    store = Store.open(path)
    log = Log(store.create("stub"))
    journal: Any = log.journal
    journal.keep_file("s1", b"ByteCanary"[:8])
    log.prompt("first")
    drain(store)
    journal.keep_file("s2", b"too much")
    log.prompt("second")
    log.complete()
    drain(store)
    identity = journal.conversation_id
    assert store.file(identity, "s1") == b"ByteCana" and store.file(identity, "s2") is None
    assert store.file("other", "s1") is None
    store.delete(identity)
    journal.close()
    store.close()
    assert b"ByteCana" not in b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
