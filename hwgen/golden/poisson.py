"""The random numbers of a Poisson input, as :class:`hwgen.network.Input` defines them."""

from __future__ import annotations

import math

import numpy as np

from hwgen.golden.lfsr import read_draws, states
from hwgen.network import Input

TIMESTEP = 20  # draws of a timestep, as a power of two


def poisson_train(images: np.ndarray, source: Input) -> np.ndarray:
    """Trains of ``images`` (…, height, width, channels), shape (T, *images.shape)."""
    limits = images.astype(np.int64) * source.gain
    draws = poisson_draws(source)
    channels, height, width = source.shape
    draws = draws.reshape(source.timesteps, height, width, channels)
    train = np.empty((source.timesteps, *images.shape), dtype=np.uint8)
    for spikes, numbers in zip(train, draws):
        spikes[...] = numbers < limits
    return train


def poisson_draws(source: Input) -> np.ndarray:
    """r of each timestep and pixel, int64 (T, pixels)."""
    bits = source.pixel_bits + 4
    pixels = math.prod(source.shape)
    starts = states(source.seed, bits << TIMESTEP, source.timesteps)
    return read_draws(starts, pixels, bits)
