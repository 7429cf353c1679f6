"""Stop and the disk, stop and faults of our own: S38, S40, S41."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import Gate, ScriptedBackend, words
from tests.faults.ground import QUICK
from tests.faults.oracle import clean
from tests.store.made import child
from tui.core import events as ev
from tui.core.conversation import Turn, replay
from tui.core.events import End, Record
from tui.core.turn import FINAL, Effect, Outcome, Phase
from tui.session import Session, driver
from tui.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "data/conversations.db")
    assert store.opened()
    yield store
    store.close()


def streaming(gate: Gate) -> ScriptedBackend:
    return ScriptedBackend([[ev.RunStarted("r"), *words("kept "), gate, ev.RunFinished(End.CANCELLED)]])


def test_S38_stop_when_the_disk_is_full(store: Store) -> None:
    async def race() -> None:
        gate, journal = Gate(), store.create("ag-ui")
        session = Session(streaming(gate), journal, clocks=QUICK)
        turn = session.send("go")
        await gate.reached.wait()
        assert await journal.flush(5)
        db = store._writer.ask(lambda db: db)
        db.execute("PRAGMA max_page_count=1")  # no more than there are
        session.record(1, ev.TextDelta("b", "x" * 50_000))
        session.stop("esc")
        assert turn.phase is Phase.ASKING
        gate.open()
        await session.settled(turn)
        assert turn.outcome is Outcome.CONFIRMED and turn.transcript.chars == 50_005
        assert not await journal.flush(0.2)
        assert journal.problem and "disk is full" in journal.problem
        db.execute("PRAGMA max_page_count=1000000")
        await session.close()
        assert await journal.flush(5) and journal.problem is None
        again = replay("x", store.load(journal.conversation_id)).turns[0]
        assert again.stop and again.transcript.chars == 50_005, (
            "kept in memory, and written when there is room"
        )

    clean(race)


def test_S38_stop_when_the_store_is_locked(store: Store) -> None:
    async def race() -> None:
        gate, journal = Gate(), store.create("ag-ui")
        session = Session(streaming(gate), journal, clocks=QUICK)
        turn = session.send("go")
        await gate.reached.wait()
        assert await journal.flush(5)
        with child("hold_the_write_lock", str(store.path)) as other:
            assert other.stdout and other.stdin and other.stdout.readline() == "locked\n"
            began = time.perf_counter()
            session.stop("esc")
            assert turn.phase is Phase.ASKING and time.perf_counter() - began < 0.1
            gate.open()
            await session.settled(turn)
            assert turn.outcome is Outcome.CONFIRMED
            other.communicate("go\nend\n")
        assert await journal.flush(5)
        await session.close()
        assert replay("x", store.load(journal.conversation_id)).turns[0].outcome is Outcome.CONFIRMED

    clean(race)


def test_S40_cancel_while_a_save_is_under_way(store: Store) -> None:
    async def race() -> None:
        gate, journal = Gate(), store.create("ag-ui")
        backend = ScriptedBackend([[ev.RunStarted("r"), *words("kept "), gate]])
        records: list[Record] = []
        session = Session(
            backend, journal, clocks=QUICK, on_change=lambda turn, record: records.append(record)
        )
        turn = session.send("go")
        await gate.reached.wait()
        slow = threading.Event()
        saving = threading.Thread(target=store._writer.ask, args=(lambda db: slow.wait(5),))
        saving.start()
        session.stop("esc")
        await session.settled(turn)
        assert not slow.is_set() and backend.open_streams == 0, "the cancel did not wait for the disk"
        slow.set()
        await asyncio.to_thread(saving.join)
        await session.close()
        assert await journal.flush(5)
        kept = sorted(records, key=lambda record: record.number)
        assert list(store.load(journal.conversation_id)) == kept, "no record is torn or missing"

    clean(race)


def _raise(*_: object) -> None:
    raise RuntimeError("planted")


@pytest.mark.parametrize("effect", sorted(driver._DO, key=str), ids=lambda effect: effect.name)
@pytest.mark.parametrize("known", [True, False])
def test_S41_exception_in_the_stop_path_itself(
    effect: Effect, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever part fails, before or after the run is known: an end is reached, and nothing is claimed."""

    async def race() -> None:
        gate = Gate()
        start = [ev.RunStarted("r"), *words("kept ")] if known else []
        session = Session(ScriptedBackend([[*start, gate]], statuses=[None]), clocks=QUICK)
        turn = session.send("go")
        await gate.reached.wait()
        monkeypatch.setitem(driver._DO, effect, _raise)
        session.stop("esc")
        try:
            async with asyncio.timeout(2):
                while turn.phase not in FINAL:
                    await asyncio.sleep(0.002)
        finally:
            monkeypatch.undo()
            for live in session._live.values():
                live.close()
            await session.close()
        assert turn.outcome in (Outcome.UNCONFIRMED, Outcome.ACKNOWLEDGED)
        assert turn.transcript.reply() == ("kept " if known else "")

    clean(race)


def test_S41_exception_in_whoever_draws_it() -> None:
    async def race() -> None:
        gate = Gate()
        backend = streaming(gate)
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))

        def draw(turn: Turn, record: Record) -> None:
            raise RuntimeError("cannot draw")

        session = Session(backend, clocks=QUICK, on_change=draw)
        turn = session.send("go")
        await gate.reached.wait()
        session.stop("esc")
        gate.open()
        await session.settled(turn)
        assert turn.outcome is Outcome.CONFIRMED and turn.transcript.reply() == "kept "
        assert told, "and it is not kept quiet"
        await session.close()

    clean(race)
