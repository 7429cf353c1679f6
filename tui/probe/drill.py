"""The drill itself: plays the trials one after the other, each in a conversation of its own."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import aclosing

from tui.backends.base import Backend, BackendError, Prompt, RemoteStop, RunRef, RunStatus
from tui.core.conversation import Turn
from tui.core.events import End, RunStarted
from tui.core.safe_text import safe_line
from tui.core.transcript import Transcript
from tui.core.turn import Outcome, Phase
from tui.probe.scene import Limits, Moment, Scene, abort, after_chars, at_a_tool, at_the_end_of, look
from tui.probe.trials import Kind, Prompts, Trial
from tui.session import Clocks

__all__ = ["Drill", "Limits", "Unreachable"]
_TOO_SHORT = "The reply ended before Stop could be pressed: give a prompt with a longer one."


class Unreachable(Exception):
    """A plain prompt already failed; `str()` says in one sentence how."""


class Drill:
    """Drills one backend. `trials` grows while it runs, and holds what is known even if it is cancelled.

    `told(done, trial)` is called before each trial and after the last one. Cancelling `run` stops what the
    drill had started.
    """

    def __init__(
        self,
        backend: Backend,
        prompts: Prompts,
        *,
        clocks: Clocks | None = None,
        limits: Limits | None = None,
        dice: random.Random | None = None,
        told: Callable[[int, Trial | None], None] = lambda done, trial: None,
    ) -> None:
        self.backend, self.prompts = backend, prompts
        self.limits = limits or Limits()
        self.trials: list[Trial] = []
        self._clocks = clocks or Clocks()
        self._dice = dice or random.Random()
        self._told = told
        self._usual = 0  # characters of the short reply

    async def run(self, plan: Callable[[], Sequence[Kind]]) -> list[Trial]:
        """Make the trials. Raises Unreachable before the first one where a plain prompt fails.

        `plan` is asked once the adapter knows what its backend can do.
        """
        await self._warm_up()
        kinds = plan()
        for number, kind in enumerate(kinds, 1):
            trial = Trial(kind, number)
            self._told(number - 1, trial)
            self.trials.append(trial)
            await _PLAYS[kind](self, trial)
        self._told(len(kinds), None)
        return self.trials

    def _scene(self) -> Scene:
        return Scene(self.backend, self._clocks, self.limits)

    async def _warm_up(self) -> None:
        """One prompt that nobody stops: the backend is there, and this is how long its short reply is."""
        try:
            await self.backend.connect()
        except BackendError:
            pass  # it shows again, with the prompt
        scene = self._scene()
        try:
            turn = scene.send(self.prompts.short)
            await scene.over(turn)
        finally:
            await scene.close()
        if turn.phase is Phase.FAILED or turn.state.unsent:
            raise Unreachable(safe_line(turn.problem or "A plain prompt failed.", 400))
        if turn.phase is Phase.COMPLETED:
            self._usual = turn.transcript.chars

    # --- stops --------------------------------------------------------------------------------------------

    async def _first(self, trial: Trial) -> None:
        scene = self._scene()
        try:
            turn = scene.send(self.prompts.long)
            scene.press()
            await self._stopped(trial, scene, turn)
        finally:
            await scene.close()

    async def _text(self, trial: Trial) -> None:
        for chars in (self._dice.randint(1, self.limits.span), 1):
            if await self._try(trial, self.prompts.long, after_chars(chars)):
                return
        trial.skipped = _TOO_SHORT

    async def _tool(self, trial: Trial) -> None:
        if not await self._try(trial, self.prompts.tool, at_a_tool):
            trial.skipped = "The agent used no tool: give a --tool-prompt that makes it use one."

    async def _twice(self, trial: Trial) -> None:
        def both(turn: Turn, scene: Scene) -> None:
            scene.press()

        if not await self._try(trial, self.prompts.long, after_chars(1), again=both):
            trial.skipped = _TOO_SHORT

    async def _end(self, trial: Trial) -> None:
        await self._try(trial, self.prompts.short, at_the_end_of(self._usual), late_is_fine=True)

    async def _try(
        self,
        trial: Trial,
        prompt: str,
        moment: Moment,
        again: Callable[[Turn, Scene], None] | None = None,
        late_is_fine: bool = False,
    ) -> bool:
        """One turn that is stopped at a moment. False: it had ended before."""
        scene = self._scene()
        try:
            turn = scene.send(prompt, moment)
            if again and await scene.until(lambda: turn.stop or turn.phase in _OVER, self.limits.patience):
                again(turn, scene)
            await scene.over(turn)
            if turn.stop is None and not late_is_fine:
                return False
            await self._stopped(trial, scene, turn)
            return True
        finally:
            await scene.close()

    async def _stopped(self, trial: Trial, scene: Scene, turn: Turn) -> None:
        """Wait for the outcome, watch on, look twice, and send again."""
        await scene.over(turn)
        if turn.stop:
            await scene.risen(turn)
            before = await self._look(scene, turn)
            await asyncio.sleep(self.limits.watch)
            await self._look_again(trial, scene, turn, before)
        trial.learn(turn)
        trial.after_answer, trial.went_on = scene.after_answer, scene.went_on
        if trial.kind is Kind.TWICE and self._aborts:
            trial.again = (await abort(self.backend, scene.ref(turn), self._clocks.abort)).answer
        await self._send_again(trial, scene)

    async def _send_again(self, trial: Trial, scene: Scene) -> None:
        trial.next_sent = time.time()
        trial.next_turn = await scene.next_turn(self.prompts.short)

    @property
    def _aborts(self) -> bool:
        return self.backend.capabilities.remote_stop is RemoteStop.ABORT

    async def _look(self, scene: Scene, turn: Turn) -> RunStatus | None:
        if turn.outcome is not Outcome.CONFIRMED:
            return None
        return await look(self.backend, scene.ref(turn), self._clocks.abort)

    async def _look_again(self, trial: Trial, scene: Scene, turn: Turn, before: RunStatus | None) -> None:
        """Whether the backend still says what it said, and what it has kept."""
        now = await look(self.backend, scene.ref(turn), self._clocks.abort)
        if now is None:
            return
        trial.history = _kept(turn, now.text)
        if before is not None:
            trial.contradiction = _contradiction(turn, before, now, self.limits.watch)

    # --- and what is not quite a stop ---------------------------------------------------------------------

    async def _idle(self, trial: Trial) -> None:
        """A reply that ended by itself; then an abort of it all the same, as another client might send."""
        scene = self._scene()
        try:
            turn = scene.send(self.prompts.short)
            await scene.over(turn)
            trial.learn(turn)
            if turn.phase is not Phase.COMPLETED:
                trial.skipped = f"The short prompt did not complete ({turn.phase})."
                return
            if self._aborts:
                answer = await abort(self.backend, scene.ref(turn), self._clocks.abort)
                trial.again, trial.answer_status = answer.answer, answer.status
            await self._send_again(trial, scene)
        finally:
            await scene.close()

    async def _disconnect(self, trial: Trial) -> None:
        """Read some of a reply by the adapter alone and go away; then see whether the run goes on."""
        conversation, run_id = uuid.uuid4().hex[:12], str(uuid.uuid4())
        ref = RunRef(conversation, run_id, uuid.uuid4().hex)
        trial.began = time.time()
        shown = Transcript()
        try:
            await self._read_some(trial, ref, shown)
            trial.run_id = ref.run_id
            trial.shown, trial.pressed = shown.chars, time.time()
            await asyncio.sleep(self.limits.watch)
            trial.runs_on = _runs_on(await look(self.backend, ref, self._clocks.abort))
        finally:
            trial.answered = time.time()
            if self._aborts and ref.run_id:
                answer = await abort(self.backend, ref, self._clocks.abort)
                trial.answer, trial.answer_status = answer.answer, answer.status

    async def _read_some(self, trial: Trial, ref: RunRef, shown: Transcript) -> None:
        prompt = Prompt(self.prompts.long, ref.conversation_id, ref.run_id, ref.prompt_key)
        try:
            async with asyncio.timeout(self.limits.patience), aclosing(self.backend.run(prompt)) as events:
                async for event in events:
                    shown.apply(event, 0.0)
                    if isinstance(event, RunStarted):
                        ref.run_id = event.run_id or ref.run_id
                    if shown.chars and not trial.first_seen:
                        trial.first_seen = time.time()
                    if shown.chars > 20:
                        return
        except (BackendError, TimeoutError) as error:
            trial.skipped = safe_line(str(error) or "No text came in time.", 240)
        else:
            trial.skipped = _TOO_SHORT


_OVER = (Phase.STOPPED, Phase.COMPLETED, Phase.FAILED, Phase.LOST, Phase.WAITING)
_PLAYS = {
    Kind.FIRST: Drill._first,
    Kind.TEXT: Drill._text,
    Kind.TOOL: Drill._tool,
    Kind.TWICE: Drill._twice,
    Kind.IDLE: Drill._idle,
    Kind.END: Drill._end,
    Kind.DISCONNECT: Drill._disconnect,
}


def _kept(turn: Turn, saved: str | None) -> str:
    """What the backend's own record has of the reply that was shown: kept, cut, nothing; "" unknown."""
    shown = turn.transcript.reply_as_received()
    if saved is None or not shown.strip():
        return ""
    if not saved.strip():
        return "nothing"
    return "kept" if saved.startswith(shown) else "cut"


def _contradiction(turn: Turn, before: RunStatus, now: RunStatus, after: float) -> str:
    """One sentence where a later look-up denies the word that the run is over."""
    if now.end in (End.ALIVE, End.COMPLETED):
        return f"{after:g} s after it was declared over, a look-up says that it is {now.end}"
    received = len(turn.transcript.reply_as_received()) + (turn.stop.late_chars if turn.stop else 0)
    if before.text and now.text and len(now.text) > max(len(before.text), received):
        return f"its saved reply grew from {len(before.text)} to {len(now.text)} characters after its end"
    return ""


def _runs_on(now: RunStatus | None) -> bool | None:
    """Whether a run went on after its reader had gone, by what a look-up shows. None: it does not show it."""
    return None if now is None or now.end is None else now.end in (End.ALIVE, End.COMPLETED)
