"""What a train of spikes stands for: the codes of :mod:`hwgen.network`, both ways."""

from __future__ import annotations

import numpy as np

from hwgen.golden.poisson import poisson_train
from hwgen.network import Code, Input, value_dtype


def encode_train(values: np.ndarray, code: str, timesteps: int) -> np.ndarray:
    """:meth:`hwgen.network.Code.encode_train` of the code with this name."""
    return Code(code).encode_train(values, timesteps)


def decode_train(train: np.ndarray, code: str) -> np.ndarray:
    """:meth:`hwgen.network.Code.decode_train` of the code with this name."""
    return Code(code).decode_train(train)


def input_values(images: np.ndarray, source: Input) -> np.ndarray:
    """q of each pixel, in closed form (:class:`hwgen.network.Input`)."""
    bits, timesteps = source.pixel_bits, source.timesteps
    if source.code == "direct":
        return images.astype(value_dtype((1 << bits) - 1))
    if source.code != "radix":
        values = (images.astype(np.uint32) * timesteps + (1 << (bits - 1))) >> bits
        return values.astype(value_dtype(timesteps))
    dtype = value_dtype((1 << timesteps) - 1)
    if timesteps >= bits:
        return images.astype(dtype) << (timesteps - bits)
    return (images >> (bits - timesteps)).astype(dtype)


def input_train(images: np.ndarray, source: Input) -> np.ndarray:
    """The train of each pixel, step by step; shape (T, *images.shape).

    ``images`` end with (height, width, channels) where the code is "poisson"; of "events" they are
    frames (n, T, height, width, channels). "direct" gives the pixels' bits.
    """
    if source.code == "poisson":
        return poisson_train(images, source)
    if source.code == "events":
        return np.ascontiguousarray(np.moveaxis(images, 1, 0))
    if source.code == "direct":
        return encode_train(images, "radix", source.pixel_bits)
    train = np.zeros((source.timesteps, *images.shape), dtype=np.uint8)
    if source.code == "ttfs":
        return _first_spikes(images, source, train)
    full = 1 << source.pixel_bits
    accumulator = np.full(images.shape, full >> 1, dtype=np.int64)
    for step in range(source.timesteps):
        if source.code == "radix":
            if step < source.pixel_bits:
                train[step] = (images >> (source.pixel_bits - 1 - step)) & 1
        else:
            accumulator += images
            train[step] = accumulator >= full
            accumulator -= train[step] * np.int64(full)
    return train


def _first_spikes(images: np.ndarray, source: Input, train: np.ndarray) -> np.ndarray:
    """Pixels charge an accumulator once; a constant current takes it to the threshold."""
    full = np.int64(1 << source.pixel_bits)
    charge = images.astype(np.int64) * source.timesteps + (full >> 1)
    silent = np.ones(images.shape, dtype=bool)
    for spikes in train:
        charge += full
        fired = silent & (charge >= full * (source.timesteps + 1))
        silent &= ~fired
        spikes[...] = fired
    return train
