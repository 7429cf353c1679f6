"""The proxy itself: it does what it says, and to nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.oracle import clean
from tests.faults.proxy import Proxy

SENT = bytes(range(256)) * 8


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[Proxy, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection through a proxy to a server that says SENT, and then whatever it is told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SENT)
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Proxy(f"http://127.0.0.1:{port}") as proxy:
        yield proxy, *await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
    server.close()


def test_bytes_pass_unchanged_in_slices_and_late() -> None:
    async def scenario() -> None:
        async with echo() as (proxy, reader, writer):
            proxy.down.slice, proxy.down.latency = 100, 0.001
            assert await reader.readexactly(len(SENT)) == SENT
            writer.close()

    clean(scenario)


def test_one_bit_is_turned_over() -> None:
    async def scenario() -> None:
        async with echo() as (proxy, reader, writer):
            proxy.down.flip_at = 700
            got = await reader.readexactly(len(SENT))
            assert [n for n in range(len(SENT)) if got[n] != SENT[n]] == [700] and got[700] == SENT[700] ^ 1
            writer.close()

    clean(scenario)


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_ends_after_so_many_bytes(reset: bool) -> None:
    async def scenario() -> None:
        async with echo() as (proxy, reader, writer):
            setattr(proxy.down, "reset_after" if reset else "cut_after", 333)
            try:
                assert await reader.read(-1) == SENT[:333] and not reset
            except ConnectionResetError:
                assert reset
            writer.close()

    clean(scenario)


def test_a_black_hole_keeps_everything_until_it_heals() -> None:
    async def scenario() -> None:
        async with echo() as (proxy, reader, writer):
            await reader.readexactly(len(SENT))
            proxy.black_hole()
            writer.write(b"hello")
            await proxy.held.wait()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await reader.read(1)
            proxy.heal()
            assert await reader.readexactly(5) == b"hello"
            writer.close()

    clean(scenario)
