"""kill -9 at any instant: nothing that was acknowledged is lost, and hardly anything else."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from pathlib import Path

from tests.store.made import child
from tui.core.conversation import replay, unsettled
from tui.core.events import Record
from tui.core.turn import Phase
from tui.store import Store

KILLS = int(os.environ.get("STOPKEY_KILLS", "20"))
AT_ONCE = 5
LONGEST_S = 0.12 if KILLS <= 20 else 0.5  # of a writer's life
TEXT_S, STOP_S = 0.25, 0.05  # what is promised
BUSY_S = 0.25  # what a machine that runs other tests as well may add


def _kill_some(folder: Path) -> list[tuple[float, list[str], Path]]:
    """Start a few writers, kill each after a random time; what each had said, and when it died."""
    paths = [folder / str(n) / "conversations.db" for n in range(AT_ONCE)]
    started = [child("write_until_killed", str(path)) for path in paths]
    first = [process.stdout.readline() for process in started if process.stdout]
    killed = []
    for process, path, line in zip(started, paths, first, strict=True):
        time.sleep(random.uniform(0.0, LONGEST_S))
        process.kill()
        at = time.monotonic()
        said, _ = process.communicate()
        killed.append((at, (line + said).splitlines(), path))
    return killed


def _times(said: list[str], word: str) -> dict[int, float]:
    """When each record of a kind was handed over, by number. The last line may be torn."""
    lines = (line.split() for line in said if line.startswith(word + " "))
    return {int(line[1]): float(line[2]) for line in lines if len(line) == 3}


def _lost(said: list[str], word: str, found: int, died: float) -> float:
    """How long before the kill the oldest lost record of a kind was handed over, in seconds."""
    return max((died - at for number, at in _times(said, word).items() if number > found), default=0.0)


def _loaded(path: Path, identity: str) -> list[Record]:
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store = Store.open(path)
    try:
        return list(store.load(identity)) if store.list() else []
    finally:
        store.close()


def _check(died: float, said: list[str], path: Path) -> tuple[float, float]:
    """What is in the file now, against what was said. Returns the age of the oldest text and stop lost."""
    identity = said[0].split()[1]
    found = _loaded(path, identity)
    count = len(found)
    assert [record.number for record in found] == list(range(1, count + 1)), "a hole in the log"
    assert count >= max(_times(said, "acked"), default=0), "an acknowledged record is gone"
    for turn in unsettled(replay(identity, found)):
        assert turn.phase not in (Phase.STOPPED, Phase.COMPLETED) and turn.prompt.text
    return _lost(said, "text", count, died), _lost(said, "stop", count, died)


def test_no_acknowledged_record_is_lost_by_kill_9_and_hardly_any_other(tmp_path: Path) -> None:
    worst = [
        _check(*death)
        for round_number in range(max(1, KILLS // AT_ONCE))
        for death in _kill_some(tmp_path / str(round_number))
    ]
    text, stop = (max(column) for column in zip(*worst, strict=True))
    print(f"{len(worst)} kills: the oldest text lost was {text * 1000:.0f} ms old, stop {stop * 1000:.0f} ms")
    assert text <= TEXT_S + BUSY_S
    assert stop <= STOP_S + BUSY_S
