"""`python -m tests.ui.draw [NAME …]`: draws screenshots/ from the same scenes that the snapshots pin.

Each scene is drawn in dark and in light. A new picture is a line in `scenes()` or in `screens()`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests import conftest
from tests.ui.scenes import Scene, Stage, scenes
from tests.ui.screens import screens
from tui.core.turn import Outcome, Phase
from tui.film.frames import Film, Row
from tui.film.svg import picture
from tui.ui.camera import still

FOLDER = Path(__file__).resolve().parents[2] / "screenshots"
Size = tuple[int, int]
USUAL: Size = (80, 24)
SIZES: dict[str, tuple[str, Size]] = {
    "streaming-40": ("streaming", (40, 12)),
    "stopped-40": ("stopped", (40, 20)),
    "tour-40": ("tour", (40, 20)),
    "streaming-wide": ("streaming", (140, 40)),
    "stopped-wide": ("stopped", (140, 40)),
    "events-wide": ("events", (140, 40)),
    "axis-wide": ("axis", (140, 40)),
}
"""Pictures of a scene at another size: file name to scene and size."""
STATES: dict[str, Phase | Outcome] = {
    "idle": Phase.IDLE,
    "sending": Phase.SENDING,
    "streaming": Phase.STREAMING,
    "waiting": Phase.WAITING,
    "lost": Phase.LOST,
    "stopping": Phase.ASKING,
    "stopped": Outcome.CONFIRMED,
    "finished-first": Outcome.FINISHED_FIRST,
    "acknowledged": Outcome.ACKNOWLEDGED,
    "unconfirmed": Outcome.UNCONFIRMED,
    "local-only": Outcome.LOCAL_ONLY,
    "never-sent": Outcome.NEVER_SENT,
    "completed": Phase.COMPLETED,
    "failed": Phase.FAILED,
}
"""The scenes that show the run bar in each of its states, in the order of the picture `bars`."""
BARS = "bars"
RECORDED = ("demo", "flood")
"""What is not drawn but filmed, by `tests.ui.film`."""
GALLERY = """\
# Pictures

Every state and every screen, drawn by `python -m tests.ui.draw`; the two that move are filmed by
`python -m tests.ui.film`: a tour (`stopkey demo`), and a Stop in 20,000 events a second.
"""


def all_scenes() -> dict[str, Scene]:
    return {**scenes(), **screens()}


def plan() -> dict[str, tuple[str, Size, str]]:
    """File name, without its end, to scene, size and theme."""
    sizes = {name: (name, USUAL) for name in [*all_scenes(), BARS]} | SIZES
    return {
        name + ("-light" if theme == "light" else ""): (scene, size, theme)
        for name, (scene, size) in sizes.items()
        for theme in ("dark", "light")
    }


async def draw(scene: str, size: Size, theme: str) -> str:
    """One picture as SVG."""
    if scene == BARS:
        return picture(await bars(theme))
    return picture(await taken(scene, size, theme))


async def taken(scene: str, size: Size, theme: str) -> Film:
    """The scene's screen."""
    stage = Stage(all_scenes()[scene], theme=f"textual-{theme}")
    async with stage.app.run_test(size=size) as pilot:
        await stage.play(pilot)
        film = still(stage.app)
        await stage.app.pane.talk.leave()
    return film


async def bars(theme: str) -> Film:
    """The run bar in every state, a row each."""
    rows: list[Row] = []
    for scene in STATES:
        shown = await taken(scene, USUAL, theme)
        rows.append(next(row for row in shown.frames[0].rows[::-1] if _is_bar(row)))
    film = Film(USUAL[0], len(rows), "the run bar in every state")
    film.add(0.0, tuple(rows))
    return film


def _is_bar(row: Row) -> bool:
    text = "".join(said for said, _ in row).rstrip()
    return text.endswith(("Esc · F8", "F8 · ^C", "stopping…"))


def gallery() -> str:
    """The page on which all of them are seen, each in the colours of whoever looks."""
    names = [*RECORDED, *(name for name in plan() if not name.endswith("-light"))]
    return GALLERY + "".join(
        f"""
## {name}

<picture>
  <source media="(prefers-color-scheme: light)" srcset="{name}-light.svg">
  <img src="{name}.svg" alt="{name}">
</picture>
"""
        for name in names
    )


def main() -> None:
    assert conftest
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "README.md").write_text(gallery(), encoding="utf-8")
    for file in sys.argv[1:] or plan():
        path = FOLDER / f"{file}.svg"
        path.write_text(asyncio.run(draw(*plan()[file])), encoding="utf-8")
        print(f"{path.name}  {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
