"""What the engine promises about stopping, whatever dialect asks."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest

from backend_stub import engine as engine_module
from backend_stub import events as ev
from backend_stub.audit import Line
from backend_stub.engine import Engine, NothingAsked, RunExists, Verdict
from backend_stub.events import Phase
from backend_stub.run import Run
from backend_stub.scenarios import SCENARIOS
from backend_stub.switches import Switches
from tests.stub.serving import eventually, go


def instant(folder: Path | None = None, **switches: str) -> Engine:
    return Engine(folder, switches=Switches(speed=0).set(switches))


async def started(engine: Engine, prompt: str, run_id: str = "r1", thread: str = "t1") -> Run:
    return await engine.start(run_id=run_id, conversation_id=thread, prompt=prompt)


async def finished(engine: Engine, prompt: str, run_id: str = "r1", thread: str = "t1") -> Run:
    run = await started(engine, prompt, run_id, thread)
    await run.over.wait()
    return run


def starts_after_abort(lines: list[Line]) -> list[Line]:
    asked = next(line.n for line in lines if (line.what, line.edge) == ("abort", "asked"))
    return [line for line in lines if line.edge == "start" and line.n > asked]


@pytest.mark.parametrize("name", [n for n in SCENARIOS if n not in ("flood", "silence", "gated")])
def test_every_scenario_plays_to_its_end_and_every_call_that_started_ended(name: str) -> None:
    async def scenario() -> None:
        engine = instant()
        run = await finished(engine, f"[[{name} questions=pause]]")
        assert run.phase in (Phase.COMPLETED, Phase.FAILED, Phase.PAUSED)
        assert run.log.entries[-1].event.__class__ is ev.RunOver
        lines = engine.ledger.lines("r1")
        assert {line.call for line in lines if line.edge == "start"} == {
            line.call for line in lines if line.edge in ("end", "fail") and line.call
        }
        await engine.close()

    go(scenario())


def test_no_model_or_tool_call_starts_after_an_abort_at_any_moment_of_any_scenario() -> None:
    async def stop_after(seed: int) -> None:
        dice = random.Random(seed)
        engine = instant()
        name = dice.choice(["many-tools", "parallel", "demo", "steps", "approve", "failing-tool", "tool"])
        run = await started(engine, f"[[{name}]]")
        for _ in range(dice.randrange(120)):
            await asyncio.sleep(0)
        for request in list(run.questions):
            run.answer(request, "yes")
        answer = await engine.abort("r1", reason="dice")
        for _ in range(30):  # time for a call that should not come
            await asyncio.sleep(0)
        lines = engine.ledger.lines("r1")
        if answer.verdict is Verdict.CANCELLED:
            assert starts_after_abort(lines) == [], name
            assert run.phase is Phase.CANCELLED
        else:
            assert run.phase is Phase.COMPLETED
        await engine.close()

    async def scenario() -> None:
        for seed in range(150):
            await stop_after(seed)

    go(scenario())


@pytest.mark.parametrize("mode", ["lie", "lie-quietly"])
def test_the_ledger_finds_out_a_backend_that_lies(mode: str) -> None:
    async def scenario() -> None:
        engine = instant(abort=mode, gates="tool")
        run = await started(engine, "[[many-tools]]")
        await engine.gates.reached("tool", "r1")
        assert (await engine.abort("r1")).verdict is Verdict.CANCELLED
        engine.gates.open("tool")
        await eventually(lambda: len([li for li in engine.ledger.lines("r1") if li.edge == "end"]) == 17)
        assert starts_after_abort(engine.ledger.lines("r1"))
        assert (run.phase is Phase.CANCELLED) == (mode == "lie-quietly")
        await engine.close()

    go(scenario())


def test_an_abort_is_answered_only_once_the_run_is_over_and_the_reply_is_saved() -> None:
    async def scenario() -> None:
        engine = instant(gates="text:5")
        await started(engine, "[[words]]")
        await engine.gates.reached("text", "r1")
        answer = await engine.abort("r1", reason="enough")
        assert answer.verdict is Verdict.CANCELLED
        saved = engine.store.run("r1")
        assert saved and saved["phase"] == "cancelled" and saved["reason"] == "enough"
        assert saved["text"] == "word1 word2 word3 word4 word5 "
        await engine.close()

    go(scenario())


def test_unknown_finished_and_already_aborted_runs_are_told_apart() -> None:
    async def scenario() -> None:
        engine = instant(gates="text")
        assert (await engine.abort("nobody")).verdict is Verdict.UNKNOWN
        await finished(engine, "[[error-at-once]]", "r1")
        assert (await engine.abort("r1")).verdict is Verdict.FINISHED
        await started(engine, "[[words]]", "r2")
        await engine.gates.reached("text", "r2")
        first, second = await asyncio.gather(engine.abort("r2"), engine.abort("r2"))
        assert first.verdict is Verdict.CANCELLED
        assert second.verdict is Verdict.ALREADY_CANCELLED
        assert (await engine.abort("r2")).verdict is Verdict.ALREADY_CANCELLED
        await engine.close()

    go(scenario())


def test_an_abort_that_overtakes_its_prompt_ends_the_run_before_its_first_model_call() -> None:
    async def scenario() -> None:
        engine = instant(gates="registration")
        start = asyncio.create_task(started(engine, "[[short]]"))
        await engine.gates.reached("registration", "r1")
        assert (await engine.abort("r1")).verdict is Verdict.UNKNOWN
        engine.gates.open("registration")
        run = await start
        await run.over.wait()
        assert run.phase is Phase.CANCELLED
        assert [line for line in engine.ledger.lines("r1") if line.what == "model"] == []
        await engine.close()

    go(scenario())


def test_a_backend_that_forgets_early_aborts_plays_the_run_to_its_end() -> None:
    async def scenario() -> None:
        engine = instant(early="forgotten")
        await engine.abort("r1")
        run = await finished(engine, "[[short]]")
        assert run.phase is Phase.COMPLETED
        await engine.close()

    go(scenario())


@pytest.mark.parametrize("name", ["blocking", "deaf"])
def test_a_tool_that_cannot_be_cut_is_left_and_its_end_is_recorded_when_it_comes(name: str) -> None:
    async def scenario() -> None:
        engine = Engine(switches=Switches(speed=4))
        run = await started(engine, f"[[{name}]]")
        await eventually(lambda: any(isinstance(e.event, ev.ToolBegan) for e in run.log.entries))
        answer = await engine.abort("r1")
        assert answer.verdict is Verdict.CANCELLED
        assert answer.run and len(answer.run["open_calls"]) == 1
        assert not any(isinstance(e.event, ev.ToolEnded) for e in run.log.entries)
        edges = lambda: [line.edge for line in engine.ledger.lines("r1") if line.what == "tool"]  # noqa: E731
        assert edges() == ["start", "left"]
        await eventually(lambda: edges() == ["start", "left", "late end"])
        assert starts_after_abort(engine.ledger.lines("r1")) == []
        await engine.close()

    go(scenario())


def test_parallel_tools_are_all_cut_and_say_so() -> None:
    async def scenario() -> None:
        engine = instant(gates="tool")
        run = await started(engine, "[[parallel]]")
        await engine.gates.reached("tool", "r1")
        await eventually(lambda: len([e for e in run.log.entries if isinstance(e.event, ev.ToolBegan)]) == 3)
        await engine.abort("r1")
        ends = [e.event.end for e in run.log.entries if isinstance(e.event, ev.ToolEnded)]
        assert ends == [ev.ToolEnd.INTERRUPTED] * 3
        assert run.open_calls() == []
        await engine.close()

    go(scenario())


def test_the_end_is_announced_with_the_reason_and_what_asked_for_it() -> None:
    async def scenario() -> None:
        engine = instant(gates="text")
        await started(engine, "[[words]]")
        await engine.gates.reached("text", "r1")
        await engine.abort("r1", reason="wrong file", by="a test")
        (item,) = engine.news.items("r1", "run.cancelled")
        assert (item["payload"]["reason"], item["payload"]["by"]) == ("wrong file", "a test")
        await engine.close()

    go(scenario())


def test_a_run_goes_on_from_the_answer_to_its_question() -> None:
    async def scenario() -> None:
        engine = instant()
        run = await started(engine, "[[choose]]")
        await eventually(lambda: run.open_question)
        assert run.phase is Phase.WAITING
        assert not run.answer("something else", "fast")
        assert run.answer(run.open_question, "thorough")
        await run.over.wait()
        assert "**thorough** it is" in run.reply.text()
        await engine.close()

    go(scenario())


def test_a_denied_approval_calls_no_tool() -> None:
    async def scenario() -> None:
        engine = instant()
        run = await started(engine, "[[approve]]")
        await eventually(lambda: run.open_question)
        run.answer(run.open_question, "no")
        await run.over.wait()
        assert run.reply.text().endswith("nothing was deployed.")
        assert [line for line in engine.ledger.lines("r1") if line.what == "tool"] == []
        await engine.close()

    go(scenario())


def test_a_waiting_run_can_be_aborted() -> None:
    async def scenario() -> None:
        engine = instant()
        run = await started(engine, "[[approve]]")
        await eventually(lambda: run.open_question)
        assert (await engine.abort("r1")).verdict is Verdict.CANCELLED
        assert run.questions == {}
        await engine.close()

    go(scenario())


def test_a_question_that_ended_a_run_is_answered_once() -> None:
    async def scenario() -> None:
        engine = instant(questions="pause")
        run = await finished(engine, "[[approve]]")
        assert run.phase is Phase.PAUSED
        over = run.log.entries[-1].event
        assert isinstance(over, ev.RunOver)
        names = {"run_id": "r2", "conversation_id": "t1", "request": over.request, "reply": "yes"}
        second = engine.go_on(**names)
        await second.over.wait()
        assert second.reply.text().endswith("Version 1.4.2 is live.")
        assert (await engine.abort("r1")).verdict is Verdict.FINISHED
        with pytest.raises(NothingAsked):
            engine.go_on(**{**names, "run_id": "r3"})
        await engine.close()

    go(scenario())


def test_a_run_that_paused_can_still_be_aborted_and_its_question_is_then_closed() -> None:
    async def scenario() -> None:
        engine = instant(questions="pause")
        run = await finished(engine, "[[approve]]")
        request = run.open_question
        assert (await engine.abort("r1", reason="changed my mind")).verdict is Verdict.CANCELLED
        assert (await engine.abort("r1")).verdict is Verdict.ALREADY_CANCELLED
        with pytest.raises(NothingAsked):
            engine.go_on(run_id="r2", conversation_id="t1", request=request, reply="yes")
        saved = engine.store.run("r1")
        assert saved and saved["phase"] == "cancelled"
        await engine.close()

    go(scenario())


def test_a_quiet_lie_is_kept_as_a_cancelled_run(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = instant(tmp_path, abort="lie-quietly", gates="text:2")
        await started(engine, "[[words]]")
        await engine.gates.reached("text", "r1")
        await engine.abort("r1", reason="hush")
        await engine.close()
        again = instant(tmp_path)
        seen = again.look_up("r1")
        assert seen and (seen["phase"], seen["reason"]) == ("cancelled", "hush")
        await again.close()

    go(scenario())


def test_what_could_not_be_written_is_written_when_the_store_is_free_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = instant(tmp_path)
        other = sqlite3.connect(tmp_path / "conversations.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        engine.store._db.execute("PRAGMA busy_timeout = 1")
        await finished(engine, "[[short]]")
        assert "locked" in engine.store.trouble
        assert engine.conversation("t1") == []
        other.execute("ROLLBACK")
        other.close()
        await finished(engine, "[[short]]", "r2")
        assert engine.store.trouble == ""
        assert [turn["phase"] for turn in engine.conversation("t1")] == ["completed", "completed"]
        await engine.close()

    go(scenario())


def test_a_file_that_is_no_database_is_put_aside_and_kept(tmp_path: Path) -> None:
    (tmp_path / "conversations.sqlite").write_bytes(b"not a database at all" * 500)
    engine = instant(tmp_path)
    assert engine.conversation("t1") == []
    assert (tmp_path / "conversations.sqlite.unreadable").exists()
    engine.store.close()


def test_old_runs_are_forgotten_when_their_events_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr(engine_module, "_KEPT_EVENTS", 100)
        engine = instant()
        for run_id in ("r1", "r2", "r3"):
            await finished(engine, "[[words]]", run_id)
        assert list(engine.runs) == ["r2", "r3"]
        seen = engine.look_up("r1")
        assert seen and seen["text"].endswith("word60")
        await engine.close()

    go(scenario())


def test_a_prompt_is_never_played_twice_under_one_id() -> None:
    async def scenario() -> None:
        engine = instant()
        await finished(engine, "[[short]]")
        with pytest.raises(RunExists):
            await started(engine, "[[short]]")
        await engine.close()

    go(scenario())


def test_a_conversation_and_its_partial_reply_survive_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = instant(tmp_path, gates="text:3")
        await started(engine, "[[words]] one")
        await engine.gates.reached("text", "r1")
        await engine.abort("r1")
        await engine.close()

        again = instant(tmp_path)
        (turn,) = again.conversation("t1")
        assert (turn["text"], turn["phase"]) == ("word1 word2 word3 ", "cancelled")
        assert (await again.abort("r1")).verdict is Verdict.ALREADY_CANCELLED
        with pytest.raises(RunExists):
            await started(again, "again", "r1")
        run = await finished(again, "[[recall]]", "r2")
        assert 'was stopped after: "word1 word2 word3"' in run.reply.text()
        await again.close()

    go(scenario())


def test_a_shutdown_ends_a_run_as_failed_and_keeps_what_it_had_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = instant(tmp_path, gates="text:3")
        run = await started(engine, "[[words]]")
        await engine.gates.reached("text", "r1")
        await engine.close()
        assert (run.phase, run.code) == (Phase.FAILED, "shutdown")
        again = instant(tmp_path)
        (turn,) = again.conversation("t1")
        assert (turn["phase"], turn["text"]) == ("failed", "word1 word2 word3 ")
        await again.close()

    go(scenario())


def test_a_run_of_another_living_process_is_not_called_lost(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = instant(tmp_path, gates="text:3")
        await started(engine, "[[words]]")
        await engine.gates.reached("text", "r1")
        neighbour = instant(tmp_path)
        seen = neighbour.look_up("r1")
        assert seen and seen["phase"] == "running"
        await neighbour.close()
        await engine.close()

    go(scenario())


def test_a_reader_may_come_late_and_more_than_one_may_read() -> None:
    async def scenario() -> None:
        engine = instant(gates="text:3")
        run = await started(engine, "[[words]]")
        await engine.gates.reached("text", "r1")
        early = asyncio.create_task(_read(run))
        engine.gates.open("text")
        await run.over.wait()
        assert await early == await _read(run) == run.log.entries
        await engine.close()

    go(scenario())


async def _read(run: Run) -> list[object]:
    return [entry async for batch in run.log.follow() for entry in batch]
