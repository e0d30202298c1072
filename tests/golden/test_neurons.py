"""Neurons against hand-computed membranes, scalar loops, SpikingJelly and snnTorch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen import golden
from hwgen.golden.closed_form import Quantiser
from hwgen.golden.single_phase import integrate, membrane_dtype
from hwgen.network import (
    HardResetNeuron,
    InverseLeakyNeuron,
    Layer,
    Linear,
    Readout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)
from tests.support.tiny import ints, layer, one_neuron


def run(network, pixel):
    images = np.array(pixel, dtype=np.uint16).reshape(1, 1, 1, 1)
    steps = golden.run(network, images, trains=True)
    closed = golden.run(network, images)
    np.testing.assert_array_equal(closed.logits, steps.logits)
    train = steps.trains["n"][0, :, 0, 0, 0].tolist()
    return train, int(steps.membranes["n"].item()), int(steps.logits.item())


def test_inverse_leaky_neuron_by_hand():
    """q_in = 110b = 6, w = 3: V = 3, then 2·3 + 3 = 9, then 2·9 + 0 = 18; B = 2 makes it 20.

    θ = 4, T2 = 3, level 4·2² = 16: 20 ≥ 16 fires, 2·(20 − 16) = 8 does not, 2·8 = 16 does.
    """
    neuron = InverseLeakyNeuron(threshold=ints(4), timesteps=3)
    network = one_neuron(neuron, weight=3, bias=2, timesteps=3, code="radix", pixel_bits=3)
    assert run(network, 0b110) == ([1, 0, 1], 20, 5)


def test_inverse_leaky_neuron_saturates():
    """w = 5: V = 5, 15, 30; B = 2 makes it 32 = 8·θ; the clamp leaves 7·4 + 3 = 31.

    31 ≥ 16, 2·15 = 30 ≥ 16, 2·14 = 28 ≥ 16: all three fire.
    """
    neuron = InverseLeakyNeuron(threshold=ints(4), timesteps=3)
    network = one_neuron(neuron, weight=5, bias=2, timesteps=3, code="radix", pixel_bits=3)
    assert run(network, 0b110) == ([1, 1, 1], 32, 7)


def test_inverse_leaky_neuron_rectifies():
    """w = −3: V = −3, −9, −18; B = 2 makes it −16: clamped to 0, silent."""
    neuron = InverseLeakyNeuron(threshold=ints(4), timesteps=3)
    network = one_neuron(neuron, weight=-3, bias=2, timesteps=3, code="radix", pixel_bits=3)
    assert run(network, 0b110) == ([0, 0, 0], -16, 0)


@pytest.mark.parametrize(("bias", "train"), [(1, [0, 1, 0]), (2, [0, 1, 1])])
def test_inverse_leaky_neuron_fires_at_the_threshold_and_not_below(bias, train):
    """V = 5, f = 1: 2^f·V = 10; θ = 4: 10 + B = 11 gives 2 = 010b, 12 gives 3 = 011b."""
    neuron = InverseLeakyNeuron(threshold=ints(4), timesteps=3, threshold_frac_bits=1)
    network = one_neuron(neuron, weight=5, bias=bias, timesteps=1, code="radix", pixel_bits=1)
    assert run(network, 1) == (train, 10 + bias, sum(s << i for i, s in enumerate(train[::-1])))


def test_inverse_leaky_neuron_on_rate_input_does_not_double():
    """Rate input q_in = 3, w = 2: V = 2, 4, 6 with k = 1; θ = 1: q = 6 = 110b."""
    neuron = InverseLeakyNeuron(threshold=ints(1), timesteps=3)
    network = one_neuron(neuron, weight=2, bias=0, timesteps=3, code="rate", pixel_bits=8)
    assert run(network, 255) == ([1, 1, 0], 6, 6)


def test_two_phase_soft_reset_neuron_by_hand():
    """Radix input q_in = 10b = 2, w = 3: V = 3, 6; B = 2 makes it 8 = 2·θ.

    θ = 4: 8 ≥ 4 fires, 4 ≥ 4 fires, 0 does not.
    """
    neuron = SoftResetNeuron(threshold=ints(4), timesteps=3)
    network = one_neuron(neuron, weight=3, bias=2, timesteps=2, code="radix", pixel_bits=2)
    assert run(network, 2) == ([1, 1, 0], 8, 2)


def test_two_phase_soft_reset_neuron_saturates_at_its_timesteps():
    """V = 9 + 0 = 9, 9 // 2 = 4 spikes are due, but T2 = 3."""
    neuron = SoftResetNeuron(threshold=ints(2), timesteps=3)
    network = one_neuron(neuron, weight=9, bias=0, timesteps=1, code="radix", pixel_bits=1)
    assert run(network, 1) == ([1, 1, 1], 9, 3)


def test_single_phase_neuron_by_hand():
    """x = 6 of 8, T = 4, a₀ = 4: 10 fires and leaves 2, 8 fires and leaves 0, 6, 12 fires.

    Input 1, 1, 0, 1. With w = 3, B = 1, θ = 5, V₀ = 2: 2 + 4 = 6 fires → 1; 1 + 4 = 5 fires → 0;
    0 + 1 = 1; 1 + 4 = 5 fires → 0.
    """
    neuron = SoftResetNeuron(threshold=ints(5), timesteps=4, two_phase=False, initial=ints(2))
    network = one_neuron(neuron, weight=3, bias=1, timesteps=4, code="rate", pixel_bits=3)
    train, left, logit = run(network, 6)
    assert (train, left, logit) == ([1, 1, 0, 1], 0, 3)


def test_single_phase_neuron_keeps_a_negative_membrane():
    """Input 1, 1, 0, 1, w = −3, B = 2, θ = 2: −1, −2, 0, −1: no floor, never fires."""
    neuron = SoftResetNeuron(threshold=ints(2), timesteps=4, two_phase=False)
    network = one_neuron(neuron, weight=-3, bias=2, timesteps=4, code="rate", pixel_bits=3)
    assert run(network, 6) == ([0, 0, 0, 0], -1, 0)


def test_hard_reset_neuron_by_hand():
    """Input 1, 1, 0, 1. With w = 3, B = 1, θ = 5, V₀ = 2: 2 + 4 = 6 fires → −1; −1 + 4 = 3;
    3 + 1 = 4; 4 + 4 = 8 fires → −1.
    """
    neuron = HardResetNeuron(threshold=ints(5), timesteps=4, initial=ints(2), reset=ints(-1))
    network = one_neuron(neuron, weight=3, bias=1, timesteps=4, code="rate", pixel_bits=3)
    assert run(network, 6) == ([1, 0, 0, 1], -1, 2)


@pytest.mark.parametrize("kind", [HardResetNeuron, SoftResetNeuron])
def test_a_floor_lifts_the_membrane(kind):
    """Input 1, 1, 0, 1, w = −3, B = 2, θ = 2, V_min = −1: −1, −2 → −1, 1, 0; B = 3 fires."""
    options = {"two_phase": False} if kind is SoftResetNeuron else {}
    neuron = kind(threshold=ints(2), timesteps=4, floor=ints(-1), **options)
    network = one_neuron(neuron, weight=-3, bias=2, timesteps=4, code="rate", pixel_bits=3)
    assert run(network, 6) == ([0, 0, 0, 0], 0, 0)
    network = one_neuron(neuron, weight=-3, bias=3, timesteps=4, code="rate", pixel_bits=3)
    assert run(network, 6)[0] == [0, 0, 1, 0]


def test_ttfs_neuron_by_hand():
    """x = 5 of 8, T = 4: q = ⌊(20 + 4) / 8⌋ = 3, one spike at t = 4 + 1 − 3 = 2. w = 3: G = 0, 3,
    3, 3 and V = 0, 3, 6, 9; B = 2 makes it 11.

    θ = 4, T2 = 3, u_th = 16: 11 + 4 = 15 does not fire, 19 does, 23 comes after the spike. q = 2.
    """
    neuron = TimeToFirstSpikeNeuron(threshold=ints(4), timesteps=3)
    network = one_neuron(neuron, weight=3, bias=2, timesteps=4, code="ttfs", pixel_bits=3)
    assert run(network, 5) == ([0, 1, 0], 11, 2)


@pytest.mark.parametrize(
    ("bias", "train"),
    [(-10, [0, 0, 0]), (-6, [0, 0, 0]), (-5, [0, 0, 1]), (3, [1, 0, 0]), (90, [1, 0, 0])],
)
def test_ttfs_neuron_rectifies_and_saturates(bias, train):
    """V = 9 and θ = 4: below 4 it stays silent, from 12 on it fires in the first step."""
    neuron = TimeToFirstSpikeNeuron(threshold=ints(4), timesteps=3)
    network = one_neuron(neuron, weight=3, bias=bias, timesteps=4, code="ttfs", pixel_bits=3)
    q = 3 - train.index(1) if any(train) else 0
    assert run(network, 5) == (train, 9 + bias, q)


def test_ttfs_input_into_other_neurons():
    """TTFS input q = 3, w = 2: V = 6 for every reader; θ = 1 gives 110b."""
    neuron = InverseLeakyNeuron(threshold=ints(1), timesteps=3)
    network = one_neuron(neuron, weight=2, bias=0, timesteps=4, code="ttfs", pixel_bits=3)
    assert run(network, 5) == ([1, 1, 0], 6, 6)


def test_readout_by_hand_and_the_lowest_class_wins_a_tie():
    """q = 11b = 3: logits 3·2 + 1 = 7, 3·4 − 5 = 7, −3."""
    network = one_neuron(
        InverseLeakyNeuron(threshold=ints(1), timesteps=2),
        weight=1, bias=0, timesteps=2, code="radix", pixel_bits=2,
    )  # fmt: skip
    readout = layer("out", "n", [[-1], [2], [4]], [0, 1, -5], Readout())
    network = type(network)(name="t", input=network.input, nodes=(network.nodes[0], readout))
    result = golden.run(network, np.full((1, 1, 1, 1), 3, np.uint8))
    assert result.logits.tolist() == [[-3, 7, 7]]
    assert result.classes.tolist() == [1]


# --- the single-phase neuron against a scalar loop, SpikingJelly and snnTorch --------------------


def scalar_soft_reset(currents, bias, threshold, initial):
    membrane, train = initial, []
    for current in currents:
        membrane = membrane + int(current) + bias
        train.append(1 if membrane >= threshold else 0)
        if train[-1]:
            membrane = membrane - threshold
    return train, membrane


def single_phase_population(seed):
    rng = np.random.default_rng(seed)
    channels, steps = 6, 16
    threshold = rng.integers(1, 40, size=channels)
    population = Layer(
        name="n",
        projections=(Linear(source="input", weights=np.ones((channels, 1), dtype=np.int32)),),
        bias=rng.integers(-8, 9, size=channels),
        neuron=SoftResetNeuron(
            threshold=threshold, timesteps=steps, two_phase=False, initial=threshold // 2
        ),
    )
    return population, rng.integers(-30, 45, size=(steps, 5, 1, 1, channels))


@pytest.mark.parametrize("dtype", ["int64", "int32", "float32"])
@pytest.mark.parametrize("seed", range(8))
def test_single_phase_population_equals_a_scalar_loop(seed, dtype):
    population, currents = single_phase_population(seed)
    neuron = population.neuron
    train, left = integrate(iter(currents), population, np.dtype(dtype))
    assert left.dtype == np.int64
    fired = 0
    for image in range(currents.shape[1]):
        for channel in range(currents.shape[-1]):
            expected, membrane = scalar_soft_reset(
                currents[:, image, 0, 0, channel],
                int(population.bias[channel]),
                int(neuron.threshold[channel]),
                int(neuron.initial[channel]),
            )
            assert train[:, image, 0, 0, channel].tolist() == expected
            assert left[image, 0, 0, channel] == membrane
            fired += sum(expected)
    assert fired > 0


def test_single_phase_membranes_have_the_fastest_exact_type():
    assert membrane_dtype(1 << 24) == np.float32
    assert membrane_dtype((1 << 24) + 1) == np.int32
    assert membrane_dtype((1 << 31) - 1) == np.int32
    assert membrane_dtype(1 << 31) == np.int64


@pytest.mark.parametrize("weight", [-16_383, -32_767])
def test_single_phase_membranes_are_exact_however_far_they_fall(weight):
    """1,023 spikes of weight w: beyond 2²⁴ float32 cannot represent odd membranes."""
    neuron = SoftResetNeuron(threshold=ints(5), timesteps=1024, two_phase=False)
    network = one_neuron(neuron, weight=weight, bias=0, timesteps=1024, code="rate", pixel_bits=10)
    result = golden.run(network, np.full((1, 1, 1, 1), 1023, np.uint16), trains=True)
    assert result.spikes["input"].item() == 1023
    assert result.membranes["n"].item() == 1023 * weight


@pytest.mark.parametrize("seed", range(4))
def test_single_phase_population_equals_spikingjelly(seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from the packages that it imports
        pytest.importorskip("spikingjelly")
        from spikingjelly.activation_based.neuron import IFNode
    import torch

    population, currents = single_phase_population(seed)
    neuron = population.neuron
    train, left = integrate(iter(currents), population)
    for channel in range(currents.shape[-1]):
        other = IFNode(v_threshold=float(neuron.threshold[channel]), v_reset=None)
        other.v = torch.full((currents.shape[1],), float(neuron.initial[channel]))
        for step in range(len(currents)):
            drive = currents[step, :, 0, 0, channel] + population.bias[channel]
            with torch.no_grad():
                spikes = other(torch.from_numpy(drive).float())
            assert train[step, :, 0, 0, channel].tolist() == spikes.int().tolist()
        assert left[:, 0, 0, channel].tolist() == other.v.long().tolist()


@pytest.mark.parametrize("seed", range(4))
def test_single_phase_population_equals_snntorch(seed):
    """snnTorch fires where V > θ, not ≥, and resets one step later.

    Currents are integers, so membranes that start half a unit higher give the same trains.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        snntorch = pytest.importorskip("snntorch")
    import torch

    population, currents = single_phase_population(seed)
    neuron = population.neuron
    train, _ = integrate(iter(currents), population)
    differ = 0
    for channel in range(currents.shape[-1]):
        threshold = float(neuron.threshold[channel])
        other = snntorch.Leaky(beta=1.0, threshold=threshold, reset_mechanism="subtract")
        drives = currents[:, :, 0, 0, channel] + population.bias[channel]
        for higher in (0.5, 0.0):
            membrane = torch.full((currents.shape[1],), float(neuron.initial[channel]) + higher)
            found = []
            for drive in drives:
                spikes, membrane = other(torch.from_numpy(drive).float(), membrane)
                found.append(spikes.int().tolist())
            if higher:
                assert train[:, :, 0, 0, channel].tolist() == found
            else:
                differ += train[:, :, 0, 0, channel].tolist() != found
    assert differ > 0  # the half unit matters: without it, the strict comparison changes trains


# --- the quotient of the closed form, at the limits of each number type --------------------------


@settings(max_examples=300, deadline=None)
@given(
    threshold=st.one_of(st.integers(1, 1 << 14), st.integers(1, 1 << 40)),
    timesteps=st.integers(1, 16),
    radix=st.booleans(),
    bias=st.integers(-(1 << 20), 1 << 20),
    data=st.data(),
)
def test_quantiser_is_exact_next_to_every_multiple(threshold, timesteps, radix, bias, data):
    kind = InverseLeakyNeuron if radix else SoftResetNeuron
    neuron = kind(threshold=ints(threshold), timesteps=timesteps)
    q_max = (1 << timesteps) - 1 if radix else timesteps
    factors = data.draw(st.lists(st.integers(-1, q_max + 2), min_size=1, max_size=20))
    sums = [k * threshold - bias + offset for k in [*factors, q_max] for offset in (-1, 0, 1)]
    expected = [min(max((s + bias) // threshold, 0), q_max) for s in sums]
    population = Layer(name="n", projections=(), bias=ints(bias), neuron=neuron)
    magnitude = max(abs(bias), *(max(abs(s), abs(s + bias)) for s in sums))
    span = (q_max + 1) * threshold
    quantiser = Quantiser(population, neuron, magnitude=magnitude, span=span)
    out = np.zeros((len(sums), 1, 1, 1), quantiser.out_dtype)
    exact = np.array(sums, dtype=np.int64).astype(quantiser.dtype)
    quantiser(exact.reshape(-1, 1, 1, 1), out)
    assert out.ravel().tolist() == expected


@pytest.mark.parametrize(
    ("threshold", "timesteps", "dtype"),
    [(1 << 13, 8, np.float32), ((1 << 13) + 1, 8, np.float64), ((1 << 46) + 1, 16, np.int64)],
)
def test_quantiser_takes_the_fastest_exact_type(threshold, timesteps, dtype):
    neuron = InverseLeakyNeuron(threshold=ints(threshold), timesteps=timesteps)
    population = Layer(name="n", projections=(), bias=ints(0), neuron=neuron)
    span = threshold << timesteps
    assert Quantiser(population, neuron, magnitude=100, span=span).dtype == dtype
