"""`stopkey chat` and `open`: the settings reach the screen, and a broken one never stops the start."""

import sys
from types import SimpleNamespace

import pytest

from tests.cli.conftest import TARGET
from tests.fakes import ScriptedBackend, words
from tui.commands import chat
from tui.core import events as ev


@pytest.fixture
def shown(stopkey, monkeypatch):
    """Run a screen command up to the point where the screen would be drawn; returns the app and the desk."""
    seen = SimpleNamespace()

    def draw(desk, opening, loaded, plain):
        seen.app, seen.desk, seen.opening = chat.__dict__["_app"](desk, opening, loaded, plain), desk, opening
        desk.embedded.close()
        desk.store.close()
        return 0

    def run(*arguments):
        monkeypatch.setattr(chat, "need_terminal", lambda what: None)
        monkeypatch.setattr(chat, "_show", draw)
        seen.done = stopkey(*arguments)
        return seen

    return run


def test_the_settings_reach_the_app(shown, home):
    (home / "config.toml").write_text(
        'theme = "light"\nplain = true\nstop_confirm = "double"\nesc_delay_ms = 25\nlate = "drop"\n'
        'queue_on_stop = "send"\nabort_s = 3\n[keys]\n"run.stop" = "f9"\n'
    )
    seen = shown("chat", *TARGET)
    assert seen.done.code == 0, seen.done.err
    assert (seen.app.chosen_theme, seen.app.plain, seen.app.double) == ("textual-light", True, True)
    assert seen.app.keymap == {"run.stop": "f9"}
    assert (seen.opening.late, seen.opening.queue_on_stop, seen.opening.clocks.abort) == ("drop", "send", 3.0)
    assert sys.modules["textual.constants"].ESCAPE_DELAY == 0.025


def test_a_theme_that_is_not_there_is_told_and_another_taken(shown, home):
    (home / "config.toml").write_text('theme = "nope"\n')
    seen = shown("chat", *TARGET)
    assert seen.app.chosen_theme == "textual-dark"
    assert "there is no theme 'nope'; known: dark, light" in seen.opening.note


def test_without_a_target_it_is_the_embedded_backend(shown):
    assert shown().opening.embedded
    assert shown("chat").opening.embedded
    assert not shown("chat", *TARGET).opening.embedded


def test_a_conversation_is_opened_again_with_what_was_said_and_its_target(shown, play, stopkey):
    play(
        ScriptedBackend([[ev.RunStarted("r"), *words("hi"), ev.RunFinished()]]),
        "run",
        "--conversation",
        "c-42",
        "hello",
    )
    identity = stopkey("list").out.split()[0]
    seen = shown("open", identity[:4], "--header", "X-One: 1")
    assert seen.done.code == 0, seen.done.err
    assert seen.opening.conversation.turns[0].transcript.reply() == "hi"
    assert (seen.opening.remote_id, seen.desk.target.headers) == ("c-42", (("X-One", "1"),))


def test_opening_what_is_not_there_is_one_sentence(shown):
    done = shown("open", "nope").done
    assert done.code == 2 and "There is no conversation" in done.err and done.err.count("\n") == 1


def test_a_mistake_in_the_settings_stops_only_whoever_asks_for_that_profile(shown, home):
    (home / "config.toml").write_text('[profiles.work]\nbackend = "adk"\n')
    done = shown("chat", "--profile", "work").done
    assert done.code == 2 and "profiles.work has no url" in done.err
    assert shown("chat", *TARGET).done.code == 0


def test_an_app_that_fails_is_told_in_one_sentence(stopkey, home, monkeypatch):
    app = SimpleNamespace(run=lambda mouse: None, fault=RuntimeError("\x1bc"))
    monkeypatch.setattr(chat, "need_terminal", lambda what: None)
    monkeypatch.setattr(chat, "_app", lambda *_: app)
    done = stopkey("chat", *TARGET)
    assert done.code == 1
    assert "a fault of its own" in done.err and "␛c" in done.err and done.err.count("\n") == 1
    assert list((home / "data/crashes").iterdir())


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_a_screen_needs_a_terminal_that_can_draw(stopkey, monkeypatch, term):
    monkeypatch.setenv("TERM", term)
    done = stopkey("chat")
    assert done.code == 2 and "`stopkey run`" in done.err
