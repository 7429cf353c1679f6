"""The scenes that snapshots pin and the README shows: one backend script, one clock, no chance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from tests.fakes import Gate, ScriptedBackend, Step, words
from tests.ui.desks import HandDesk, Kept, Shelf
from tests.ui.stage import opening, say, screen_of, until
from tui.backends.base import AbortAnswer, Capabilities, RemoteStop, RunStatus
from tui.core import events as ev
from tui.core.events import Answer, End
from tui.core.safe_text import safe
from tui.core.turn import Phase
from tui.session import Clocks
from tui.store.prompts import Past
from tui.store.search import Hit
from tui.ui.app import StopkeyApp

NOON = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC
NEVER = Clocks(
    abort=600, grace=600, pending=600, quit=0.1, look_up=0.0, poll=0.001, reattach=(600.0, 1.0, 1.0, 1.0, 1.0)
)
"""Deadlines that no scene reaches: a scene that waits stays as it is."""

REPLY = (
    "Order 42 left the **Leipzig** warehouse on Tuesday. The carrier scanned it in Kassel on Wednesday night "
    "and then there is a gap, which usually means that the parcel was "
)
ABLE = Capabilities(
    RemoteStop.ABORT, client_run_id=True, status=True, remembers_partial=False, takes_reason=True
)


class Hands:
    """A clock that only the scene moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def mono(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return NOON + self.seconds - 100.0

    def move(self, seconds: float) -> None:
        self.seconds += seconds


class Tick(Gate):
    """A gate at which the scene's clock moves on."""


@dataclass
class Scene:
    """One picture. `play` brings the app to the moment; `gates` are opened by it in order."""

    steps: list[Step]
    play: Callable[[Stage], Awaitable[None]]
    capabilities: Capabilities = ABLE
    answers: list[AbortAnswer | BaseException] = field(
        default_factory=lambda: [AbortAnswer(Answer.ACKNOWLEDGED, status=200)]
    )
    statuses: list[RunStatus | BaseException | None] = field(default_factory=lambda: [None])
    clocks: Clocks = NEVER
    hold_abort: bool = False
    make: Callable[..., StopkeyApp] = StopkeyApp
    second: list[Step] = field(default_factory=lambda: [Gate()])  # what comes of the next prompt


class Stage:
    """The app in a scene: its pilot, its clock, its backend."""

    def __init__(self, scene: Scene, *, theme: str = "textual-dark", plain: bool = False) -> None:
        self.hands = Hands()
        self.gates = [step for step in scene.steps if isinstance(step, Gate)]
        self.backend = ScriptedBackend(
            [scene.steps, scene.second],
            capabilities=scene.capabilities,
            answers=list(scene.answers),
            statuses=list(scene.statuses),
            abort_gate=Gate() if scene.hold_abort else None,
        )
        opened = opening(self.backend, clocks=scene.clocks)
        opened.mono, opened.wall = self.hands.mono, self.hands.wall
        self.scene = scene
        self.app = scene.make(opened, still=True, theme=theme, plain=plain)
        self.pilot: Pilot[int]

    async def play(self, pilot: Pilot[int]) -> None:
        """`run_before` of a snapshot."""
        self.pilot = pilot
        await self.scene.play(self)
        if self.app.pane.talk.turn:
            self.app.pane.view.touch(self.app.pane.talk.turn.number)
        self.app.pane.view.draw_now()
        await pilot.pause()

    async def say(self, text: str) -> None:
        await say(self.pilot, text)

    def draft(self, text: str) -> None:
        self.app.pane.box.put(text)

    async def past(self, number: int, seconds: float) -> None:
        """Wait at gate `number`, let the clock move, open it."""
        gate = self.gates[number]
        await until(self.pilot, gate.reached.is_set)
        self.hands.move(seconds)
        gate.open()

    async def at(self, number: int, seconds: float = 0.0) -> None:
        """Wait at gate `number` and stay there."""
        await until(self.pilot, self.gates[number].reached.is_set)
        self.hands.move(seconds)
        self.app.pane.moved()

    async def phase(self, *phases: Phase) -> None:
        await until(
            self.pilot,
            lambda: self.app.pane.talk.turn is not None and self.app.pane.talk.turn.phase in phases,
        )


def order_run() -> list[Step]:
    """Reasoning, two tools, a reply that is being written."""
    return [
        Gate(),
        ev.RunStarted("r-118"),
        ev.ReasoningDelta(
            "think", "The user wants status and a reason. I should look the order up, then ask the carrier."
        ),
        Gate(),
        ev.BlockEnded("think"),
        ev.ToolStarted("t1", "lookup_order", '{"id": 42}'),
        Gate(),
        ev.ToolFinished("t1", '{"status": "shipped", "promised": "2026-11-17"}'),
        ev.ToolStarted("t2", "carrier_status", '{"tracking": "1Z999AA10123456784"}'),
        Gate(),
        *words(REPLY),
        Gate(),
        *words("lost. I would ask for a replacement."),
        ev.RunFinished(End.CANCELLED),
    ]


async def _until_text(stage: Stage) -> None:
    await stage.say("Where is order 42, and why is it late?")
    for number, seconds in enumerate((0.6, 2.1, 0.9, 3.4)):
        await stage.past(number, seconds)
    await stage.at(4, 5.4)


async def _streaming(stage: Stage) -> None:
    await _until_text(stage)
    await stage.say("use the express carrier")
    stage.draft("and can you also check ord")
    await stage.pilot.pause()


async def _stopping(stage: Stage) -> None:
    await _until_text(stage)
    await stage.pilot.press("escape")
    stage.hands.move(0.3)


async def _confirmed(stage: Stage) -> None:
    await _until_text(stage)
    stage.draft("and can you also check ord")
    await stage.pilot.press("escape")
    await stage.phase(Phase.READING_ON)
    stage.hands.move(0.42)
    stage.gates[4].open()
    await stage.phase(Phase.STOPPED)


async def _sending(stage: Stage) -> None:
    await stage.say("Where is order 42?")
    await stage.at(0, 0.4)


async def _settled(stage: Stage) -> None:
    await _until_text(stage)
    await stage.pilot.press("escape")
    await stage.phase(Phase.STOPPED)


async def _waiting(stage: Stage) -> None:
    await stage.say("Refund order 42.")
    await stage.at(0, 2.0)


async def _completed(stage: Stage) -> None:
    await stage.say("Where is order 42?")
    await stage.past(0, 8.1)
    await stage.phase(Phase.COMPLETED)


async def _lost(stage: Stage) -> None:
    await stage.say("Where is order 42?")
    await stage.past(0, 3.0)
    await stage.phase(Phase.LOST)
    await until(stage.pilot, lambda: bool(stage.app.pane.talk.turn and stage.app.pane.talk.turn.reattaching))


async def _never_sent(stage: Stage) -> None:
    await stage.say("Where is order 42?")
    await stage.at(0, 0.2)
    await stage.pilot.press("escape")
    stage.gates[0].open()
    await stage.phase(Phase.STOPPED)


async def _help(stage: Stage) -> None:
    await _until_text(stage)
    await stage.pilot.press("f1")
    await until(stage.pilot, lambda: len(stage.app.screen_stack) == 2)


async def _quit(stage: Stage) -> None:
    await _until_text(stage)
    await stage.pilot.press("ctrl+q")
    await until(stage.pilot, lambda: len(stage.app.screen_stack) == 2)


async def _details(stage: Stage) -> None:
    await _confirmed(stage)
    stage.app.pane.talk.shown[1].details = True
    stage.app.pane.talk.shown[1].revision += 1
    stage.app.pane.view.touch(1)


ASKED = (
    "Which orders are late this week?",
    "Where is order 41?",
    "Write the carrier a short letter about order 41:\n- polite\n- with the tracking number",
    "Is 1Z999AA10123456784 a tracking number of the express carrier?",
    "refund(41), but ask me first",
)


def shelved() -> HandDesk:
    """A desk with a few conversations on its shelf."""
    said = (
        (safe("scanned in "), False),
        (safe("Kassel"), True),
        (safe(" on Wednesday"), False),
    )
    hits = [Hit("b" * 12, safe("Order 41 refund"), 2, "reply", 0.0, said)]
    kept = [
        Kept("3f2a91c0ffee", "Kassel: where is order 42?", phase="streaming"),
        Kept("b" * 12, "Order 41 refund (Kassel)", phase="stopped", outcome="confirmed", chars=611),
        Kept("c" * 12, "Inventory of Kassel", chars=2310),
    ]
    return HandDesk([ScriptedBackend([[]])], Shelf(kept, {"kassel": hits}))


class Asked:
    """A desk whose store knows what was asked before, and nothing else."""

    @property
    def store(self) -> Asked:
        return self

    def prompts(self, before: Past | None = None, limit: int = 100, most: int = 20_000) -> list[Past]:
        return [] if before else [Past(text, NOON - 86_400 * n) for n, text in enumerate(ASKED, 1)]


async def _prompts(stage: Stage) -> None:
    await _until_text(stage)
    stage.app.pane.desk = Asked()  # type: ignore[assignment]
    await stage.pilot.press("f5")
    await until(stage.pilot, lambda: "5 of 5" in screen_of(stage.app))
    await stage.pilot.press(*"order")
    await until(stage.pilot, lambda: "3 of 5" in screen_of(stage.app))


async def _commands(stage: Stage) -> None:
    await _until_text(stage)
    await stage.pilot.press("/", "s", "t")
    await until(stage.pilot, lambda: "/stop [REASON]" in screen_of(stage.app))


async def _find(stage: Stage) -> None:
    await _until_text(stage)
    await stage.pilot.press("ctrl+f", *"carrier")
    await until(stage.pilot, lambda: "2 of 2" in screen_of(stage.app))


async def _conversations(stage: Stage) -> None:
    """Two tabs, one of them running, and the list over them."""
    await _until_text(stage)
    stage.app.desk = shelved()
    stage.app.tabs.open(stage.app.desk.fresh())
    await stage.pilot.press("ctrl+t", *"kassel")
    await until(stage.pilot, lambda: "scanned in Kassel" in screen_of(stage.app))


async def _queue(stage: Stage) -> None:
    await _until_text(stage)
    for text in ("use the express carrier", "and tell the customer:\n- when it comes\n- who to call"):
        await stage.say(text)
    await stage.pilot.press("f7", "down")
    await until(stage.pilot, lambda: "who to call" in screen_of(stage.app))


async def _settings(stage: Stage) -> None:
    await _until_text(stage)
    stage.app.settings_file = Path("/nowhere/config.toml")
    await stage.pilot.press("f4", *["down"] * 5)
    await until(stage.pilot, lambda: "Stop must" in screen_of(stage.app))


async def _connect(stage: Stage) -> None:
    await _until_text(stage)
    stage.app.settings_file, stage.app.desk = Path("/nowhere/config.toml"), shelved()
    stage.app.action_connect()
    await stage.pilot.pause()
    for name, value in (
        ("name", "work"),
        ("backend", "flue"),
        ("url", "http://127.0.0.1:3583/agents/support"),
    ):
        stage.app.screen.query_one(f"#{name}", Input).value = value
    await stage.pilot.pause()
    await stage.pilot.press("enter")
    await until(stage.pilot, lambda: "an abort" in screen_of(stage.app))


async def _idle(stage: Stage) -> None:
    await stage.pilot.pause()


def _refused(status: int) -> list[AbortAnswer | BaseException]:
    return [AbortAnswer(Answer.REFUSED, "The server answered 503: try again.", status)]


SHORT = Clocks(abort=600, grace=0.001, pending=600, quit=0.1, look_up=0.0, poll=0.001)


def scenes() -> dict[str, Scene]:
    """All scenes by name, made anew."""
    from tui.backends.base import PromptNotSent, StreamLost

    return {
        "idle": Scene([], _idle),
        "sending": Scene([Gate()], _sending),
        "streaming": Scene(order_run(), _streaming),
        "waiting": Scene(
            [
                ev.RunStarted("r"),
                ev.ToolStarted("t", "refund", '{"order": 42}'),
                ev.QuestionAsked("q", "approve refund(42)?", call="t"),
                Gate(),
            ],
            _waiting,
        ),
        "stopping": Scene(order_run(), _stopping, hold_abort=True),
        "stopped": Scene(order_run(), _confirmed),
        "details": Scene(order_run(), _details),
        "finished-first": Scene(
            order_run(), _settled, answers=[AbortAnswer(Answer.ALREADY_OVER, status=409)], clocks=SHORT
        ),
        "acknowledged": Scene(order_run(), _settled, clocks=SHORT),
        "unconfirmed": Scene(order_run(), _settled, answers=_refused(503), clocks=SHORT),
        "local-only": Scene(order_run(), _settled, capabilities=Capabilities(RemoteStop.NONE)),
        "never-sent": Scene(
            [Gate(), PromptNotSent("Nothing listens at 127.0.0.1:3583: start the server.")], _never_sent
        ),
        "completed": Scene(
            [ev.RunStarted("r"), Gate(), *words("It is in **Kassel**."), ev.RunFinished()], _completed
        ),
        "lost": Scene(
            [ev.RunStarted("r"), *words("Order 42 left"), Gate(), StreamLost("The connection was cut.")],
            _lost,
            capabilities=Capabilities(RemoteStop.ABORT, resume=True),
        ),
        "prompts": Scene(order_run(), _prompts),
        "commands": Scene(order_run(), _commands),
        "find": Scene(order_run(), _find),
        "settings": Scene(order_run(), _settings),
        "connect": Scene(order_run(), _connect),
        "queue": Scene(order_run(), _queue),
        "conversations": Scene(order_run(), _conversations),
        "help": Scene(order_run(), _help),
        "quit": Scene(order_run(), _quit),
    }
