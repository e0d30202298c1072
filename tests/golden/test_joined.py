"""Layers that add trains of unlike lengths, worked out by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hwgen import golden
from hwgen.golden.bounds import bound
from hwgen.network import (
    Conv2d,
    Flatten,
    Identity,
    Input,
    InverseLeak,
    InverseLeakyNeuron,
    JoinedTrains,
    Layer,
    Network,
    Readout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)
from tests.support.joined import joined
from tests.support.tiny import ints, layer


def radix(timesteps: int, threshold: int = 1, **options: object) -> InverseLeakyNeuron:
    return InverseLeakyNeuron(threshold=ints(threshold), timesteps=timesteps, **options)


def images(*pixels: tuple[int, ...]) -> np.ndarray:
    return np.array(pixels, dtype=np.uint8)[..., None, None]


def test_radix_trains_end_together_step_by_step() -> None:
    """4 steps and 2: 13 = 1101 and 2 = 10, weights 3 and −5, B = 4.

    I = 3, 3, 0 − 5, 3 + 0; V = 3, 9, 13, 29, and 29 + 4 = 33 is 3·13 − 5·2 + 4.
    θ = 5 makes 6 = 110 of it.
    """
    network = joined([radix(4), radix(2)], [3, -5], bias=4, neuron=radix(3, 5))
    result = golden.run(network, images((13, 2)), trains=True)
    assert result.trains["s0"].ravel().tolist() == [1, 1, 0, 1]
    assert result.trains["s1"].ravel().tolist() == [1, 0]
    assert result.membranes["add"].ravel().tolist() == [33]
    assert result.trains["add"].ravel().tolist() == [1, 1, 0]
    assert result.logits.tolist() == [[6]]


NEURONS = {
    "radix": lambda steps, theta: radix(steps, theta),
    "rate": lambda steps, theta: SoftResetNeuron(threshold=ints(theta), timesteps=steps),
    "ttfs": lambda steps, theta: TimeToFirstSpikeNeuron(threshold=ints(theta), timesteps=steps),
}


@pytest.mark.parametrize("lengths", [(1, 4), (3, 1), (2, 2)])
@pytest.mark.parametrize("code", NEURONS)
def test_values_add_up_in_every_code(code: str, lengths: tuple[int, int]) -> None:
    """q = clip(⌊(W·q_in + B) / θ⌋, 0, q_max), with q_in clipped at each sender's own q_max."""
    make, weights, bias, theta = NEURONS[code], (3, -2), 5, 2
    senders = [make(steps, 1) for steps in lengths]
    network = joined(senders, weights, bias=bias, neuron=make(4, theta))
    pixels = list(itertools.product(range(16), repeat=2))
    largest = [2**steps - 1 if code == "radix" else steps for steps in lengths]
    sums = [
        sum(w * min(x, top) for w, x, top in zip(weights, pair, largest)) + bias for pair in pixels
    ]
    top = 15 if code == "radix" else 4
    expected = [[min(max(total // theta, 0), top)] for total in sums]
    for steps in (False, True):
        assert golden.run(network, images(*pixels), steps=steps).logits.tolist() == expected


def test_a_leak_below_two_grows_the_longer_train_first() -> None:
    """k = 3/2, so L(V) = V + ⌊V/2⌋; the second train starts a step later than the first."""
    leak = InverseLeak(n=1, m=1)
    senders = [radix(3, 2, leak=leak), radix(2, 2, leak=leak)]
    network = joined(senders, [4, 6], bias=0, neuron=radix(3, 9, leak=leak))
    pixels = list(itertools.product(range(0, 16, 3), range(0, 16, 2)))
    result = golden.run(network, images(*pixels), trains=True)
    for sample in range(len(pixels)):
        long, short = (result.trains[name][sample].ravel().tolist() for name in ("s0", "s1"))
        membrane = 0
        for first, second in zip(long, [0, *short], strict=True):
            membrane = membrane + membrane // 2 + 4 * first + 6 * second
        assert result.membranes["add"][sample].item() == membrane


def test_taps_outside_the_map_have_the_train_of_their_own_source() -> None:
    """Pad values 2 (of 0 … 3) and 9 (of 0 … 15): V = 2·2 + 9 at a tap outside, q inside."""
    source = Input(shape=(1, 1, 2), timesteps=2, pixel_bits=2)
    ones = np.ones((1, 1, 1, 2), dtype=np.int32)
    copy = Identity(source="input", weights=ints32(1))
    wide = Layer(name="wide", projections=(copy,), bias=ints(0), neuron=radix(4))
    projections = (
        Conv2d(source="input", weights=2 * ones, padding=(0, 1, 0, 0), pad_value=ints32(2)),
        Conv2d(source="wide", weights=ones, padding=(0, 1, 0, 0), pad_value=ints32(9)),
    )
    add = Layer(name="add", projections=projections, bias=ints(0), neuron=radix(8))
    flat = Flatten(name="flat", source="add")
    out = layer("out", "flat", np.eye(2), np.zeros(2), Readout())
    network = Network(name="n", input=source, nodes=(wide, add, flat, out))
    row = np.array([[[[3, 1]]]], dtype=np.uint8)
    for steps in (False, True):
        result = golden.run(network, row, steps=steps)
        assert result.logits.tolist() == [[2 * (2 + 3) + 9 + 3, 2 * (3 + 1) + 3 + 1]]


def test_a_bound_counts_each_source_with_its_own_largest_value() -> None:
    """3·15 − 5·3: no membrane is above 45 or below −15, and B = 4 is added."""
    network = joined([radix(4), radix(2)], [3, -5], bias=4, neuron=radix(3, 5))
    add = network["add"]
    assert isinstance(add, Layer)
    bounds = bound(add, JoinedTrains.of(add, network.train_types), where="n")
    assert (bounds.product, bounds.membrane) == (45, 49)


def test_synaptic_operations_count_spikes_only() -> None:
    network = joined([radix(4), radix(2)], [3, -5], bias=4, neuron=radix(3, 5))
    result = golden.run(network, images((13, 2), (0, 3)))
    assert result.synaptic_operations["add"].tolist() == [3 + 1, 2]


def ints32(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)
