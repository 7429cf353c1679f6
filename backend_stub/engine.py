"""The engine: starts runs, keeps them by id, aborts them. What a dialect talks to.

It knows no wire format and no request: a run goes on whether or not anybody reads it. Everything here belongs
to the event loop's thread, so what is checked in one breath stays true in it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from pathlib import Path
from typing import Any

from backend_stub import events as ev
from backend_stub.aborts import Aborted, Aborts, Verdict
from backend_stub.agent import Agent, Paused, branch
from backend_stub.audit import Ledger
from backend_stub.cancel import RunCancelled
from backend_stub.choose import Choice, choose
from backend_stub.events import Phase
from backend_stub.gates import Gates
from backend_stub.log import Log
from backend_stub.model import AgentFailed
from backend_stub.news import News
from backend_stub.run import Run
from backend_stub.steps import Act
from backend_stub.store import Store
from backend_stub.switches import Switches

_SAVE_S = 0.25  # how often the reply of an active run is written
_KEPT_RUNS = 500  # runs whose event log stays in memory, for those who re-attach
_KEPT_EVENTS = 300_000  # some 60 MB


class RunExists(Exception):
    """A run of this id is already there; the same prompt is not played twice."""


class NothingAsked(Exception):
    """There is no open question of that name in the conversation."""


class Engine:
    """All runs and conversations of one backend process.

    `switches` are the process's; scenarios and prompts add theirs. `scenario` is played for prompts that
    name none. `folder` None keeps everything in memory. `audit` is a file that gets the ledger's lines.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        switches: Switches | None = None,
        scenario: str = "",
        audit: Path | None = None,
    ) -> None:
        self.switches = switches or Switches()
        self.scenario = scenario
        self.gates = Gates()
        self.news = News()
        self.store = Store(folder)
        self.ledger = Ledger(audit)
        self.runs: OrderedDict[str, Run] = OrderedDict()
        self.closing = False
        self._aborts = Aborts(self)
        self._logs: dict[str, Log] = {}
        self._paused: dict[tuple[str, str], tuple[Run, Paused]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- starting ----------------------------------------------------------------------------------------

    async def start(
        self, *, run_id: str, conversation_id: str, prompt: str, agent: str = "demo", pauses: bool = False
    ) -> Run:
        """Choose a scenario and start the run. Returns once it is registered, before anything was said.

        `pauses`: in this dialect a question ends the run. Raises RunExists.
        """
        chosen = choose(prompt, self.switches, self.scenario)
        if chosen.switches.gated("registration"):
            await self.gates.hold(run_id, "registration")
        run = self._register(run_id, conversation_id, agent, prompt, chosen, pauses=pauses)
        self._go(run, chosen.scenario.script)
        return run

    def go_on(
        self, *, run_id: str, conversation_id: str, request: str, reply: str, agent: str = "demo"
    ) -> Run:
        """Start a run that goes on from the answer to a question that had ended a run.

        Raises NothingAsked or RunExists.
        """
        if (conversation_id, request) not in self._paused:
            raise NothingAsked(request)
        asked, paused = self._paused[conversation_id, request]
        chosen = choose("", self.switches, self.scenario)
        run = self._register(run_id, conversation_id, agent, reply, chosen, pauses=True)
        del self._paused[conversation_id, request]
        asked.open_question = ""
        run.emit(ev.Answered(request, reply))
        self._go(run, (*branch(paused.question, reply), *paused.rest))
        return run

    def _register(
        self, run_id: str, conversation_id: str, agent: str, prompt: str, chosen: Choice, *, pauses: bool
    ) -> Run:
        if run_id in self.runs or self.store.run(run_id):
            raise RunExists(run_id)
        asked = chosen.switches.questions
        run = Run(
            run_id, conversation_id, agent, prompt, chosen.scenario, chosen.switches, self.gates, self.ledger,
            self._logs.get(conversation_id), pauses if asked == "dialect" else asked == "pause",
        )  # fmt: skip
        self.runs[run_id] = run
        self._forget_old()
        self.ledger.note(run_id, "run", "began", name=chosen.scenario.name)
        self.news.tell("run.started", run)
        run.emit(ev.RunBegan(prompt))
        self.store.save(run)
        self._aborts.early(run)
        return run

    def _go(self, run: Run, script: tuple[Act, ...]) -> None:
        self._keep(asyncio.create_task(self._play(run, script)))
        self._keep(asyncio.create_task(self._save_while_active(run)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- playing -----------------------------------------------------------------------------------------

    async def _play(self, run: Run, script: tuple[Act, ...]) -> None:
        phase, message, code, request = Phase.COMPLETED, "", "", ""
        try:
            await Agent(run, lambda: self._memory(run)).play(script)
        except RunCancelled:
            await self._linger(run)
        except Paused as pause:
            phase, request = Phase.PAUSED, pause.request
            run.open_question = request
            self._paused[run.conversation_id, request] = run, pause
        except AgentFailed as failure:
            phase, message, code = Phase.FAILED, str(failure), failure.code
        except Exception as bug:  # a bug of ours must not leave a run that never ends
            phase, message, code = Phase.FAILED, f"Internal error: {type(bug).__name__}", "internal"
        if not run.ghost:
            self.end(run, phase, message, code, request)

    def end(self, run: Run, phase: Phase, message: str = "", code: str = "", request: str = "") -> None:
        """The one way in which a run becomes over: recorded, saved and told in one breath."""
        token = run.token
        if run.over.is_set():
            return
        if token.cancelled:
            phase = Phase.FAILED if self.closing else Phase.CANCELLED
            message, code = (token.reason, "shutdown") if self.closing else ("", "")
        cancelled = ev.Cancelled(token.reason, token.by) if phase is Phase.CANCELLED else None
        run.close(phase, cancelled, message=message, code=code, request=request)
        self._tell_end(run)
        run.over.set()

    def withdraw(self, run: Run, reason: str, by: str) -> None:
        """A run that ended with a question is aborted: the question can no longer be answered."""
        self._paused.pop((run.conversation_id, run.open_question), None)
        run.token.cancel(reason, by)
        run.phase, run.open_question = Phase.CANCELLED, ""
        self._tell_end(run)

    def _tell_end(self, run: Run) -> None:
        self.ledger.note(run.id, "run", run.phase.value, detail=run.token.reason or run.message)
        self.news.tell(f"run.{run.phase.value}", run)
        self.store.save(run)

    async def _linger(self, run: Run) -> None:
        """Where the switches say so, a run that was cut does not end, or not yet."""
        mode = run.switches.abort
        if self.closing or mode not in ("never-settles", "settles-late"):
            return
        if mode == "settles-late" and run.switches.settle:
            await asyncio.sleep(run.switches.settle)
        else:
            await self.gates.hold(run.id, "settle")

    async def _save_while_active(self, run: Run) -> None:
        """Write the reply as it grows: what a person saw survives a kill, but for the last quarter second."""
        saved = 0
        while not run.over.is_set():
            if run.reply.chars != saved:
                saved = run.reply.chars
                self.store.save(run)
            try:
                async with asyncio.timeout(max(_SAVE_S, saved / 1_000_000)):
                    await run.over.wait()
            except TimeoutError:
                pass

    # --- aborting ----------------------------------------------------------------------------------------

    async def abort(self, run_id: str, *, reason: str = "", by: str = "abort") -> Aborted:
        """End a run; returns once it is over (or, where a switch says so, accepted or not even that).

        An abort that comes before its run is remembered for a minute: the run then ends before its first
        model call. The order of what happens is in the ledger.
        """
        return await self._aborts.abort(run_id, reason, by)

    def gone(self, run: Run) -> None:
        """A client went away from the run's stream: what follows is the switch's choice."""
        if run.switches.disconnect == "stops" and not run.phase.over:
            run.token.cancel("The client went away.", "disconnect")

    # --- looking up --------------------------------------------------------------------------------------

    def look_up(self, run_id: str) -> dict[str, Any] | None:
        """What is known of a run, of this process or an earlier one. None: nothing."""
        run = self.runs.get(run_id)
        return run.summary() if run else self.store.run(run_id)

    def conversation(self, conversation_id: str) -> list[dict[str, Any]]:
        """The conversation's runs in order: prompt, parts and text of the reply, phase, reason."""
        for run in self.active(conversation_id):
            self.store.save(run)
        return self.store.conversation(conversation_id)

    def active(self, conversation_id: str = "") -> list[Run]:
        """The runs that are not over, oldest first."""
        runs = [run for run in self.runs.values() if not run.phase.over]
        return [run for run in runs if conversation_id in ("", run.conversation_id)]

    def conversation_log(self, conversation_id: str) -> Log:
        """Every entry of the conversation's runs in order, of those that start from the first call on.

        Never closed, and never trimmed: ask for it only where a protocol needs it.
        """
        return self._logs.setdefault(conversation_id, Log())

    def _memory(self, run: Run) -> list[tuple[str, str, bool]]:
        turns = self.store.conversation(run.conversation_id)
        return [
            (turn["prompt"], turn["text"], turn["phase"] in (Phase.CANCELLED.value, Phase.LOST.value))
            for turn in turns
            if turn["run_id"] != run.id
        ]

    def _forget_old(self) -> None:
        """Drop the oldest runs that are over, while there are too many runs or events in memory."""
        events = sum(len(run.log.entries) for run in self.runs.values())
        for run in list(self.runs.values()):
            if len(self.runs) <= _KEPT_RUNS and events <= _KEPT_EVENTS:
                return
            if run.phase.over:
                events -= len(run.log.entries)
                del self.runs[run.id]

    # --- closing -----------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End every run as failed by the shutdown, keep what they had said, and stop every reader."""
        self.closing = True
        for run in self.active():
            run.token.cancel("The backend was shut down while this run was active.", "shutdown")
            if not run.over.is_set():
                self.end(run, Phase.FAILED)
        for log in self._logs.values():
            log.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.store.close()
        self.ledger.close()


__all__ = ["Aborted", "Engine", "NothingAsked", "RunExists", "Verdict"]
