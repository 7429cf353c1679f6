"""A prompt that quotes a stopped partial reply, for backends that forget it."""

from __future__ import annotations


def quoted(prompt: str, partial: str) -> str:
    """`prompt`, preceded by the partial reply as a markdown quote that says what it is."""
    if not partial.strip():
        return prompt
    body = "\n".join(f"> {line}" for line in partial.rstrip().split("\n"))
    return f"Your last reply was stopped after this much:\n\n{body}\n\n{prompt}"
