"""Starts each real server once, skips what is not installed, and prints the table at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.interop.rows import ROWS, table
from tests.interop.servers import SERVERS
from tests.interop.truth import Server


class Started:
    """The servers that run, each started when it is first asked for."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._running: dict[str, Server] = {}
        self._stack = ExitStack()

    def __getitem__(self, name: str) -> Server:
        if name not in self._running:
            server = SERVERS[name]
            if reason := server.missing():
                pytest.skip(reason)
            starting = server.start(self._folders.mktemp(name))
            self._running[name] = self._stack.enter_context(starting)
        return self._running[name]

    def close(self) -> None:
        self._stack.close()


@pytest.fixture(scope="session")
def real_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    started = Started(tmp_path_factory)
    yield started
    started.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ROWS:
        terminalreporter.section("real servers")
        terminalreporter.write_line(table(ROWS))
