"""The window writer: address of every chunk, for any stalls and any free space."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.sim import Simulator

from hwgen.plan.units.geometry import WindowPlan
from hwgen.rtl.window.writer import WindowWriter
from tests.support.rtl.windows import (
    Read,
    chunk_bits,
    random_path,
    random_words,
    row_order,
    window,
    words_in_order,
)


def expected_writes(plan: WindowPlan, words: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Expected (slot, timestep of the row, chunk of the row, bits) of each write."""
    planes = plan.timesteps if plan.schedule == "row" else 1
    chunks = -(-plan.words // plan.pack)
    left, kx, stride = plan.padding[1], plan.kernel[1], plan.stride[1]
    line, result = 0, []
    for sample in words:
        for step, row in row_order(plan, plan.rows):
            if plan.wide:
                firsts = range(-left, plan.columns + plan.padding[3] - kx + 1, stride)
                row_chunks = [(tuple(range(x, x + kx)), 0) for x in firsts]
            else:
                row_chunks = [((x,), chunk) for x in range(plan.columns) for chunk in range(chunks)]
            for index, (pixels, chunk) in enumerate(row_chunks):
                read = Read(step, 0, 0, 0, 0, 0, row, pixels, chunk, False)
                bits = sum(bit << n for n, bit in enumerate(chunk_bits(plan, sample, read)))
                result.append((line % (plan.slots * planes), line % planes, index, bits))
            line += 1
    return result


def write(
    plan: WindowPlan, samples: int, *, stall: float, full: float, seed: int
) -> tuple[list[int], list[int]]:
    """Check every write, and that rows are complete only once all their chunks are written.

    Returns the cycles in which words were taken and in which rows were complete. ``full`` is the
    share of cycles without a free slot.
    """
    dut, rng = WindowWriter(plan=plan), random.Random(seed)
    words = random_words(plan, samples, seed)
    stream, expected = words_in_order(plan, words), expected_writes(plan, words)
    planes = plan.timesteps if plan.schedule == "row" else 1
    lines = samples * plan.timesteps * plan.rows
    of_line = len(expected) // lines
    got: list[tuple[int, int, int, int]] = []
    taken, complete = list[int](), list[int]()

    async def bench(ctx: Any) -> None:
        offered = False
        for cycle in range(20_000):
            has_room = rng.random() >= full
            offered = len(taken) < len(stream) and (offered or rng.random() >= stall)
            ctx.set(dut.room, has_room)
            ctx.set(dut.words.valid, offered)
            ctx.set(dut.words.payload, stream[len(taken)] if offered else 0)
            ready = ctx.get(dut.words.ready)
            assert not ready or has_room, "takes a word without a free slot"
            if ctx.get(dut.write):
                fields = (dut.slot, dut.plane, dut.stored, dut.chunk)
                got.append(tuple(ctx.get(field) for field in fields))
                assert got[-1] == expected[len(got) - 1], len(got)
            if offered and ready:
                taken.append(cycle)
                offered = False
            if ctx.get(dut.row_done):
                complete.append(cycle)
                assert len(got) == len(complete) * planes * of_line
            await ctx.tick()
            if len(complete) * planes == lines:
                return
        raise AssertionError(f"deadlock after {len(taken)} words, {len(got)} chunks")

    m = Module()
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert len(taken) == len(stream)
    return taken, complete


@pytest.mark.parametrize(("kind", "seed"), [("plain", n) for n in range(12)]
                         + [("wide", n) for n in range(20)])  # fmt: skip
def test_every_chunk_goes_to_its_slot(kind: str, seed: int) -> None:
    plan = random_path(seed, kind).window
    write(plan, 2, stall=0.3, full=0.3, seed=seed)


@pytest.mark.parametrize("schedule", ["time", "row"])
def test_one_word_per_cycle_except_while_a_wide_window_flushes(schedule: str) -> None:
    """Four columns, kernel width three, right padding two: two flushed chunks after each row."""
    plan = window(
        rows=3, columns=4, timesteps=2, padding=(0, 0, 0, 2), wide=True, schedule=schedule
    )
    taken, complete = write(plan, 1, stall=0.0, full=0.0, seed=0)
    assert taken == [6 * line + n for line in range(6) for n in range(4)]
    lines = range(1, 6, 2) if schedule == "row" else range(6)
    assert complete == [6 * line + 5 for line in lines]
    taken, complete = write(replace(plan, wide=False), 1, stall=0.0, full=0.0, seed=0)
    assert taken == list(range(24))
    assert complete == [4 * line + 3 for line in lines]
