"""Small facts about blocks in words: times, sizes, calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tui.core.safe_text import SafeText, safe
from tui.core.transcript import Grown

PRETTY_UP_TO = 200_000  # characters; a longer text stays as it came
SHORT = 60  # characters; a shorter value stays on one line


def took(began: float, ended: float, clock: Callable[[], float]) -> str:
    """Seconds from `began` to `ended`, or to now."""
    span = max(0.0, (ended or clock()) - began)
    return f"{span:.1f}s" if span < 100 else f"{span:,.0f}s"


def size_of(text: str) -> str:
    """Size of a text in bytes."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1e6:.1f} MB"


def as_call(arguments: Grown) -> str:
    """JSON arguments the way one writes a call: `id=42, name="x"`; else as it is. Looks at the start."""
    text = ""
    for part in arguments.parts:
        text += part[:600]
        if len(text) >= 600:
            break
    found = _parsed(text)
    if not isinstance(found, dict):
        return text
    return ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in found.items())


def pretty(text: SafeText) -> SafeText:
    """JSON over several lines, if it is long JSON. Goes through the door again: its escapes were decoded."""
    if len(text) <= SHORT or len(text) > PRETTY_UP_TO or text[:1] not in "{[":
        return text
    found = _parsed(text)
    return text if found is None else safe(json.dumps(found, indent=2, ensure_ascii=False))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
