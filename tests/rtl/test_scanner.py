# amaranth: UnusedElaboratable=no
"""The event scanner: every set bit once, in order, at max(1, n) cycles a chunk."""

from __future__ import annotations

import random

import pytest

from hwgen.rtl.scanner import EventScanner
from tests.rtl.bench import Bench
from tests.rtl.streams import STALLS

LATENCY = 5


def chunk(bits: int, width: int, *, last: bool, wrap: bool) -> int:
    return bits | last << width | wrap << (width + 1)


def random_chunks(
    rng: random.Random, width: int, chunks: int, windows: int, pixels: int, density: float
) -> list[tuple[int, bool, bool]]:
    """``pixels`` pixels of ``windows`` windows of ``chunks`` chunks: (bits, last, wrap)."""
    result = []
    for index in range(chunks * windows * pixels):
        bits = sum((rng.random() < density) << place for place in range(width))
        last = index % chunks == chunks - 1
        result.append((bits, last, last and index // chunks % windows == windows - 1))
    return result


def expected_events(chunks: list[tuple[int, bool, bool]], width: int) -> list[tuple]:
    """(row or None, last), by a plain loop over all bits."""
    events, base = [], 0
    for bits, last, wrap in chunks:
        rows: list[int | None] = [base + n for n in range(width) if bits >> n & 1]
        rows = rows or [None]
        events += [(row, last and n == len(rows) - 1) for n, row in enumerate(rows)]
        base = 0 if wrap else base + width
    return events


def reader(depth: int):
    """An event's row, or None where it hit nothing, and whether it is the last."""
    width = max(depth - 1, 0).bit_length()

    def read(word: int) -> tuple:
        hit, last = word >> width & 1, bool(word >> (width + 1) & 1)
        return (word & ((1 << width) - 1) if hit else None, last)

    return read


def scan(
    chunks: list[tuple[int, bool, bool]],
    *,
    width: int,
    depth: int,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
):
    dut = EventScanner(chunk_width=width, depth=depth)
    bench = Bench(dut, seed=depth)
    busy = bench.watch(dut.busy)
    words = [chunk(bits, width, last=last, wrap=wrap) for bits, last, wrap in chunks]
    sent = bench.send(dut.chunks, words, stall=stall[0])
    events = expected_events(chunks, width)
    got = bench.expect(dut.events, events, stall=stall[1], read=reader(depth), name="events")
    bench.run(reset_at=reset_at)
    return sent, got, busy


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(
    ("width", "chunks", "windows"),
    [(1, 1, 1), (1, 3, 2), (2, 1, 3), (3, 4, 1), (5, 2, 3), (8, 9, 2), (32, 2, 1)],
)
def test_every_set_bit_becomes_its_row(
    width: int, chunks: int, windows: int, stall: tuple[float, float]
) -> None:
    rng = random.Random(width)
    pixels = -(-40 // (chunks * windows))
    for density in (0.15, 0.9):
        stream = random_chunks(rng, width, chunks, windows, pixels, density)
        scan(
            stream,
            width=width,
            depth=width * chunks * windows,
            stall=stall,
            reset_at=(31,) if density < 0.5 else (),
        )


def test_no_spike_and_all_spikes() -> None:
    width = 6
    for bits in (0, (1 << width) - 1):
        stream = [(bits, n % 2 == 1, n % 2 == 1) for n in range(8)]
        _, got, _ = scan(stream, width=width, depth=2 * width)
        assert len(got.cycles) == 8 * max(1, bits.bit_count())


@pytest.mark.parametrize("width", [1, 7, 32])
def test_chunk_of_n_spikes_takes_n_cycles_and_at_least_one(width: int) -> None:
    """Five cycles after the first chunk an event comes every cycle, whatever the chunks hold."""
    stream = random_chunks(random.Random(3), width, 3, 1, 20, 0.3)
    sent, got, busy = scan(stream, width=width, depth=3 * width)
    cycles = sum(max(1, bits.bit_count()) for bits, _, _ in stream)
    assert got.cycles == list(range(sent.cycles[0] + LATENCY, sent.cycles[0] + LATENCY + cycles))
    assert sum(busy) == cycles


def test_eight_events_wait_where_nobody_takes_them() -> None:
    dut = EventScanner(chunk_width=4, depth=4)
    bench = Bench(dut)
    busy = bench.watch(dut.busy)
    sent = bench.send(dut.chunks, [chunk(0b1011, 4, last=True, wrap=True)] * 20)
    with pytest.raises(AssertionError, match="stands still"):
        bench.run(timeout=100)
    # Two chunks of three events and two events of a third; it and the one behind it wait.
    assert len(sent.cycles) == 4
    assert busy[-50:] == [1] * 50


@pytest.mark.parametrize(("width", "depth"), [(0, 4), (-1, 4), ("4", 4), (4, 0), (4, 6), (4, 4.0)])
def test_sizes_that_make_no_sense_are_refused(width: object, depth: object) -> None:
    with pytest.raises(TypeError, match="must be"):
        EventScanner(chunk_width=width, depth=depth)
