"""The chunk queue: each scanner gets its slices in order, silent ones only at a window end."""

from __future__ import annotations

import random
from typing import Any

import pytest
from amaranth import Module, Value
from amaranth.sim import Simulator

from hwgen.plan.units.latencies import CHUNK_QUEUE_DEPTH, CHUNKS_IN_FLIGHT
from hwgen.rtl.window.chunk_queue import ChunkQueue
from tests.support.rtl.windows import owned_bits, path_of, window

DELAY = 3
"""Cycles from the cycle in which the reader samples ``room`` to the chunk."""


def run(
    kind: str, scanners: int, order: tuple[int, ...], *, density: float, take: float, seed: int = 0
) -> tuple[list[list[int]], int]:
    """Push as early as ``room`` allows; returns each scanner's chunks and the number pushed."""
    plan = window(word_width=4, kernel=(1, 5), rows=1, columns=5, scanners=scanners, order=order)
    path = path_of(plan, kind)
    dut, rng = ChunkQueue(path=path), random.Random(seed)
    size = -(-4 // scanners)
    base_width = (path.weight_depth - 1).bit_length()
    chunks = []
    for index in range(200):
        bits = sum((rng.random() < density) << n for n in range(4))
        chunks.append((bits, rng.randrange(path.weight_depth), index % 5 == 4))
    expected: list[list[int]] = []
    for scanner in range(scanners):
        owned = owned_bits(plan, scanner, size)
        words = []
        for bits, base, last in chunks:
            mine = sum((bits >> bit & 1) << n for n, bit in enumerate(owned) if bit >= 0)
            if mine or last or kind == "every":
                two_or_more = kind == "spikes" and mine.bit_count() > 1
                word = mine | base << size | last << size + base_width
                words.append(word | two_or_more << size + base_width + 1)
        expected.append(words)
    got: list[list[int]] = [[] for _ in range(scanners)]
    pushed = 0

    async def bench(ctx: Any) -> None:
        nonlocal pushed
        go, started = [False] * DELAY, 0
        for _ in range(1_500):
            started += go[0]
            push = go.pop()
            ctx.set(dut.push, push)
            bits, base, last = chunks[pushed] if push else (rng.randrange(16), 0, 1)
            outside = not bits and rng.random() < 0.5  # its bits are ignored
            ctx.set(dut.inside, not outside)
            ctx.set(dut.bits, rng.randrange(16) if outside else bits)
            ctx.set(dut.base, base)
            ctx.set(dut.last, last)
            pushed += push
            for scanner, stream in enumerate(dut.chunks):
                ready = rng.random() < take
                ctx.set(stream.ready, ready)
                if ctx.get(stream.valid) and ready:
                    got[scanner].append(ctx.get(Value.cast(stream.payload)))
            room = bool(ctx.get(dut.room)) and pushed + sum(go) < len(chunks)
            go.insert(0, room)
            await ctx.tick()
            if all(len(a) == len(b) for a, b in zip(got, expected, strict=True)):
                return

    m = Module()
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    if take:
        assert got == expected
    return got, pushed


@pytest.mark.parametrize("take", [1.0, 0.3])
@pytest.mark.parametrize("density", [0.05, 0.5])
@pytest.mark.parametrize(
    ("kind", "scanners", "order"),
    [
        ("spikes", 1, ()),
        ("spikes", 2, ()),
        ("spikes", 3, ()),  # the third scanner owns only bit 2
        ("spikes", 2, (3, 0, 1, 2)),
        ("spikes", 3, (-1, 3, 0, 2, 1, -1)),
        ("every", 1, ()),
    ],
)
def test_slices_come_in_order_and_silent_ones_only_at_the_end(
    kind: str, scanners: int, order: tuple[int, ...], density: float, take: float
) -> None:
    run(kind, scanners, order, density=density, take=take)


@pytest.mark.parametrize(("kind", "density"), [("spikes", 1.0), ("every", 0.0)])
def test_sixteen_chunks_wait_without_a_consumer(kind: str, density: float) -> None:
    """``room`` falls while there are slots for all chunks in flight; none is lost."""
    _, pushed = run(kind, 1, (), density=density, take=0.0)
    assert pushed == CHUNK_QUEUE_DEPTH == 16
    assert CHUNKS_IN_FLIGHT == DELAY + 2  # ``room`` and the stored slice are registers


def test_silent_chunks_take_no_slot() -> None:
    """Only the last chunk of each window of five is stored; five more chunks were in flight."""
    _, pushed = run("spikes", 1, (), density=0.0, take=0.0)
    assert pushed == (CHUNK_QUEUE_DEPTH - CHUNKS_IN_FLIGHT) * 5 + CHUNKS_IN_FLIGHT
