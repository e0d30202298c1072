# amaranth: UnusedElaboratable=no
"""The window reader, on a ring of rows that is written as early as it permits."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from amaranth import Module, Value
from amaranth.sim import Simulator

from hwgen.plan.units.geometry import WindowPlan
from hwgen.plan.units.synaptic_path import SynapticPathPlan
from hwgen.rtl.window.reader import WindowReader
from tests.support.rtl.windows import inside, path_of, reads_of, row_order, weight_row, window

BITS = 16


def tokens(**sizes: Any) -> WindowPlan:
    return window(**{"word_width": BITS, "rows": 5, "columns": 4, **sizes})


PATHS = {
    "3×3": path_of(tokens()),
    "strided": path_of(tokens(rows=8, columns=5, kernel=(2, 2), stride=(3, 2))),
    "padded": path_of(tokens(padding=(1, 2, 2, 0), words=2)),
    "padded, few rows": path_of(tokens(rows=4, padding=(2, 0, 2, 1), slots=3)),
    "stride beyond the kernel": path_of(tokens(rows=9, kernel=(1, 2), stride=(4, 4))),
    "wide": path_of(tokens(wide=True, kernel=(3, 2), padding=(1, 1, 1, 1))),
    "wide, strided": path_of(tokens(wide=True, kernel=(2, 3), stride=(2, 2), padding=(1, 1, 0, 1))),
    "masked": path_of(tokens(words=3, rounds=3, kernel=(2, 2), depthwise=True), "masked"),
    "every": path_of(tokens(words=2, rounds=2, padding=(1, 1, 1, 1), depthwise=True), "every"),
    "shared taps": path_of(tokens(words=3, pack=1, rounds=2, kernel=(2, 3)), tile=(2, 3)),
    "whole map": path_of(tokens(rows=3, columns=2, kernel=(3, 2), words=2), tile=(3, 2)),
    "tiles": path_of(
        tokens(rows=4, words=2, rounds=2, kernel=(4, 4), padding=(0, 0, 2, 0)), tile=(2, 2)
    ),
    "tiles of a column": path_of(tokens(kernel=(4, 1), rounds=2, words=2), tile=(2, 1)),
    "whole column": path_of(tokens(kernel=(5, 1), rounds=2, words=2), tile=(5, 1)),
    "one pixel": path_of(tokens(rows=1, columns=1, kernel=(1, 1), rounds=2)),
}


def token(plan: WindowPlan, sample: int, step: int, row: int, chunk: int) -> int:
    """Number that is unique among all chunks of all samples, and never 0."""
    line = (sample * plan.timesteps + step) * plan.rows + row
    index = line * plan.row_chunks + chunk
    assert index < 0xFFFF
    return index + 1


def expected_chunks(path: SynapticPathPlan, samples: int) -> list[tuple[int, int, bool]]:
    """Expected (token, weight row, last); a chunk outside the map is silent."""
    plan, result = path.window, []
    slice_width = BITS * plan.pack * (plan.kernel[1] if plan.wide else 1)
    for sample in range(samples):
        for read in reads_of(plan):
            bits = 0
            if plan.wide:
                if 0 <= read.row < plan.rows:
                    bits = token(plan, sample, read.step, read.row, read.out_column)
            elif inside(plan, read.row, read.pixels[0]):
                chunk = read.pixels[0] * plan.words + read.chunk
                bits = token(plan, sample, read.step, read.row, chunk)
            if bits or read.last or path.kind == "every":
                result.append((bits, weight_row(path, read, slice_width), read.last))
    return result


@pytest.mark.parametrize(("pace", "stall"), [(1.0, 0.0), (0.4, 0.0), (1.0, 0.7)])
@pytest.mark.parametrize("schedule", ["time", "row"])
@pytest.mark.parametrize("name", PATHS)
def test_reads_stored_rows_only_and_prevents_overwriting(
    name: str, schedule: str, pace: float, stall: float
) -> None:
    """Rows form a ring: a chunk read too early or too late holds the token of another row."""
    plan = replace(PATHS[name].window, schedule=schedule)
    path = replace(PATHS[name], window=plan)
    planes = plan.timesteps if schedule == "row" else 1
    pitch = plan.depth // (plan.slots * planes)
    dut = WindowReader(path=path)
    samples, rng = 3, random.Random(7)
    expected = expected_chunks(path, samples)
    slice_width = plan.chunk_width
    base_width = (path.weight_depth - 1).bit_length()
    lines = [
        [token(plan, sample, step, row, chunk) for chunk in range(plan.row_chunks)]
        for sample in range(samples)
        for step, row in row_order(plan, plan.rows)
    ]
    memory = [0] * plan.depth
    got: list[tuple[int, int, bool]] = []

    async def bench(ctx: Any) -> None:
        line = index = 0
        for _ in range(20_000):
            room = line < len(lines) and ctx.get(dut.room)
            write = bool(room and rng.random() < pace)
            line_done = write and index == plan.row_chunks - 1
            ctx.set(dut.stored, index)
            ctx.set(dut.plane, line % planes)
            ctx.set(dut.row_done, line_done and line % planes == planes - 1)
            (chunks,) = dut.chunks
            ctx.set(chunks.ready, rng.random() >= stall)
            if ctx.get(chunks.valid) and ctx.get(chunks.ready):
                word = ctx.get(Value.cast(chunks.payload))
                bits, above = word & (1 << slice_width) - 1, word >> slice_width
                got.append((bits, above & (1 << base_width) - 1, bool(above >> base_width & 1)))
                assert got[-1] == expected[len(got) - 1], len(got)
            address = ctx.get(dut.address)  # arbitrary for a tap outside the map
            data = memory[address] if address < plan.depth else 0xFFFF
            if write:
                memory[line % (plan.slots * planes) * pitch + index] = lines[line][index]
            await ctx.tick()
            ctx.set(dut.data, data)
            if write:
                index += 1
            if line_done:
                line, index = line + 1, 0
            if len(got) == len(expected) and line == len(lines):
                return
        raise AssertionError(f"deadlock after {len(got)} of {len(expected)} chunks, row {line}")

    m = Module()
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
