"""Input packets whose ``tlast`` is wrong: what the core counts, and how it recovers."""

from __future__ import annotations

import random

import numpy as np
import pytest
from amaranth import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen import golden
from hwgen.network import Conv2d, Network
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.layer_constants import layer_constants
from hwgen.plan.units.options import PlanOptions
from hwgen.rtl.core import Core
from tests.support.rtl.cores import beats_of, pack_event
from tests.support.tiny import readout_of

Beat = tuple[int, int]
"""Data and tlast."""

STALL = 0.5
"""Chance of a pause of the source and of the sink."""


def network_of(code: str) -> tuple[Network, np.ndarray]:
    """2 × 4 pixels, four beats of 16 bits per packet; or address events in three timesteps."""
    weights = np.ones((1, 1, 1, 2), dtype=np.int32)
    conv = Conv2d(source="input", weights=weights, stride=(1, 2))
    rng = np.random.default_rng(3)
    if code == "events":
        images = rng.integers(0, 2, (1, 3, 1, 2, 4)).astype(np.uint8)
        return readout_of(conv, (1, 2, 4), timesteps=3, code="events", pixel_bits=1), images
    images = rng.integers(0, 256, (1, 1, 2, 4)).astype(np.uint8)
    return readout_of(conv, (1, 2, 4), timesteps=8), images


def run(code: str, wrong: list[Beat]) -> int:
    """Errors after ``wrong``; after a reset, a correct packet then has golden's result."""
    network, images = network_of(code)
    schedule = "time" if code == "events" else "row"
    plan = make_plan(network, PlanOptions(input_width=16, schedule=schedule, lanes=1))
    core = Core(plan=plan, constants=layer_constants(network, plan))
    (packet,) = beats_of(images, network.input, 16)
    correct = [(beat, int(n == len(packet) - 1)) for n, beat in enumerate(packet)]
    gold = golden.run(network, images)
    expected = [*gold.logits[0].tolist(), int(gold.classes[0])]
    rng = random.Random(5)
    counted = []

    async def transfer(ctx, beats: list[Beat], words: int) -> list[int]:
        """Send ``beats``, and take results until there are ``words`` of them."""
        left, results, quiet = list(beats), [], 0
        while left or (len(results) < words and quiet < 2000):
            valid = bool(left) and (ctx.get(core.s_axis_tvalid) or rng.random() >= STALL)
            ctx.set(core.s_axis_tvalid, valid)
            if left:
                ctx.set(core.s_axis_tdata, left[0][0])
                ctx.set(core.s_axis_tlast, left[0][1])
            ctx.set(core.m_axis_tready, rng.random() >= STALL)
            moved = valid and ctx.get(core.s_axis_tready)
            taken = ctx.get(core.m_axis_tvalid) and ctx.get(core.m_axis_tready)
            if taken:
                results.append(ctx.get(core.m_axis_tdata))
            await ctx.tick()
            if moved:
                left.pop(0)
                ctx.set(core.s_axis_tvalid, 0)
            quiet = 0 if moved or taken else quiet + 1
        ctx.set(core.s_axis_tvalid, 0)
        await ctx.tick().repeat(40)
        return results

    async def bench(ctx) -> None:
        results = await transfer(ctx, correct, len(expected))
        assert results == expected
        assert ctx.get(core.packet_errors) == 0
        await transfer(ctx, wrong, 0)
        counted.append(ctx.get(core.packet_errors))
        ctx.set(core.rst, 1)
        await ctx.tick()
        ctx.set(core.rst, 0)
        ctx.set(core.m_axis_tready, 0)
        await ctx.tick().repeat(4)
        for _ in range(2):
            assert await transfer(ctx, correct, len(expected)) == expected
            assert ctx.get(core.packet_errors) == 0

    module = Module()
    module.domains.sync = ClockDomain(reset_less=True)
    module.submodules.core = core
    simulator = Simulator(module)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return counted[0]


PIXELS = {
    # tlast of the beats that are sent; the core counts four to a packet.
    "correct": ("0001 0001", 0),
    "missing": ("0000 0001", 1),
    "half": ("01", 1),
    "half, then correct": ("01 0001", 3),  # 0100 01
    "early, then correct": ("001 0001 0001", 5),  # 0010 0010 001
    "late": ("00001", 2),  # not at beat four, and again at the first of the next
    "late, then correct": ("00001 0001", 4),  # 0000 1000 1
    "nothing but tlast": ("1111", 3),
}


@pytest.mark.parametrize("case", PIXELS)
def test_wrong_packets_of_pixels_are_counted(case: str) -> None:
    lasts, errors = PIXELS[case]
    beats = [(n, int(last)) for n, last in enumerate(lasts.replace(" ", ""))]
    assert run("radix", beats) == errors


EVENTS = {
    # (t, tlast) of each event
    "correct": ([(0, 0), (2, 1), (0, 0), (0, 1)], 0),
    "missing": ([(0, 0), (2, 0), (0, 0), (1, 1)], 2),  # both events of the next packet are early
    "missing before a later event": ([(0, 0), (1, 0), (1, 0), (2, 1)], 0),  # cannot be seen
    "past the end": ([(1, 0), (3, 1)], 0),
}


@pytest.mark.parametrize("case", EVENTS)
def test_address_events_out_of_order_are_counted(case: str) -> None:
    events, errors = EVENTS[case]
    source = network_of("events")[0].input
    beats = [
        (pack_event(source, x=n % 4, y=n % 2, t=t), last) for n, (t, last) in enumerate(events)
    ]
    assert run("events", beats) == errors
