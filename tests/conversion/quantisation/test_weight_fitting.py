"""Fitted weights against independent least squares and searches."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from hwgen.conversion.quantisation.weight_fitting import Fit
from hwgen.network import Conv2d, Identity, Linear

WHOLE = np.zeros((1, 1), np.int32)  # integers that a fit does not read


def linear(inputs: np.ndarray, weights: np.ndarray, sums: np.ndarray) -> Fit:
    shape = (*inputs.shape, 1, 1)
    codes = torch.from_numpy(inputs.astype(np.float32)).reshape(shape)
    return Fit(
        [Linear(source="x", weights=WHOLE)], [weights], {"x": codes},
        torch.from_numpy(sums.astype(np.float32))[:, :, None, None],
    )  # fmt: skip


def inputs_of(rng: np.random.Generator, samples: int, size: int, rank: int) -> np.ndarray:
    """Codes 0 … 15 that go together, as those of neighbouring pixels do."""
    mixed = rng.uniform(0, 1, (samples, rank)) @ rng.uniform(0, 1, (rank, size))
    return np.round(15 * mixed / mixed.max()) + rng.integers(0, 2, (samples, size))


def cost(inputs: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Variance of the error of the sums: a bias takes the mean."""
    return np.asarray((inputs @ error.T).var(axis=0))


def test_the_fit_makes_up_for_what_the_inputs_lost():
    """Inputs that are cut off at 9: the least squares that NumPy finds, up to the ridge."""
    rng = np.random.default_rng(0)
    full, weights = inputs_of(rng, 4000, 8, 3), rng.normal(size=(5, 8))
    cut = np.minimum(full, 9)
    sums = full @ weights.T
    fit = linear(cut, weights, sums)
    centred = cut - cut.mean(axis=0)
    best = np.linalg.lstsq(centred, sums - sums.mean(axis=0), rcond=None)[0].T

    def left(found: np.ndarray) -> float:
        return float((sums - cut @ found.T).var(axis=0).mean())

    assert left(fit.weights[0]) < 1.05 * left(best)
    assert left(fit.weights[0]) < 0.7 * left(weights)


def test_weights_that_are_right_stay():
    rng = np.random.default_rng(1)
    inputs, weights = inputs_of(rng, 3000, 6, 6), rng.normal(size=(4, 6))
    fit = linear(inputs, weights, inputs @ weights.T + 3.0)
    np.testing.assert_allclose(fit.weights[0], weights, atol=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_rounding_is_near_the_best_of_all_and_better_than_the_nearest(seed):
    rng = np.random.default_rng(seed)
    inputs, weights = inputs_of(rng, 2000, 7, 2), rng.uniform(-2.5, 2.5, (6, 7))
    fit = linear(inputs, weights, inputs @ weights.T)
    (found,) = fit.round([weights], np.ones(6), 3)
    assert found.dtype == np.int32
    assert np.abs(found).max() <= 3
    mine = cost(inputs, found - weights)
    nearest = cost(inputs, np.clip(np.round(weights), -3, 3) - weights)
    corners = np.array(list(itertools.product([0, 1], repeat=7)))
    best = [cost(inputs, np.clip(np.floor(row) + corners, -3, 3) - row).min() for row in weights]
    assert mine.mean() < 0.5 * nearest.mean()
    assert mine.mean() < 3 * np.mean(best)


def maps(rng: np.random.Generator, *shape: int) -> torch.Tensor:
    return torch.from_numpy(rng.integers(0, 16, shape).astype(np.float32))


@pytest.mark.parametrize(("groups", "stride"), [(1, 1), (2, 2), (4, 1)])
def test_windows_of_a_convolution(groups, stride):
    """Right weights stay right, which windows of any other place would not allow."""
    rng = np.random.default_rng(2)
    codes = maps(rng, 40, 4, 7, 7)
    weights = rng.normal(size=(8, 4 // groups, 3, 2))
    padded = torch.nn.functional.pad(codes, (1, 0, 0, 2), value=5.0)
    sums = torch.nn.functional.conv2d(
        padded, torch.from_numpy(weights).float(), stride=stride, groups=groups
    )
    projection = Conv2d(
        source="x", weights=np.zeros(weights.shape, np.int32), stride=(stride, stride),
        padding=(0, 1, 2, 0), groups=groups, pad_value=np.full(4, 5, np.int32),
    )  # fmt: skip
    fit = Fit([projection], [0.5 * weights], {"x": codes}, sums)
    np.testing.assert_allclose(fit.weights[0], weights, atol=0.04)


def test_equal_taps_stay_equal_and_copies_stay():
    rng = np.random.default_rng(3)
    codes, other = maps(rng, 300, 4, 3, 3), maps(rng, 300, 5, 1, 1)
    taps = np.broadcast_to(rng.normal(size=(5, 4, 1, 1)), (5, 4, 3, 3)).copy()
    skip = np.full(5, 2.0)
    sums = torch.nn.functional.conv2d(codes, torch.from_numpy(taps).float()) + 2 * other
    fit = Fit(
        [
            Conv2d(source="x", weights=np.zeros(taps.shape, np.int32)),
            Identity(source="y", weights=np.zeros(5, np.int32)),
        ],
        [0.7 * taps, skip], {"x": codes, "y": other}, sums,
    )  # fmt: skip
    np.testing.assert_allclose(fit.weights[0], taps, atol=0.03)
    np.testing.assert_array_equal(fit.weights[1], skip)
    window, identity = fit.round(fit.weights, np.full(5, 0.3), 7)
    assert (window == window[:, :, :1, :1]).all()
    np.testing.assert_array_equal(identity, [7] * 5)


def test_tiles_of_equal_taps_are_one_weight_each():
    """The fit of the sums of each tile's inputs, which is that of a linear layer."""
    rng = np.random.default_rng(4)
    codes = maps(rng, 300, 2, 4, 6)
    tiles = rng.normal(size=(5, 2, 2, 2))
    taps = tiles.repeat(2, axis=2).repeat(3, axis=3)
    sums = torch.nn.functional.conv2d(codes, torch.from_numpy(taps).float())
    projection = Conv2d(source="x", weights=np.zeros(taps.shape, np.int32))
    fit = Fit([projection], [0.7 * taps], {"x": codes}, sums)
    pooled = codes.numpy().reshape(300, 2, 2, 2, 2, 3).sum(axis=(3, 5)).reshape(300, -1)
    alone = linear(pooled, 0.7 * tiles.reshape(5, -1), sums[:, :, 0, 0].numpy())
    np.testing.assert_allclose(fit.weights[0][:, :, ::2, ::3].reshape(5, -1), alone.weights[0],
                               rtol=1e-4, atol=1e-5)  # fmt: skip
    (whole,), (each,) = (one.round([w], np.full(5, 0.2), 15) for one, w in
                         ((fit, taps), (alone, tiles.reshape(5, -1))))  # fmt: skip
    np.testing.assert_array_equal(whole, each.reshape(5, 2, 2, 2).repeat(2, 2).repeat(3, 3))


def test_inputs_that_never_change_and_inputs_that_never_come():
    inputs = np.zeros((50, 3))
    inputs[:, 1] = 4
    weights = np.array([[0.4, -1.6, 2.2]])
    fit = linear(inputs, weights, inputs @ weights.T)
    np.testing.assert_allclose(fit.weights[0], weights)
    np.testing.assert_array_equal(fit.round([weights], np.ones(1), 3)[0], [[0, -2, 2]])
