"""Spiking softmax by hand, against NumPy's softmax, and against a loop over integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen import golden
from hwgen.golden.single_phase import integrate, softmax_draws
from hwgen.network import Input, Layer, Linear, Network, SoftmaxReadout, exponentials


def network_of(weights: Any, bias: list[int], neuron: SoftmaxReadout) -> Network:
    linear = Linear(source="input", weights=np.array(weights, dtype=np.int32))
    layer = Layer(
        name="out", projections=(linear,), bias=np.array(bias, dtype=np.int64), neuron=neuron
    )
    shape = (linear.weights.shape[1], 1, 1)
    source = Input(shape=shape, timesteps=neuron.timesteps, code="rate")
    network = Network(name="n", input=source, nodes=(layer,))
    network.verify()
    return network


def plain_numbers(seed: int, size: int, count: int) -> list[int]:
    """Numbers of ``size`` bits from b[k + 32] = b[k + 22] ⊕ b[k + 2] ⊕ b[k + 1] ⊕ b[k]."""
    bits = [seed >> n & 1 for n in range(32)]
    while len(bits) < size * count:
        bits.append(bits[-10] ^ bits[-30] ^ bits[-31] ^ bits[-32])
    return [sum(bits[n * size + i] << i for i in range(size)) for n in range(count)]


@pytest.mark.parametrize("random_bits", [1, 7, 16])
def test_draws_continue_through_timesteps(random_bits: int) -> None:
    neuron = SoftmaxReadout(
        timesteps=5, shift=0, table=exponentials(1.0), random_bits=random_bits, seed=0xBADC0DE
    )
    expected = plain_numbers(0xBADC0DE, random_bits, 15)
    assert softmax_draws(neuron, 3).ravel().tolist() == expected


def test_by_hand() -> None:
    """Two pixels, T = 2: the white one spikes in both steps, the black one in none.

    w = 5, 1, 3 and B = 0, 0, 1, so V = 5, 1, 4 and then 10, 2, 8. Shift 1, table 4, 2, 1: d = 0, 2,
    0, e = 4, 1, 4, S = 9; then d = 0, 4 → 2, 1, e = 4, 1, 2, S = 7. R = 3 and a seed that gives r =
    3, 1, 4, 0, 7, 2: 27 < 32, 9 < 8 not, 36 < 32 not; 0 < 32, 49 < 8 not, 14 < 16.
    """
    numbers = [3, 1, 4, 0, 7, 2]
    seed = sum(number << 3 * n for n, number in enumerate(numbers))
    neuron = SoftmaxReadout(
        timesteps=2, shift=1, table=np.array([4, 2, 1]), random_bits=3, seed=seed
    )
    network = network_of([[5, 9], [1, 9], [3, 9]], [0, 0, 1], neuron)
    images = np.array([[255, 0]], dtype=np.uint8).reshape(1, 2, 1, 1)
    result = golden.run(network, images, trains=True)
    assert result.trains["input"].ravel().tolist() == [1, 0, 1, 0]
    assert result.membranes["out"].ravel().tolist() == [10, 2, 8]
    assert result.logits.tolist() == [[2, 0, 1]]
    assert result.classes.tolist() == [0]


def test_a_draw_equal_to_the_share_gives_no_spike() -> None:
    """Two equal classes have a share of 1/2: of the numbers 1/2 and 0, only 0 is below it."""
    neuron = SoftmaxReadout(timesteps=1, shift=0, table=np.array([1]), random_bits=1, seed=0b01)
    network = network_of([[0], [0]], [0, 0], neuron)
    result = golden.run(network, np.zeros((1, 1, 1, 1), np.uint8))
    assert result.logits.tolist() == [[0, 1]]


@pytest.mark.parametrize("seed", range(6))
def test_against_a_loop_of_integers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps, classes, inputs = (int(n) for n in rng.integers(1, 9, 3))
    neuron = SoftmaxReadout(
        timesteps=steps, shift=int(rng.integers(0, 7)), table=exponentials(rng.uniform(0.02, 1)),
        random_bits=int(rng.integers(1, 17)), seed=int(rng.integers(1, 1 << 32)),
    )  # fmt: skip
    weights, bias = rng.integers(-99, 100, (classes, inputs)), rng.integers(-50, 50, classes)
    network = network_of(weights, bias.tolist(), neuron)
    images = rng.integers(0, 256, (7, inputs, 1, 1)).astype(np.uint8)
    result = golden.run(network, images, trains=True)
    for image in range(7):
        numbers = iter(plain_numbers(neuron.seed, neuron.random_bits, steps * classes))
        membranes, counts = [0] * classes, [0] * classes
        for spikes in result.trains["input"][image, :, :, 0, 0]:
            for c in range(classes):
                membranes[c] += int(weights[c] @ spikes) + int(bias[c])
            table, last = neuron.table.tolist(), len(neuron.table) - 1
            far = [(max(membranes) - v) // 2**neuron.shift for v in membranes]
            entries = [table[min(d, last)] for d in far]
            for c in range(classes):
                counts[c] += next(numbers) * sum(entries) < entries[c] * 2**neuron.random_bits
        assert result.membranes["out"][image].ravel().tolist() == membranes
        assert result.logits[image].tolist() == counts
    np.testing.assert_array_equal(golden.run(network, images).logits, result.logits)


def test_rates_are_the_softmax() -> None:
    """Constant membranes over 1,024 steps give rates within four standard deviations of NumPy.

    Four membrane units make one table step, which is 0.05 in the argument of the softmax.
    """
    steps, unit = 1024, 0.05
    classes = np.array([0, 10, 23, 31, 60])  # in table steps
    neuron = SoftmaxReadout(timesteps=steps, shift=2, table=exponentials(unit), seed=0x1234567)
    membranes = np.broadcast_to(4 * classes, (steps, 1, 1, 1, 5))
    # The first step adds the whole membrane, later steps add nothing.
    currents = np.diff(membranes, axis=0, prepend=0)
    network = network_of(np.zeros((5, 1)), [0] * 5, neuron)
    train, left = integrate(currents, network.readout)
    counts = train.sum(axis=0)
    np.testing.assert_array_equal(left.ravel(), 4 * classes)
    weights = np.exp(unit * (classes - classes.max()))
    expected = weights / weights.sum()
    deviation = np.sqrt(expected * (1 - expected) / steps)
    assert (np.abs(counts.ravel() / steps - expected) < 4 * deviation + 2**-15).all()
    assert np.ptp(expected) > 0.5


def test_every_sample_draws_the_same_numbers() -> None:
    neuron = SoftmaxReadout(timesteps=30, shift=0, table=exponentials(0.01))
    network = network_of([[1], [1], [1]], [0, 0, 0], neuron)
    images = np.full((600, 1, 1, 1), 77, dtype=np.uint8)  # more than one batch
    logits = golden.run(network, images).logits
    assert (logits == logits[0]).all()
    assert len(set(logits[0].tolist())) > 1


def test_exponentials() -> None:
    """Steps of ln 4 divide by four: 65535, 16384 (16383.75), 4096, 1024, 256, 64, 16, 4, 1, 0."""
    expected = [65535, 16384, 4096, 1024, 256, 64, 16, 4, 1, 0]
    assert exponentials(np.log(4)).tolist() == expected
    assert len(exponentials(0.01)) == 256
    assert exponentials(100.0).tolist() == [65535, 0]
