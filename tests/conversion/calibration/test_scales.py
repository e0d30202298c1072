"""Output scales against an independent exhaustive search, and scales of silent layers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from hwgen.conversion.calibration import samples
from hwgen.conversion.calibration.scales import choose_linear_scales, choose_scales
from hwgen.conversion.options import Options

SHARED = Options(channel_scales=False)


def sums_of(values: np.ndarray, channels: int = 1) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32)).reshape(-1, channels, 1, 1)


def expected_error(values: np.ndarray, scale: float, q_max: int, power: int) -> float:
    """E |U_in − U_out|^power of a neuron, value by value (SpikeConverter, Eq. 13)."""
    total = 0.0
    for value in values:
        current = max(float(value), 0.0)
        spikes = min(math.floor(current / scale + 0.5), q_max)
        total += abs(current - scale * spikes) ** power
    return total / len(values)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("q_max", [1, 3, 15])
def test_no_scale_has_a_smaller_error(power, q_max):
    values = np.random.default_rng(q_max).normal(0, 2, 300)
    options = Options(error="absolute" if power == 1 else "squared", channel_scales=False)
    scale = choose_scales(sums_of(values), q_max=q_max, high=math.inf, options=options)
    found = expected_error(values, scale[0], q_max, power)
    top = values.max() / q_max
    best = min(
        expected_error(values, s, q_max, power) for s in np.linspace(0.03 * top, 1.1 * top, 1500)
    )
    assert found <= 1.01 * best
    assert found < 0.9 * expected_error(values, 1.1 * top, q_max, power)


def signed_error(values: np.ndarray, scale: float, zero: int, q_max: int) -> float:
    """E |U_in − U_out| of codes 0 … q_max that mean λ·(q − z)."""
    codes = np.clip(np.floor(values / scale + 0.5), -zero, q_max - zero)
    return float(np.abs(values - scale * codes).mean())


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("q_max", [3, 7])
def test_no_zero_point_has_a_smaller_error(sign, q_max):
    """One value far on the other side moves the zero of the range, not that of the best code."""
    rare = -0.95 / (q_max - 0.95)  # 0.95 of q_max steps of the whole range
    values = sign * np.concatenate([np.random.default_rng(q_max).uniform(0, 1, 400), [rare]])
    scales, zeros = choose_linear_scales(sums_of(values), q_max=q_max, options=SHARED)
    found = signed_error(values.astype(np.float32), scales[0], int(zeros[0]), q_max)
    span = values.max() - values.min()
    tries = {
        (signed_error(values, scale, zero, q_max), zero)
        for zero in range(q_max + 1)
        for scale in np.linspace(0.3 * span / q_max, 1.1 * span / q_max, 400)
    }
    best, zero = min(tries)
    assert zero == zeros[0] == (0 if sign > 0 else q_max)
    assert found <= 1.01 * best
    assert round(-values.min() / span * q_max) in (1, q_max - 1)  # where the range has it


def test_equally_spaced_values_are_represented_exactly():
    values = 0.7 * np.arange(16)
    scale = choose_scales(sums_of(values), q_max=15, high=math.inf, options=SHARED)
    assert expected_error(values, scale[0], 15, 1) < 1e-3
    assert scale[0] == pytest.approx(0.7, rel=2e-3)


def test_a_saturation_bounds_the_values():
    values = np.concatenate([np.linspace(0, 1, 200), np.full(300, 50.0)])
    scale = choose_scales(sums_of(values), q_max=15, high=1.5, options=SHARED)
    # Most sums are far above the saturation, so the neuron's own must be there, too.
    assert 15 * scale[0] == pytest.approx(1.5, rel=1e-3)


def test_percentile_of_the_positive_values():
    values = np.concatenate([-np.ones(1000), np.arange(1, 101)])
    options = Options(percentile=50.0, channel_scales=False)
    scale = choose_scales(sums_of(values), q_max=10, high=math.inf, options=options)
    assert scale[0] == pytest.approx(50.5 / 10)
    scale = choose_scales(sums_of(values), q_max=10, high=20.0, options=options)
    assert scale[0] == pytest.approx(2.0)


def test_channel_scales_are_each_channel_s_own():
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 1, (500, 3)) * [1, 10, 0] - [0, 0, 1]
    sums = torch.from_numpy(values.astype(np.float32)).reshape(500, 3, 1, 1)
    options = Options(channel_scales=True)
    scales = choose_scales(sums, q_max=15, high=math.inf, options=options)
    for channel in range(2):
        single = choose_scales(
            sums[:, channel : channel + 1], q_max=15, high=math.inf, options=options
        )
        assert scales[channel] == pytest.approx(single[0], rel=0.02)
    assert scales[2] == pytest.approx(1 / 15)  # a silent channel takes the size of its own sums
    options = Options(channel_scales=False)
    layer = choose_scales(sums, q_max=15, high=math.inf, options=options)
    assert layer.shape == (3,)
    assert len(set(layer)) == 1


@pytest.mark.parametrize(("high", "expected"), [(math.inf, 2.0 / 7), (6.0, 6.0 / 7)])
@pytest.mark.parametrize("percentile", [None, 99.0])
def test_a_layer_that_never_fires(high, expected, percentile):
    values = np.linspace(-2, -0.5, 50)
    options = Options(percentile=percentile)
    scale = choose_scales(sums_of(values), q_max=7, high=high, options=options)
    assert scale[0] == pytest.approx(expected)


def test_a_layer_of_zeros():
    scale = choose_scales(sums_of(np.zeros(20)), q_max=7, high=math.inf, options=SHARED)
    assert scale[0] == pytest.approx(1 / 7)


def test_a_layer_of_zeros_takes_its_reach():
    zeros = sums_of(np.zeros(20), channels=2)
    reach = np.array([3.0, 0.0])
    for options in (SHARED, Options(channel_scales=True)):
        scales = choose_scales(zeros, q_max=7, high=math.inf, options=options, reach=reach)
        np.testing.assert_allclose(scales, [3 / 7, 3 / 7])
        one, _ = choose_linear_scales(zeros, q_max=7, options=options, reach=np.ones(2))
        three, _ = choose_linear_scales(zeros, q_max=7, options=options, reach=reach)
        np.testing.assert_allclose(three, 3 * one)
    options = Options(channel_scales=True)
    scales = choose_scales(zeros, q_max=7, high=math.inf, options=options, reach=2 * reach + 1)
    np.testing.assert_allclose(scales, np.array([7, 1]) / 7)


def test_a_sample_of_a_map_covers_all_pixels(monkeypatch):
    """Each pixel has a size of its own, and the pixels' number divides the layer's size."""
    monkeypatch.setattr(samples, "_SAMPLES", 1000)
    maps = np.broadcast_to(np.geomspace(0.01, 10, 100).reshape(1, 1, 10, 10), (1000, 1, 10, 10))
    sums = torch.from_numpy(maps.astype(np.float32))
    scale = choose_scales(sums, q_max=15, high=math.inf, options=SHARED)
    few = maps[0].reshape(-1)
    found = expected_error(few, scale[0], 15, 2)
    best = min(expected_error(few, s, 15, 2) for s in np.linspace(0.02, 0.8, 400))
    assert found < 1.1 * best


def exponential(images: int, channels: int = 40, seed: int = 0) -> torch.Tensor:
    values = np.random.default_rng(seed).exponential(size=(images, channels, 1, 1)) - 0.5
    return torch.from_numpy(values.astype(np.float32))


def saturated(scale: np.ndarray, q_max: int) -> float:
    """Share of new values that are above the largest level."""
    new = exponential(20_000, seed=1).numpy()[:, :, 0, 0]
    return float((new > scale * (q_max + 0.5)).mean())


def test_channels_of_few_values_leave_room_for_new_ones() -> None:
    """Of 100 known values the largest is exceeded once in 101 times."""
    options = Options(channel_scales=True)
    for q_max in (4095, 65535):
        scale = choose_scales(exponential(100), q_max=q_max, high=math.inf, options=options)
        assert saturated(scale, q_max) < 0.25 / 101
    known = exponential(100).numpy().max(axis=(0, 2, 3))
    assert saturated(known / 4095, 4095) == pytest.approx(1 / 101, rel=0.3)


def test_many_values_need_no_room() -> None:
    """Where not all values of a channel are looked at, the next one matters little."""
    sums = exponential(20_000, channels=2)
    for channel in range(2):
        mine = sums[:, channel : channel + 1]
        roomy, tight = (
            choose_scales(mine, q_max=7, high=math.inf, options=options)
            for options in (Options(channel_scales=True), SHARED)
        )
        assert roomy[0] == pytest.approx(tight[0], rel=0.08)  # other samples


def test_linear_channels_leave_room_at_both_ends() -> None:
    values = np.random.default_rng(0).laplace(size=(100, 40, 1, 1)).astype(np.float32)
    new = np.random.default_rng(1).laplace(size=(20_000, 40))
    options = Options(channel_scales=True)
    scale, zero = choose_linear_scales(torch.from_numpy(values), q_max=65535, options=options)
    for end, q in ((-1, -zero), (1, 65535 - zero)):
        assert float((end * new > end * scale * q).mean()) < 0.25 / 101


def test_a_tail_by_hand() -> None:
    """Nine values 0 and one 10: the mean 1, s = 9 / ln 10; x of 1/16 and 15/16 at the ends."""
    sums = torch.zeros(10, 1, 1, 1)
    sums[0] = 10.0
    tails, weight = samples.tails_of(np.array([10.0]), sums, Options(channel_scales=True))
    assert weight == 0.1
    size = 9 / math.log(10)
    assert tails[0, 0] == pytest.approx(10 + size * math.log(16 / 15))
    assert tails[0, -1] == pytest.approx(10 + size * math.log(16))
    assert samples.tails_of(np.array([10.0]), sums, SHARED)[1] == 0
