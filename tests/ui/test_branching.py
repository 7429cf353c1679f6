"""An earlier prompt is edited and sent as a branch; the conversation it comes from stays as it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes import ScriptedBackend, words
from tests.ui.stage import on_stage, say, screen_of, until
from tui.backends.base import Capabilities, RemoteStop, Target
from tui.config import Settings
from tui.core import events as ev
from tui.core.quoting import retold
from tui.desk import Desk
from tui.store import Store


def speaking(*replies: str, history: bool = True) -> ScriptedBackend:
    able = Capabilities(RemoteStop.ABORT, client_run_id=True, takes_history=history)
    scripts = [[ev.RunStarted(f"r{reply}"), *words(reply), ev.RunFinished()] for reply in replies]
    return ScriptedBackend(scripts, able)


class ScriptedDesk(Desk):
    """A real desk and store; its backends are scripted, in order."""

    def __init__(self, path: Path, *backends: ScriptedBackend) -> None:
        super().__init__(Settings(), Store.open(path), None, Target("scripted", "http://127.0.0.1:9"))
        self.scripted = list(backends)

    def _backend(self, target: Target | None) -> ScriptedBackend:  # type: ignore[override]
        return self.scripted.pop(0)

    def _target_of(self, listed: object) -> Target | None:  # type: ignore[override]
        return self.target


def branch_off(tmp_path: Path, *, history: bool) -> tuple[ScriptedBackend, list[str], list[str]]:
    """Three turns, the second one edited. The branch's backend, and what both conversations then hold."""
    first = speaking("one", "two", "three", history=history)
    other = speaking("another", history=history)
    desk = ScriptedDesk(tmp_path / "conversations.db", first, other)
    opening = desk.fresh()
    held: list[list[str]] = []

    async def run() -> None:
        async with on_stage(first, desk=desk, opened=opening) as (app, pilot):
            for text in ("ask one", "ask two", "ask three"):
                await say(pilot, text)
                await until(pilot, lambda: not app.pane.talk.busy)
            await say(pilot, "/branch 2")
            assert app.pane.box.text == "ask two" and ("as a quote" in screen_of(app)) is not history
            app.pane.box.put("ask two differently")
            await pilot.press("enter")
            await until(pilot, lambda: len(app.tabs.panes) == 2 and not app.pane.talk.busy)
            await until(pilot, lambda: "another" in screen_of(app) and "one" in screen_of(app))
            assert "three" not in screen_of(app)
            for pane in app.tabs.panes:
                turns = pane.talk.session.conversation.turns
                held.append([turn.transcript.reply() for turn in turns])

    asyncio.run(run())
    listed = desk.store.list(10)
    stored = [line.text for line in desk.store.said(listed[0].conversation_id, 1, 9) if line.role == "reply"]
    desk.store.close()
    assert held[0] == ["one", "two", "three"] and held[1] == stored
    return other, held[1], [row.title for row in listed]


def test_where_the_client_sends_the_history_it_is_the_branchs_own(tmp_path: Path) -> None:
    backend, held, titles = branch_off(tmp_path, history=True)
    assert held == ["one", "another"]
    assert backend.prompts[0].text == "ask two differently"
    assert [said.text for said in backend.prompts[0].earlier] == ["ask one", "one"]
    assert titles[0].startswith("↳ ") and not titles[1].startswith("↳ ")


def test_where_the_backend_keeps_the_history_what_came_before_goes_along_as_a_quote(tmp_path: Path) -> None:
    backend, _, _ = branch_off(tmp_path, history=False)
    assert backend.prompts[0].text == retold([("You", "ask one"), ("Agent", "one")], "ask two differently")
    assert "> **You:** ask one" in backend.prompts[0].text


@pytest.mark.parametrize("number", [3, 9])
def test_the_newest_prompt_is_simply_edited_and_one_that_is_not_there_is_said(
    number: int, tmp_path: Path
) -> None:
    desk = ScriptedDesk(tmp_path / "conversations.db")

    async def run() -> None:
        async with on_stage(speaking("one", "two", "three"), desk=desk) as (app, pilot):
            for text in ("a", "b", "c"):
                await say(pilot, text)
                await until(pilot, lambda: not app.pane.talk.busy)
            await say(pilot, f"/branch {number}")
            assert not app.pane.branch_at
            assert app.pane.box.text == ("c" if number == 3 else "")
            await say(pilot, "/branch x")
            await until(pilot, lambda: "Say which prompt" in screen_of(app))

    asyncio.run(run())
    desk.store.close()


def test_esc_gives_up_the_branch_and_not_the_text_and_stops_only_then(tmp_path: Path) -> None:
    desk = ScriptedDesk(tmp_path / "conversations.db")

    async def run() -> None:
        async with on_stage(speaking("one", "two"), desk=desk) as (app, pilot):
            for text in ("a", "b"):
                await say(pilot, text)
                await until(pilot, lambda: not app.pane.talk.busy)
            await say(pilot, "/branch 1")
            assert app.pane.branch_at == 1
            await pilot.press("escape")
            assert not app.pane.branch_at and app.pane.box.text == "a"

    asyncio.run(run())
    desk.store.close()
