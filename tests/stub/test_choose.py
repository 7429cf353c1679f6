"""Which scenario a prompt gets; and what scenarios are made of."""

from __future__ import annotations

import pytest

from backend_stub.choose import choose
from backend_stub.scenarios import SCENARIOS
from backend_stub.switches import Switches


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("Where is order 42, and why is it late?", "think"),
        ("What is this?", "demo"),
        ("", "demo"),
        ("[[tool]] please", "tool"),
        ("please [[parallel]]", "parallel"),
        ("/long", "long"),
        ("/long and more", "long"),
        ("/usr/bin is a folder", "demo"),
        ("/nonsense", "demo"),
        ("[[nonsense]]", "demo"),
        ("[[demo nonsense=1]] has a table", "markdown"),
        ("a list of tables", "markdown"),
        ("Deploy it!", "approve"),
        ("see [[Wiki Page]] and [[tool]]", "tool"),
        ("[[abort=hang]] and a flood", "flood"),
    ],
)
def test_a_scenario_is_chosen_by_name_or_by_what_the_prompt_says(prompt: str, name: str) -> None:
    assert choose(prompt, Switches()).scenario.name == name


def test_the_scenario_of_the_process_is_played_for_prompts_that_name_none() -> None:
    assert choose("a table, please", Switches(), "words").scenario.name == "words"
    assert choose("/tool", Switches(), "words").scenario.name == "tool"


def test_switches_are_read_from_the_brackets() -> None:
    chosen = choose("[[demo abort=503 retry_after=2 gates=tool,end speed=0]]", Switches())
    assert (chosen.switches.abort, chosen.switches.retry_after) == ("503", "2")
    assert (chosen.switches.gates, chosen.switches.speed) == (("tool", "end"), 0.0)


def test_ordinary_brackets_change_nothing() -> None:
    assert choose("[[demo abort=perhaps]]", Switches()).switches == Switches()
    assert choose("x[[" * 10_000, Switches()).switches == Switches()


def test_every_scenario_has_its_own_name_line_and_words() -> None:
    words = [word for scenario in SCENARIOS.values() for word in scenario.words]
    assert len(words) == len(set(words))
    assert all(s.about and s.script and s.name == name for name, s in SCENARIOS.items())
    assert len(SCENARIOS) > 20
