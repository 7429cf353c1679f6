"""Files that go with a prompt, as each protocol writes them. Pure."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tui.backends.base import File, Prompt

Part = dict[str, Any]

AG_UI_RESENT = 16_000_000
"""Bytes of earlier prompts' files that are sent again with a new prompt, as AG-UI's servers keep nothing."""
_MEDIA = ("image", "audio", "video")


def ag_ui_content(text: str, files: tuple[File, ...]) -> str | list[Part]:
    """A user message's `content` in AG-UI 1.0: the text alone, or parts."""
    if not files:
        return text
    return [{"type": "text", "text": text}, *map(_ag_ui_part, files)]


def _ag_ui_part(file: File) -> Part:
    media = file.kind.partition("/")[0]
    return {
        "type": media if media in _MEDIA else "document",
        "source": {"type": "data", "value": encoded(file), "mimeType": file.kind},
        "metadata": {"filename": file.name},
    }


def adk_parts(prompt: Prompt) -> list[Part]:
    """The parts of ADK's `newMessage`. A name is left out: the Gemini API refuses parts that have one."""
    inline = [{"inlineData": {"mimeType": file.kind, "data": encoded(file)}} for file in prompt.files]
    return [{"text": prompt.text}, *inline]


def flue_attachments(prompt: Prompt) -> list[Part]:
    """Flue's `attachments`: images, and nothing else."""
    return [
        {"type": "image", "data": encoded(file), "mimeType": file.kind, "filename": file.name}
        for file in prompt.files
    ]


def encoded(file: File) -> str:
    """Its bytes as base64."""
    return file.base64 or b64encode(file.data).decode("ascii")
