"""Widths of layers with inverse leaks k < 2 against every number that small layers produce."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from hwgen.network import (
    DOUBLE,
    InverseLeak,
    InverseLeakyNeuron,
    JoinedTrains,
    Layer,
    Readout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
    TrainType,
)
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.widths import firing_constants, membrane_width
from tests.support.exhaustive import bits_of, layer_of
from tests.support.random_networks import random_network
from tests.support.random_values import random_leak


def grow(value: int, leak: InverseLeak) -> int:
    return value + value * leak.n // 2**leak.m


def decoded(row: list[int], source_type: TrainType, frac_bits: int) -> tuple[set[int], set[int]]:
    """Final and intermediate membranes for every combination of trains of ``len(row)`` inputs."""
    numbers, closed = set(), set()
    steps = source_type.timesteps
    for trains in product(product((0, 1), repeat=steps), repeat=len(row)):
        membrane = 0
        for step in range(steps):
            current = sum(w for w, train in zip(row, trains, strict=True) if train[step])
            if source_type.fractional:
                membrane = grow(membrane, source_type.leak) + (current << frac_bits)
            else:
                membrane = (2 if source_type.code == "radix" else 1) * membrane + current
            numbers.add(membrane)
        closed.add(membrane if source_type.fractional else membrane << frac_bits)
    return closed, numbers


def numbers_of(layer: Layer, source_type: TrainType, width: int) -> set[int]:
    """Every number that :mod:`hwgen.rtl.neuron.inverse_leak` stores, adds or compares.

    A frozen membrane keeps the number that was stored before.
    """
    neuron, found = layer.neuron, set()
    weights = layer.projections[0].weights.astype(int).tolist()
    for channel, row in enumerate(weights):
        bias = int(layer.bias[channel])
        frac_bits = getattr(neuron, "threshold_frac_bits", getattr(neuron, "frac_bits", 0))
        closed, numbers = decoded(row, source_type, frac_bits)
        found |= numbers
        if isinstance(neuron, Readout):
            found |= {value + bias for value in closed}
            continue
        theta, steps = int(neuron.threshold[channel]), neuron.timesteps
        level = theta
        if isinstance(neuron, InverseLeakyNeuron):
            for _ in range(steps - 1):
                level = grow(level, neuron.leak)
        for value in closed:
            if isinstance(neuron, TimeToFirstSpikeNeuron):
                found |= {value + bias - theta * (n + 1) for n in range(steps)} | {theta}
                continue
            left, train = value + bias, []
            found |= {level, -level}
            free = left  # as specified, but without the clamp
            for step in range(steps):
                frozen = step > 0 and not 0 <= left < 1 << width - 2
                leaks = isinstance(neuron, InverseLeakyNeuron)
                if not (frozen and leaks):
                    if step and leaks:
                        left = grow(left, neuron.leak)
                    found |= {left - level}
                    train.append(left >= level)
                    left -= train[-1] * level
                    found.add(left)
                else:
                    train.append(left >= 0)
                if step and leaks and free >= 0:
                    free = grow(free, neuron.leak)
                assert train[-1] == (free >= level), (value, step)
                free -= train[-1] * level
    return found


def random_cases(seed: int):
    rng = np.random.default_rng(seed)
    for kind in ("fractional", "fractional", "radix", "rate", "ttfs", "readout"):
        leaks = [random_leak(rng), random_leak(rng)]
        source_code = (
            "radix" if kind != "fractional" else str(rng.choice(["radix", "radix", "rate", "ttfs"]))
        )
        source_leak = leaks[0] if source_code == "radix" else DOUBLE
        out_leak = leaks[1] if kind == "fractional" else DOUBLE
        if source_leak.doubles and out_leak.doubles:
            continue
        steps, inputs = (int(n) for n in rng.integers(1, 4, 2))
        source_type = TrainType(
            shape=(inputs, 1, 1), code=source_code, timesteps=steps, leak=source_leak
        )
        weights = rng.integers(-50, 51, (2, inputs)) * int(rng.choice([0, 1, 1, 20]))
        bias = rng.integers(-300, 301, 2) * int(rng.choice([0, 1, 1, 30]))
        frac_bits = int(rng.integers(0, 4))
        threshold = rng.integers(1, int(rng.choice([2, 40, 5000])), 2)
        options = {
            "threshold": threshold, "timesteps": int(rng.integers(1, 8)),
            "threshold_frac_bits": frac_bits,
        }  # fmt: skip
        makes = {"fractional": InverseLeakyNeuron, "radix": InverseLeakyNeuron,
                 "rate": SoftResetNeuron, "ttfs": TimeToFirstSpikeNeuron}  # fmt: skip
        if kind == "readout":
            neuron = Readout(frac_bits=frac_bits)
        else:
            neuron = makes[kind](**options, **({"leak": out_leak} if kind == "fractional" else {}))
        yield layer_of(weights, bias, neuron), source_type


@pytest.mark.parametrize("seed", range(40))
def test_membranes_fit_and_waste_little(seed: int) -> None:
    """Never a bit too few, and the spikes are those of membranes with no bounds (asserted on the
    way); at most three bits too many: those of the range that is frozen, and of rounding."""
    for layer, source_type in random_cases(seed):
        width = membrane_width(layer, JoinedTrains((source_type,)))
        wasted = width - bits_of(numbers_of(layer, source_type, width))
        assert wasted >= 0, layer.neuron
        assert wasted <= 3, (type(layer.neuron).__name__, source_type, wasted)


@pytest.mark.parametrize(
    "leak", [InverseLeak(n=1, m=8), InverseLeak(n=1, m=2), InverseLeak(n=1, m=1)]
)
@pytest.mark.parametrize("times", [1.5, 2.2, 3.1, 6.3, 40])
def test_unsaturated_membranes_are_not_frozen(leak: InverseLeak, times: float) -> None:
    """Membranes of several D, which spikes reduce while they stay far below V̂."""
    neuron = InverseLeakyNeuron(threshold=np.array([7]), timesteps=9, leak=leak)
    bias = int(times * neuron.level[0])
    source_type = TrainType(shape=(2, 1, 1), code="radix", timesteps=3)
    layer = layer_of(np.array([[3, -2]]), np.array([bias]), neuron)
    width = membrane_width(layer, JoinedTrains((source_type,)))
    assert bits_of(numbers_of(layer, source_type, width)) <= width


def test_by_hand() -> None:
    """k = 3/2, θ = 4, T2 = 3: D = 4, 6, 9; B = 2. Input W = 3 accumulates over T1 = 2 steps
    with k = 3/2 and f = 1: 6, then 9 + 6 = 15. V̂ = 9 + 18 = 27 is not reachable: after a spike V
    is at most 15 + 2 − 9 = 8, without one at most 8, so V freezes from 16 on: 6 bits."""
    neuron = InverseLeakyNeuron(
        threshold=np.array([4]), timesteps=3, threshold_frac_bits=1, leak=InverseLeak(n=1, m=1)
    )
    layer = layer_of(np.array([[3]]), np.array([2]), neuron)
    source_type = TrainType(shape=(1, 1, 1), code="radix", timesteps=2, leak=InverseLeak(n=1, m=1))
    assert neuron.level.tolist() == [9]
    assert [side.tolist() for side in firing_constants(layer, source_type)] == [[-7], [-9], [9]]
    assert membrane_width(layer, JoinedTrains((source_type,))) == 6


@pytest.mark.parametrize("seed", [0, 1, 2, 4])
def test_plans_survive_json(seed: int) -> None:
    network = random_network(seed, neuron="fractional")
    plan = make_plan(network)
    assert any(layer.fractional for layer in plan.layers)
    assert HardwarePlan.from_json(plan.to_json()) == plan
