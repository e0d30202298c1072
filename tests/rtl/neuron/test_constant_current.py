# amaranth: UnusedElaboratable=no
"""Layers with direct input: bit currents accumulate, then single-phase neurons fire."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from hwgen.network import HardResetNeuron, Input, Layer
from hwgen.plan.units.layer import UnitKind
from hwgen.plan.units.layer_constants import neuron_constants
from hwgen.rtl.neuron.units import make_membrane_unit
from tests.support.cases import case_id
from tests.support.rtl.bench import Bench
from tests.support.rtl.currents import Driven
from tests.support.rtl.layers import (
    current_range,
    fit,
    make_layer,
    mixed_weights,
    plan_one,
    single_phase_neuron,
)
from tests.support.rtl.layers import random_currents as random_planes
from tests.support.rtl.streams import STALLS
from tests.support.rtl.words import groups_of, pixel_words, spike_words


def trains_of(planes: np.ndarray, layer: Layer) -> np.ndarray:
    """Trains by a scalar model of :mod:`hwgen.network`; shapes (T, n, y, x, c)."""
    weights = 1 << np.arange(len(planes))[::-1]
    constant = np.tensordot(weights, planes, 1)
    neuron = layer.neuron
    train = np.zeros((neuron.timesteps, *constant.shape), dtype=np.uint8)
    for index in np.ndindex(constant.shape):
        c = index[-1]
        v = 0 if neuron.initial is None else int(neuron.initial[c])
        threshold = int(neuron.threshold[c])
        for t in range(neuron.timesteps):
            v += int(constant[index]) + int(layer.bias[c])
            if neuron.floor is not None:
                v = max(v, int(neuron.floor[c]))
            if v < threshold:
                continue
            train[(t, *index)] = 1
            if not isinstance(neuron, HardResetNeuron):
                v -= threshold
            else:
                v = 0 if neuron.reset is None else int(neuron.reset[c])
    return train


def run(
    layer: Layer,
    planes: np.ndarray,
    *,
    stall: tuple[float, float] = (0.0, 0.0),
    reset_at: tuple[int, ...] = (),
    every: int = 1,
    **options: Any,
):
    """Compare with the model for ``planes``: currents (bits, samples, height, width, channels)."""
    bits, _, height, width, fan_out = planes.shape
    channels = layer.projections[0].weights.shape[1]
    source = Input(
        shape=(channels, height, width), timesteps=layer.neuron.timesteps, code="direct",
        pixel_bits=bits,
    )  # fmt: skip
    plan, source_type = plan_one(layer, source, **options)
    assert (plan.kind, plan.timesteps_in, plan.timesteps_out) == (
        UnitKind.CONSTANT_CURRENT, bits, layer.neuron.timesteps,
    )  # fmt: skip
    if plan.passes > 1:  # each row is a pass of its own
        planes = planes.reshape(bits, -1, 1, width, fan_out)
    dut = Driven(
        make_membrane_unit(plan=plan, constants=neuron_constants(layer, source_type)),
        plan,
        every=every,
    )
    bench = Bench(dut, seed=plan.membrane_depth)
    sent = bench.send(
        dut.currents,
        pixel_words(np.moveaxis(planes, 1, 0), groups_of(fan_out, plan.lanes), plan.current_width),
        stall=stall[0],
    )
    train = trains_of(planes, layer)
    words = spike_words(train, plan.membrane_lanes)
    got = bench.expect(dut.words, words, stall=stall[1], name="spikes")
    bench.run(reset_at=reset_at)
    return plan, train, sent, got


class Case(NamedTuple):
    fan_out: int
    side: int
    lanes: int
    membrane_lanes: int
    bits: int
    steps: int
    schedule: str


CASES = [
    Case(fan_out=1, side=1, lanes=1, membrane_lanes=1, bits=8, steps=5, schedule="time"),
    Case(fan_out=5, side=1, lanes=4, membrane_lanes=2, bits=3, steps=6, schedule="time"),
    Case(fan_out=4, side=2, lanes=4, membrane_lanes=4, bits=1, steps=3, schedule="row"),
    Case(fan_out=7, side=2, lanes=3, membrane_lanes=3, bits=4, steps=8, schedule="time"),
    Case(fan_out=6, side=3, lanes=4, membrane_lanes=2, bits=5, steps=1, schedule="row"),
]


@pytest.mark.parametrize("pipeline", ["alternate", "overlap"])
@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_spikes_equal_the_model(case: Case, stall: tuple[float, float], pipeline: str) -> None:
    fan_out, side, bits, steps = case.fan_out, case.side, case.bits, case.steps
    rng = np.random.default_rng(fan_out)
    weights = mixed_weights(rng, fan_out)
    any_layer = make_layer(weights, single_phase_neuron([1] * fan_out, steps))
    planes = random_planes(rng, any_layer, bits, 9, side, side)
    constant = np.tensordot(1 << np.arange(bits)[::-1], planes, 1)
    threshold, bias = fit(rng, constant, 1)
    bias -= threshold // 2
    hard = fan_out % 2 == 0
    neuron = single_phase_neuron(
        threshold, steps, rng.integers(0, threshold), floor=-threshold // 2,
        reset=-(threshold // 3) if hard else None,
    )  # fmt: skip
    layer = make_layer(weights, neuron, bias=bias)
    _, train, _, _ = run(
        layer, planes, stall=stall, reset_at=(41,), lanes=case.lanes,
        membrane_lanes=case.membrane_lanes, schedule=case.schedule, pipeline=pipeline,
    )  # fmt: skip
    assert 0.1 < train.mean() < 0.9


def test_by_hand() -> None:
    """x = 101b, w = 3, B = 1: 16 per step; θ = 20, V₀ = 2: V = 18, 34 → 14, 30 → 10, 26 → 6."""
    layer = make_layer([[3]], single_phase_neuron([20], 4, [2]), bias=1)
    planes = np.array([3, 0, 3]).reshape(3, 1, 1, 1, 1)
    plan, train, _, _ = run(layer, planes)
    assert train.ravel().tolist() == [0, 1, 1, 1]
    # Largest current: 3·7. Membrane: at most 2 + 4·(21 + 1), at least −θ.
    assert (plan.constant_current_width, plan.membrane_width) == (6, 8)


@pytest.mark.parametrize("steps", [1, 3, 16])
def test_membranes_at_their_extremes(steps: int) -> None:
    """All bits at the minimum and the maximum current drive the membranes to their limits."""
    weights = np.array([[127], [-127], [1], [-128]])
    bias = np.array([900, -900, 0, 1])
    layer = make_layer(
        weights, single_phase_neuron([1, 1, 1, 128], steps, [0, 0, 0, 127]), bias=bias
    )
    low, high = current_range(layer)
    planes = np.stack([np.broadcast_to(c, (8, 1, 1, 4)) for c in (low, high, low)], axis=1)
    run(layer, planes, lanes=3, membrane_lanes=3)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6, 7])
def test_memories_of_few_words(depth: int) -> None:
    """A word that repeats before it is written back must wait five cycles."""
    rng = np.random.default_rng(depth)
    weights = mixed_weights(rng, depth)
    any_layer = make_layer(weights, single_phase_neuron([1] * depth, 9))
    planes = random_planes(rng, any_layer, 2, 1, 1, 1)
    constant = np.tensordot(np.array([2, 1]), planes, 1)
    threshold = np.maximum(abs(constant).reshape(-1), 1) * 2 + 1
    layer = make_layer(weights, single_phase_neuron(threshold, 9, threshold // 2))
    plan, _, sent, got = run(layer, planes, lanes=depth, membrane_lanes=1)
    assert plan.membrane_depth == depth
    assert got.cycles[0] == sent.cycles[-1] + 4 + depth + max(0, 5 - depth) + 6
    apart = -(-5 // depth)
    assert got.cycles == [got.cycles[0] + apart * n for n in range(9 * depth)]
