"""A link of a reply is opened by a person who has seen where it leads, and by nothing else."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from tests.fakes import Gate, ScriptedBackend, words
from tests.ui.stage import on_stage, say, screen_of, until
from tui.core import events as ev
from tui.ui import browsing
from tui.ui.app import StopkeyApp
from tui.ui.transcript import Acted

BANK = "[https://bank.example](https://evil.example/pay?to=me) "
LOOKALIKE = "[docs](https://раураl.example/) "
Scene = Callable[[StopkeyApp, Pilot[int], list[str]], Awaitable[None]]


class Window(webbrowser.BaseBrowser):
    """A browser that only notes what it was asked for."""

    def __init__(self, opened: list[str]) -> None:
        self.opened = opened

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self.opened.append(url)
        return True


def played(monkeypatch: pytest.MonkeyPatch, reply: str, scene: Scene) -> None:
    """`scene` with this reply on the screen, its run still going, and the list of what was opened."""

    async def scenario() -> None:
        opened: list[str] = []
        monkeypatch.setattr(webbrowser, "get", lambda: Window(opened))
        backend = ScriptedBackend([[ev.RunStarted("r"), *words(reply + " seen"), Gate()]])
        async with on_stage(backend, (80, 24)) as (app, pilot):
            await say(pilot, "hi")
            await until(pilot, lambda: "seen" in screen_of(app))
            app.pane.view.go_to(1, "block:0")
            app.pane.view.focus()
            assert not opened, "a link is never opened by itself"
            await scene(app, pilot, opened)

    asyncio.run(scenario())


def test_o_shows_the_real_host_and_opens_only_after_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], opened: list[str]) -> None:
        await pilot.press("o")
        await until(pilot, lambda: "Open this link?" in screen_of(app))
        shown = screen_of(app).split("Open this link?")[1]
        assert "It leads to  evil.example" in shown and "https://evil.example/pay?to=me" in shown
        assert "STOP" in shown and not opened
        await pilot.press("enter")
        await until(pilot, lambda: "Open this link?" not in screen_of(app))
        assert not opened, "Enter alone says no"
        await pilot.press("o")
        await until(pilot, lambda: "Open this link?" in screen_of(app))
        await pilot.press("o")
        await until(pilot, lambda: "opened evil.example in the browser" in screen_of(app))
        assert opened == ["https://evil.example/pay?to=me"]

    played(monkeypatch, BANK, scene)


def test_a_click_asks_too_and_a_lookalike_host_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], opened: list[str]) -> None:
        row = next(y for y, line in enumerate(screen_of(app).split("\n")) if "docs" in line)
        await pilot.click(offset=(screen_of(app).split("\n")[row].index("docs") + 1, row))
        await until(pilot, lambda: "Open this link?" in screen_of(app))
        shown = " ".join(screen_of(app).split("Open this link?")[1].replace("│", " ").split())
        assert "It leads to xn--" in shown and "its letters may only look like those" in shown
        await pilot.press("escape")
        await until(pilot, lambda: "Open this link?" not in screen_of(app))
        assert not opened and app.pane.talk.session.running, "Esc closed the question, no more"

    played(monkeypatch, LOOKALIKE, scene)


def test_of_several_links_the_person_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], opened: list[str]) -> None:
        await pilot.press("o")
        await until(pilot, lambda: "Which link?" in screen_of(app))
        await pilot.press("2")
        await until(pilot, lambda: "It leads to  b.example" in screen_of(app))
        await pilot.press("c")
        await until(pilot, lambda: "copied " in screen_of(app))
        assert app.clipboard == "https://b.example/2" and not opened

    played(monkeypatch, "[one](https://a.example) https://b.example/2", scene)


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)", "file:///etc/passwd", "--remote-debugging-port=1", "vscode://x",
        "../../etc/passwd", "ssh://-oProxyCommand=x", "https://bank.example@evil.example/",
        "https://e/\x1b]52;c;eA==\x07", "",
    ],
)  # fmt: skip
def test_nothing_else_is_even_asked_about(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], opened: list[str]) -> None:
        app.pane.view.post_message(Acted(1, "block:0", "link", target))
        said = "Not opened" if target else "There is no link"
        await until(pilot, lambda: said in screen_of(app))
        assert "Open this link?" not in screen_of(app) and not opened

    played(monkeypatch, "no link", scene)


def test_a_browser_in_the_terminal_is_not_started_over_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(app: StopkeyApp, pilot: Pilot[int], opened: list[str]) -> None:
        monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("lynx"))
        await pilot.press("o")
        await until(pilot, lambda: "Open this link?" in screen_of(app))
        await pilot.press("o")
        await until(pilot, lambda: browsing.NO_WINDOW in screen_of(app))
        assert app.clipboard == "https://evil.example/pay?to=me"

    played(monkeypatch, BANK, scene)
