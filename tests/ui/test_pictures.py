"""screenshots/ is complete, current, small, and shows nothing that comes from elsewhere."""

from __future__ import annotations

import asyncio
import re
from xml.etree import ElementTree

import pytest

from tests.ui.draw import FOLDER, RECORDED, STATES, draw, gallery, plan
from tui.core.turn import Outcome, Phase
from tui.core.view import OUTCOMES, PHASES
from tui.ui.tour.steps import STEPS

FILMS = {f"{name}{theme}" for name in RECORDED for theme in ("", "-light")}
PICTURES = sorted(FOLDER.glob("*.svg"))
LARGEST, LARGEST_FILM = 40_000, 400_000
SOME = ("stopped", "unconfirmed-light", "streaming-40", "events-wide")
"""Drawn anew in the quick run; the others in the thorough one."""


def current(name: str) -> None:
    drawn = asyncio.run(draw(*plan()[name]))
    assert drawn == (FOLDER / f"{name}.svg").read_text(encoding="utf-8"), "python -m tests.ui.draw " + name


def test_there_is_a_picture_of_everything_and_nothing_else() -> None:
    assert {path.stem for path in PICTURES} == {*plan(), *FILMS}
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == gallery()


def test_every_state_of_the_run_bar_has_a_picture() -> None:
    looks = PHASES | OUTCOMES
    shown = {looks[state].word for state in STATES.values()}
    assert {look.word for look in looks.values()} == shown, "a state without a scene"
    said = "".join(ElementTree.parse(FOLDER / "bars.svg").getroot().itertext())
    for state in [*Phase, *Outcome]:
        assert looks[state].word in said, state
    for name, state in STATES.items():
        assert looks[state].word in "".join(ElementTree.parse(FOLDER / f"{name}.svg").getroot().itertext())


@pytest.mark.parametrize("name", SOME)
def test_a_picture_is_what_the_client_shows_now(name: str) -> None:
    current(name)


@pytest.mark.thorough
@pytest.mark.parametrize("name", [name for name in plan() if name not in SOME])
def test_the_other_pictures_are_what_the_client_shows_now(name: str) -> None:
    current(name)


def test_pictures_are_small_and_complete_in_themselves() -> None:
    for path in PICTURES:
        text = path.read_text(encoding="utf-8")
        ElementTree.fromstring(text)
        limit = LARGEST_FILM if path.stem in FILMS else LARGEST
        assert len(text) < limit, path.name
        outside = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"url\(|@import|@font-face|<script|<foreignObject|<image|xlink", outside), (
            path.name
        )
        assert not re.search(r'(href|src)="(?!#)', outside), path.name


@pytest.mark.parametrize("name", ["demo", "demo-light"])
def test_the_filmed_tour_is_the_tour_of_today(name: str) -> None:
    """All its steps, in their order, with nothing that went otherwise: else `python -m tests.ui.film`."""
    text = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    heads = [f"{number}/{len(STEPS)} {step.title}" for number, step in enumerate(STEPS, 1)]
    assert all(head in text for head in heads) and "Not as planned" not in text
    assert sorted(heads, key=text.index) == heads
