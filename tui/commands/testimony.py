"""How a drill's witness is read: a file, or an address, which gets headers on the target's origin only."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from tui.backends.address import parse
from tui.backends.base import BackendError, Target
from tui.backends.http import Http

LIMIT = 64 * 1024 * 1024
TIMEOUT_S = 30.0


async def read(witness: str, target: Target) -> str:
    """The log that an address or a file's name leads to. Raises BackendError or OSError."""
    if witness.startswith(("http://", "https://")):
        return await _fetch(witness, target)
    return await asyncio.to_thread(Path(witness).read_text, "utf-8", "replace")


async def _fetch(url: str, target: Target) -> str:
    same = parse(url).origin == parse(target.url).origin
    there = replace(target, url=url, abort_url="", abort_body="")
    http = Http(there if same else replace(there, headers=(), token_env=""))
    try:
        reply = await http.request("GET", url, timeout_s=TIMEOUT_S, limit=LIMIT)
    finally:
        await http.aclose()
    if reply.status != 200:
        raise BackendError(f"The witness answered {reply.status}: give its address as --witness.")
    return reply.body.decode("utf-8", "replace")
