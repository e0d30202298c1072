"""Random weights and pixels, for :mod:`tests.support.random_networks`."""

from __future__ import annotations

import numpy as np

from hwgen.network import DOUBLE, Input, InverseLeak


def random_pixels(rng: np.random.Generator, source: Input, n: int) -> np.ndarray:
    """Noise, smooth gradients, and sometimes all black or white."""
    if source.code == "events":
        return random_frames(rng, source, n)
    channels, height, width = source.shape
    top = (1 << source.pixel_bits) - 1
    images = rng.integers(0, top, size=(n, *source.shape), endpoint=True)
    for index in range(n):
        kind = rng.random()
        if kind < 0.4:
            slopes = rng.normal(size=(channels, 2, 1, 1)) / max(height, width)
            gradient = slopes[:, 0] * np.arange(height)[:, None] + slopes[:, 1] * np.arange(width)
            images[index] = np.clip((gradient + rng.random()) * top, 0, top)
        elif kind < 0.5:
            images[index] = 0 if kind < 0.45 else top
    return images.astype(np.uint8 if source.pixel_bits <= 8 else np.uint16)


def random_frames(rng: np.random.Generator, source: Input, n: int) -> np.ndarray:
    """Frames of address events with a random density per timestep; sometimes an empty sample."""
    busy = rng.random((n, source.timesteps, 1, 1, 1)) ** 2 * (rng.random((n, 1, 1, 1, 1)) < 0.9)
    return (rng.random((n, *source.sample_shape)) < busy).astype(np.uint8)


def random_weights(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Weights of 2 to 16 bits: ternary, bell-shaped, all at the extremes, or sparse."""
    kind = rng.random()
    if kind < 0.2:
        weights = rng.integers(-1, 2, size=shape)
    elif kind < 0.75:
        bits = int(rng.choice([3, 4, 8]))
        top = (1 << (bits - 1)) - 1
        weights = np.clip(np.rint(rng.normal(scale=top / 2, size=shape)), -top - 1, top)
    elif kind < 0.9:
        bits = int(rng.choice([2, 8, 16]))
        top = (1 << (bits - 1)) - 1
        weights = rng.choice([-top - 1, top], size=shape)
    else:
        weights = rng.integers(-100, 101, size=shape) * (rng.random(shape) < 0.3)
    return weights.astype(np.int32)


def random_leak(rng: np.random.Generator) -> InverseLeak:
    """k = 1 + n/2^m, mostly at least 1.2; sometimes 2."""
    if rng.random() < 0.1:
        return DOUBLE
    bits = int(rng.integers(1, 9))
    low = 0 if rng.random() < 0.1 else (1 << bits) // 5
    return InverseLeak(n=int(rng.integers(low // 2, 1 << bits - 1)) * 2 + 1, m=bits)
