"""A stored conversation written out: as text and Markdown for people, as JSON lines for programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from tui import receipt
from tui.core.codec import dumps, to_fields
from tui.core.conversation import Conversation, Turn
from tui.core.events import Record
from tui.core.safe_text import SafeText, safe, safe_line
from tui.core.transcript import Block, DataBlock, QuestionBlock, TextBlock, ToolBlock
from tui.core.view import look, short
from tui.store.reader import Listed


def as_jsonl(info: Listed, records: Iterable[Record]) -> Iterator[str]:
    """One ASCII JSON object a line: first the conversation, then every record with times and wire data."""
    head: dict[str, object] = {
        "id": info.conversation_id,
        "conversation": info.remote_id,
        "backend": info.backend,
    }
    head |= {"url": info.url, "agent": info.agent, "title": info.title}
    yield dumps({"type": "conversation", "format": 1, **head, "made": info.made}) + "\n"
    for record in records:
        line: dict[str, object] = {
            "number": record.number,
            "turn": record.turn,
            "wall": record.wall,
            "mono": record.mono,
        }
        line |= {"late": record.late, "type": type(record.event).__name__, **to_fields(record.event)}
        yield dumps({**line, "raw": record.event.raw}) + "\n"


def as_text(info: Listed, conversation: Conversation) -> Iterator[SafeText]:
    """For a terminal: safe, and without marks that only a renderer would take away."""
    yield safe(f"{info.title or '(no title)'}   {_where(info)}\n")
    for turn in conversation.turns:
        prompt = f"{_indented(turn.prompt.text)}\n{_files(turn, '  ')}"
        yield safe(f"\nYou   {_when(turn)}\n{prompt}\nAgent   {short(turn)}\n")
        for block in turn.transcript.blocks:
            yield safe(_block_as_text(block))
        for line in _ending(turn):
            yield safe(f"  -- {line}\n")


def as_markdown(info: Listed, conversation: Conversation) -> Iterator[SafeText]:
    """For people and their wikis. Text is cleaned; prompts and replies are Markdown already."""
    yield safe(f"# {info.title or 'Conversation ' + info.conversation_id}\n\n")
    yield safe(f"{_where(info)}, turns: {len(conversation.turns)}\n")
    for turn in conversation.turns:
        prompt = f"{turn.prompt.text.strip()}\n{_files(turn, '- ')}"
        yield safe(f"\n## You, {_when(turn)}\n\n{prompt}\n## Agent, {short(turn)}\n\n")
        for block in turn.transcript.blocks:
            yield safe(_block_as_markdown(block))
        for line in _ending(turn):
            yield safe(f"> {line}\n>\n")


def _where(info: Listed) -> str:
    return " ".join(part for part in (info.agent or info.backend, info.url) if part)


def _when(turn: Turn) -> str:
    return datetime.fromtimestamp(turn.wall, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _files(turn: Turn, mark: str) -> str:
    """What went with the prompt, a line each."""
    lines = [
        f"{mark}{file.name}, {file.kind}, {file.size} bytes, SHA-256 {file.sha256}\n"
        for file in turn.prompt.files
    ]
    return "".join(["\n", *lines]) if lines else ""


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip("\n").split("\n"))


def _block_as_text(block: Block) -> str:
    if isinstance(block, TextBlock):
        head = "  [reasoning]\n" if block.reasoning else ""
        return f"{head}{_indented(block.content.text())}\n\n" if block.content.length else ""
    if isinstance(block, ToolBlock):
        result = f"\n{_indented(block.result)}" if block.result else ""
        return f"  [tool {block.name}: {block.status or 'no end seen'}] {block.arguments.text()}{result}\n\n"
    return f"  [{_aside(block)}]\n\n"


def _block_as_markdown(block: Block) -> str:
    if isinstance(block, TextBlock):
        text = block.content.text().strip("\n")
        quoted = "\n".join(f"> {line}" for line in text.split("\n")) if block.reasoning else text
        return f"{quoted}\n\n" if text else ""
    if isinstance(block, ToolBlock):
        head = f"**{block.name}** ({block.status or 'no end seen'})\n\n"
        return head + _fenced(block.arguments.text(), "json") + _fenced(block.result or "", "")
    return f"*{_aside(block)}*\n\n"


def _aside(block: DataBlock | QuestionBlock) -> str:
    if isinstance(block, DataBlock):
        return f"{block.name}: {block.value}"
    return safe_line(f"asked: {block.text} answered: {block.reply or 'nothing'}", 400)


def _fenced(text: str, language: str) -> str:
    """In a fence longer than any run of backticks within."""
    if not text:
        return ""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}\n\n"


def _ending(turn: Turn) -> list[SafeText]:
    """How it ended, where that is more than *done*."""
    if turn.stop:
        lines = [safe_line(f"{look(turn).word}: {receipt.meaning(turn)}", 240)]
        return [*lines, receipt.kept(turn), receipt.happened(turn), *receipt.cautions(turn)]
    return [turn.problem] if turn.problem else []
