"""Counters: sums of their inputs modulo 2^32, read by address."""

from __future__ import annotations

import random

import pytest
from amaranth import Signal
from amaranth.sim import Simulator

from hwgen.rtl.counters import CounterBank, SaturatingCounter, popcount


def simulate(dut, bench) -> None:
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def test_every_counter_sums_its_steps_and_is_read_one_cycle_later() -> None:
    """A step of cycle n is in the sum that is read in cycle n + 3: register, add, select."""
    widths = [1, 3, 5, 1]
    rng = random.Random(1)
    dut = CounterBank(widths=widths)
    sums = [[0, 0, 0] for _ in widths]

    async def bench(ctx) -> None:
        requested = None
        for cycle in range(300):
            if requested is not None:
                assert ctx.get(dut.data) == sums[requested][cycle]
            requested = rng.randrange(len(widths))
            ctx.set(dut.address, requested)
            for n, width in enumerate(widths):
                step = rng.getrandbits(width)
                ctx.set(getattr(dut, f"step_{n}"), step)
                sums[n].append(sums[n][-1] + step)
            await ctx.tick()

    simulate(dut, bench)


def test_sum_wraps_at_32_bits() -> None:
    dut = CounterBank(widths=[32])

    async def bench(ctx) -> None:
        for step, total in ((0xFFFF_FFFB, 0xFFFF_FFFB), (4, 0xFFFF_FFFF), (3, 2)):
            ctx.set(dut.step_0, step)
            await ctx.tick()
            ctx.set(dut.step_0, 0)
            await ctx.tick().repeat(2)
            assert ctx.get(dut.data) == total

    simulate(dut, bench)


@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 13])
def test_popcount_counts_set_bits(width: int) -> None:
    from amaranth.hdl import Module

    m = Module()
    bits = Signal(width)
    count = Signal(8)
    m.d.comb += count.eq(popcount(bits))
    rng = random.Random(width)

    async def bench(ctx) -> None:
        for value in {0, (1 << width) - 1, *(rng.getrandbits(width) for _ in range(40))}:
            ctx.set(bits, value)
            assert ctx.get(count) == value.bit_count()

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


def test_a_saturating_counter_stays_at_its_maximum() -> None:
    """A step of cycle n is in the total of cycle n + 2."""
    dut = SaturatingCounter()

    async def bench(ctx) -> None:
        ctx.set(dut.step, 1)
        for cycle in range(300):
            assert ctx.get(dut.total) == min(max(cycle - 1, 0), 255)
            await ctx.tick()
        ctx.set(dut.step, 0)
        await ctx.tick().repeat(2)
        assert ctx.get(dut.total) == 255

    simulate(dut, bench)
