"""The film of the flood is made of what the terminal was sent, at the times at which it was sent."""

from __future__ import annotations

from tests.bench.flood import COLUMNS, LINES, RATE, Taken, film
from tests.bench.server import Run
from tui.film.frames import Frame


def text(frame: Frame) -> str:
    return "\n".join("".join(said for said, _ in row).rstrip() for row in frame.rows)


def taken() -> Taken:
    chunks = [(10.0, b"\x1b[H\x1b[38;2;255;0;0mw0000001"), (11.0, b" w0000002"), (12.02, b"\r\nSTOPPED")]
    return Taken(chunks, began=10.0, pressed=12.0, ended=13.0, run=Run("r", aborted=12_005_000_000))


def test_every_frame_is_the_screen_of_its_moment() -> None:
    made = film(taken(), "dark")
    shown = [(frame.at, text(frame)) for frame in made.frames]
    assert shown[0][0] == 0.0 and shown[0][1].startswith("w0000001\n") and f"{RATE:,}" in shown[0][1]
    assert shown[1][0] == 1.0 and shown[1][1].startswith("w0000001 w0000002\n")
    assert "STOPPED" in shown[-1][1] and made.lasts == 3.0
    assert (made.columns, made.lines) == (COLUMNS, LINES + 1)
    first = made.frames[0].rows[0][0]
    assert first[1].fg == "ff0000"


def test_the_line_below_says_what_was_measured() -> None:
    last = text(film(taken(), "light").frames[-1])
    assert " Esc  pressed: on the screen after 20 ms, the abort at the server after 5 ms" in last
