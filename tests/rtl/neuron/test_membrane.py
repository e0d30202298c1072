"""The membrane pipeline: both phases of a neuron against golden, step by step."""

from __future__ import annotations

import random

import numpy as np
import pytest
from amaranth import Cat, Module
from amaranth.sim import Simulator

from hwgen.golden.two_phase import accumulate, close, fire
from hwgen.network import (
    Input,
    InverseLeakyNeuron,
    Readout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)
from hwgen.rtl.neuron.membrane import MembranePipeline
from tests.support.rtl.layers import make_layer, once_currents, plan_one, random_currents
from tests.support.rtl.words import join, split

CHANNELS, SIDE, SAMPLES = 2, 3, 12


def make(kind: str, code: str, steps: int, frac_bits: int):
    rng = np.random.default_rng(steps)
    thresholds = np.array([1, 37])
    neuron = {
        "radix": InverseLeakyNeuron(
            threshold=thresholds, timesteps=4, threshold_frac_bits=frac_bits
        ),
        "rate": SoftResetNeuron(threshold=thresholds, timesteps=5, threshold_frac_bits=frac_bits),
        "ttfs": TimeToFirstSpikeNeuron(
            threshold=thresholds, timesteps=6, threshold_frac_bits=frac_bits
        ),
        "readout": Readout(),
    }[kind]
    size = 1 if kind == "readout" else SIDE
    weights = rng.integers(-9, 10, (CHANNELS, 2, 1, 1))
    layer = make_layer(weights, neuron, bias=[-7, 30])
    source = Input(shape=(2, size, size), timesteps=steps, code=code)
    plan, _ = plan_one(
        layer, source, lanes=CHANNELS, membrane_lanes=CHANNELS, pipeline="overlap", schedule="time"
    )
    assert plan.membrane_depth == size * size
    return layer, plan


def constants(layer, code: str) -> tuple[np.ndarray, np.ndarray]:
    """Constants added to U while firing, in the first step and in later steps."""
    neuron, bias = layer.neuron, layer.bias
    if isinstance(neuron, Readout):
        return bias * (2 if code == "radix" else 1), 0 * bias
    if isinstance(neuron, SoftResetNeuron):
        return bias - neuron.threshold, -neuron.threshold
    if isinstance(neuron, TimeToFirstSpikeNeuron):
        return bias - neuron.timesteps * neuron.threshold, neuron.threshold
    half = neuron.threshold * 2 ** (neuron.timesteps - 1)  # D
    return 2 * (bias - half), 2 * half


def expected(layer, code: str, currents: np.ndarray) -> np.ndarray:
    """Spikes or logits, shape (T2, positions, channels)."""
    closed = close(accumulate(list(currents), code), layer)
    if isinstance(layer.neuron, Readout):
        return closed.reshape(1, -1, CHANNELS)
    return fire(closed, layer.neuron).reshape(layer.neuron.timesteps, -1, CHANNELS)


@pytest.mark.parametrize("gap", [0.0, 0.5])
@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("code", ["radix", "rate", "ttfs"])
@pytest.mark.parametrize(
    ("kind", "frac_bits"),
    [("radix", 0), ("radix", 3), ("rate", 0), ("rate", 3), ("ttfs", 0), ("ttfs", 3),
     ("readout", 0)],
)  # fmt: skip
def test_both_phases(kind: str, code: str, steps: int, frac_bits: int, gap: float) -> None:
    """Words follow each other immediately; a bank of one membrane waits ``latency`` cycles.

    Samples use the banks in turn, and the steps of two samples come in random order. With ttfs
    trains one sample accumulates after the other, since their currents share one accumulator.
    """
    layer, plan = make(kind, code, steps, frac_bits)
    depth = plan.membrane_depth
    rng = np.random.default_rng(9)
    draw = once_currents if code == "ttfs" else random_currents
    currents = draw(rng, layer, steps, SAMPLES, *([SIDE] * 2 if depth > 1 else [1, 1]))
    first, others = constants(layer, code)
    flow = random.Random(4)
    dut = MembranePipeline(plan=plan)
    # For each bank, in order: (phase, first, address, operand, result).
    steps_of: list[list[tuple]] = [[], []]
    for sample in range(SAMPLES):
        current_words = currents[:, sample].reshape(steps, depth, CHANNELS)
        bank = steps_of[sample % 2]
        bank += [
            (0, t == 0, n << 1 | sample % 2, current_words[t, n], None)
            for t in range(steps)
            for n in range(depth)
        ]
        fired = expected(layer, code, currents[:, sample : sample + 1])
        bank += [
            (1, t == 0, n << 1 | sample % 2, others if t else first, fired[t, n].tolist())
            for t in range(len(fired))
            for n in range(depth)
        ]

    issue = dut.issue
    ports = [issue.valid, issue.fire, issue.first, issue.address]
    ports += [dut.currents.as_value(), dut.constants.as_value()]
    inputs, widths = Cat(ports), [len(port) for port in ports]

    async def bench(ctx) -> None:
        operands: list = [None, None]  # operands of the words issued one and two cycles earlier
        due: dict[int, list[int]] = {}  # results by the cycle of ``fired``
        wait = [0, 0]
        left = [n for n in range(SAMPLES) for _ in range(steps * depth)]  # to accumulate
        cycle = is_first = address = 0
        while any(steps_of) or due:
            assert ctx.get(dut.fired) == (cycle in due)
            if ctx.get(dut.fired):
                raw = ctx.get(dut.membranes.as_value())
                got = split(raw, plan.membrane_width, CHANNELS)
                if kind == "readout":
                    got = [value >> (code == "radix") for value in got]
                else:
                    done = split(ctx.get(dut.done), 1, CHANNELS)
                    got = [int(value >= 0 and not d) for value, d in zip(got, done, strict=True)]
                assert got == due.pop(cycle)
            phase, operand = operands.pop() or (None, [0] * CHANNELS)
            zeros = [0] * CHANNELS
            current = join(zeros if phase else operand, plan.current_width)
            # Arbitrary for a step that accumulates.
            constant = join(operand if phase else [-1] * CHANNELS, plan.membrane_width)
            operands.insert(0, None)
            ready = [n for n in range(2) if steps_of[n] and wait[n] <= 0]
            if code == "ttfs" and left:
                turn = left[0] % 2
                ready = [n for n in ready if steps_of[n][0][0] == 1 or n == turn]
            go = ready and flow.random() >= gap
            fires = 0
            if go:
                bank = flow.choice(ready)
                phase, is_first, address, value, result = steps_of[bank].pop(0)
                if phase == 0:
                    left.pop(0)
                fires = phase
                wait[bank] = plan.membrane_latency if depth < plan.membrane_latency else 1
                operands[0] = phase, value
                if phase:
                    due[cycle + plan.membrane_latency - 1] = result
            # All at once, since every change costs a simulator step.
            word = low = 0
            for value, width in zip(
                (bool(go), fires, is_first, address, current, constant), widths, strict=True
            ):
                word |= value << low
                low += width
            ctx.set(inputs, word)
            await ctx.tick()
            cycle += 1
            wait = [n - 1 for n in wait]

    m = Module()
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
