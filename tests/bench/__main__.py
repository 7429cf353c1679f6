"""`python -m tests.bench`: every row of the table, each with its baseline from the same run.

--quick takes about a minute. --only NAME... measures only these groups. --json and --plot name the files to
write. Exit code 0 whatever the figures are: machines differ, and so do the hours of one machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.bench import keys, plot, reading, size, start
from tests.bench.report import Row, table, write
from tests.bench.screen import quantile
from tests.bench.server import Served


class Bench:
    """What has been measured so far, and how long a measurement may take (`scale` 1: a quick one)."""

    def __init__(self, served: Served, scale: int) -> None:
        self.served, self.scale = served, scale
        self.curve: dict[str, list[float]] = {}

    def keys(self) -> Iterator[Row]:
        """Keys under load, and what the load costs."""
        seconds = 3.0 * self.scale
        at_rest = keys.baseline(seconds)
        fast = keys.sample(self.served, 20_000, seconds)
        for name, table_, instant, lone in (("handler", "handler", 8, 16), ("pixels", "pixels", 16, 26)):
            found, beside = getattr(fast, table_), getattr(at_rest, table_)
            yield Row(
                f"key to {name}, 20,000/s, p99", quantile(fast.instant(found), 0.99), "ms", instant,
                baseline=quantile(at_rest.instant(beside), 0.99), beside="idle bare app",
            )  # fmt: skip
            yield Row(
                f"lone Esc to {name}, 20,000/s, p99", quantile(found.get("esc", []), 0.99), "ms", lone,
                baseline=quantile(beside.get("esc", []), 0.99), beside="idle bare app",
            )  # fmt: skip
            yield Row(f"key to {name}, 20,000/s, p50", quantile(fast.instant(found), 0.5), "ms")
        most = keys.sample(self.served, 0, seconds)
        one, other = (quantile(each.instant(each.handler), 0.99) for each in (most, fast))
        yield Row(
            "key to handler p99, unlimited stream", one, "ms", 3 * other, baseline=other, beside="20,000/s"
        )
        yield Row("events taken in, unlimited stream", most.rate, "a second")
        yield from self._shares(fast, seconds)

    def _shares(self, fast: keys.Sampled, seconds: float) -> Iterator[Row]:
        yield Row("taken in at 20,000/s", 100 * fast.consumed, "%", 98, at_least=True)
        yield Row("processor at 20,000/s", 100 * fast.processor, "%", 70)
        markdown = keys.baseline(seconds, self.served.url(1000, 100_000))
        for rate, limit in ((1000, 25), (50, 12)):
            found = keys.sample(self.served, rate, seconds)
            yield Row(f"taken in at {rate:,}/s", 100 * found.consumed, "%", 98, at_least=True)
            yield Row(
                f"processor at {rate:,}/s", 100 * found.processor, "%", limit,
                baseline=100 * markdown.processor if rate == 1000 else None, beside="Textual's Markdown",
            )  # fmt: skip
            if rate == 1000:
                yield from self._slow(found, seconds)

    def _slow(self, fast: keys.Sampled, seconds: float) -> Iterator[Row]:
        slow = keys.sample(self.served, 1000, 2 * seconds, slow=100_000)
        beside = quantile(fast.instant(fast.handler), 0.99)
        figure = quantile(slow.instant(slow.handler), 0.99)
        yield Row(
            "key to handler p99, terminal of 100 kB/s",
            figure,
            "ms",
            2 * beside,
            baseline=beside,
            beside="fast one",
        )
        yield Row("key to pixels p50, terminal of 100 kB/s", quantile(slow.instant(slow.pixels), 0.5), "ms")

    def stops(self) -> Iterator[Row]:
        """Real stops, run after run."""
        found = keys.stops(self.served, 20_000, 15 * self.scale)
        yield Row("key to the backend seeing the abort, p50", quantile(found.aborts, 0.5), "ms", 5)
        yield Row("key to the backend seeing the abort, p99", quantile(found.aborts, 0.99), "ms", 15)
        yield Row("the same, first stop of a session", found.first, "ms", 15)
        yield Row("characters drawn after the frame of the key", found.drawn_after, "", 0)

    def sizes(self) -> Iterator[Row]:
        """Cost against size."""
        small, large = size.frame_cost(100), size.frame_cost(100_000)
        yield Row(
            "a frame at 100,000 lines",
            1000 * large,
            "ms",
            1300 * small,
            baseline=1000 * small,
            beside="100 lines",
        )
        self.curve = size.curve()
        prose = self.curve["prose"][-1]
        for name, kind in size.LONG.items():
            cost = self.curve[kind][-1]
            if kind != "prose":
                yield Row(
                    f"a delta in {name} of 1 MB", cost, "ms", 1.5 * prose, baseline=prose, beside="prose"
                )
        yield Row("opening 20,000 turns, to the first frame", 1000 * size.opening_cost(20_000), "ms", 150)
        moved = size.moves(self.served, 150_000 * self.scale)
        yield Row("resize, to the last pixel", moved.resize, "ms", 50)
        yield Row("page up, to the last pixel", moved.scroll, "ms", 50)
        limit = 4 * moved.source_mb + 60
        yield Row(f"memory with a reply of {moved.source_mb:.1f} MB", moved.memory, "MB", limit)

    def start(self) -> Iterator[Row]:
        """Starting, and doing nothing."""
        found = start.first_paints(3 + 2 * self.scale, 2.0 * self.scale)
        ours, beside = found.paint
        yield Row("first paint, median", ours, "ms", 1.15 * beside, baseline=beside, beside="bare app")
        yield Row("processor until then", found.used[0], "ms", baseline=found.used[1], beside="bare app")
        idle, beside = (100 * share for share in found.idle)
        yield Row(
            "processor while idle", idle, "%", max(0.5, 1.5 * beside), baseline=beside, beside="bare app"
        )
        ours, beside = start.commands(5)
        yield Row("stopkey --version", ours, "ms", baseline=beside, beside="bare Python")

    def reading(self) -> Iterator[Row]:
        """Reading, layer by layer."""
        rates = {}
        for layer in reading.LAYERS:
            found = [reading.measure(self.served, layer, 60_000) for _ in range(1 + self.scale)]
            rates[layer] = max(one.events / one.seconds for one in found)
        bare_rate = rates.pop("bare")
        for layer, rate in rates.items():
            limit = 0.9 * bare_rate if layer == "sse" else None
            yield Row(f"reading, {layer}", rate, "events/s", limit, True, bare_rate, "httpx-sse alone")


GROUPS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "reading": Bench.reading, "keys": Bench.keys, "stops": Bench.stops, "sizes": Bench.sizes,
    "start": Bench.start,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=list(GROUPS), default=list(GROUPS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args(arguments)
    rows: list[Row] = []
    with Served() as served:
        bench = Bench(served, 1 if asked.quick else 4)
        for name in asked.only:
            print(f"measuring: {name}", flush=True)
            rows += GROUPS[name](bench)
    print(table(rows))
    if asked.json:
        write(rows, bench.curve, asked.json)
    if asked.plot and bench.curve:
        asked.plot.write_text(plot.plot(bench.curve, size.SIZES))


if __name__ == "__main__":
    main()
