"""`python -m tests.bench.flood --record FILE.svg`: a Stop in 20,000 events a second, as a terminal shows it.

The real program in a pseudo-terminal, filmed from outside: its bytes are kept with their times while it runs,
and made into frames when it is over, so that filming costs it nothing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pyte
from pyte.screens import Char

from tests.bench.keys import target
from tests.bench.screen import LONE_ESC, Watched
from tests.bench.server import Run, Served
from tests.e2e.terminal import Terminal
from tui.film.frames import Film, Row, Style, row
from tui.film.svg import animation

RATE, COUNT = 20_000, 400_000
PROMPT = "Flood me."
COLUMNS, LINES = 80, 20
PER_SECOND = 12
FLOODED_S, AFTER_S = 3.5, 3.0
"""Seconds of the flood before the key, and of stillness after it."""
NOTE = Style("121212", "ffa62b", bold=True)
WORDS = {"dark": Style("e0e0e0", "2a2a2a"), "light": Style("1f1f1f", "e4e4e4")}
NOTHING = {"dark": ("e0e0e0", "121212"), "light": ("1f1f1f", "e0e0e0")}
"""What pyte calls the default colours."""


class Recorded(Watched):
    """Keeps every piece that it reads, with the time at which it came."""

    def __init__(self, *args: str, home: Path) -> None:
        self.chunks: list[tuple[float, bytes]] = []
        self.last = 0
        Terminal.__init__(self, *args, home=home, rows=LINES, columns=COLUMNS)

    def take(self, data: bytes) -> None:
        super().take(data)
        self.chunks.append((time.monotonic(), data))


@dataclass
class Taken:
    """One flood: what came when, when the key was pressed, what the server saw of it. Times in seconds."""

    chunks: list[tuple[float, bytes]]
    began: float
    pressed: float
    ended: float
    run: Run

    @property
    def frozen(self) -> float:
        """Milliseconds from the key to the first frame that says so."""
        at = next((at for at, data in self.chunks if at > self.pressed and b"STOPP" in data), self.ended)
        return (at - self.pressed) * 1000

    @property
    def aborted(self) -> float:
        """Milliseconds from the key to the abort in the server's hands."""
        return self.run.aborted / 1e6 - self.pressed * 1000

    @property
    def told(self) -> str:
        return (
            f"on the screen after {self.frozen:.0f} ms, the abort at the server after {self.aborted:.0f} ms"
        )


def flood(theme: str) -> Taken:
    """Start the client, let it be flooded, press Esc."""
    with Served() as served, tempfile.TemporaryDirectory() as home:
        settings = Path(home, "config", "stopkey", "config.toml")
        settings.parent.mkdir(parents=True)
        settings.write_text(f'theme = "{theme}"\n')
        with Recorded("chat", "--no-store", *target(served.url(RATE, COUNT)), home=Path(home)) as screen:
            screen.until_bytes(b"Send")
            screen.until_quiet()
            began = time.monotonic()
            for letter in PROMPT:
                screen.type(letter)
                screen.read_for(0.06)
            screen.press("enter")
            screen.until_bytes(b"w0000")
            screen.read_for(FLOODED_S)
            pressed = screen.press_raw(LONE_ESC) / 1e9
            screen.read_for(AFTER_S)
            ended = time.monotonic()
            run = served.log()[0]
            screen.press("ctrl+q")
            screen.wait_exit()
    return Taken(screen.chunks, began, pressed, ended, run)


def film(taken: Taken, theme: str) -> Film:
    """Frames of what the terminal showed, with a line below them that tells of the key."""
    made = Film(COLUMNS, LINES + 1, "stopkey: a stop in a flood")
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    chunks = iter([*taken.chunks, (taken.ended, b"")])
    at, data = next(chunks)
    moment = taken.began
    while moment < taken.ended:
        while at <= moment:
            stream.feed(data)
            at, data = next(chunks)
        rows = [_row(screen.buffer[y], theme) for y in range(LINES)]
        made.add(moment - taken.began, (*rows, _note(taken, moment, theme)))
        moment = min(max(moment + 1 / PER_SECOND, at), moment + 1.0)
    made.lasts = taken.ended - taken.began
    made.poster = len(made.frames) - 1
    return made


def _note(taken: Taken, moment: float, theme: str) -> Row:
    words = WORDS[theme]
    if moment < taken.pressed:
        return row([(f" {RATE:,} events a second, the real program in a terminal".ljust(COLUMNS), words)])
    told = f" pressed: {taken.told}"
    return row([(" ", words), (" Esc ", NOTE), (told.ljust(COLUMNS - 6), words)])


def _row(cells: dict[int, Char], theme: str) -> Row:
    return row([(cells[x].data, _style(cells[x], theme)) for x in range(COLUMNS) if cells[x].data])


def _style(cell: Char, theme: str) -> Style:
    fg = NOTHING[theme][0] if len(cell.fg) != 6 else cell.fg
    bg = NOTHING[theme][1] if len(cell.bg) != 6 else cell.bg
    if cell.reverse:
        fg, bg = bg, fg
    return Style(fg, bg, cell.bold, cell.italics, cell.underscore, cell.strikethrough)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", type=Path, required=True, metavar="FILE.svg")
    parser.add_argument("--theme", choices=list(NOTHING), default="dark")
    wanted = parser.parse_args()
    taken = flood(wanted.theme)
    wanted.record.write_text(animation(film(taken, wanted.theme)), encoding="utf-8")
    sent = taken.run.sent / ((taken.run.ended - taken.run.began) / 1e9)
    size = wanted.record.stat().st_size // 1024
    print(f"{wanted.record}: {size} kB; {sent:,.0f} events a second; {taken.told}")


if __name__ == "__main__":
    main()
