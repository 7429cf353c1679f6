"""`stopkey web`: the same client in a browser on this machine."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

import click

from tui.commands.common import Exit, Trouble, child_environment, note

SHOWN = ("chat", "open", "replay")
"""The commands with a screen. Without one of these words it is the first."""


@click.command("web", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Default: a free one.")
@click.option(
    "--keep",
    type=click.FloatRange(0, 3600),
    default=30.0,
    metavar="S",
    help="Seconds a client waits for its page to come back (reload, sleep); then it is hung up as a closed"
    " terminal is: its run is stopped, everything is kept. Default: 30.",
)
@click.option("--browse", is_flag=True, help="Open the page in the browser of this machine.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[chat|open|replay] [OPTIONS]")
def web_command(port: int, keep: float, browse: bool, command: tuple[str, ...]) -> int:
    """Show the client in a browser: `stopkey web --backend flue --url …`, `stopkey web open ID`.

    It listens on 127.0.0.1 only, and its address holds a key of this start; from another machine, go
    through `ssh -L PORT:127.0.0.1:PORT`. Each browser tab is a client of its own. Ctrl+C ends all of them.
    """
    words = _checked(command)
    if find_spec("textual_serve") is None:
        raise Trouble("The web client needs one more package: pip install 'stopkey[web]'")
    try:
        return asyncio.run(_serve([sys.executable, "-P", "-m", "tui", *words], port, keep, browse))
    except OSError as error:
        raise Trouble(
            f"Port {port} cannot be used ({error.strerror}); name another --port", Exit.FAILED
        ) from None


def _checked(command: Sequence[str]) -> list[str]:
    """The words of the client's command line. A mistake in them is told here, not in a browser."""
    words = list(command) if command and command[0] in SHOWN else ["chat", *command]
    module = import_module(f"tui.commands.{'chat' if words[0] == 'open' else words[0]}")
    known: click.Command = getattr(module, f"{words[0]}_command")
    known.make_context(words[0], words[1:], parent=click.get_current_context().parent)
    return words


async def _serve(command: Sequence[str], port: int, keep: float, browse: bool) -> int:
    from tui.web.door import Door
    from tui.web.server import WebClient

    until, code = asyncio.Event(), 0
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        nonlocal code
        code = 0 if number == signal.SIGINT else 128 + number
        until.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)

    def started(address: str) -> None:
        print(address, flush=True)
        note(
            "Open this address in a browser on this machine. It is a key: give it to nobody. Ctrl+C ends it."
        )
        if browse:
            loop.run_in_executor(None, _browse, address)

    await WebClient(command, child_environment(), Door(), keep).serve(port, started, until)
    return code


def _browse(address: str) -> None:
    import webbrowser

    webbrowser.open(address)
