"""The `stopkey` command: which commands there are. Each is loaded only when it is called for."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from tui import __version__

COMMANDS = {
    "chat": "Chat with a backend; without a target, with the embedded one.",
    "demo": "A guided tour that plays itself, on the screen or into a file.",
    "run": "One turn without a screen. --json prints one event a line.",
    "open": "Go on with a stored conversation.",
    "abort": "End a run from outside.",
    "probe": "Find out what a backend's Stop really does.",
    "events": "Print a URL's server-sent events, decoded, one JSON object a line.",
    "doctor": "Look at terminal, keys, paths, and the connection to each profile.",
    "web": "Show the client in a browser on this machine.",
    "serve": "Run the embedded backend by itself.",
    "list": "List the stored conversations.",
    "show": "Print a stored conversation.",
    "replay": "Play a recorded conversation, with its timing and its stops.",
    "stats": "How the stops so far went, by backend and over time.",
    "export": "Write a stored conversation as Markdown, JSON lines or evidence.",
    "verify": "Check an evidence bundle.",
}
_ROOMS = {"open": "chat", "list": "stored", "show": "stored", "export": "stored", "verify": "evidence"}
"""The module below `tui.commands` that holds a command, where it is not its namesake."""


class Lazy(click.Group):
    """Knows the commands by name and one line each, and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        from tui.commands.common import take_over_crashes

        take_over_crashes()
        room = import_module(f"tui.commands.{_ROOMS.get(cmd_name, cmd_name)}")
        command: click.Command = getattr(room, f"{cmd_name}_command")
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        close = difflib.get_close_matches(args[0], COMMANDS, 1)
        if close and args[0] not in COMMANDS:
            ctx.fail(f"There is no command {args[0]!r}; did you mean {close[0]}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Lazy,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes of run and abort: 0 completed, 1 failed, 2 usage, 3 connection lost, 4 the agent "
    "waits for an answer; a stop: 10 confirmed, 11 finished first, 12 acknowledged, 13 unconfirmed, "
    "14 local only, 15 never sent.",
)
@click.version_option(__version__, prog_name="stopkey", message="%(prog)s %(version)s")
@click.option("--log", type=click.Path(dir_okay=False), metavar="FILE", help="Log to FILE, without secrets.")
@click.pass_context
def cli(ctx: click.Context, log: str | None) -> int:
    """A terminal chat client for remote agents, with a Stop key that tells the truth.

    Without a command: chat with the embedded backend.
    """
    if log:
        _log_to(log)
    if ctx.invoked_subcommand is not None:
        return 0
    command = cli.get_command(ctx, "chat")
    assert command
    code: int = ctx.invoke(command)
    return code


def _log_to(path: str) -> None:
    from pathlib import Path

    from tui.logs import log_to

    try:
        log_to(Path(path))
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written ({error.strerror}); name another --log") from None


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code. Every error is one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a sign gets a question mark
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = int(cli.main(arguments, prog_name="stopkey", standalone_mode=False) or 0)
    except click.ClickException as error:
        _say(error)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        code = 141
    except Exception as fault:
        from tui.commands.common import tell_of

        tell_of(fault)
        code = 1
    _let_go_of_output()
    return code


def _let_go_of_output() -> None:
    """Whoever read our output may be gone (`stopkey list | head`, a closed terminal): Python would complain
    about it at exit, and end with a code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(error: click.ClickException) -> None:
    from tui.core.safe_text import safe

    words = error.format_message().rstrip(".")
    hint = ""
    if isinstance(error, click.UsageError) and error.ctx:
        hint = f" (see {error.ctx.command_path} --help)"
    print(f"stopkey: {safe(words)}{hint}.", file=sys.stderr)
