"""Widths of layers of leaks k < 2 against every number that small ones come to, by brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from hwgen.network import (
    DOUBLE,
    InverseLeak,
    InverseLeakyNeuron,
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


def decoded(row: list[int], given: TrainType, frac_bits: int) -> tuple[set[int], set[int]]:
    """Membranes that close, and all on the way, of every train of ``len(row)`` inputs."""
    numbers, closed = set(), set()
    steps = given.timesteps
    for trains in product(product((0, 1), repeat=steps), repeat=len(row)):
        membrane = 0
        for step in range(steps):
            current = sum(w for w, train in zip(row, trains, strict=True) if train[step])
            if given.fractional:
                membrane = grow(membrane, given.leak) + (current << frac_bits)
            else:
                membrane = (2 if given.code == "radix" else 1) * membrane + current
            numbers.add(membrane)
        closed.add(membrane if given.fractional else membrane << frac_bits)
    return closed, numbers


def numbers_of(layer: Layer, given: TrainType, width: int) -> set[int]:
    """All that is stored, added or compared, by the docstring of
    :mod:`hwgen.rtl.neuron.inverse_leak`; of
    membranes that are held what they were before."""
    neuron, found = layer.neuron, set()
    weights = layer.projections[0].weights.astype(int).tolist()
    for channel, row in enumerate(weights):
        bias = int(layer.bias[channel])
        frac_bits = getattr(neuron, "threshold_frac_bits", getattr(neuron, "frac_bits", 0))
        closed, numbers = decoded(row, given, frac_bits)
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
            free = left  # as the specification has it, but for its clamp
            for step in range(steps):
                held = step > 0 and not 0 <= left < 1 << width - 2
                leaks = isinstance(neuron, InverseLeakyNeuron)
                if not (held and leaks):
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
    for kind in ("leaky", "leaky", "radix", "rate", "ttfs", "readout"):
        leaks = [random_leak(rng), random_leak(rng)]
        coming = "radix" if kind != "leaky" else str(rng.choice(["radix", "radix", "rate", "ttfs"]))
        given_leak = leaks[0] if coming == "radix" else DOUBLE
        out_leak = leaks[1] if kind == "leaky" else DOUBLE
        if given_leak.doubles and out_leak.doubles:
            continue
        steps, inputs = (int(n) for n in rng.integers(1, 4, 2))
        given = TrainType(shape=(inputs, 1, 1), code=coming, timesteps=steps, leak=given_leak)
        weights = rng.integers(-50, 51, (2, inputs)) * int(rng.choice([0, 1, 1, 20]))
        bias = rng.integers(-300, 301, 2) * int(rng.choice([0, 1, 1, 30]))
        frac_bits = int(rng.integers(0, 4))
        threshold = rng.integers(1, int(rng.choice([2, 40, 5000])), 2)
        told = {
            "threshold": threshold, "timesteps": int(rng.integers(1, 8)),
            "threshold_frac_bits": frac_bits,
        }  # fmt: skip
        makes = {"leaky": InverseLeakyNeuron, "radix": InverseLeakyNeuron,
                 "rate": SoftResetNeuron, "ttfs": TimeToFirstSpikeNeuron}  # fmt: skip
        if kind == "readout":
            neuron = Readout(frac_bits=frac_bits)
        else:
            neuron = makes[kind](**told, **({"leak": out_leak} if kind == "leaky" else {}))
        yield layer_of(weights, bias, neuron), given


@pytest.mark.parametrize("seed", range(40))
def test_membranes_fit_and_waste_little(seed: int) -> None:
    """Never a bit too few, and the spikes are those of membranes with no bounds (asserted on the
    way); at most three bits too many: those of the range that is held, and of rounding."""
    for layer, given in random_cases(seed):
        width = membrane_width(layer, given)
        wasted = width - bits_of(numbers_of(layer, given, width))
        assert wasted >= 0, layer.neuron
        assert wasted <= 3, (type(layer.neuron).__name__, given, wasted)


@pytest.mark.parametrize(
    "leak", [InverseLeak(n=1, m=8), InverseLeak(n=1, m=2), InverseLeak(n=1, m=1)]
)
@pytest.mark.parametrize("times", [1.5, 2.2, 3.1, 6.3, 40])
def test_what_is_not_saturated_is_not_held(leak: InverseLeak, times: float) -> None:
    """Membranes of several D, which spikes bring down while V̂ is far above them."""
    neuron = InverseLeakyNeuron(threshold=np.array([7]), timesteps=9, leak=leak)
    bias = int(times * neuron.level[0])
    given = TrainType(shape=(2, 1, 1), code="radix", timesteps=3)
    layer = layer_of(np.array([[3, -2]]), np.array([bias]), neuron)
    width = membrane_width(layer, given)
    assert bits_of(numbers_of(layer, given, width)) <= width


def test_by_hand() -> None:
    """k = 3/2, θ = 4, T2 = 3: D = 4, 6, 9; B = 2. What comes in adds W = 3 in T1 = 2 steps of
    k = 3/2 with f = 1: 6, then 9 + 6 = 15. V̂ = 9 + 18 = 27 is out of reach: what fires leaves
    at most 15 + 2 − 9 = 8, what does not 8, so that held is from 16 on: 6 bits."""
    neuron = InverseLeakyNeuron(
        threshold=np.array([4]), timesteps=3, threshold_frac_bits=1, leak=InverseLeak(n=1, m=1)
    )
    layer = layer_of(np.array([[3]]), np.array([2]), neuron)
    given = TrainType(shape=(1, 1, 1), code="radix", timesteps=2, leak=InverseLeak(n=1, m=1))
    assert neuron.level.tolist() == [9]
    assert [side.tolist() for side in firing_constants(layer, given)] == [[-7], [-9], [9]]
    assert membrane_width(layer, given) == 6


@pytest.mark.parametrize("seed", [0, 1, 2, 4])
def test_plans_come_back_from_json(seed: int) -> None:
    network = random_network(seed, neuron="fractional")
    plan = make_plan(network)
    assert any(layer.fractional for layer in plan.layers)
    assert HardwarePlan.from_json(plan.to_json()) == plan
