"""Integer weights and thresholds: in range, in proportion, and as good as an exhaustive search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.conversion.quantisation.integers import _fine_scale, quantise_layer, quantise_readout


def layer(weights, output_scale, *, second_moments=None, bits=8, q_max=15, **options):
    weights = np.asarray(weights, float)
    second_moments = (
        np.ones_like(weights) if second_moments is None else np.asarray(second_moments, float)
    )
    scale = np.broadcast_to(np.asarray(output_scale, float), len(weights))
    return quantise_layer(
        [weights], [second_moments], bits=bits, output_scale=scale, q_max=q_max, **options
    )


@settings(max_examples=60, deadline=None)
@given(
    bits=st.integers(2, 16),
    seed=st.integers(0, 1000),
    spread=st.floats(0, 3),
    output=st.floats(-4, 3),
)
def test_weights_are_in_range_and_thresholds_fit_them_exactly(bits, seed, spread, output):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(5, 12)) * 10.0 ** rng.uniform(-spread, spread, (5, 1))
    found = layer(weights, 10.0**output, bits=bits, q_max=255)
    maximum = (1 << (bits - 1)) - 1
    (integers,) = found.weights
    assert integers.dtype == np.int32
    assert np.abs(integers).max() <= maximum
    # θ · s = 2^f · λ: no part of the threshold is rounded away
    np.testing.assert_allclose(
        found.threshold * found.scale, 10.0**output * 2.0**found.frac_bits, rtol=1e-12
    )
    assert found.threshold.min() >= 1
    assert 0 <= found.frac_bits <= 16
    # Where a weight is not clipped it is the nearest integer.
    inside = np.abs(integers) < maximum
    error = np.abs(weights / found.scale[:, None] - integers)
    assert error[inside].max(initial=0) <= 0.5 + 1e-9


def test_a_threshold_of_256_changes_no_scale_by_more_than_a_part_in_512():
    """Rounded to the nearest integer, a threshold of 256 or more is off by 1/2 of 256."""
    rng = np.random.default_rng(5)
    weights = rng.normal(size=(400, 12))
    wanted, _ = _fine_scale([weights], [np.ones_like(weights)], 8)
    output = wanted * rng.uniform(256, 300, 400)
    found = quantise_layer([weights], [np.ones_like(weights)], bits=8, output_scale=output, q_max=1)
    assert found.frac_bits == 0
    assert found.threshold.min() >= 256
    moved = np.abs(found.scale / wanted - 1)
    assert 2**-10 < moved.max() <= 2**-9 * (1 + 1e-2)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_no_scale_of_a_channel_is_much_better(bits):
    rng = np.random.default_rng(bits)
    weights, second_moment = rng.standard_t(3, (4, 60)), rng.uniform(0, 2, 60)
    found = layer(weights, 100.0, second_moments=np.broadcast_to(second_moment, (4, 60)), bits=bits)
    maximum = (1 << (bits - 1)) - 1

    def cost(row, s):
        return float(
            (second_moment * (row - s * np.clip(np.round(row / s), -maximum, maximum)) ** 2).sum()
        )

    for channel, row in enumerate(weights):
        best = min(cost(row, s) for s in np.linspace(0.1, 1.1, 2000) * np.abs(row).max() / maximum)
        assert cost(row, found.scale[channel]) < (1.12 if bits <= 4 else 1.5) * best
        assert cost(row, found.scale[channel]) < 1.02 * cost(row, np.abs(row).max() / maximum)


def test_weights_of_silent_inputs_take_no_range():
    weights = np.array([[1.0, -0.5, 0.3, 8.0]])
    heard = layer(weights, 10.0, second_moments=[[1, 1, 1, 1]], bits=4)
    unheard = layer(weights, 10.0, second_moments=[[1, 1, 1, 0]], bits=4)
    assert heard.weights[0].tolist() == [[1, 0, 0, 7]]
    assert unheard.weights[0][0, :3].tolist() in ([4, -2, 1], [3, -2, 1])


def test_fractions_make_up_for_a_small_threshold():
    weights = np.array([[1.0, -0.7], [0.5, 0.2]])
    coarse = layer(weights, 0.1, fractions=False)
    fine = layer(weights, 0.1)
    assert coarse.frac_bits == 0
    assert fine.frac_bits > 0
    assert fine.threshold.min() >= 256
    assert layer(weights, 1000.0).frac_bits == 0
    for found in (coarse, fine):
        np.testing.assert_allclose(
            found.weights[0] * found.scale[:, None], weights, atol=found.scale.max() / 2
        )


def test_an_average_is_ones():
    found = layer(np.full((3, 4), 0.25), 0.3)
    assert (found.weights[0] == 1).all()
    np.testing.assert_allclose(found.scale, 0.25, rtol=2**-8)


@pytest.mark.parametrize("output", [0.3, 0.7, 5.0, 900.0])
def test_without_fractions_an_average_grows_until_its_threshold_is_exact(output):
    """w / λ by the integers is W / θ; of 8 bits, W is 64 at maximum."""
    found = layer(np.full((2, 4), 0.25), output, fractions=False)
    (weight,) = set(found.weights[0].ravel().tolist())
    assert 1 <= weight <= 64
    np.testing.assert_allclose(weight / found.threshold, 0.25 / output, rtol=0.013)
    if output == 900.0:
        assert weight == 1


def test_a_channel_of_zeros():
    found = layer([[0.0, 0.0], [1.0, 2.0]], 0.5)
    assert (found.weights[0][0] == 0).all()
    # no wider membrane than its neighbours' for a channel that holds nothing
    assert 1 <= found.threshold[0] <= 256 << found.frac_bits
    assert np.isfinite(found.scale).all()
    assert layer([[0.0, 0.0]], 0.5).weights[0].tolist() == [[0, 0]]


def test_a_channel_of_next_to_nothing_takes_no_wide_membrane():
    found = layer([[1e-30, -1e-30], [1.0, 2.0]], 0.5, q_max=15)
    assert found.threshold.max() < 2 ** (7 + 4 + 1 + 10)
    assert (found.weights[0][0] == 0).all()


def test_several_projections_share_the_membrane():
    first, second = np.array([[1.0, 2.0]]), np.array([3.0])
    found = quantise_layer(
        [first, second], [np.ones((1, 2)), np.ones(1)],
        bits=8, output_scale=np.array([5.0]), q_max=15,
    )  # fmt: skip
    assert [w.shape for w in found.weights] == [(1, 2), (1,)]
    np.testing.assert_allclose(found.weights[0] * found.scale[:, None], first, rtol=0.02)
    np.testing.assert_allclose(found.weights[1] * found.scale, second, rtol=0.02)


def test_the_readout_has_one_scale():
    weights = np.array([[1.0, 0.0], [0.25, -0.5], [100.0, 3.0]])
    found = quantise_readout([weights], [np.ones(2)], bits=8, bias=np.array([0.1, 0, -5]))
    assert len(set(found.scale)) == 1
    assert found.threshold is None
    np.testing.assert_allclose(found.weights[0] * found.scale[0], weights, atol=found.scale[0] / 2)
    zeros = quantise_readout([np.zeros((3, 2))], [np.ones(2)], bits=8, bias=np.zeros(3))
    assert (zeros.weights[0] == 0).all()
    assert np.isfinite(zeros.scale).all()


@pytest.mark.parametrize("size", [1e-30, 1e-9, 1.0, 1e9, 1e30])
@pytest.mark.parametrize("weight", [0.0, 1e-60])
def test_biases_of_next_to_no_weights_keep_their_order(size, weight):
    bias = size * np.array([0.1, 0.2, 0.3, 0.9, 0.4, 0.4 * (1 + 2**-23), -0.2])
    weights = np.full((7, 2), weight)
    found = quantise_readout([weights], [np.ones(2)], bits=8, bias=bias)
    integers = np.round(bias / found.scale).astype(np.int64)
    assert np.argsort(integers, kind="stable").tolist() == np.argsort(bias).tolist()
    assert len(set(integers.tolist())) == 7
    assert np.abs(integers).max() <= 1 << 46
    assert (found.weights[0] == 0).all()


def test_biases_alone_take_no_more_bits_than_their_order_needs():
    """Eight bits are ± 127; the smallest gap of the second ones, 1 of 1000, takes two steps."""
    for bias, largest in (([0.0, 0.5, 1.0], 127), ([999.0, 1000.0, -1000.0], 2000)):
        found = quantise_readout([np.zeros((3, 2))], [1.0], bits=8, bias=np.array(bias))
        assert np.abs(np.round(bias / found.scale)).max() == largest


def test_weights_of_one_size_are_those_that_differ_by_rounding_only():
    """A difference of 1e-10 may be that of a product; 5 % is not, however small the weights."""
    for size in (1e-30, 1e-6, 1.0, 1e6):
        row = size * np.array([[1.0, 1.0 + 1e-10, -1.0, 0.0]])
        assert layer(row, size).weights[0].tolist() == [[1, 1, -1, 0]]
        row = size * np.array([[1.0, 0.95, -1.0, 0.0]])
        assert layer(row, size).weights[0].tolist() == layer(row / size, 1.0).weights[0].tolist()
        assert abs(layer(row, size).weights[0][0, 0]) > 60
