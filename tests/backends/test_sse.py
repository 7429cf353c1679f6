"""The event-stream decoder: every vector under every chunking, its limits, and how long it holds the loop."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from httpx_sse import ServerSentEvent
from hypothesis import given
from hypothesis import strategies as st

from tui.backends.sse import MIB, Decoder, LimitExceeded, is_event_stream, read

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "vectors" / "sse.jsonl").read_text(encoding="utf-8").splitlines()
]
ACCEPTED = [vector for vector in VECTORS if vector["accept"]]
SMALL = [vector for vector in ACCEPTED if not vector["generator"]]


def bytes_of(vector: dict[str, Any]) -> bytes:
    if vector["generator"]:
        parts = vector["generator"]["parts"]
        return b"".join(part["text"].encode() * part.get("repeat", 1) for part in parts)
    return base64.b64decode(vector["input_b64"] or "")


def cut(data: bytes, lengths: Sequence[int] | str) -> Iterable[bytes]:
    if isinstance(lengths, str):
        size = int(lengths.partition(":")[2])
        lengths = [size] * (len(data) // size + 1)
    at = 0
    for length in lengths:
        yield data[at : at + length]
        at += length


def told(events: Iterable[ServerSentEvent]) -> list[tuple[str, str, str]]:
    return [(event.event, event.data, event.id) for event in events]


def expected(vector: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(e["type"], e["data"], e["last_event_id"]) for e in vector["expected"]["events"]]


def decode(chunks: Iterable[bytes], decoder: Decoder | None = None) -> list[ServerSentEvent]:
    decoder = decoder or Decoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


@pytest.mark.parametrize("vector", SMALL, ids=lambda v: v["id"])
def test_every_vector_gives_its_events_under_every_chunking(vector: dict[str, Any]) -> None:
    for lengths in (vector["chunkings"] or {"whole": [0]}).values():
        decoder = Decoder()
        events = decode(cut(bytes_of(vector), lengths), decoder)
        assert told(events) == expected(vector)
        assert decoder.last_event_id == (vector["expected"]["final_last_event_id"] or "")
        assert decoder.retry_ms == vector["expected"]["retry_ms"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_a_content_type_is_an_event_stream_or_not_whatever_its_charset(vector: dict[str, Any]) -> None:
    assert is_event_stream(vector["content_type"] or "") is vector["accept"]


@pytest.mark.parametrize("vector", [v for v in SMALL if v["per_chunk"]], ids=lambda v: v["id"])
def test_an_event_is_out_with_the_chunk_that_completes_it(vector: dict[str, Any]) -> None:
    for name, counts in vector["per_chunk"].items():
        decoder, out = Decoder(), 0
        for chunk, count in zip(cut(bytes_of(vector), vector["chunkings"][name]), counts, strict=True):
            out += len(decoder.feed(chunk))
            assert out == count


@given(st.sampled_from(SMALL), st.data())
def test_no_chunking_changes_a_vector(vector: dict[str, Any], data: st.DataObject) -> None:
    whole = bytes_of(vector)
    points = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=8)))
    chunks = [whole[a:b] for a, b in zip([0, *points], [*points, len(whole)], strict=True)]
    assert told(decode(chunks)) == expected(vector)


LINES = st.sampled_from(
    [b"data: a", b"data:b", b"data", b"event: x", b"id: 1", b"id", b"id: \0", b"retry: 7", b": c", b"foo: d",
     b"datax: e", b"", b"\xef\xbb\xbf", b"data: \xf0\x9f\x98\x80", b"data: \xff", b"even", b"dat", b":"]
)  # fmt: skip
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n"])


@given(st.lists(st.tuples(LINES, ENDS), max_size=30), st.data())
def test_any_stream_reads_the_same_whole_and_byte_by_byte(
    lines: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    whole = b"".join(line + end for line, end in lines)
    cut_at = data.draw(st.integers(0, len(whole)))
    first = Decoder()
    events = told(decode([whole], first))
    for chunks in ([whole[:cut_at], whole[cut_at:]], [whole[n : n + 1] for n in range(len(whole))]):
        other = Decoder()
        assert told(decode(chunks, other)) == events
        assert (other.last_event_id, other.retry_ms) == (first.last_event_id, first.retry_ms)


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_garbage_never_raises(chunks: list[bytes]) -> None:
    decode(chunks)


# --- limits -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", ["64k", "1k"])
def test_an_event_over_the_limit_is_a_typed_error_that_keeps_what_came_before(chunk: str) -> None:
    vector = next(v for v in ACCEPTED if v["id"] == "huge-data-line-10mb")
    decoder, kept = Decoder(event_limit=8 * MIB), decode([b"data: before\n\n"])
    with pytest.raises(LimitExceeded):
        kept += decode(cut(bytes_of(vector), vector["chunkings"][chunk]), decoder)
    assert told(kept) == [("message", "before", "")]


def test_a_higher_limit_reads_ten_megabytes_in_one_line() -> None:
    vector = next(v for v in ACCEPTED if v["id"] == "huge-data-line-10mb")
    (event,) = decode(cut(bytes_of(vector), "uniform:1024"), Decoder(event_limit=16 * MIB))
    assert hashlib.sha256(event.data.encode()).hexdigest() == vector["expected"]["events"][0]["data_sha256"]


def test_what_a_chunk_completed_before_the_limit_tripped_is_in_the_error() -> None:
    with pytest.raises(LimitExceeded) as caught:
        Decoder(event_limit=100).feed(b"data: kept\n\ndata: " + b"x" * 200)
    assert told(caught.value.events) == [("message", "kept", "")]


def test_an_event_of_many_lines_is_limited_as_a_whole() -> None:
    with pytest.raises(LimitExceeded):
        decode([b"data: " + b"x" * 50 + b"\n"] * 3, Decoder(event_limit=120))


def test_a_line_without_a_colon_must_end_within_the_limit() -> None:
    vector = next(v for v in ACCEPTED if v["id"] == "huge-no-newline-10mb")
    with pytest.raises(LimitExceeded):
        decode(cut(bytes_of(vector), "uniform:65536"))


@pytest.mark.parametrize("name", ["huge-comment-10mb", "huge-unknown-field"])
def test_comments_and_unknown_fields_of_any_length_cost_no_memory(name: str) -> None:
    vector = next(v for v in ACCEPTED if v["id"] == name)
    chunks = list(cut(bytes_of(vector), "uniform:65536"))
    tracemalloc.start()
    try:
        events = decode(chunks)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert told(events) == expected(vector)
    assert peak < MIB


def test_a_stream_over_its_limit_gives_what_was_complete() -> None:
    with pytest.raises(LimitExceeded) as caught:
        Decoder(stream_limit=20).feed(b"data: one\n\ndata: two\n\n")
    assert [event.data for event in caught.value.events] == ["one", "two"]


def test_retry_is_clamped() -> None:
    decoder = Decoder()
    decoder.feed(b"retry: 99999999999999999999\n\n")
    assert decoder.retry_ms == 30_000


# --- reading ----------------------------------------------------------------------------------------------


async def chunks_of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def test_a_burst_lets_other_tasks_run_every_few_milliseconds() -> None:
    async def scenario() -> None:
        burst = b'data: {"type":"x"}\n\n' * 20_000
        gaps, done = [0.0], asyncio.Event()

        async def watch() -> None:
            last = time.perf_counter()
            while not done.is_set():
                await asyncio.sleep(0)
                now = time.perf_counter()
                gaps.append(now - last)
                last = now

        watcher = asyncio.create_task(watch())
        await asyncio.sleep(0)
        count = 0
        async for _ in read(chunks_of(burst[: len(burst) // 2], burst[len(burst) // 2 :]), Decoder()):
            count += 1
            end = time.perf_counter() + 5e-6  # what a consumer costs
            while time.perf_counter() < end:
                pass
        done.set()
        await watcher
        assert count == 20_000
        # 20,000 events take 100 ms and more: a reader that did not yield would show one gap of that length
        assert sorted(gaps)[-3] < 0.05
        assert len(gaps) > 15

    asyncio.run(scenario())


def test_events_before_the_limit_are_read_and_then_it_is_raised() -> None:
    async def scenario() -> None:
        seen = []
        with pytest.raises(LimitExceeded):
            async for event in read(chunks_of(b"data: a\n\n", b"data: b\n\n" * 9), Decoder(stream_limit=30)):
                seen.append(event.data)
        assert seen == ["a"] + ["b"] * 9

    asyncio.run(scenario())
