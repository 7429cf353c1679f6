"""`python -m backend_stub`: serve, and say where.

Prints one JSON line when ready: {"port", "url", "pid"}, and "token" if it was made up. With --people, words
instead. The bearer token is taken from the environment variable STOPKEY_TOKEN, never from an argument, which
any user of the machine could read. --child: end when the parent is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import json
import os
import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend_stub.scenarios import SCENARIOS
from backend_stub.switches import ABORT_MODES, END_MODES, NAMES, BadSwitch, Switches

if TYPE_CHECKING:
    import socket

    from backend_stub.engine import Engine


class _Unusable(Exception):
    """Something given on the command line cannot be used. `str()` is one sentence."""


def main(arguments: list[str] | None = None) -> int:
    """Run the backend until it is told to end. Returns the exit code: 0, or 2 for a usage error."""
    options = _options(arguments)
    if options.list:
        _print_scenarios()
        return 0
    if "help" in options.set:
        _print_switches()
        return 0
    problem = _problem(options)
    if problem:
        print(problem, file=sys.stderr)
        return 2
    os.umask(0o077)
    try:
        asyncio.run(_serve(options))
    except _Unusable as problem_met:
        print(problem_met, file=sys.stderr)
        return 2
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="stopkey serve", description="A demo agent that does Stop right, or wrong on demand."
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="port to listen on (default: a free one)")
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add("--allow-remote", action="store_true", help="allow --host to be other than this machine")
    add("--allow-host", action="append", default=[], metavar="NAME", help="answer to this Host, too")
    add("--scenario", default="", help="what to play for prompts that name no scenario")
    add("--list", action="store_true", help="list the scenarios")
    add("--data", type=Path, metavar="FOLDER", help="keep conversations here (default: in memory)")
    add("--audit", type=Path, metavar="FILE", help="write every model and tool call to this file")
    add("--speed", default="1", help="factor on every pause; 0: no pauses")
    add("--set", action="append", default=[], metavar="SWITCH=VALUE", help="misbehave; `--set help` lists")
    add("--people", action="store_true", help="say where it runs in words instead of JSON")
    add("--child", action="store_true", help="end when the parent process is gone")
    return parser.parse_args(arguments)


def _print_scenarios() -> None:
    for scenario in SCENARIOS.values():
        print(f"{scenario.name:14} {scenario.about}")


def _print_switches() -> None:
    for title, modes in (("abort=", ABORT_MODES), ("end=", END_MODES)):
        for name, about in modes.items():
            print(f"{title + name:20} {about}")
    print(f"\nabort= also takes an HTTP status (400 to 599). All switches: {', '.join(NAMES)}.\n")
    print(Switches.__doc__)


def _problem(options: argparse.Namespace) -> str:
    """What is wrong with the options, in one sentence that says what to do."""
    if options.scenario and options.scenario not in SCENARIOS:
        return f"There is no scenario {options.scenario!r}; `stopkey serve --list` names them."
    if not 0 <= options.port <= 65535:
        return "--port must be between 0 and 65535."
    if not _loopback(options.host) and not options.allow_remote:
        return f"{options.host} is reachable from other machines; add --allow-remote if that is meant."
    try:
        _switches(options)
    except BadSwitch as bad:
        return str(bad)
    return ""


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _switches(options: argparse.Namespace) -> Switches:
    given = dict(item.partition("=")[::2] for item in options.set)
    return Switches().set({"speed": options.speed, **given})


def _engine(options: argparse.Namespace) -> Engine:
    """The engine. A client's child serves from memory rather than not at all."""
    from backend_stub.engine import Engine
    from backend_stub.store import StoreUnusable

    given: dict[str, Any] = {"switches": _switches(options), "scenario": options.scenario}
    try:
        return Engine(options.data, **given, audit=options.audit)
    except StoreUnusable as trouble:
        if not options.child:
            raise _Unusable(str(trouble)) from trouble
        engine = Engine(**given, audit=options.audit)
        engine.store.trouble = str(trouble)
        return engine
    except OSError as error:
        raise _Unusable(f"Cannot write {options.audit}: {error.strerror}.") from error


def _bind(options: argparse.Namespace) -> socket.socket:
    from backend_stub.server import bind

    try:
        return bind(options.host, options.port)
    except OSError as error:
        why = error.strerror or str(error)
        raise _Unusable(f"Cannot listen on {options.host} port {options.port}: {why}.") from error


async def _serve(options: argparse.Namespace) -> None:
    from backend_stub import parent
    from backend_stub.app import create_app
    from backend_stub.server import StubServer

    sock = _bind(options)
    given = os.environ.pop("STOPKEY_TOKEN", "")  # popped: no tool's child process inherits it
    token = given or secrets.token_urlsafe(32)
    engine = _engine(options)
    app = create_app(engine, token, (options.host, *options.allow_host))
    server = StubServer(app, engine)
    server.on_ready = lambda: _tell(options, sock.getsockname()[1], token, made_up=not given)

    def end() -> None:
        server.end()
        parent.last_resort()

    with contextlib.suppress(NotImplementedError):  # Windows: Ctrl+C raises KeyboardInterrupt instead
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, end)
    if options.child:
        parent.watch(end)
    await server.serve([sock])


def _tell(options: argparse.Namespace, port: int, token: str, made_up: bool) -> None:
    host = f"[{options.host}]" if ":" in options.host else options.host
    url = f"http://{host}:{port}"
    if options.people:
        print(f"Serving at {url}\nToken: {token}\n\nTalk to it:\n  STOPKEY_TOKEN={token} \\")
        print(f"  stopkey chat --backend ag-ui --url {url} --agent demo --token-env STOPKEY_TOKEN")
        print("\nCtrl+C ends it. `stopkey serve --list` names the scenarios; a prompt plays one with /name.")
    else:
        ready = {"port": port, "url": url, "pid": os.getpid()}
        print(json.dumps({**ready, "token": token} if made_up else ready))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
