"""Inverse leaks k = 1 + n/2^m < 2: by hand, against scalars and fractions, at the extremes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen import golden
from hwgen.errors import NetworkError
from hwgen.golden.pool import pool_train, pool_values
from hwgen.golden.two_phase import accumulate, fire
from hwgen.network import (
    Code,
    Conv2d,
    Flatten,
    Input,
    InverseLeak,
    InverseLeakyNeuron,
    Layer,
    MaxPool2d,
    Network,
    Readout,
    SoftResetNeuron,
)
from tests.support.tiny import ints, layer

HALF = InverseLeak(n=1, m=1)


def chain(neuron, *, weight=3, bias=2, out=1, frac_bits=0, pixel_bits=3) -> Network:
    """One pixel, one neuron "n", and a readout of weight ``out``."""
    return Network(
        name="tiny",
        input=Input(shape=(1, 1, 1), timesteps=3, pixel_bits=pixel_bits),
        nodes=(
            layer("n", "input", [[weight]], [bias], neuron),
            layer("out", "n", [[out]], [0], Readout(frac_bits=frac_bits)),
        ),
    )


def run(network: Network, pixel: int) -> tuple[list[int], int, int]:
    images = np.full((1, 1, 1, 1), pixel, np.uint8)
    result = golden.run(network, images, trains=True)
    assert golden.run(network, images).logits.tolist() == result.logits.tolist()
    train = result.trains["n"].ravel().tolist()
    return train, int(result.membranes["n"].item()), int(result.logits.item())


def test_neuron_by_hand():
    """q_in = 110b = 6, w = 3, B = 2: V = 20. k = 3/2, θ = 8: D = 8 → 12 → 18.

    20 ≥ 18 fires; 2 + ⌊2/2⌋ = 3 does not; 3 + ⌊3/2⌋ = 4 does not. The readout: 1; 1 + ⌊1/2⌋ = 1;
    1 again; with two fractional bits 4, 6, 9 (9/4 = 1.5²).
    """
    neuron = InverseLeakyNeuron(threshold=ints(8), timesteps=3, leak=HALF)
    assert run(chain(neuron), 6) == ([1, 0, 0], 20, 1)
    assert run(chain(neuron, frac_bits=2), 6) == ([1, 0, 0], 20, 9)


def test_floor_rounds_negative_membranes_down():
    """w = −1 in the readout, one fractional bit: −2; −2 − 1 = −3; −3 + ⌊−3/2⌋ = −5."""
    neuron = InverseLeakyNeuron(threshold=ints(8), timesteps=3, leak=HALF)
    assert run(chain(neuron, out=-1, frac_bits=1), 6) == ([1, 0, 0], 20, -5)


def test_fractional_bits_of_a_reader():
    """k = 5/4 in "a", θ = 2: D = 2, 2, 2, so V = 7 fires, 5 + 1 = 6 fires, 4 + 1 = 5 fires.

    "n" has w = 3, B = 1 and f = 2; it accumulates in quarters, so V is not shifted again.
    """
    quarter = InverseLeak(n=1, m=2)
    first = InverseLeakyNeuron(threshold=ints(2), timesteps=3, leak=quarter)
    second = InverseLeakyNeuron(
        threshold=ints(16), timesteps=2, threshold_frac_bits=2, leak=InverseLeak(n=3, m=2)
    )
    network = Network(
        name="tiny",
        input=Input(shape=(1, 1, 1), timesteps=1, pixel_bits=1),
        nodes=(
            layer("a", "input", [[7]], [0], first),
            layer("n", "a", [[3]], [1], second),
            layer("out", "n", [[1]], [0], Readout()),
        ),
    )
    images = np.ones((1, 1, 1, 1), np.uint8)
    result = golden.run(network, images, trains=True)
    assert result.trains["a"].ravel().tolist() == [1, 1, 1]
    # 12; 12 + 3 + 12 = 27; 27 + 6 + 12 = 45; and B.
    assert result.membranes["n"].item() == 46
    # D = 16 + 12 = 28; V̂ = 28 + ⌈28·4/3⌉ = 66: 46 fires, 18 + 13 = 31 fires.
    assert result.trains["n"].ravel().tolist() == [1, 1]
    # The value of a train is its binary number.
    assert [result.values[name].item() for name in ("a", "n")] == [7, 3]


def scalar_train(
    membrane: int, theta: int, steps: int, leak: InverseLeak
) -> tuple[list[int], list[int]]:
    """Trains without an upper clamp and with the documented one.

    Asserts that the membranes of the clamped neuron stay in 0 … V̂.
    """

    def grow(value: int) -> int:
        return value + value * leak.n // 2**leak.m

    level = theta
    for _ in range(steps - 1):
        level = grow(level)
    top = level + -(-level * 2**leak.m // leak.n)
    assert grow(top - level) == top
    trains = []
    for left in (max(membrane, 0), min(max(membrane, 0), top)):
        clamped = left <= top
        train = []
        for _ in range(steps):
            train.append(int(left >= level))
            left = grow(left - train[-1] * level)
            assert not clamped or 0 <= left <= top
        trains.append(train)
    return trains[0], trains[1]


@settings(max_examples=200, deadline=None)
@given(
    theta=st.one_of(st.integers(1, 6), st.integers(1, 1 << 14)),
    steps=st.integers(1, 16),
    m=st.integers(1, 8),
    data=st.data(),
)
def test_the_clamp_changes_no_train(theta, steps, m, data):
    """Membranes near 0, D and V̂, and far beyond: all above V̂ fire like V̂."""
    leak = InverseLeak(n=2 * data.draw(st.integers(0, (1 << m - 1) - 1)) + 1, m=m)
    neuron = InverseLeakyNeuron(threshold=ints(theta), timesteps=steps, leak=leak)
    level, top = int(neuron.level[0]), int(neuron.clamp[0])
    near = [edge + n for edge in (0, level, top) for n in range(-2, 3)]
    drawn = data.draw(st.lists(st.integers(-top, 5 * top), max_size=30))
    membranes = np.array([*near, *drawn], dtype=np.int64)
    train = fire(membranes.reshape(-1, 1), neuron)[:, :, 0]
    for column, membrane in zip(train.T.tolist(), membranes.tolist()):
        free, clamped = scalar_train(membrane, theta, steps, leak)
        assert column == free == clamped
    assert train[:, membranes >= top].all()
    assert not train[:, membranes <= 0].any()


@settings(max_examples=150, deadline=None)
@given(
    theta=st.one_of(st.integers(1, 6), st.integers(1, 1000)),
    steps=st.integers(1, 10),
    m=st.integers(1, 8),
    candidates=st.integers(1, 6),
    data=st.data(),
)
def test_the_race_finds_the_train_of_the_largest_value(theta, steps, m, candidates, data):
    """Membranes, trains, their binary numbers and their exact values have the same order."""
    leak = InverseLeak(n=2 * data.draw(st.integers(0, (1 << m - 1) - 1)) + 1, m=m)
    neuron = InverseLeakyNeuron(threshold=ints(theta), timesteps=steps, leak=leak)
    top = int(neuron.clamp[0])
    sizes = data.draw(st.lists(st.integers(-1, top + 1), min_size=candidates, max_size=candidates))
    membranes = np.array(sorted(sizes), dtype=np.int64)
    train = fire(membranes.reshape(1, 1, -1, 1), neuron)
    trains = [tuple(column) for column in train[:, 0, 0, :, 0].T.tolist()]
    k = 1 + Fraction(leak.n, 1 << leak.m)
    exact_values = [sum(s * k ** (steps - 1 - t) for t, s in enumerate(one)) for one in trains]
    assert trains == sorted(trains)
    for left, right, one, other in zip(trains, trains[1:], exact_values, exact_values[1:]):
        assert (left == right) == (one == other)
        assert one <= other
    window = MaxPool2d(name="p", source="x", kernel=(1, candidates), stride=(1, 1))
    best = pool_train(train, window)[:, 0, 0, 0, 0]
    assert tuple(best.tolist()) == trains[exact_values.index(max(exact_values))]
    numbers = Code("radix").decode_train(train)
    largest = pool_values(numbers, window)
    np.testing.assert_array_equal(Code("radix").encode_train(largest, steps)[:, 0, 0, 0, 0], best)


@pytest.mark.parametrize(
    "leak", [InverseLeak(n=5, m=3), HALF, InverseLeak(n=77, m=7), InverseLeak(n=1, m=2)]
)
def test_a_train_represents_its_membrane_to_less_than_one_threshold(leak):
    """U_in = W·x of fractional trains, against exact fractions (Eq. 8).

    With a fine θ, the exact value of a train lies less than one threshold below V / θ.
    """
    rng, steps = np.random.default_rng(3), 8
    k = 1 + Fraction(leak.n, 1 << leak.m)
    trains = rng.integers(0, 2, (6, 5, steps))
    weights = rng.integers(-9, 20, (6, 5))
    exact = [
        sum(
            int(w) * sum(int(s) * k ** (steps - 1 - t) for t, s in enumerate(train))
            for w, train in zip(row, one)
        )
        for row, one in zip(weights, trains)
    ]
    frac_bits = 16
    currents = np.einsum("ni,nit->tn", weights, trains)
    membranes = accumulate(iter(currents), "radix", leak, frac_bits)
    unit = Fraction(1, 1 << frac_bits)
    lost = [u - int(v) * unit for u, v in zip(exact, membranes)]
    maximum = sum(k**step for step in range(steps - 1)) * unit
    assert all(0 <= one < maximum for one in lost)
    theta = 2 << frac_bits
    neuron = InverseLeakyNeuron(
        threshold=ints(theta), timesteps=10, threshold_frac_bits=frac_bits, leak=leak
    )
    fired = fire(membranes[:, None], neuron)[:, :, 0]
    for v, train in zip(membranes.tolist(), fired.T.tolist()):
        exact_value = sum(s * k ** (9 - t) for t, s in enumerate(train))
        left = Fraction(v, theta) - exact_value
        if v < 0:
            assert exact_value == 0
        elif not all(train):
            assert -Fraction(1, 100) < left < 1 + Fraction(1, 100)


def test_k_of_2_in_the_general_form():
    """n = 1, m = 0: V̂ = 2·D − 1, and the train of every membrane is ⌊V / θ⌋ in binary."""
    threshold = ints(1, 5, 30)
    neuron = InverseLeakyNeuron(threshold=threshold, timesteps=4)
    membranes = np.arange(-20, 600).reshape(-1, 1) * np.ones(3, np.int64)
    general = fire(membranes, neuron)
    assert neuron.clamp.tolist() == [15, 79, 479]
    expected = Code("radix").encode_train(np.clip(membranes // threshold, 0, 15), 4)
    np.testing.assert_array_equal(general, expected)


def test_pad_values_are_trains():
    """With k < 2, a tap outside the map reads the train 101b, whose value is 1 + 2.25."""
    ones = np.ones((1, 1, 1, 1), np.int32)
    first = InverseLeakyNeuron(threshold=ints(8), timesteps=3, leak=HALF)
    conv = Conv2d(
        source="a", weights=np.ones((1, 1, 1, 2), np.int32), padding=(0, 1, 0, 0),
        pad_value=np.array([0b101], np.int32),
    )  # fmt: skip
    zero = ints(0)
    network = Network(
        name="n",
        input=Input(shape=(1, 1, 1), timesteps=1, pixel_bits=1),
        nodes=(
            Layer(name="a", projections=(Conv2d(source="input", weights=ones),), bias=zero,
                  neuron=first),
            Layer(name="out", projections=(conv,), bias=zero, neuron=Readout(frac_bits=2)),
        ),
    )  # fmt: skip
    result = golden.run(network, np.zeros((1, 1, 1, 1), np.uint8), trains=True)
    assert result.logits.tolist() == [[9 + 4]]
    assert result.synaptic_operations["out"].tolist() == [2]


def test_operations_equal_eq_14():
    """#OP · SR per layer: connections times the spikes of each neuron."""
    rng = np.random.default_rng(1)
    leak = InverseLeak(n=3, m=2)
    network = Network(
        name="n",
        input=Input(shape=(6, 1, 1), timesteps=4),
        nodes=(
            layer("a", "input", rng.integers(-9, 20, (8, 6)), [0] * 8,
                  InverseLeakyNeuron(threshold=np.full(8, 60), timesteps=5, leak=leak)),
            layer("out", "a", rng.integers(-9, 9, (3, 8)), [0] * 3, Readout()),
        ),
    )  # fmt: skip
    images = rng.integers(0, 256, (20, 6, 1, 1)).astype(np.uint8)
    kept, plain = golden.run(network, images, trains=True), golden.run(network, images)
    for result in (kept, plain):
        for source, reader, inputs, outputs in (("input", "a", 6, 8), ("a", "out", 8, 3)):
            rate = kept.trains[source].mean(axis=(1, 2, 3, 4))  # SR: spikes per neuron and timestep
            steps = kept.trains[source].shape[1]
            operations = inputs * outputs * steps * rate  # #OP = M·N·T (Table 4)
            np.testing.assert_allclose(result.synaptic_operations[reader], operations)
    assert 0.1 < kept.trains["a"].mean() < 0.9


def test_mixed_neurons_after_an_inverse_leak():
    """Each layer accumulates with the k of its source and fires with its own neuron."""
    first = InverseLeakyNeuron(threshold=ints(8), timesteps=3, leak=HALF)
    soft = SoftResetNeuron(threshold=ints(4), timesteps=3, threshold_frac_bits=2)
    network = Network(
        name="n",
        input=Input(shape=(1, 1, 1), timesteps=3, pixel_bits=3),
        nodes=(
            layer("n", "input", [[3]], [2], first),
            layer("b", "n", [[1]], [0], soft),
            Flatten(name="f", source="b"),
            layer("out", "f", [[1]], [0], Readout()),
        ),
    )
    result = golden.run(network, np.full((1, 1, 1, 1), 6, np.uint8), trains=True)
    # Train 1, 0, 0 with f = 2: 4, 6, 9, which is two thresholds of 4.
    assert result.membranes["b"].item() == 9
    assert result.trains["b"].ravel().tolist() == [1, 1, 0]


def test_products_of_more_than_62_bits_are_rejected():
    wide = InverseLeakyNeuron(threshold=ints(1 << 45), timesteps=16, leak=InverseLeak(n=255, m=8))
    with pytest.raises(NetworkError, match="a membrane may need"):
        run(chain(wide), 6)
