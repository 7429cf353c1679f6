"""Prompts that quote what was said: a stopped partial reply, or all of what came before a branch."""

from __future__ import annotations

from collections.abc import Sequence


def quoted(prompt: str, partial: str) -> str:
    """`prompt`, preceded by the partial reply as a markdown quote that says what it is."""
    if not partial.strip():
        return prompt
    body = "\n".join(f"> {line}" for line in partial.rstrip().split("\n"))
    return f"Your last reply was stopped after this much:\n\n{body}\n\n{prompt}"


def retold(said: Sequence[tuple[str, str]], prompt: str) -> str:
    """`prompt`, preceded by who said what, for a backend that has not heard it."""
    if not said:
        return prompt
    lines = [f"> **{who}:** " + text.strip().replace("\n", "\n> ") for who, text in said]
    return "This conversation goes on from here:\n\n" + "\n>\n".join(lines) + f"\n\n{prompt}"
