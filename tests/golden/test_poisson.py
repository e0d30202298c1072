"""Poisson input: the draws against a bit-serial shift register, and the resulting rates."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.golden.draws import apply, one_bit, poisson_draws, poisson_train, power
from hwgen.network import Input


def plain_bits(seed: int, count: int) -> list[int]:
    """First ``count`` bits of b[k + 32] = b[k + 22] ⊕ b[k + 2] ⊕ b[k + 1] ⊕ b[k]."""
    bits = [seed >> n & 1 for n in range(32)]
    while len(bits) < count:
        bits.append(bits[-10] ^ bits[-30] ^ bits[-31] ^ bits[-32])
    return bits


def test_first_timestep_draws_the_bits_of_the_register():
    source = Input(shape=(2, 3, 4), timesteps=1, code="poisson", pixel_bits=5, seed=0xDEADBEEF)
    bits = plain_bits(0xDEADBEEF, 24 * 9)
    expected = [sum(bit << i for i, bit in enumerate(bits[n * 9 : n * 9 + 9])) for n in range(24)]
    assert poisson_draws(source).tolist() == [expected]


def test_consecutive_timesteps_start_two_to_the_twenty_draws_apart():
    """A jump of 13·2^20 bits: the jump of 13 bits, doubled 20 times."""
    source = Input(shape=(1, 1, 2), timesteps=3, code="poisson", pixel_bits=9, seed=77)
    state, rows = 77, []
    columns = one_bit()
    for _ in range(13 - 1):
        columns = [apply(one_bit(), column) for column in columns]
    for _ in range(20):
        columns = [apply(columns, column) for column in columns]
    for _ in range(3):
        bits = plain_bits(state, 26)
        rows.append([sum(bit << i for i, bit in enumerate(bits[n : n + 13])) for n in (0, 13)])
        state = apply(columns, state)
    assert poisson_draws(source).tolist() == rows


def test_the_register_has_the_maximum_period():
    """The state repeats after 2^32 − 1 = 3·5·17·257·65,537 bits, and after no divisor of it."""
    period = (1 << 32) - 1
    unity = [1 << bit for bit in range(32)]
    assert power(one_bit(), period) == unity
    for prime in (3, 5, 17, 257, 65_537):
        assert power(one_bit(), period // prime) != unity


@pytest.mark.parametrize("gain", [16, 8, 3])
def test_spike_rates_are_proportional_to_pixel_values(gain: int):
    source = Input(shape=(1, 28, 28), timesteps=400, code="poisson", gain=gain, seed=5)
    images = np.arange(28 * 28).reshape(1, 28, 28, 1).astype(np.uint8)
    rate = poisson_train(images, source).mean(axis=0)
    expected = images.astype(np.float64) * gain / 16 / 256
    error = (rate - expected) / np.sqrt(np.maximum(expected * (1 - expected), 1e-4) / 400)
    assert rate[images == 0].max() == 0
    assert abs(error.mean()) < 0.15
    assert 0.8 < error.std() < 1.2
