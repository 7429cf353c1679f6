"""What is written of a film: well-formed, complete, small, with nothing in it but what was on the screen."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from tui.film.cast import cast
from tui.film.frames import Film, Row, Style, row
from tui.film.svg import animation, picture

PLAIN = Style("e0e0e0", "121212")
LOUD = Style("ffffff", "7a1f2b", bold=True, underline=True)
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "\x1b]0;owned\x07 </text><script>alert(1)</script> \x9b31m \u202e & \"'\x00 \ufffe"


def film(*screens: list[str], every: float = 1.0) -> Film:
    """A film with a screen each second."""
    lines = max(len(screen) for screen in screens)
    made = Film(20, lines)
    for number, screen in enumerate(screens):
        made.add(number * every, tuple(row([(text, PLAIN)]) for text in screen))
    made.lasts = len(screens) * every
    return made


def shown(svg: str, at: float) -> list[str]:
    """What a player shows at this share of the film, row by row, from the document alone."""
    root = ElementTree.fromstring(svg)
    rows = {each.get("id"): "".join(each.itertext()) for each in root.iter(f"{SVG}g")}
    found = []
    for use in root.iter(f"{SVG}use"):
        name = use.get("href")
        for animate in use.iter(f"{SVG}animate"):
            times = [float(time) for time in str(animate.get("keyTimes")).split(";")]
            names = str(animate.get("values")).split(";")
            assert len(times) == len(names) and times[0] == 0 and times == sorted(times)
            name = [each for time, each in zip(times, names, strict=True) if time <= at][-1]
        found.append(rows[str(name).removeprefix("#")])
    return found


def test_every_frame_is_shown_at_its_time() -> None:
    svg = animation(film(["one", "same"], ["two", "same"], ["", "end"], ["one", "end"]))
    assert [shown(svg, at) for at in (0.0, 0.3, 0.6, 0.9)] == [
        ["one", "same"], ["two", "same"], ["", "end"], ["one", "end"],
    ]  # fmt: skip


def test_a_row_that_comes_again_is_written_once() -> None:
    svg = animation(film(["one"], ["two"], ["one"], ["two"], ["one"]))
    assert svg.count(">one</text>") == 1 and svg.count(">two</text>") == 1


def test_where_nothing_moves_the_poster_is_shown() -> None:
    made = film(["one"], ["two"], ["three"])
    made.poster = 1
    unmoved = re.sub("<animate[^>]*/>", "", animation(made))
    assert shown(unmoved, 0.0) == ["two"]
    assert "<animate" not in picture(made) and ">two</text>" in picture(made)


def test_each_span_stands_on_its_cells_whatever_the_font() -> None:
    made = Film(20, 1)
    made.add(0.0, (row([(" ab  ", PLAIN), ("■ STOP ", LOUD), ("漢字", PLAIN)]),))
    texts = [
        (each.get("x"), each.get("textLength"), each.text)
        for each in ElementTree.fromstring(picture(made)).iter(f"{SVG}text")
        if each.get("textLength")
    ]
    assert texts == [("10", "20", "ab"), ("50", "10", "■"), ("70", "40", "STOP"), ("120", "40", "漢字")]


def test_nothing_comes_from_elsewhere_and_nothing_runs() -> None:
    svg = animation(film(["one"], ["two"]))
    outside = re.sub(r'xmlns="http://www.w3.org/2000/svg"', "", svg)
    assert not re.search(r"https?:|url\(|@import|@font-face|<script|<foreignObject|xlink|on\w+=", outside)


def test_hostile_text_is_text() -> None:
    made = Film(60, 1, title=HOSTILE)
    made.add(0.0, (row([(HOSTILE, PLAIN)]),))
    made.add(1.0, (row([("x" + HOSTILE, LOUD)]),))
    for written in (animation(made), picture(made)):
        ElementTree.fromstring(written)
        assert "<script" not in written and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", written)
    for line in cast(made).splitlines()[1:]:
        assert "\x1b]" not in json.loads(line)[2] and "\u202e" not in line


@given(
    st.lists(st.lists(st.tuples(st.text(max_size=8), st.sampled_from([PLAIN, LOUD]))), min_size=1, max_size=4)
)
def test_any_text_makes_a_well_formed_document(screens: list[list[tuple[str, Style]]]) -> None:
    made = Film(80, 1)
    for number, spans in enumerate(screens):
        made.add(float(number), (row(spans),))
    ElementTree.fromstring(animation(made))


def test_a_minute_of_a_busy_screen_stays_small() -> None:
    """A bar that counts and a text that grows, ten times a second; 23 rows that do not move cost nothing."""
    made = Film(80, 24)
    rest: tuple[Row, ...] = tuple(row([(f"row {n} " * 9, PLAIN)]) for n in range(22))
    for tick in range(600):
        text = "words that grow " * 5
        bar = row([(f" * STREAMING  {tick / 10:.1f}s  {tick * 7} ch", LOUD), (" STOP  Esc ", PLAIN)])
        made.add(tick / 10, (*rest, row([(text[: tick % 80], PLAIN)]), bar))
    assert len(animation(made)) < 180_000


def test_stretches_in_which_nothing_happens_are_cut() -> None:
    made = film(["one"], ["two"], every=60.0).capped(4.0)
    assert [frame.at for frame in made.frames] == [0.0, 4.0] and made.lasts == 8.0


def test_a_screen_that_did_not_change_is_no_frame() -> None:
    assert len(film(["one"], ["one"], ["two"]).frames) == 2


def test_a_cast_writes_what_changed_and_when() -> None:
    head, clear, first, second, end = (
        json.loads(line) for line in cast(film(["a", "b"], ["a", "c"])).splitlines()
    )
    assert (head["version"], head["width"], head["height"]) == (2, 20, 2)
    assert clear[0] == 0.0 and "a\x1b[0m" in first[2] and "b\x1b[0m" in first[2]
    assert second[0] == 1.0 and "\x1b[2;1H" in second[2] and "a\x1b[0m" not in second[2] and end[0] == 2.0
