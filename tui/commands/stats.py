"""`stopkey stats`: what all the stops so far say about each backend's Stop."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict

import click

from tui.commands.common import Exit, settings
from tui.commands.stored import the_store
from tui.core.codec import dumps
from tui.store.figures import report


@click.command("stats")
@click.argument("identity", metavar="[ID]", default="")
@click.option("--json", "as_json", is_flag=True, help="One stop a line, for programs.")
def stats_command(identity: str, as_json: bool) -> int:
    """How many stops, how quickly their ends were seen, how many never. ID: of one conversation only."""
    with the_store() as store:
        found = store.find(identity) if identity else None
        lines = store.stops(found)
        what = f'"{store.info(found).title}"' if found else "all conversations"
    if as_json:
        sys.stdout.writelines(dumps(asdict(line)) + "\n" for line in lines)
        return Exit.COMPLETED
    width = min(100, shutil.get_terminal_size((80, 24)).columns)
    for row in report(lines, what, width, plain=settings().plain or not _shows_blocks()):
        print(row)
    return Exit.COMPLETED


def _shows_blocks() -> bool:
    return "utf" in (sys.stdout.encoding or "").lower()
