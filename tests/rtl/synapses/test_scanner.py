# amaranth: UnusedElaboratable=no
"""The spike scanner: every set bit once, in order, in max(1, n) cycles per chunk."""

from __future__ import annotations

import random

import pytest

from hwgen.rtl.synapses.scanner import SpikeScanner
from tests.support.rtl.bench import Bench
from tests.support.rtl.streams import STALLS

LATENCY = 4


Chunk = tuple[int, int, bool]
"""Bits of a chunk, the row of its first weight, and whether it ends the window."""


def chunk_word(chunk: Chunk, width: int, depth: int) -> int:
    bits, base, last = chunk
    base_width = (depth - 1).bit_length()
    two_or_more = bits.bit_count() > 1
    return bits | base << width | last << width + base_width | two_or_more << width + base_width + 1


def random_chunks(
    rng: random.Random, width: int, chunks: int, windows: int, depth: int, density: float
) -> list[Chunk]:
    """``windows`` windows of ``chunks`` chunks with arbitrary base rows."""
    result = []
    for index in range(chunks * windows):
        bits = sum((rng.random() < density) << bit for bit in range(width))
        result.append((bits, rng.randrange(depth - width + 1), index % chunks == chunks - 1))
    return result


def expected_spikes(chunks: list[Chunk], width: int) -> list[tuple]:
    """Expected (row or None, last), by a plain loop over all bits."""
    spikes = []
    for bits, base, last in chunks:
        rows: list[int | None] = [base + n for n in range(width) if bits >> n & 1]
        rows = rows or [None]
        spikes += [(row, last and n == len(rows) - 1) for n, row in enumerate(rows)]
    return spikes


def reader(depth: int):
    """Decoder of output words: row of a spike, or None for a placeholder, and the last flag."""
    width = max(depth - 1, 0).bit_length()

    def read(word: int) -> tuple:
        present, last = word >> width & 1, bool(word >> (width + 1) & 1)
        return (word & ((1 << width) - 1) if present else None, last)

    return read


def scan(
    chunks: list[Chunk],
    *,
    width: int,
    depth: int,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
):
    dut = SpikeScanner(chunk_width=width, depth=depth)
    bench = Bench(dut, seed=depth)
    busy = bench.watch(dut.busy)
    words = [chunk_word(chunk, width, depth) for chunk in chunks]
    sent = bench.send(dut.chunks, words, stall=stall[0])
    spikes = expected_spikes(chunks, width)
    got = bench.expect(dut.spikes, spikes, stall=stall[1], read=reader(depth), name="spikes")
    bench.run(reset_at=reset_at)
    return sent, got, busy


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(
    ("width", "chunks", "depth"),
    [(1, 1, 1), (1, 3, 6), (2, 1, 6), (3, 4, 12), (3, 2, 11), (5, 2, 30), (8, 9, 144), (32, 2, 64)],
)
def test_every_set_bit_becomes_its_row(
    width: int, chunks: int, depth: int, stall: tuple[float, float]
) -> None:
    rng = random.Random(width)
    windows = -(-40 // chunks)
    for density in (0.15, 0.9):
        stream = random_chunks(rng, width, chunks, windows, depth, density)
        reset_at = (31,) if density < 0.5 else ()
        scan(stream, width=width, depth=depth, stall=stall, reset_at=reset_at)


def test_no_spike_and_all_spikes() -> None:
    width = 6
    for bits in (0, (1 << width) - 1):
        stream = [(bits, width * (n % 2), n % 2 == 1) for n in range(8)]
        _, got, _ = scan(stream, width=width, depth=2 * width)
        assert len(got.cycles) == 8 * max(1, bits.bit_count())


@pytest.mark.parametrize("width", [1, 7, 32])
def test_chunk_of_n_spikes_takes_n_cycles_and_at_least_one(width: int) -> None:
    """From four cycles after the first chunk there is one index per cycle for any chunks."""
    stream = random_chunks(random.Random(3), width, 3, 20, 3 * width, 0.3)
    sent, got, busy = scan(stream, width=width, depth=3 * width)
    cycles = sum(max(1, bits.bit_count()) for bits, _, _ in stream)
    assert got.cycles == list(range(sent.cycles[0] + LATENCY, sent.cycles[0] + LATENCY + cycles))
    assert sum(busy) == cycles


def test_fifteen_spikes_wait_without_a_consumer() -> None:
    dut = SpikeScanner(chunk_width=4, depth=4)
    bench = Bench(dut)
    busy = bench.watch(dut.busy)
    sent = bench.send(dut.chunks, [chunk_word((0b1011, 0, True), 4, 4)] * 20)
    with pytest.raises(AssertionError, match="deadlock"):
        bench.run(timeout=100)
    # Five chunks of three spikes pass; one more chunk waits.
    assert len(sent.cycles) == 6
    assert busy[-50:] == [1] * 50


@pytest.mark.parametrize(("width", "depth"), [(0, 4), (-1, 4), ("4", 4), (4, 0), (4, 4.0)])
def test_sizes_must_be_positive_integers(width: object, depth: object) -> None:
    with pytest.raises(TypeError, match="must be a positive integer"):
        SpikeScanner(chunk_width=width, depth=depth)
