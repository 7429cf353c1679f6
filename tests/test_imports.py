"""Who may import whom, as a table; and what each command loads. Both keep what they guard small and quick."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

BACKENDS = {"tui.core", "tui.backends", "tui", "httpx", "httpx_sse"}
STORE = {"tui.core", "tui.store", "tui.receipt"}
MAY: dict[str, set[str]] = {
    "tui/core": {"tui.core"},
    "tui/backends": BACKENDS,
    "tui/store": STORE,
    "tui/receipt.py": {"tui.core"},
    "tui/config": {"tui.core", "tui.config", "platformdirs", "tomlkit"},
    "tui/session": {"tui.core", "tui.session", "tui.backends.base", "tui.store", "tui.receipt"},
    "tui/probe": {"tui.core", "tui.session", "tui.backends.base", "tui.probe"},
    "tui/ui": {
        "tui.core", "tui.ui", "tui.session", "tui.backends.base", "tui.store", "tui.receipt", "tui.config",
        "tui.film", "tui", "textual", "rich", "pygments",
    },
    "tui/web": {"tui.core", "tui.web", "aiohttp", "textual_serve"},
    "tui/film": {"tui.core", "tui.film", "rich"},
    "backend_stub": {"backend_stub", "starlette", "uvicorn", "h11"},
}  # fmt: skip
"""A folder or file, and what may be imported there beside the standard library. "tui": its version."""

EXCEPTIONS: dict[str, set[str]] = {}
"""A file, and what it alone may import; each with its reason."""


def modules(source: Path) -> Iterator[str]:
    """The absolute names of all that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: relative imports hide whom they mean"
            inside = ROOT.joinpath(*str(node.module).split("."))
            for alias in node.names:
                deeper = (inside / f"{alias.name}.py").exists() or (inside / alias.name).is_dir()
                yield f"{node.module}.{alias.name}" if deeper else str(node.module)


def allowed(name: str, may: set[str]) -> bool:
    if name.split(".", maxsplit=1)[0] in sys.stdlib_module_names:
        return True
    return any(name == one or (one != "tui" and name.startswith(one + ".")) for one in may)


@pytest.mark.parametrize("room", MAY)
def test_a_room_imports_only_what_the_table_allows(room: str) -> None:
    place = ROOT / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    assert files, f"{room} is empty: nothing would be held"
    for source in files:
        may = MAY[room] | EXCEPTIONS.get(str(source.relative_to(ROOT)), set())
        wrong = {name for name in modules(source) if not allowed(name, may)}
        assert not wrong, f"{source.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


def test_the_table_forbids_something() -> None:
    assert not allowed("httpx", MAY["tui/core"]) and not allowed("tui.backends.flue", MAY["tui/ui"])
    assert not allowed("tui.ui", MAY["backend_stub"]) and allowed("asyncio.tasks", MAY["tui/core"])


LOADED = """
import sys
from tui.commands.desks import open_new
import tui.commands.chat, tui.ui.app, tui.ui.driver
print(*sorted(sys.modules))
"""


def test_the_first_paint_of_the_chat_waits_for_no_module_that_it_does_not_need() -> None:
    """What draws needs no HTTP, no database, no server and no highlighter; `tests/cli` holds the commands."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, cwd=ROOT
    )
    unwanted = {
        "httpx", "httpcore", "anyio", "sqlite3", "starlette", "uvicorn", "pydantic",
        "pygments.lexers.python", "markdown_it", "textual.widgets._markdown", "textual.widgets._data_table",
        "httpx_sse", "unittest", "tui.film", "tui.ui.tour", "tui.ui.camera",
    }  # fmt: skip
    loaded = unwanted & set(done.stdout.split())
    assert not loaded
