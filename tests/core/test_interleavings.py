"""Every interleaving of person, prompt, backend, connection and clocks, against the table.

The world below is small on purpose: one run, one delta, one way of each kind. What makes it large is the
order in which things happen, and all orders are walked. Promises are checked in each of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tui.core import events as ev
from tui.core import turn as table
from tui.core.events import Answer, Clock, End
from tui.core.turn import FINAL, STOPPING, Effect, Outcome, Phase, TurnState, step

NOTHING_YET = TurnState()
ENDS = {"completed": End.COMPLETED, "cancelled": End.CANCELLED}


@dataclass(frozen=True)
class World:
    """The client's turn and everything around it that the client cannot see."""

    turn: TurnState = NOTHING_YET
    prompt: str = "none"  # none, flying, arrived, failed
    run: str = "no"  # no, alive, dying, completed, cancelled
    wire: tuple[str, ...] = ()  # events under way to the client
    link: str = "none"  # none, open, cut, closed
    abort: str = "none"  # none, flying, yes, no, nothing, over, silence (its answer is under way)
    asks: int = 0  # aborts sent
    clock: str = ""  # pending or grace
    checking: bool = False
    talked: bool = False
    left: bool = False
    saw_run: bool = False  # the client has seen the run exist
    bug: str = ""


def act(world: World, event: ev.Event) -> World:
    """The client sees an event: step the table, carry out its effects in this world."""
    before = world.turn
    after, effects = step(before, event)
    world = replace(world, turn=after, saw_run=world.saw_run or isinstance(event, ev.RunStarted))
    if before.frozen and not after.frozen:
        world = replace(world, bug="the text thawed")
    if before.phase in FINAL and after.phase is not before.phase:
        world = replace(world, bug=f"{before.phase} became {after.phase}")
    for effect in effects:
        world = carry_out(world, effect)
    return judge(world)


def carry_out(world: World, effect: Effect) -> World:
    match effect:
        case Effect.OPEN:
            return replace(world, prompt="flying", link="open")
        case Effect.HOLD:
            return replace(world, clock="pending")
        case Effect.ABORT:
            bug = world.bug
            if world.abort == "flying":
                bug = "two aborts in flight"
            if not world.saw_run and world.link == "open":
                bug = "an abort that can overtake its prompt"
            return replace(world, abort="flying", asks=world.asks + 1, clock="", bug=bug)
        case Effect.READ_ON:
            if world.link != "open":
                return replace(world, clock="grace now")
            return replace(world, clock="grace")
        case Effect.CLOSE:
            return replace(world, link="closed" if world.link == "open" else world.link, wire=(), clock="")
        case Effect.VERIFY:
            return replace(world, checking=True)
        case _:
            return world


def judge(world: World) -> World:
    turn = world.turn
    over = world.run in ("completed", "cancelled")
    if turn.outcome is Outcome.CONFIRMED and (not over or world.prompt == "flying"):
        return replace(world, bug="confirmed, and the run was not over")
    if turn.outcome is Outcome.FINISHED_FIRST and not over and world.prompt != "refused":
        return replace(world, bug="finished first, and the run was not over")
    if turn.outcome is Outcome.NEVER_SENT and world.prompt != "failed":
        return replace(world, bug="never sent, and it was")
    if turn.phase is Phase.COMPLETED and world.run != "completed":
        return replace(world, bug="completed without the backend's word")
    return world


def person(world: World) -> Iterator[World]:
    if world.turn.phase is Phase.IDLE:
        yield act(world, ev.Prompted("go"))
        return
    if world.turn.phase in (Phase.SENDING, Phase.STREAMING, Phase.LOST):
        yield act(world, ev.StopAsked("esc"))
    unproven = world.turn.outcome in (Outcome.UNCONFIRMED, Outcome.ACKNOWLEDGED)
    if unproven and world.asks < 2 and world.abort in ("none", "done"):
        yield act(world, ev.RetryAsked("esc"))
    if not world.left and world.turn.phase not in FINAL:
        gone = replace(world, left=True, link="cut", wire=(), clock="", checking=False)
        yield act(gone, ev.ClientLeft())


def backend(world: World) -> Iterator[World]:
    if world.prompt == "flying":
        # A prompt may arrive although our side has closed, and it may fail before it left.
        yield send(replace(world, prompt="arrived", run="alive"), "started")
        if world.link == "open":
            yield act(replace(world, prompt="failed", link="cut", wire=()), ev.NotSent("no server"))
            yield act(replace(world, prompt="refused", link="cut", wire=()), ev.PromptRefused("no"))
    if world.run in ("alive", "dying"):
        if not world.talked:
            yield send(replace(world, talked=True), "content")
        yield send(replace(world, run="completed"), "completed")
    if world.run == "dying":
        yield send(replace(world, run="cancelled"), "cancelled")
    if world.link == "open":
        yield replace(world, link="breaking")
    if world.abort == "flying":
        yield from answer_abort(world)


def answer_abort(world: World) -> Iterator[World]:
    yield replace(world, abort="silence")  # it never arrived
    if world.run == "no":
        yield replace(world, abort="nothing")  # and the run may still start
    elif world.run in ("completed", "cancelled"):
        yield replace(world, abort="over")
        yield replace(world, abort="nothing")
    else:
        yield replace(world, abort="no")
        yield replace(world, abort="yes")  # a lie: it runs on
        yield replace(world, abort="yes", run="dying")
        yield replace(world, abort="silence", run="dying")  # it arrived, its answer did not


def send(world: World, what: str) -> World:
    return replace(world, wire=(*world.wire, what)) if world.link == "open" else world


def client(world: World) -> Iterator[World]:
    """What reaches the client: events on the wire, the break, answers, look-ups, clocks."""
    if world.wire and world.link in ("open", "breaking"):
        yield act(replace(world, wire=world.wire[1:]), EVENTS[world.wire[0]])
    if world.link == "breaking":
        yield act(replace(world, link="cut", wire=()), ev.StreamBroke("cut"))
    if world.abort in ANSWERS:
        yield act(replace(world, abort="done"), ev.AbortAnswered(ANSWERS[world.abort]))
    if world.checking:
        yield act(replace(world, checking=False), ev.RunLookedUp(None))
        if world.run in ENDS:
            yield act(replace(world, checking=False), ev.RunLookedUp(ENDS[world.run]))
        if world.run in ("alive", "dying"):
            yield act(replace(world, checking=False), ev.RunLookedUp(End.ALIVE))
    if world.clock:
        ran = {
            "pending": (Clock.PENDING,),
            "grace": (Clock.GRACE, Clock.WENT_ON),
            "grace now": (Clock.GRACE,),
        }
        for clock in ran[world.clock]:
            yield act(replace(world, clock=""), ev.ClockRan(clock))


EVENTS: dict[str, ev.Event] = {
    "started": ev.RunStarted("r1"),
    "content": ev.TextDelta("b", "x"),
    "completed": ev.RunFinished(End.COMPLETED),
    "cancelled": ev.RunFinished(End.CANCELLED),
}
ANSWERS = {
    "yes": Answer.ACKNOWLEDGED,
    "no": Answer.REFUSED,
    "nothing": Answer.NOTHING_RUNNING,
    "over": Answer.ALREADY_OVER,
    "silence": Answer.UNANSWERED,
}


def walk() -> tuple[set[World], dict[str, int]]:
    """All worlds that can be reached, and the broken promises found in them with their number."""
    seen: set[World] = set()
    bugs: dict[str, int] = {}
    todo = deque([World()])
    while todo:
        world = todo.popleft()
        if world in seen:
            continue
        seen.add(world)
        if world.bug:
            bugs[world.bug] = bugs.get(world.bug, 0) + 1
            continue
        nexts = [*person(world), *backend(world), *client(world)]
        if world.turn.phase in STOPPING and not any(True for _ in client(world)) and not can_move(world):
            bugs["stuck in " + world.turn.phase] = bugs.get("stuck in " + world.turn.phase, 0) + 1
        todo.extend(nexts)
    return seen, bugs


def can_move(world: World) -> bool:
    """A stopping turn is never left without something that will move it: a clock, an answer, a look-up."""
    return world.abort == "flying" or world.checking or bool(world.clock)


def test_no_interleaving_breaks_a_promise() -> None:
    seen, bugs = walk()
    assert bugs == {}
    assert len(seen) > 2_000
    reached = {world.turn.outcome for world in seen}
    assert reached >= set(Outcome) - {Outcome.LOCAL_ONLY}


def test_the_naive_table_that_aborts_from_sending_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check can fail: with the usual design it does, and says the worst of it."""
    monkeypatch.setitem(table.TRANSITIONS[Phase.SENDING], table.Signal.STOP, Phase.ASKING)
    monkeypatch.setitem(table.VERDICT[None], Answer.ACKNOWLEDGED, Outcome.CONFIRMED)
    monkeypatch.setitem(table.VERDICT[None], Answer.NOTHING_RUNNING, Outcome.CONFIRMED)
    _, bugs = walk()
    assert "an abort that can overtake its prompt" in bugs
    assert "confirmed, and the run was not over" in bugs


PLANTED = {
    "stop forgotten while pending": (
        (Phase.STOP_PENDING, table.Signal.STARTED), Phase.STREAMING, "the text thawed",
    ),
    "end of stream taken for success": (
        (Phase.STREAMING, table.Signal.BROKE), Phase.COMPLETED, "completed without the backend's word",
    ),
    "a stopped turn completes": (
        (Phase.READING_ON, table.Signal.GRACE_OVER), Phase.COMPLETED, "completed without the backend's word",
    ),
    "no look-up after silence": ((Phase.ASKING, table.Signal.NO_ANSWER), Phase.ASKING, "stuck in asking"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_in_the_table_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (phase, signal), target, bug = PLANTED[name]
    monkeypatch.setitem(table.TRANSITIONS[phase], signal, target)
    assert bug in walk()[1]
