"""The agent loop: plays a script act by act, calling the model and the tools, under one token."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from backend_stub import events as ev
from backend_stub.cancel import RunCancelled
from backend_stub.model import AgentFailed, ask_model
from backend_stub.run import Run
from backend_stub.steps import Act, Ask, Data, Fail, Gate, Quiet, Recall, Say, Step, StepEnd, Turn
from backend_stub.tools import use_tools

_YES = ("yes", "y", "true", "ok", "approve", "approved", "allow")


class Paused(Exception):
    """The run ends with a question open; `question` goes on in a later run."""

    def __init__(self, request: str, question: Ask, rest: tuple[Act, ...]) -> None:
        super().__init__(request)
        self.request, self.question, self.rest = request, question, rest


class Agent:
    """Plays one run. `memory()` gives the conversation's earlier turns as (prompt, reply, was stopped)."""

    def __init__(self, run: Run, memory: Callable[[], list[tuple[str, str, bool]]]) -> None:
        self.run = run
        self._memory = memory
        self._acts: deque[Act] = deque()
        self._model_calls = 0

    async def play(self, script: Iterable[Act]) -> None:
        """Play to the end. Raises RunCancelled, AgentFailed or Paused."""
        self._acts.extend(script)
        await self.run.gate("begin")
        while self._acts:
            await self._act(self._acts.popleft())
        await self.run.gate("end")

    async def _act(self, act: Act) -> None:
        run = self.run
        match act:
            case Turn():
                await self._turn(act)
            case Recall():
                await self._turn(Turn((Say(_recollection(self._memory())),)))
            case Step(name, acts):
                run.emit(ev.StepBegan(name))
                self._acts.extendleft(reversed((*acts, StepEnd(name))))
            case StepEnd(name):
                run.emit(ev.StepEnded(name))
            case Data(name, value):
                run.emit(ev.DataChanged(name, value))
            case Quiet(seconds):
                await run.pause(seconds)
            case Gate(name):
                await run.gates.hold(run.id, name, run.token)
            case Fail(message, code):
                raise AgentFailed(message, code)
            case Ask():
                await self._ask(act)

    async def _turn(self, turn: Turn) -> None:
        self._model_calls += 1
        calls = await ask_model(self.run, turn, self._model_calls)
        if calls:
            await use_tools(self.run, calls)

    async def _ask(self, ask: Ask) -> None:
        run = self.run
        request = run.new_id("question")
        run.emit(ev.Asked(request, ask.text, ask.kind, ask.choices, run.pauses))
        if run.pauses:
            raise Paused(request, ask, tuple(self._acts))
        reply = await run.answer_to(request)
        run.emit(ev.Answered(request, reply))
        self._acts.extendleft(reversed(branch(ask, reply)))


def branch(ask: Ask, reply: str) -> tuple[Act, ...]:
    """What is played after an answer: only an approval can be denied."""
    denied = ask.kind == "approval" and reply.strip().lower() not in _YES
    acts = ask.no if denied else ask.yes
    return tuple(_filled(act, reply) for act in acts)


def _filled(act: Act, reply: str) -> Act:
    if not isinstance(act, Turn):
        return act
    return Turn(
        tuple(Say(p.text.replace("{reply}", reply), p.pace) if isinstance(p, Say) else p for p in act.parts)
    )


def _recollection(memory: list[tuple[str, str, bool]]) -> str:
    if not memory:
        return "This is the first thing you have said to me here: I remember nothing else."
    lines = [
        f'{n}. You said "{_short(prompt)}". I {"was stopped after" if stopped else "answered"}: '
        f'"{_short(reply) or "nothing yet"}"'
        for n, (prompt, reply, stopped) in enumerate(memory, 1)
    ]
    return "What I remember of this conversation:\n\n" + "\n".join(lines)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:60] + " … " + line[-36:]


__all__ = ["Agent", "AgentFailed", "Paused", "RunCancelled", "branch"]
