"""`stopkey list`, `show` and `export`: the stored conversations, without a screen and without a network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from tui.commands.common import Exit, Trouble, open_store, settings
from tui.commands.evidence import export_evidence
from tui.commands.writing import as_jsonl, as_markdown, as_text
from tui.core.conversation import replay
from tui.core.safe_text import SafeText, safe_line
from tui.core.turn import Outcome, Phase
from tui.core.view import PHASES, SHORT
from tui.store import Store, StoreError
from tui.store.reader import Listed


@contextmanager
def the_store() -> Iterator[Store]:
    """The store, closed again. Its troubles end the command with their sentence."""
    store = open_store(settings())
    try:
        store.opened()
        if store.problem:
            raise Trouble(store.problem, Exit.FAILED)
        yield store
    except StoreError as error:
        raise Trouble(str(error)) from None
    finally:
        store.close()


@click.command("list")
@click.option(
    "--limit", type=click.IntRange(1), default=50, metavar="N", help="At most so many. Default: 50."
)
@click.argument("words", nargs=-1)
def list_command(limit: int, words: tuple[str, ...]) -> int:
    """List the conversations, the newest first; with WORDS, those with them in title, agent or backend."""
    with the_store() as store:
        found = store.list(limit, " ".join(words))
        for line in found:
            print(_line(line, store.live_elsewhere(line.conversation_id)))
    if not found:
        print("No conversations yet." if not words else "None found.", file=sys.stderr)
    return Exit.COMPLETED


@click.command("show")
@click.argument("identity", metavar="ID")
def show_command(identity: str) -> int:
    """Print a conversation: prompts, replies, tool calls, stops. ID may be cut short."""
    with the_store() as store:
        found = store.find(identity)
        conversation = replay(found, store.load(found))
        for piece in as_text(store.info(found), conversation):
            sys.stdout.write(piece)
    return Exit.COMPLETED


@click.command("export")
@click.argument("identity", metavar="ID")
@click.option(
    "--format", "form", type=click.Choice(("md", "jsonl")), default="md", show_default=True,
    help="md for people, cleaned; jsonl for programs: every record as received, with its times.",
)  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="Default: standard output.")
@click.option(
    "--evidence", "as_evidence", is_flag=True,
    help="One file that others can check with `stopkey verify`: every record as received, what was shown, "
    "the receipts, and their SHA-256 sums.",
)  # fmt: skip
def export_command(identity: str, form: str, output: str | None, as_evidence: bool) -> int:
    """Write a conversation as Markdown, as JSON lines, or as evidence. ID may be cut short."""
    with the_store() as store:
        found = store.find(identity)
        if as_evidence:
            export_evidence(store, found, output)
            return Exit.COMPLETED
        info = store.info(found)
        if form == "jsonl":
            pieces = as_jsonl(info, store.load(found))
        else:
            pieces = as_markdown(info, replay(found, store.load(found)))
        _write(pieces, output)
    return Exit.COMPLETED


def _write(pieces: Iterator[str], output: str | None) -> None:
    if output is None:
        sys.stdout.writelines(pieces)
        return
    try:
        with open(output, "x", encoding="utf-8", opener=_private) as file:
            file.writelines(pieces)
    except FileExistsError:
        raise Trouble(f"{output} is there already; name another file or remove it") from None
    except OSError as error:
        raise Trouble(f"{output} could not be written ({error.strerror})", Exit.FAILED) from None


def _private(path: str, flags: int) -> int:
    import os

    return os.open(path, flags, 0o600)


def _line(line: Listed, open_elsewhere: bool) -> SafeText:
    """Id, when, how the last turn ended, where, title."""
    when = datetime.fromtimestamp(line.touched).strftime("%Y-%m-%d %H:%M")
    where = line.agent or line.backend
    how = _how(line, open_elsewhere)
    return safe_line(
        f"{line.conversation_id}  {when}  {how:16}  {where:14}  {line.title or '(no title)'}", 240
    )


def _how(line: Listed, open_elsewhere: bool) -> str:
    if line.outcome:
        return SHORT[Outcome(line.outcome)]
    if not line.phase:
        return "running" if open_elsewhere else "not settled"
    return PHASES[Phase(line.phase)].word.lower()
