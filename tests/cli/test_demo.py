"""`stopkey demo` and `--record`: what it takes, what it says to bad input, and what the files hold."""

import json
from xml.etree import ElementTree

import pytest

from tests.cli.test_replay import exported
from tui.commands.recording import Shot

__all__ = ["exported"]


def test_the_steps_are_listed_and_a_wrong_one_names_them(stopkey):
    listed = stopkey("demo", "--list").out.split("\n")
    assert listed[0].startswith("stream ") and listed[5].startswith("lie ")
    wrong = stopkey("demo", "--step", "stopp")
    assert wrong.code == 2 and "There is no step 'stopp'; there are stream, stop, receipt" in wrong.err


def test_without_a_terminal_it_says_so(stopkey):
    assert stopkey("demo").code == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--record", "tour.mp4"), "--record writes .svg (animated) or .cast (asciicast)"),
        (("--record", "no/such/folder/tour.svg"), "There is no folder no/such/folder"),
        (("--record", "tour.svg", "--size", "8by4"), "--size takes COLUMNSxLINES such as 80x24, not '8by4'"),
        (("--record", "tour.svg", "--size", "10x4"), "--size takes COLUMNSxLINES"),
        (("--speed", "0"), "0.1<=x<=100"),
    ],
)
def test_bad_input_gets_a_sentence(stopkey, given, said):
    done = stopkey("demo", *given)
    assert done.code == 2 and said in done.err


def test_a_tour_is_recorded_without_a_terminal(stopkey, tmp_path):
    file = tmp_path / "tour.svg"
    done = stopkey("demo", "--step", "outcomes", "--speed", "100", "--record", str(file), "--theme", "light")
    assert done.code == 0 and str(file) in done.err
    text = " ".join(ElementTree.fromstring(file.read_text()).itertext())
    assert "How a stop can end" in text and "stopkey chat --backend flue" in text and "8/8" in text
    assert not (tmp_path / "data").exists(), "nothing of a tour goes into the history"


def test_a_recorded_conversation_becomes_a_film(exported, stopkey, tmp_path):
    _, folder = exported
    file = tmp_path / "was.cast"
    done = stopkey(
        "replay", str(folder / "e.jsonl"), "--speed", "1000", "--record", str(file), "--size", "60x30"
    )
    assert done.code == 0
    head, *events = map(json.loads, file.read_text().splitlines())
    assert (head["width"], head["height"]) == (60, 30)
    assert "half an" in "".join(data for _, _, data in events)


def test_on_the_screen_it_has_the_persons_colours_and_signs(home):
    from tui.commands import demo

    (home / "config.toml").write_text('theme = "light"\nplain = true\n')
    for shot, theme, plain in ((Shot(), "textual-light", True), (Shot("t.svg"), "textual-dark", False)):
        desk = demo._desk(1.0)
        app = demo._app(desk, 0, 1.0, False, shot)
        desk.store.close()
        assert (app.chosen_theme, app.plain) == (theme, plain)
    assert not app.keymap and not app.double, "the keys are those that the tour names"
