"""Which scenario a prompt gets, and with which switches."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backend_stub.scenarios import SCENARIOS
from backend_stub.steps import Scenario
from backend_stub.switches import BadSwitch, Switches

DEFAULT = "demo"
_BRACKET = re.compile(r"\[\[([^\[\]]{1,500})\]\]")
_SLASH = re.compile(r"/([a-z][a-z-]*)\b")


@dataclass(frozen=True, slots=True)
class Choice:
    """What is played for a prompt."""

    scenario: Scenario
    switches: Switches


def choose(prompt: str, switches: Switches, scenario: str = "") -> Choice:
    """The scenario that the prompt names ([[name]] or /name), else `scenario`, else by words, else the demo.

    A bracket that is not wholly made of known names is ordinary text, never an error.
    """
    named, values = _bracket(prompt)
    name = named or _slash(prompt) or scenario or _by_words(prompt) or DEFAULT
    chosen = SCENARIOS[name]
    return Choice(chosen, switches.set(dict(chosen.options)).set(values))


def _bracket(prompt: str) -> tuple[str, dict[str, str]]:
    for match in _BRACKET.finditer(prompt):
        name, values = "", {}
        for word in match[1].split():
            key, equals, value = word.partition("=")
            if equals:
                values[key] = value
            elif not name:
                name = key
        if _understood(name, values):
            return name, values
    return "", {}


def _understood(name: str, values: dict[str, str]) -> bool:
    try:
        Switches().set(values)
    except BadSwitch:
        return False
    return name in SCENARIOS or (not name and bool(values))


def _slash(prompt: str) -> str:
    match = _SLASH.match(prompt.strip())
    return match[1] if match and match[1] in SCENARIOS else ""


def _by_words(prompt: str) -> str:
    words = set(re.findall(r"[a-z]+", _BRACKET.sub("", prompt).lower()))
    return next((s.name for s in SCENARIOS.values() if words.intersection(s.words)), "")
