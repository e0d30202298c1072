"""The window reader alone, on a ring of rows that is written as early as it allows."""

from __future__ import annotations

import random

import pytest
from amaranth import Module, Value
from amaranth.sim import Simulator

from hwgen.plan.geometry import WindowPlan
from hwgen.rtl.reader import WindowReader
from tests.rtl.windows import inside, taps_of, window

SHAPES = {
    "3×3": window(word_width=16, rows=5, columns=4),
    "strided": window(word_width=16, rows=8, columns=5, kernel=(2, 2), stride=(3, 2)),
    "padded": window(word_width=16, padding=(1, 2, 2, 0), words=2),
    "stride beyond the kernel": window(word_width=16, rows=9, kernel=(1, 2), stride=(4, 4)),
    "depthwise": window(word_width=16, words=3, fold=3, kernel=(2, 2), depthwise=True),
    "one pixel": window(word_width=16, rows=1, columns=1, kernel=(1, 1), fold=2),
}


def token(plan: WindowPlan, plane: int, row: int, column: int, chunk: int) -> int:
    """Unlike that of any other place, and of the same place in other planes; never 0."""
    place = ((plane * plan.rows + row) * plan.columns + column) * plan.words + chunk
    assert place < 0xFFFF
    return place + 1


@pytest.mark.parametrize("stall", [0.0, 0.7])
@pytest.mark.parametrize("pace", [1.0, 0.4])
@pytest.mark.parametrize("name", SHAPES)
def test_reads_what_is_there_and_lets_nothing_be_overwritten(
    name: str, pace: float, stall: float
) -> None:
    """Rows are a ring; a chunk read too early, or too late, holds another plane's token."""
    plan = SHAPES[name]
    assert plan.buffer_rows == min(plan.kernel[0] + plan.stride[0], 2 * plan.rows)
    dut = WindowReader(plan, 0)
    planes, rng = 3 * plan.timesteps, random.Random(7)
    expected = [
        (token(plan, plane, row, column, chunk) if inside(plan, row, column) else 0)
        | last << 16
        | wrap << 17
        for plane, row, column, chunk, last, wrap in taps_of(plan, planes)
    ]
    tokens = [
        [token(plan, plane, row, column, chunk) for column in range(plan.columns)
         for chunk in range(plan.words)]
        for plane in range(planes) for row in range(plan.rows)
    ]  # fmt: skip
    memory = [0] * plan.depth
    got: list[int] = []

    async def bench(ctx) -> None:
        row = place = 0
        for _ in range(20_000):
            room = row < len(tokens) and ctx.get(dut.room)
            write = bool(room and rng.random() < pace)
            row_done = write and place == plan.columns * plan.words - 1
            ctx.set(dut.column, place // plan.words)
            ctx.set(dut.row_done, row_done)
            ctx.set(dut.chunks.ready, rng.random() >= stall)
            if ctx.get(dut.chunks.valid) and ctx.get(dut.chunks.ready):
                got.append(ctx.get(Value.cast(dut.chunks.payload)))
                assert got[-1] == expected[len(got) - 1], len(got)
            address = ctx.get(dut.address)  # of a tap outside the map: anything
            data = memory[address] if address < plan.depth else 0xFFFF
            if write:
                memory[(row * plan.columns * plan.words + place) % plan.depth] = tokens[row][place]
            await ctx.tick()
            ctx.set(dut.data, data)
            if write:
                place += 1
            if row_done:
                row, place = row + 1, 0
            if len(got) == len(expected) and row == len(tokens):
                return
        raise AssertionError(f"stands still after {len(got)} of {len(expected)} chunks, row {row}")

    m = Module()
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
