"""`python -m tests.ui.draw`: draws screenshots/ from the same scenes that the snapshots pin."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from tests import conftest
from tests.ui.scenes import Stage, scenes

FOLDER = Path(__file__).resolve().parents[2] / "screenshots"
WIDE = (("streaming", "wide"), ("stopped", "wide-stopped"))
LIGHT = ("streaming", "stopped", "unconfirmed")
NARROW = ("streaming", "stopped")


def plan() -> dict[str, tuple[str, tuple[int, int], str]]:
    """File name to scene, size and theme."""
    dark, light = "textual-dark", "textual-light"
    drawn = {name: (name, (80, 24), dark) for name in scenes()}
    drawn |= {f"{name}-light": (name, (80, 24), light) for name in LIGHT}
    drawn |= {f"{name}-40": (name, (40, 10), dark) for name in NARROW}
    return drawn | {file: (name, (140, 40), dark) for name, file in WIDE}


async def draw(scene: str, size: tuple[int, int], theme: str) -> str:
    """One picture as SVG."""
    stage = Stage(scenes()[scene], theme=theme)
    async with stage.app.run_test(size=size) as pilot:
        await stage.play(pilot)
        svg = stage.app.export_screenshot(title="stopkey")
        await stage.app.pane.talk.leave()
    return slim(svg)


def slim(svg: str) -> str:
    """Without the fonts of a third party and with names that do not change from run to run."""
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.S)
    svg = re.sub(r"terminal-\d+", "t", svg)
    return re.sub(r"[ \t]*\n\s*", "\n", svg)


def main() -> None:
    assert conftest
    FOLDER.mkdir(exist_ok=True)
    wanted = sys.argv[1:] or list(plan())
    for file in wanted:
        path = FOLDER / f"{file}.svg"
        path.write_text(asyncio.run(draw(*plan()[file])), encoding="utf-8")
        print(f"{path.name}  {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
