"""`stopkey serve`: the embedded backend by itself, in the foreground."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from tui.commands.common import child_environment


@click.command("serve", context_settings={"ignore_unknown_options": True})
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Default: a free one.")
@click.option("--scenario", default="", metavar="NAME", help="What to play for prompts that name none.")
@click.option("--list", "list_them", is_flag=True, help="List the scenarios.")
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
def serve_command(port: int, scenario: str, list_them: bool, more: tuple[str, ...]) -> int:
    """Run the embedded backend and say where it is and how to talk to it. Ctrl+C ends it.

    MORE goes to the backend as it is: --data FOLDER keeps conversations, --speed 0 leaves out pauses, --set
    SWITCH=VALUE makes it misbehave (`--set help` lists how), --host ADDRESS listens elsewhere.
    """
    arguments = ["--people", "--port", str(port), *more]
    arguments += ["--scenario", scenario] if scenario else []
    arguments += ["--list"] if list_them else []
    command = [sys.executable, "-P", "-m", "backend_stub", *arguments]
    environment = child_environment()
    if os.name == "posix":  # it takes our place: its signals and its exit code are ours
        sys.stdout.flush()
        os.execve(sys.executable, command, environment)
    return subprocess.call(command, env=environment)
