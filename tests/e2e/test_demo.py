"""The tour in a terminal: it plays with real keys, a Stop key of the person's stops, and no trace is left."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.terminal import Terminal


def test_the_person_stops_what_the_tour_has_started_and_leaves(tmp_path: Path) -> None:
    with Terminal("demo", "--speed", "4", home=tmp_path) as t:
        t.wait_for("1/8 A reply streams", "IDLE")
        t.wait_for("really stopped?", "STREAMING")
        t.press("esc")
        t.wait_for("STOPPED BY YOU", "remote confirmed", "you have the keys")
        t.press("ctrl+q")
        assert t.wait_exit() == 0
        assert b"\x1b[?1049l" in t.raw
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".pyc"]


def test_a_pause_holds_it_and_a_step_goes_on(tmp_path: Path) -> None:
    with Terminal("demo", "--step", "outcomes", home=tmp_path, columns=40, rows=20) as t:
        t.wait_for("7/8 Six outcomes", "confirmed")
        t.type(" ")
        t.wait_for("paused: Space")
        t.type(" ")
        t.wait_until(lambda now: "paused" not in now, what="the tour going on")
        t.type("\x1b[C")
        t.wait_for("8/8 Your own agent", "stopkey chat")
        t.press("ctrl+q")
        assert t.wait_exit() == 0
