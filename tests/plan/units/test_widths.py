"""Widths against every number that small layers can produce, by brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from hwgen.errors import PlanError
from hwgen.network import (
    Code,
    Conv2d,
    Input,
    InverseLeakyNeuron,
    JoinedTrains,
    Layer,
    Readout,
    SoftmaxReadout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
    TrainType,
    exponentials,
)
from hwgen.plan.units.softmax import plan_softmax
from hwgen.plan.units.widths import current_width, membrane_width, signed_width
from tests.support.exhaustive import bits_of, layer_of
from tests.support.rtl.layers import plan_one


def trains(code: str, steps: int, inputs: int):
    """Every combination of trains of ``inputs`` inputs, as tuples of bits per step."""
    one = [train for train in product((0, 1), repeat=steps) if code != "ttfs" or sum(train) < 2]
    return product(one, repeat=inputs)


def two_phase_numbers(layer: Layer, code: str, steps: int) -> set[int]:
    """Stored membranes and constants, by the docstring of :mod:`hwgen.rtl.neuron.membrane`.

    A frozen membrane, whose sign is decided, keeps the number that was stored before.
    """
    neuron = layer.neuron
    radix_in = code == "radix"
    numbers: set[int] = set()
    weights = layer.projections[0].weights.astype(int)
    for channel, row in enumerate(weights):
        bias = int(layer.bias[channel])
        sums: set[int] = set()
        for spikes in trains(code, steps, len(row)):
            membrane = current = 0
            for step in range(steps):
                before = current if code == "ttfs" else 0
                current = sum(int(w) for w, train in zip(row, spikes, strict=True) if train[step])
                current += before
                membrane = (2 if radix_in else 1) * membrane + current
                numbers.add(membrane)
            sums.add(membrane)
        if isinstance(neuron, Readout):
            numbers |= {(2 if radix_in else 1) * (membrane + bias) for membrane in sums}
            continue
        theta, scale = int(neuron.threshold[channel]), 1 << neuron.threshold_frac_bits
        if isinstance(neuron, SoftResetNeuron):
            for membrane in sums:
                left = membrane * scale + bias
                numbers |= {left - theta * (n + 1) for n in range(neuron.timesteps)}
            continue
        if isinstance(neuron, TimeToFirstSpikeNeuron):
            for membrane in sums:
                left = membrane * scale + bias
                numbers |= {left - theta * (n + 1) for n in range(neuron.timesteps)}
            continue
        half = theta << neuron.timesteps - 1  # D; stored is 2·(V + B − D), K = 2·D is a constant
        numbers |= {2 * (membrane * scale + bias - half) for membrane in sums} | {2 * half}
    return numbers


def slack(layer: Layer, code: str, steps: int) -> int:
    q_max = Code(code).q_max(steps)
    inputs = layer.projections[0].weights.shape[1]
    assert q_max >= 1
    source_type = TrainType(shape=(inputs, 1, 1), code=code, timesteps=steps)
    return membrane_width(layer, JoinedTrains((source_type,))) - bits_of(
        two_phase_numbers(layer, code, steps)
    )


def random_layers(seed: int):
    rng = np.random.default_rng(seed)
    for kind in ("radix", "rate", "ttfs", "readout"):
        for code in ("radix", "rate", "ttfs"):
            steps, inputs = (int(n) for n in rng.integers(1, 4, 2))
            weights = rng.integers(-50, 51, (2, inputs)) * int(rng.choice([0, 1, 1, 20]))
            bias = rng.integers(-300, 301, 2) * int(rng.choice([0, 1, 1, 30]))
            fire_steps, frac_bits = int(rng.integers(1, 7)), int(rng.integers(0, 4))
            threshold = rng.integers(1, int(rng.choice([2, 40, 5000])), 2)
            options = {
                "threshold": threshold, "timesteps": fire_steps, "threshold_frac_bits": frac_bits,
            }  # fmt: skip
            neuron = {
                "radix": lambda options=options: InverseLeakyNeuron(**options),
                "rate": lambda options=options: SoftResetNeuron(**options),
                "ttfs": lambda options=options: TimeToFirstSpikeNeuron(**options),
                "readout": lambda options=options: Readout(),
            }[kind]()
            yield layer_of(weights, bias, neuron), code, steps


@pytest.mark.parametrize("seed", range(30))
def test_membranes_fit_and_waste_little(seed: int) -> None:
    """Widths suffice; at most two bits are spare, for the division of iLIF neurons."""
    for layer, code, steps in random_layers(seed):
        wasted = slack(layer, code, steps)
        assert wasted >= 0
        # The width ignores that a rate neuron subtracts its last θ only after a spike.
        assert wasted <= 2, (type(layer.neuron).__name__, code, steps)


def test_by_hand() -> None:
    """W = 3, T1 = 2, so V ≤ 9; B = 1, θ = 2, T2 = 2: D = 4, K = 8, U from −6 to 12."""
    neuron = InverseLeakyNeuron(threshold=np.array([2]), timesteps=2)
    layer = layer_of(np.array([[3]]), np.array([1]), neuron)
    source_type = TrainType(shape=(1, 1, 1), code="radix", timesteps=2)
    assert two_phase_numbers(layer, "radix", 2) == {0, 3, 6, 9, -6, 12, 8}
    # Five bits hold them; the sixth leaves headroom for the running division, up to K.
    assert membrane_width(layer, JoinedTrains((source_type,))) == 6


def test_sums_beyond_64_bits_are_not_wrapped_and_are_rejected() -> None:
    """2^16 inputs of 2^16 − 1, weights −2^15, 16 fractional bits, doubled before the bias."""
    neuron = InverseLeakyNeuron(threshold=np.array([1]), timesteps=4, threshold_frac_bits=16)
    layer = layer_of(np.full((1, 1 << 16), -(1 << 15)), np.array([0]), neuron)
    source = Input(shape=(1 << 16, 1, 1), timesteps=16)
    source_type = TrainType(shape=source.shape, code="radix", timesteps=16)
    minimum = -((1 << 16) - 1) << 16 + 15 + 17  # q_max · inputs · weight · 2^(f + 1)
    assert membrane_width(layer, JoinedTrains((source_type,))) == bits_of({minimum - (1 << 4)})
    with pytest.raises(PlanError, match="n: its membranes need 65 bits, more than the .* 64"):
        plan_one(layer, source)


@pytest.mark.parametrize("seed", range(20))
def test_currents_fit_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    top = int(rng.choice([1, 7, 100, 30_000]))
    weights = rng.integers(-top, top + 1, (3, 4))
    numbers = {int(np.dot(row, spikes)) for row in weights for spikes in product((0, 1), repeat=4)}
    layer = layer_of(weights, np.zeros(3), Readout())
    assert current_width(layer) == bits_of(numbers)


def test_currents_of_grouped_convolutions_count_their_own_inputs() -> None:
    conv = Conv2d(source="input", weights=np.full((4, 1, 2, 2), 7, np.int32), groups=4)
    layer = Layer(name="n", projections=(conv,), bias=np.zeros(4, np.int64), neuron=Readout())
    assert current_width(layer) == bits_of({0, 28})


@pytest.mark.parametrize("seed", range(20))
def test_single_phase_membranes_fit_and_waste_little(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps, inputs = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    weights = rng.integers(-40, 41, (2, inputs))
    bias = rng.integers(-60, 61, 2)
    threshold = rng.integers(1, int(rng.choice([2, 60, 4000])), 2)
    initial = rng.integers(0, threshold) if seed % 2 else None
    neuron = SoftResetNeuron(threshold=threshold, timesteps=steps, two_phase=False, initial=initial)
    layer = layer_of(weights, bias, neuron)
    numbers = {int(theta) for theta in threshold}
    for channel, row in enumerate(weights):
        currents = sorted({int(np.dot(row, s)) for s in product((0, 1), repeat=inputs)})
        start = 0 if initial is None else int(initial[channel])
        membranes = {start}
        for step in range(steps):
            added = {current + int(bias[channel]) for current in currents}
            numbers |= {(start if step == 0 else 0) + value for value in added}
            totals = {membrane + value for membrane in membranes for value in added}
            theta = int(threshold[channel])
            membranes = {total - theta if total >= theta else total for total in totals}
            numbers |= totals | membranes
    source_type = TrainType(shape=(inputs, 1, 1), code="rate", timesteps=steps)
    wasted = membrane_width(layer, JoinedTrains((source_type,))) - bits_of(numbers)
    assert 0 <= wasted <= 2


@pytest.mark.parametrize("seed", range(20))
def test_membranes_of_a_softmax_fit_and_waste_little(seed: int) -> None:
    """Also the distance to the maximum; at most one bit is spare, where inputs are shared."""
    rng = np.random.default_rng(seed)
    steps, inputs = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    weights = rng.integers(-40, 41, (2, inputs))
    bias = rng.integers(-60, 61, 2)
    neuron = SoftmaxReadout(timesteps=steps, shift=0, table=exponentials(0.1))
    layer = layer_of(weights, bias, neuron)
    numbers, below = {0}, {0}
    for spikes in trains("rate", steps, inputs):
        membranes = np.zeros(2, np.int64)
        for step in range(steps):
            membranes = membranes + weights @ np.array(spikes)[:, step] + bias
            numbers |= set(membranes.tolist())
            below |= {int(membranes.max() - v) for v in membranes}
    source_type = TrainType(shape=(inputs, 1, 1), code="rate", timesteps=steps)
    assert membrane_width(layer, JoinedTrains((source_type,))) == bits_of(numbers)
    wasted = plan_softmax(layer).below_width - max(1, max(below).bit_length())
    assert 0 <= wasted <= 4


def test_sums_of_a_softmax() -> None:
    """Ten classes of 65,535 make 655,350: 20 bits; up to 64 spikes: 7 bits."""
    neuron = SoftmaxReadout(timesteps=64, shift=0, table=exponentials(0.1))
    plan = plan_softmax(layer_of(np.ones((10, 1)), np.zeros(10), neuron))
    assert (plan.entry_width, plan.sum_width, plan.count_width) == (16, 20, 7)
    # With all weights 1, two classes could be 64 apart if their inputs differed.
    assert plan.below_width == 7


@pytest.mark.parametrize(
    ("low", "high", "width"),
    [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-2, 1, 2), (-3, 1, 3), (-128, 127, 8), (-129, 0, 9),
     (0, 128, 9)],
)  # fmt: skip
def test_signed_width(low: int, high: int, width: int) -> None:
    assert signed_width(low, high) == width
