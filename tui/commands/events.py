"""`stopkey events`: what a URL really streams, decoded by the same reader that the adapters use."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from typing import Any

import click

from tui.backends.base import BackendError, StreamLost, Target
from tui.backends.http import Http
from tui.commands.common import Exit, Trouble
from tui.commands.target import Wanted, own_headers
from tui.core.codec import dumps


@click.command("events")
@click.argument("url")
@click.option("--method", default=None, help="Default: GET; POST with a body.")
@click.option(
    "--body", default=None, metavar="JSON", help="Sent as application/json; - reads standard input."
)
@click.option(
    "--header", "headers", multiple=True, metavar="K:V", help="Sent along; may be given repeatedly."
)
@click.option("--token-env", default="", metavar="VAR", help="Variable that holds the bearer token.")
@click.option("--ca-file", default="", metavar="FILE", help="Certificates to trust instead of the system's.")
@click.option("--proxy", default="", metavar="URL", help="Proxy to go through; none is taken from elsewhere.")
def events_command(
    *,
    url: str,
    method: str | None,
    body: str | None,
    headers: tuple[str, ...],
    token_env: str,
    ca_file: str,
    proxy: str,
) -> int:
    """Print the server-sent events of URL, one JSON object a line, until it ends or Ctrl+C.

    {"t": seconds since the request, "type", "data", "last_event_id"}
    """
    given = own_headers(Wanted(headers=headers))
    target = Target("", url, headers=given, token_env=token_env, ca_file=ca_file, proxy=proxy)
    parsed = None if body is None else _parsed(body)
    return asyncio.run(_print_events(target, (method or ("GET" if body is None else "POST")).upper(), parsed))


def _parsed(body: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if body == "-" else body)
    except (ValueError, RecursionError) as error:
        raise Trouble(f"The --body is not JSON ({error})") from None


async def _print_events(target: Target, method: str, body: Any) -> Exit:
    reading = asyncio.ensure_future(_read(target, method, body))
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, reading.cancel)
    try:
        await reading
    except asyncio.CancelledError:
        pass  # Ctrl+C is how one ends looking
    except StreamLost as error:
        raise Trouble(str(error), Exit.LOST) from None
    except BackendError as error:
        raise Trouble(str(error), Exit.FAILED) from None
    return Exit.COMPLETED


async def _read(target: Target, method: str, body: Any) -> None:
    http = _http(target)
    began = time.monotonic()
    try:
        async with http.stream(method, http.url(), json=body) as stream:
            async for event in stream.events:
                line = {
                    "t": round(time.monotonic() - began, 6),
                    "type": event.event,
                    "data": event.data,
                    "last_event_id": event.id,
                }
                sys.stdout.write(dumps(line) + "\n")
                sys.stdout.flush()
    finally:
        await http.aclose()


def _http(target: Target) -> Http:
    try:
        return Http(target)
    except BackendError as error:
        raise Trouble(str(error)) from None
